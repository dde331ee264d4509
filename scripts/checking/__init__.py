"""What `scripts/test` runs besides pytest, and `scripts/bits`."""
