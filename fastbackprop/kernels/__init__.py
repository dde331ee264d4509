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
    below it      disk_cache.py   tasks.py                        machine code on disk; work that no signal handler reaches
                  notice.py   introspection.py                    a word while a compile takes long; what help() shows

An example, one layer forward: `layer_forward` views its arrays as matrices, takes a strip of columns, calls `product`
with the bias in its write-back, then the activation while the strip is in L2. `product` chooses a way; each way cuts C
into tiles and calls a micro-kernel, vector code that all entries call by its symbol.

Threads: a caller hands over two mailboxes, its own and that of the team (`threads.py`), each with scratch memory that stays
from call to call (`workspace.py`). The kernel claims the team's if it is free, and gives it back at its end. It writes jobs
into it, chunks of a product, of strips or of blocks, which any idle helper claims; where none comes, the caller does them all.

What kernels promise: the numbers and nothing else. No checks (a wrong shape reads out of bounds: callers check), no Python
objects, no allocation in loops, no global state; nan and inf go through as IEEE 754 has them; an element's sum runs in
the same order however the work is cut, so the same call gives the same bits with any number of threads. Each runs as plain
Python too, on NumPy twins of the few intrinsics, under NUMBA_DISABLE_JIT=1: slow, and open to a debugger.

Proof, in tests/: kernels/test_guarded.py::test_kernels_stay_within_their_operands (operands alone are touched),
test_team.py::test_layers_have_the_same_bits_with_any_number_of_threads,
kernels/test_activations.py::test_zeros_infinities_and_nan, test_plain.py (the twins).
"""
