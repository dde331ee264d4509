"""`scripts/bench` and `scripts/measure_thresholds`: the fast functions timed against the reference, beside the goals."""
