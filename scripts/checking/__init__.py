"""What `scripts/test` runs besides pytest."""
