"""Training loops of other nets: hidden activations, outputs and update rules that ``train`` has, recognized by what they compute.

The functions that such a loop calls need not compute what one of the fourteen does. What an iteration makes of the parameters
is compared as a whole: on probes before the call (``likeness``), and on the user's data in the first iteration (``training``).
"""
