"""`scripts/soak` and `scripts/storm`: what a training has to endure."""
