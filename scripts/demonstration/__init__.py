"""`scripts/demo`: both implementations train the same nets, and their costs are drawn."""
