"""Where arguments are checked and errors are worded, from checks of one property each.

What is meaningless raises here, before any work; ``shapes`` checks which operands fit together. ``operands`` decides whether
the kernels cover the rest.
"""

import math
import operator
import re
from collections.abc import Mapping, Set
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy import ndarray

from fastbackprop.activations import ACTIVATIONS, HIDDEN, LEAKY_RELU, OUTPUTS, LeakyRelu

_SCALARS = (bool, int, float, np.generic)
_ROUNDED = 1e-5  # how far a sum of probabilities may be from 1
_WEIGHTS = 2**44  # of a layer: their bytes fill the address space that today's processors have for a process
_LAYER_KEY = re.compile("([Wb])([1-9][0-9]*)", re.ASCII)

# ------------------------------------------------------------------------------------------------------- single values


def activation_named(activation):
    """The row of an activation."""
    try:
        return ACTIVATIONS[activation]
    except (KeyError, TypeError):
        known = ", ".join(map(repr, ACTIVATIONS))
        raise ValueError(f"activation is {activation!r}; known ones are {known}") from None


def hidden_named(hidden):
    """The row of a hidden activation of trainings, by name or as a LeakyRelu."""
    if isinstance(hidden, LeakyRelu):
        if not (slope := real("hidden's slope", hidden.slope)) >= 0:
            raise ValueError(f"hidden has the slope {slope}; expected a number, at least 0")
        return replace(LEAKY_RELU, slope=slope)
    try:
        return HIDDEN[hidden]
    except (KeyError, TypeError):
        known = ", ".join(map(repr, HIDDEN))
        raise ValueError(f"hidden is {hidden!r}; known ones are {known}, and LeakyRelu(slope)") from None


def output_named(output):
    """The row of an output of trainings."""
    try:
        return OUTPUTS[output]
    except (KeyError, TypeError):
        known = ", ".join(map(repr, OUTPUTS))
        raise ValueError(f"output is {output!r}; known ones are {known}") from None


def numbers(name, x):
    """``x`` as an array of real numbers: the very object if it is one, of any class."""
    try:
        array = x if isinstance(x, ndarray) else np.asarray(x)
    except ValueError as error:
        raise ValueError(f"{name} does not make an array: {error}") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} is {_no_numbers(x, array)}")
    if type(array) is not ndarray and isinstance(array, np.ma.MaskedArray) and (masked := np.ma.count_masked(array)):
        raise ValueError(f"{name} has masked entries, {masked} of {array.size}; expected a number in each: fill or drop them")
    return array


def _no_numbers(x, array):
    """What came instead of real numbers, and what was expected."""
    if array.dtype.kind != "O":
        return f"of dtype {array.dtype}; expected real numbers"
    if array.ndim == 0:
        return "None; expected real numbers" if x is None else f"of type {type(x).__name__}; expected real numbers"
    return "of dtype object; expected real numbers: use .astype(float)"


def scalar(name, x):
    """``x`` itself; a Python int that no NumPy integer can hold becomes the float that it is beside floats."""
    if type(x) is not int or -(2**63) <= x < 2**63:
        return x
    try:
        return float(x)
    except OverflowError:
        raise ValueError(f"{name} is a whole number of {x.bit_length()} bits; expected one that a float can hold") from None


def operand(name, x):
    """As ``numbers``, but a scalar stays what it is: NumPy's result dtypes depend on it."""
    x = scalar(name, x)
    array = numbers(name, x)
    return x if isinstance(x, _SCALARS) else array


def real(name, x):
    """``x`` as a finite float."""
    array = numbers(name, scalar(name, x))
    if array.ndim:
        raise ValueError(f"{name} has shape {array.shape}; expected one number")
    if not math.isfinite(value := float(array)):
        raise ValueError(f"{name} is {value}; expected a finite number")
    return value


def count(name, x, at_least=0):
    """``x`` as an int."""
    try:
        value = operator.index(x)
    except TypeError:
        raise TypeError(f"{name} is {x!r}; expected a whole number") from None
    if value < at_least:
        raise ValueError(f"{name} is {value}; expected at least {at_least}")
    return value


def truth(name, x):
    """``x`` as a bool."""
    if not isinstance(x, (bool, np.bool_)):
        raise TypeError(f"{name} is {x!r}; expected True or False")
    return bool(x)


