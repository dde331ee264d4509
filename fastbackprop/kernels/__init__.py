"""The compiled part: kernels on plain arrays, called by `layers`, `network` and `training`, which check and allocate.

::

    entries       layer.py   elementwise.py   cost.py   update.py   descent.py        gram_descent.py
    (from Python)    |            |                        |        batch_descent.py  gram_rule_descent.py
                     |            |                        |        share_descent.py    |
                     |            |                        |           |        |       |
    one iteration    |            |                        |        blocks.py --+    gram.py     blocks of examples through
                     |            |      gather.py         |         cut.py             |        all layers, how they are cut,
                     |            |                   outputs.py -- network.py          |        gathered before; the Gram
                     |            |                        |            |               |        matrix
    products      product.py -----+-------------------------------------+----------------+
                  plan.py         how a product is done: method, blocks, chunks, room
    loops         matmul.py
                     |
    tiles         packing.py   microkernel.py
                     |              |
    threads       mailbox.py   jobs.py   threads.py   workspace.py           chunks of a job, shared by the team
    ground        activations.py   sums.py   matrix.py   intrinsics.py   memory.py   kinds.py   borrowed.py   blocking.py
    compiling     jit.py   inlined.py   pipeline.py   libraries.py   introspection.py   notice.py   tasks.py   disk_cache.py

An example, one layer forward: `layer_forward` views its arrays as matrices, plans the product of a strip of columns, holds a
job that says all that its chunks have to know, and does them: `forward_chunk` runs the product with the bias in its
write-back, then the activation while the strip is in L2; a training's relu is in the write-back too. The plan's method cuts C
into tiles and calls a micro-kernel, vector code that all entries call by its symbol.

Threads: a caller passes two mailboxes, its own and that of the team (`threads.py`), each with scratch memory that stays from
call to call (`workspace.py`). The kernel claims the team's if it is free, and returns it at its end. It posts jobs there,
chunks of a product, of strips or of blocks, which any idle helper claims; where none comes, the caller does them all.

What layers compute besides products, and how parameters step, are routines too, whose addresses kernels are handed
(`jit.Routine.at`): one machine code serves all activations, outputs and rules; none is compiled for who takes another.

What kernels promise: the numbers and nothing else. No Python objects, no allocation in loops, no global state; nan and inf go
through as IEEE 754 has them; an element's sum runs in the same order however the work is cut, so the same call has the same
bits with any number of threads. Each runs as plain Python too, on NumPy twins of the few intrinsics, under
NUMBA_DISABLE_JIT=1: slow, and open to a debugger.

What they check: the entries of single layers, costs and steps take what users give (`kinds.GIVEN`), and refuse what does not
serve by returning False, before they write anything: in machine code that costs next to nothing. All others check nothing (a
wrong shape reads out of bounds: callers check).

Proof, in tests/: kernels/test_guarded.py::test_kernels_stay_within_their_operands (operands alone are touched),
kernels/test_borrowed.py (what is refused),
test_team.py::test_layers_have_the_same_bits_with_any_number_of_threads,
kernels/test_activations.py::test_zeros_infinities_and_nan, test_plain.py (the twins).
"""
