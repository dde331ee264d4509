"""Faults planted in the package, to see whether the tests find them; `scripts/mutate` runs it."""