def layer_sizes(name, sizes):
    """``n_0, n_1, ..., n_L`` as a list of ints, L >= 1."""
    try:
        if isinstance(sizes, (Set, Mapping)):  # it has another order
            raise TypeError
        sizes = list(sizes)
    except TypeError:
        raise TypeError(f"{name} is {sizes!r}; expected a sequence of layer sizes") from None
    if len(sizes) < 2:
        raise ValueError(f"{name} is {sizes}; expected the sizes of the input and of one layer or more")
    sizes = [count(f"{name}[{l}]", size, at_least=1) for l, size in enumerate(sizes)]
    for l in range(1, len(sizes)):
        if (weights := sizes[l] * sizes[l - 1]) > _WEIGHTS:
            raise ValueError(f"{name} has {sizes[l - 1]}, then {sizes[l]}: W{l} has {weights} numbers, which no memory holds")
    return sizes


# ------------------------------------------------------------------------------------------- containers and their parts


def linear_cache(cache):
    """``A_prev, W, b`` of a cache."""
    try:
        A_prev, W, b = cache
    except (TypeError, ValueError):
        raise malformed("cache", "(A_prev, W, b)", cache) from None
    return A_prev, W, b


def layer_cache(cache, l=None):
    """``A_prev, W, b, Z`` of a cache, or of the one of layer ``l``."""
    try:
        (A_prev, W, b), Z = cache
    except (TypeError, ValueError):
        name = "cache" if l is None else f"caches[{l - 1}]"
        raise malformed(name, "((A_prev, W, b), Z)", cache) from None
    return A_prev, W, b, Z


def layer_caches(caches):
    """``A_prev, W, b, Z`` of each layer."""
    try:
        layers = [layer_cache(cache, l) for l, cache in enumerate(caches, start=1)]
    except TypeError:
        raise TypeError(f"caches is {_described(caches)}; expected a sequence of caches, one a layer") from None
    if not layers:
        raise ValueError("caches is empty; expected one cache a layer")
    return layers


def malformed(name, expected, cache):
    """The error for a cache that is none."""
    length = f" of length {len(cache)}" if hasattr(cache, "__len__") and not isinstance(cache, ndarray) else ""
    return ValueError(f"{name} is {_described(cache)}{length}; expected {expected}")


def _described(x):
    """What ``x`` is, as the errors call it."""
    if isinstance(x, ndarray):
        return f"an array of shape {x.shape}"
    return "None" if x is None else f"of type {type(x).__name__}"


def entry(name, mapping, key):
    """``mapping[key]``, where the key ends with the number of its layer."""
    try:
        return mapping[key]
    except KeyError:
        raise missing(name, key) from None
    except (TypeError, IndexError):
        raise no_mapping(name, mapping) from None


def missing(name, key):
    """The error for a mapping that lacks a key, which ends with the number of its layer."""
    return KeyError(f"{name} lacks {key!r}, which layer {key.lstrip('dWb')} needs")


def no_mapping(name, x):
    """The error for what is no mapping of keys to arrays."""
    keys = "dW1, db1" if name == "grads" else "W1, b1"
    return TypeError(f"{name} is {_described(x)}; expected a dict of {keys} and so on")


@lru_cache
def layer_keys(L):
    """``"W1", "b1"`` and so on, a pair a layer."""
    return tuple((f"W{l}", f"b{l}") for l in range(1, L + 1))


@lru_cache
def gradient_keys(L):
    """``"dA0", "dW1", "db1"`` and so on, three a layer."""
    return tuple((f"dA{l - 1}", f"dW{l}", f"db{l}") for l in range(1, L + 1))


@lru_cache
def step_keys(L):
    """``"W1", "dW1"``, then ``"b1", "db1"``, and so on, two pairs a layer."""
    return tuple((key, f"d{key}") for pair in layer_keys(L) for key in pair)


def layer_count(parameters):
    """The number of layers in ``parameters``: that of its pairs of entries."""
    try:
        entries = len(parameters)
    except TypeError:
        raise no_mapping("parameters", parameters) from None
    if entries < 2:
        if not isinstance(parameters, Mapping):
            raise no_mapping("parameters", parameters)
        raise ValueError(f"parameters has entries: {entries}; expected W1, b1 and so on, one pair a layer")
    return entries // 2


def layer_parameters(parameters):
    """``W, b`` of each layer."""
    keys = layer_keys(layer_count(parameters))
    try:
        layers = [(parameters[W], parameters[b]) for W, b in keys]
    except (KeyError, TypeError, IndexError):
        return [[entry("parameters", parameters, key) for key in pair] for pair in keys]
    if len(parameters) % 2:  # besides the pairs there is one entry, which may be half of one more
        pairs("parameters", parameters)
    return layers


def pairs(name, parameters):
    """Check that each W has its b, and each b its W; entries of other names are allowed."""
    for key in parameters:
        found = _LAYER_KEY.fullmatch(key) if isinstance(key, str) else None
        if found and (partner := f"{'b' if found[1] == 'W' else 'W'}{found[2]}") not in parameters:
            raise missing(name, partner)


