"""A program: a layer in both dtypes and both trainings within their bounds, with one thread and with two, then what the
machine code uses, as JSON.

`python -m tests.kernels.support.processor` from the project's folder; Numba's own settings choose the processor.
"""

import json
import re
import sys

import fastbackprop as bp
from fastbackprop import reference
from fastbackprop.kernels import blocking, jit
from fastbackprop.testing import CASES, Size, assert_same_bits, assert_within_bound

SIZE = Size((37, 70, 1), 61)  # edges of every tile, and each choice of a product
SHARED = Size((90, 131, 1), 97)  # likewise, and a product of a layer is large enough to wake a helper for
TRAINING_RTOL = 1e-12  # a few iterations of a well-posed net, of the largest entry of each array: rounding times some tens


def with_threads(function, *args, **kwargs):
    """The function's result, after checking that two threads compute the bits of one."""
    with bp.num_threads(1):
        alone = function(*args, **kwargs)
    with bp.num_threads(2):
        assert_same_bits(function(*args, **kwargs), alone)
    return alone


def check_layer(dtype, sizes=(SIZE, SHARED)):
    for name in ("linear_activation_forward", "linear_activation_backward"):
        for size in sizes:
            for activation in CASES[name].activations:
                arguments = CASES[name].make(size, dtype, activation=activation)
                expected = getattr(reference, name)(*arguments)
                assert_within_bound(with_threads(getattr(bp, name), *arguments), expected, CASES[name].bound(*arguments))


def check_training(algorithm):
    X, start = CASES["L_model_forward"].make(SIZE, "float64")
    Y = (X[:1] > 0).astype("float64")
    expected = reference.L_layer_model(X, Y, SIZE.layers, 0.1, 5, parameters=start)
    bound = {key: TRAINING_RTOL * abs(value).max() for key, value in expected.items()}
    trained = with_threads(bp.L_layer_model, X, Y, SIZE.layers, 0.1, 5, parameters=start, algorithm=algorithm)
    assert_within_bound(trained, expected, bound)


def machine_code():
    """Name and code of all that has been compiled, and the symbols that it has been found to reach."""
    for entry in jit.Entry.all:
        for char, dispatcher in entry.dispatchers.items():
            reached = {routine.symbol(jit.DTYPES[char]) for routine in jit.routines_of(entry.function)}
            yield f"{entry.function.__name__} {char}", "".join(dispatcher.inspect_asm().values()), reached
    for routine in jit.Routine.all:
        for T in jit.DTYPES.values():
            if (symbol := routine.symbol(T)) in jit.Routine.loaded:
                reached = {callee.symbol(T) for callee in jit.routines_of(routine)}
                yield symbol, "".join(jit.Routine.loaded[symbol].inspect_asm().values()), reached


def main():
    check_layer("float64")
    check_layer("float32")
    check_training("direct")
    check_training("gram")
    code = {name: (text, reached) for name, text, reached in machine_code()}
    symbols = re.compile(r"fastbackprop_\w+_float\d\d")
    found = {
        "vector_bytes": blocking.VECTOR_BYTES,
        "registers": {name: sorted(set(re.findall(r"\b([xyz]mm)\d", text))) for name, (text, _) in code.items()},
        "unreached": sorted(name for name, (text, reached) in code.items() if not reached.issuperset(symbols.findall(text))),
        "library": sorted(name for name, (text, _) in code.items() if re.search(r"\bfmaf?\b", text)),
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
