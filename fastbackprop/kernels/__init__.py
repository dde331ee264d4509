"""The compiled part: kernels on plain arrays, called by `layers`, `network` and `training`, which check and allocate.

::

    entries        layer.py          cost.py        descent.py   gram_descent.py
    (from Python)     |                                  \\          /
    fused steps       |     elementwise.py                network.py
                      |        |                              |
    products       matmul.py --+------------------------------+
                      |
    tiles          packing.py   microkernel.py
                      |              |
    ground         matrix.py   activations.py   intrinsics.py   blocking.py   jit.py

An example, one layer forward: `layer_forward` views its arrays as matrices, takes a strip of columns, calls `product`
with the bias in its write-back, then `activate_rows` while the strip is in L2. `product` picks a way; each way cuts C into
tiles and calls a micro-kernel, machine code that all entries share.

What kernels promise: the numbers and nothing else. No checks (a wrong shape reads out of bounds: callers check), no Python
objects, no allocation in loops, no global state; nan and inf go through as IEEE 754 has them; an element's sum runs in
the same order however the work is cut, so the same call gives the same bits. Each runs as plain Python too, on NumPy
twins of the few intrinsics, under NUMBA_DISABLE_JIT=1: slow, and open to a debugger.
"""
