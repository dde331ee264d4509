"""`scripts/compare-peers`: the same trainings by other libraries."""
