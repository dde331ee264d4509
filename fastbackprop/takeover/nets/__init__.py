"""Training loops of other nets: any hidden activation, output and update rule that ``train`` has.

The functions that such a loop calls need not compute what one of the fourteen does. What an iteration makes of the parameters
is compared as a whole: on probes before the call (``likeness``), and on the user's data in the first iteration (``training``).
"""
