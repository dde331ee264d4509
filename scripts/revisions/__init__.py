"""`scripts/bench compare`: two commits installed side by side, timed in turns, and what changed beyond noise."""