def layer_steps(parameters, grads):
    """``key, W, dW`` for each W and b."""
    keys = step_keys(layer_count(parameters))
    try:
        return [(key, parameters[key], grads[dkey]) for key, dkey in keys]
    except (KeyError, TypeError, IndexError):
        return [(key, entry("parameters", parameters, key), entry("grads", grads, dkey)) for key, dkey in keys]


def parameters_of(name, parameters, sizes):
    """``W1, b1, ..., WL, bL`` of a network of these layer sizes, as a dict of arrays."""
    result = {}
    for l in range(1, len(sizes)):
        for key, shape in ((f"W{l}", (sizes[l], sizes[l - 1])), (f"b{l}", (sizes[l], 1))):
            result[key] = numbers(key, entry(name, parameters, key))
            if result[key].shape != shape:
                raise ValueError(f"{key} in {name} has shape {result[key].shape}; expected {shape} for layer {l}")
    pairs(name, parameters)
    return result


# --------------------------------------------------------------------------------------------------------------- shapes


def shape_error(expected, **shapes):
    """The error for shapes that do not fit together."""
    came = ", ".join(f"{name} has shape {shape}" for name, shape in shapes.items())
    return ValueError(f"{came}; expected {expected}")


def some_examples(name, shape):
    """Check that there is a column, an example, or more."""
    if len(shape) == 2 and shape[1] == 0:
        raise ValueError(f"{name} has shape {shape}: no examples; expected one column or more")


def examples(name, X, n_0):
    """``X (n_0, m)`` as an array, m >= 1."""
    X = numbers(name, X)
    if X.ndim != 2 or X.shape[0] != n_0:
        raise ValueError(f"{name} has shape {X.shape}; expected ({n_0}, m), examples are columns")
    some_examples(name, X.shape)
    return X


def spreads(shape, target):
    """Whether NumPy broadcasts ``shape`` to ``target``."""
    return len(shape) <= len(target) and all(n in (1, t) for n, t in zip(shape[::-1], target[::-1], strict=False))


def label_row(Y, X_shape):
    """The labels of a training ``(1, m)`` as an array."""
    Y = numbers("Y", Y)
    m = X_shape[1]
    if Y.shape != (1, m):
        hint = f": use {as_row('Y')}" if Y.size == m else ""
        raise ValueError(f"Y has shape {Y.shape}; expected (1, {m}), one label an example of X {X_shape}{hint}")
    return Y


def label_rows(name, Y, n, m):
    """The labels of m examples ``(n, m)`` as an array, a row an output unit; for one unit (m,) is taken too."""
    Y = numbers(name, Y)
    if n == 1 and Y.shape == (m,):
        return Y.reshape(1, m)
    if Y.shape != (n, m):
        hint = f": use {as_row(name)}" if n == 1 and Y.size == m else ""
        raise ValueError(f"{name} has shape {Y.shape}; expected ({n}, {m}), a row an output unit, examples are columns{hint}")
    return Y


def class_labels(name, Y, n, m):
    """The labels of m examples in n classes, one-hot ``(n, m)``: as they are, or of whole numbers (1, m) or (m,)."""
    Y = numbers(name, Y)
    whole = f"whole numbers from 0 to {n - 1}"
    if Y.shape in ((1, m), (m,)):
        row = Y.reshape(-1)
        if (bad := np.flatnonzero((row < 0) | (row >= n) | (row != np.floor(row)))).size:
            raise ValueError(f"{name} has labels that are no {whole}, {bad.size} of {m}: the first is {row[bad[0]]}")
        one_hot = np.zeros((n, m))
        one_hot[row.astype(np.int64), np.arange(m)] = 1
        return one_hot
    if Y.shape != (n, m):
        raise ValueError(f"{name} has shape {Y.shape}; expected ({n}, {m}), one-hot, or (1, {m}) of {whole}")
    total = Y.sum(axis=0, dtype=float)
    if (bad := np.flatnonzero(~((abs(total - 1) <= _ROUNDED) & (Y >= 0).all(axis=0)))).size:
        raise ValueError(
            f"{name} has columns that are not one-hot, {bad.size} of {m}: the first, column {bad[0]}, sums to "
            f"{total[bad[0]]:g}; expected numbers from 0 on whose sum is 1"
        )
    return Y


def as_row(name):
    """How a series, a list or a column becomes (1, m): of ``validation's Y``, the Y in it."""
    return f"np.asarray({name.split()[-1]}).reshape(1, -1)"
