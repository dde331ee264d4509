"""The checks that `scripts/test` runs besides pytest, and `scripts/bits`."""
