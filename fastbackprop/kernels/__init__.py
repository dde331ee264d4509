"""The compiled part: kernels on plain arrays, called by `layers`, `network` and `training`, which check and allocate.

::

    entries       layer.py     cost.py      descent.py   gram_descent.py
    (from Python)    |                            \\       /
    one sweep        |                            sweep.py      a block of examples through all layers
    fused steps   elementwise.py                  network.py    one layer after the other
                     |                                |
    products      product.py -------------------------+         one machine code for all, shared by the team
                     |
    loops         matmul.py
                     |
    tiles         packing.py   microkernel.py
                     |              |
    ground        matrix.py   workspace.py   activations.py   threads.py   words.py   intrinsics.py   blocking.py   jit.py

An example, one layer forward: `layer_forward` views its arrays as matrices, takes a strip of columns, calls `product`
with the bias in its write-back, then the activation while the strip is in L2. `product` chooses a way; each way cuts C
into tiles and calls a micro-kernel, vector code that all entries call by its symbol.

Threads: a caller hands over a mailbox, its own or that of a team (`threads.py`), with scratch memory that stays from call to
call (`workspace.py`). With a team a kernel writes jobs into it, chunks of a product,
of strips or of blocks, which whoever is awake claims; where nobody comes, the caller does them all.

What kernels promise: the numbers and nothing else. No checks (a wrong shape reads out of bounds: callers check), no Python
objects, no allocation in loops, no global state; nan and inf go through as IEEE 754 has them; an element's sum runs in
the same order however the work is cut, so the same call gives the same bits with any number of threads. Each runs as plain
Python too, on NumPy twins of the few intrinsics, under NUMBA_DISABLE_JIT=1: slow, and open to a debugger.
"""
