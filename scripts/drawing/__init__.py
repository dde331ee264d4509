"""`scripts/figures`: tables and pictures of README and docs, drawn from the measured figures in docs/figures."""
