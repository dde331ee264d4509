"""`scripts/soak` and `scripts/storm`: the disturbances that a training has to endure."""
