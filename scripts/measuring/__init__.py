"""Modules that the timing programs share: clocks and intervals, nets, goals, the machine and its limits."""
