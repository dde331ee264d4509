"""The one table of cases, and what counts as the same: shared by tests, benchmarks and ``verify``.

``CASES[name].make(size, dtype, layout)`` makes the positional arguments of the public function ``name``, and
``CASES[name].bound(*args)`` bounds how far two correct implementations may lie apart on them. Sizes have names (``SIZES``),
and so have memory layouts (``LAYOUTS``). Importing this module fails if a public function has no case. It needs NumPy only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import fastbackprop
from fastbackprop import reference
from fastbackprop.activations import ACTIVATIONS, SIGMOID

# ------------------------------------------------------------------------------------------------- sizes and layouts


class Size(NamedTuple):
    """Layer sizes ``n_0 .. n_L`` and the number of examples ``m``; one layer's functions see ``n_0, n_1, m``."""

    layers: tuple[int, ...]
    m: int


SIZES = {
    "one": Size((1, 1), 1),
    "planar": Size((2, 4, 1), 400),
    "table": Size((30, 16, 8, 1), 569),
    "million": Size((30, 16, 8, 1), 1_000_000),
    "digits": Size((784, 128, 64, 1), 1000),
    "wide": Size((784, 512, 256, 1), 10_000),
    "pictures": Size((12288, 20, 7, 5, 1), 209),
    "many": Size((12288, 64, 1), 2000),
    "square": Size((1000, 1000, 1), 1000),
    "few": Size((4000, 2, 1), 23),
    "small": Size((24, 8, 2), 200),
    "classes": Size((64, 100, 10), 1797),
}
# The sizes at which every function is timed; at the others a training takes minutes with the reference.
TIMED = ("one", "planar", "table", "digits", "pictures", "square")


def _strided(x):
    wide = np.empty(tuple(2 * n + 1 for n in x.shape), x.dtype)
    odd: Any = (slice(1, None, 2),) * x.ndim + (...,)
    view = wide[odd]
    view[...] = x
    return view


def _read_only(x):
    view = x.copy()
    view.flags.writeable = False
    return view


def _misaligned(x):
    raw = np.empty(x.nbytes + 1, np.uint8)
    view = raw[1:].view(x.dtype).reshape(x.shape)
    view[...] = x
    return view


# Each takes an array and returns a new one of the same values, with the memory layout of its name.
LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "C": lambda x: x.copy(order="C"),
    "Fortran": lambda x: x.copy(order="F"),
    "strided": _strided,
    "reversed": lambda x: np.flip(np.flip(x).copy()),
    "read-only": _read_only,
    "misaligned": _misaligned,
    "byte-swapped": lambda x: x.astype(x.dtype.newbyteorder()),
}


def map_arrays(function, tree):
    """``tree`` (arrays in nested tuples, lists and dicts) with ``function`` applied to each array."""
    if isinstance(tree, np.ndarray):
        return function(tree)
    if isinstance(tree, dict):
        return {key: map_arrays(function, value) for key, value in tree.items()}
    if isinstance(tree, (tuple, list)):
        return type(tree)(map_arrays(function, value) for value in tree)
    return tree


# ---------------------------------------------------------------------------------------------------------- arguments


class _Draw:
    """Random arrays of one request, named as in the formulas; a layer's are those of the first layer."""

    def __init__(self, rng, size, dtype, activation):
        self.rng, self.layers, self.m, self.dtype, self.activation = rng, size.layers, size.m, dtype, activation

    def normal(self, shape, scale=1.0):
        return (scale * self.rng.standard_normal(shape)).astype(self.dtype)

    def X(self):
        return self.normal((self.layers[0], self.m))

    def dA(self):
        return self.normal((self.layers[1], self.m))

    def Z(self):
        Z = self.normal((self.layers[1], self.m), scale=3)
        Z[self.rng.random(Z.shape) < 0.1] = 0  # where `Z <= 0` decides relu's slope
        return Z

    def Y(self):
        return (self.rng.random((1, self.m)) < 0.4).astype(self.dtype)

    def AL(self):
        return self.rng.uniform(0.01, 0.99, (1, self.m)).astype(self.dtype)

    def parameters(self):
        parameters = {}
        for l, (n_prev, n) in enumerate(zip(self.layers, self.layers[1:], strict=False), start=1):
            parameters[f"W{l}"] = self.normal((n, n_prev), scale=n_prev**-0.5)
            parameters[f"b{l}"] = self.normal((n, 1), scale=0.1)
        return parameters

    def grads(self):
        return {f"d{key}": value for key, value in self.parameters().items()}

    def linear_cache(self):
        n_prev, n = self.layers[:2]
        return self.X(), self.normal((n, n_prev), scale=n_prev**-0.5), self.normal((n, 1), scale=0.1)

    def forward(self):
        return reference.L_model_forward(self.X(), self.parameters())


def _model_backward_args(draw):
    AL, caches = draw.forward()
    return AL, draw.Y(), caches


# ------------------------------------------------------------------------------------------------------- error bounds
#
# Each is a first-order bound of one implementation's distance from the exact value, in units u of the unit roundoff,
# with room for the second order. Two implementations that keep theirs are at most twice as far apart: `Case.bound`.
# A trailing argument `error` is the distance that an input has already: it travels through the formula.

PRODUCT_U = 2  # a sum of k products: |C - exact| <= 2 k u |A||B|, elementwise
TRAINING_RTOL = 1e-9  # a whole training in float64, of the largest entry of each array


def unit_roundoff(*arrays) -> float:
    """u of the dtype of an operation on ``arrays`` in NumPy."""
    return float(np.finfo(np.result_type(*arrays)).eps) / 2


def product_bound(A, B, error_A=0.0, error_B=0.0, extra_terms=0):
    """Bound on ``A @ B``: ``2 k u |A||B|`` of k terms (and ``extra_terms`` roundings more), and the inputs' errors."""
    k, u = A.shape[1] + extra_terms, unit_roundoff(A, B)
    A, B = np.abs(A, dtype=float), np.abs(B, dtype=float)
    return PRODUCT_U * k * u * (A @ B) + (error_A + 0 * A) @ B + A @ (error_B + 0 * B)


def _activation(g, Z, error=0.0):
    # `tiny`: 1 / (1 + exp(-Z)) is 0 where exp overflows, the exact value a subnormal. A row without ulp is exact.
    A, _ = g.forward(Z)
    rounding = g.ulp * np.spacing(np.abs(A)).astype(float) + np.finfo(A.dtype).tiny if g.ulp else 0.0
    return rounding + error * g.steepest


def _activation_backward(g, dA, Z, error=0.0):
    # backward_u u |dA|, and the error of dA times a bound of the slope.
    rounding = g.backward_u * unit_roundoff(dA, Z) * np.abs(dA, dtype=float) if g.backward_u else 0.0
    return rounding + error * g.slope_bound(Z)


def _linear_forward(A, W, b, error=0.0):
    # Z = [W b] [A; 1]: the bias is one more term.
    one = np.ones((1, A.shape[1]), A.dtype)
    error_A = np.concatenate([error + np.zeros(A.shape), np.zeros(one.shape)])
    return product_bound(np.concatenate([W, b], axis=1), np.concatenate([A, one]), error_B=error_A)


def _linear_activation_forward(A_prev, W, b, activation, error=0.0):
    error_Z = _linear_forward(A_prev, W, b, error)
    Z, _ = reference.linear_forward(A_prev, W, b)
    error_A = _activation(ACTIVATIONS[activation], Z, error_Z)
    return error_A, ((error, 0.0, 0.0), error_Z)


def _linear_backward(dZ, cache, error=0.0):
    # The sums over m, and one more rounding for the 1/m; dA_prev sums over n.
    A_prev, W, _ = cache
    m = A_prev.shape[1]
    dA_prev = product_bound(W.T, dZ, error_B=error)
    dW = product_bound(dZ, A_prev.T, error_A=error, extra_terms=1) / m
    db = product_bound(dZ, np.ones((m, 1), dZ.dtype), error_A=error, extra_terms=1) / m
    return dA_prev, dW, db


def _linear_activation_backward(dA, cache, activation, error=0.0):
    linear_cache, Z = cache
    g = ACTIVATIONS[activation]
    return _linear_backward(g.backward(dA, Z), linear_cache, _activation_backward(g, dA, Z, error))


def _model_forward(X, parameters):
    A, error, caches = X, 0.0, []
    L = len(parameters) // 2
    for l in range(1, L + 1):
        layer = A, parameters[f"W{l}"], parameters[f"b{l}"], "relu" if l < L else "sigmoid"
        error, cache = _linear_activation_forward(*layer, error)
        A, _ = reference.linear_activation_forward(*layer)
        caches.append(cache)
    return error, caches


def _cost(AL, Y):
    # -(Y log AL + (1 - Y) log(1 - AL)) / m: m terms, logs within 4 ulp; 1 - AL is off by u, its log by u / (1 - AL).
    m, u = AL.shape[1], unit_roundoff(AL, Y)
    AL, Y = np.asarray(AL, dtype=float), np.asarray(Y, dtype=float)
    terms = np.abs(Y * np.log(AL)) + np.abs((1 - Y) * np.log1p(-AL))
    return np.sum(PRODUCT_U * (m + 8) * u * terms + u * np.abs(1 - Y) / (1 - AL)) / m


def _model_backward(AL, Y, caches):
    # dAL: at most 4 roundings of each of its two parts. The masks of relu are inputs (in the caches): none can flip.
    Y = np.reshape(Y, AL.shape)
    grads = reference.L_model_backward(AL, Y, caches)
    dA = -(Y / AL - (1 - Y) / (1 - AL))
    error = 4 * unit_roundoff(AL, Y) * (np.abs(Y / AL) + np.abs((1 - Y) / (1 - AL)))
    bounds = {}
    for l in range(len(caches), 0, -1):
        activation = "sigmoid" if l == len(caches) else "relu"
        error, dW, db = _linear_activation_backward(dA, caches[l - 1], activation, error)
        dA = grads[f"dA{l - 1}"]
        bounds[f"dA{l - 1}"], bounds[f"dW{l}"], bounds[f"db{l}"] = error, dW, db
    return bounds


def _update(parameters, grads, learning_rate):
    # W - learning_rate * dW: a sum of two terms.
    def bound(W, dW):
        return 2 * PRODUCT_U * unit_roundoff(W, dW) * (np.abs(W) + np.abs(learning_rate * dW))

    return {key: bound(value, grads[f"d{key}"]) for key, value in parameters.items()}


def _training(X, Y, layers_dims, learning_rate, num_iterations):
    # Descent is no fixed sum: the bound is what every well-posed float64 training has to keep, in units of the start
    # (0.01 * randn), which a few iterations at a small rate leave as large as it was.
    L = len(layers_dims) - 1
    return {f"{letter}{l}": 0.01 * TRAINING_RTOL / 2 for l in range(1, L + 1) for letter in "Wb"}


# ---------------------------------------------------------------------------------------------------------- the table


@dataclass(frozen=True)
class Case:
    """How one public function is called, and how far its results may be from another implementation's.

    ``family`` is the module of the benchmarks that times it; ``sizes`` are the names in ``SIZES`` at which it is timed;
    ``activations`` are those that it takes as its last argument (empty for a function without that argument).
    """

    family: str
    arguments: Callable[[_Draw], tuple]
    error: Callable[..., Any]
    activations: tuple[str, ...] = ()
    sizes: tuple[str, ...] = TIMED

    def make(self, size: str | Size, dtype: Any, layout: str = "C", seed: int = 0, activation: str | None = None) -> tuple:
        """Positional arguments, equal ones for equal requests; ``size`` is a name in ``SIZES`` or a ``Size``.

        ``activation`` defaults to the first of ``activations``; ValueError for one that the function does not take.
        """
        if activation is None and self.activations:
            activation = self.activations[0]
        elif activation is not None and activation not in self.activations:
            raise ValueError(f"activation is {activation!r}; this function takes {self.activations}")
        size = SIZES[size] if isinstance(size, str) else size
        draw = _Draw(np.random.default_rng(seed), size, np.dtype(dtype), activation)
        return map_arrays(LAYOUTS[layout], self.arguments(draw))

    def bound(self, *args) -> Any:
        """Largest difference between two correct results of a call with ``args``, in the shape of the result."""
        with np.errstate(all="ignore"):  # the reference's formulas warn where they saturate
            return _twice(self.error(*args))


def _twice(tree):
    if isinstance(tree, dict):
        return {key: _twice(value) for key, value in tree.items()}
    if isinstance(tree, (tuple, list)):
        return type(tree)(_twice(value) for value in tree)
    return 2 * tree


def _exact(*args):
    return 0.0


CASES = {
    "sigmoid": Case("activations", lambda d: (d.Z(),), lambda Z: (_activation(SIGMOID, Z), 0.0)),
    "relu": Case("activations", lambda d: (d.Z(),), _exact),
    "sigmoid_backward": Case("activations", lambda d: (d.dA(), d.Z()), partial(_activation_backward, SIGMOID)),
    "relu_backward": Case("activations", lambda d: (d.dA(), d.Z()), _exact),
    "initialize_parameters_deep": Case("network", lambda d: (list(d.layers),), _exact),
    "linear_forward": Case("layers", lambda d: d.linear_cache(), lambda A, W, b: (_linear_forward(A, W, b), 0.0)),
    "linear_activation_forward": Case(
        "layers", lambda d: (*d.linear_cache(), d.activation), _linear_activation_forward, activations=tuple(ACTIVATIONS)
    ),
    "L_model_forward": Case("network", lambda d: (d.X(), d.parameters()), _model_forward),
    "compute_cost": Case("network", lambda d: (d.AL(), d.Y()), _cost),
    "linear_backward": Case("layers", lambda d: (d.dA(), d.linear_cache()), _linear_backward),
    "linear_activation_backward": Case(
        "layers",
        lambda d: (d.dA(), (d.linear_cache(), d.Z()), d.activation),
        _linear_activation_backward,
        activations=tuple(ACTIVATIONS),
    ),
    "L_model_backward": Case("network", _model_backward_args, _model_backward),
    "update_parameters": Case("network", lambda d: (d.parameters(), d.grads(), 0.0075), _update),
    "L_layer_model": Case("training", lambda d: (d.X(), d.Y(), list(d.layers), 0.0075, 10), _training),
}


def training_problem(size: Size, dtype: Any = "float64", layout: str = "C", seed: int = 0) -> tuple:
    """``X, Y, parameters`` for a training: labels by a rule with exceptions, so that descent is well-posed."""
    rng = np.random.default_rng(seed)
    X, start = CASES["L_model_forward"].make(size, dtype, layout, seed)
    Y = ((rng.standard_normal(size.layers[0]) @ X > 0) ^ (rng.random(size.m) < 0.2)).astype(dtype).reshape(1, -1)
    return X, Y, start


def training_bound(parameters, costs):
    """TRAINING_RTOL of the largest entry of each array, and of each cost, that a training returned."""
    return map_arrays(lambda x: TRAINING_RTOL * np.max(np.abs(x)), parameters), [TRAINING_RTOL * cost for cost in costs]


def require_cases(names):
    """Raise LookupError naming those of ``names`` that have no entry in ``CASES``."""
    missing = sorted(set(names) - set(CASES))
    if missing:
        raise LookupError(f"public functions without a case in fastbackprop.testing.CASES: {', '.join(missing)}")


require_cases(fastbackprop.__all__)

# --------------------------------------------------------------------------------------------------------- assertions


def leaves(actual, expected, bound=0.0, where="result"):
    """Yield ``(where, actual, expected, bound)`` for each leaf of two trees; AssertionError if they differ in build."""
    if not isinstance(expected, (dict, tuple, list)):
        yield where, actual, expected, bound
        return
    kind = dict if isinstance(expected, dict) else (tuple, list)
    if not isinstance(actual, kind):
        raise AssertionError(f"{where} is of type {type(actual).__name__}, expected {type(expected).__name__}")
    keys, expected_keys = (set(tree) if isinstance(tree, dict) else set(range(len(tree))) for tree in (actual, expected))
    if keys != expected_keys:
        raise AssertionError(f"{where} has entries {sorted(keys)}, expected {sorted(expected_keys)}")
    for key in expected if kind is dict else range(len(expected)):
        part = bound[key] if isinstance(bound, (dict, tuple, list)) else bound
        yield from leaves(actual[key], expected[key], part, f"{where}[{key!r}]")


def _distances(a, e, limit):
    """Where two arrays are the same (equal or both nan); their distances, and the bound, both in extended precision."""
    limit = np.broadcast_to(np.asarray(limit, dtype=np.longdouble), e.shape)
    a, e = a.astype(np.longdouble), e.astype(np.longdouble)
    with np.errstate(invalid="ignore"):
        return (a == e) | (np.isnan(a) & np.isnan(e)), np.abs(a - e), limit


def assert_within_bound(actual, expected, bound):
    """Assert that each entry of ``actual`` is within ``bound`` of ``expected``: nan where that is, and the same infinities.

    All three may be nested tuples, lists and dicts of arrays; one number may stand for a whole part of ``bound``.
    Shapes have to agree, dtypes need not.
    """
    for where, a, e, limit in leaves(actual, expected, bound):
        a, e = np.asarray(a), np.asarray(e)
        if a.shape != e.shape:
            raise AssertionError(f"{where} has shape {a.shape}, expected {e.shape}")
        if e.dtype.kind not in "biuf":
            if not np.array_equal(a, e):
                raise AssertionError(f"{where} is {a}, expected {e}")
            continue
        same, distance, limit = _distances(a, e, limit)
        wrong = ~(same | (np.isfinite(limit) & (distance <= limit)))
        if np.any(wrong):
            with np.errstate(divide="ignore", invalid="ignore"):
                excess = np.where(wrong, distance / limit, -1)
            excess[np.isnan(excess)] = np.inf
            i = np.unravel_index(np.argmax(excess), e.shape)
            raise AssertionError(
                f"{where}: {np.count_nonzero(wrong)} of {e.size} entries are out of bounds; the worst is "
                f"{tuple(map(int, i))}: {a[i]!r}, expected {e[i]!r}, distance {distance[i]!r}, bound {limit[i]!r}"
            )


def worst_fraction(actual, expected, bound) -> float:
    """The largest distance of an entry from the expected one, as a fraction of its bound: 1 is the bound itself.

    It is 0 where everything is equal, inf where no bound could hold. It takes the trees that ``assert_within_bound`` takes.
    """
    worst = 0.0
    for _, a, e, limit in leaves(actual, expected, bound):
        a, e = np.asarray(a), np.asarray(e)
        if e.dtype.kind in "biuf":
            same, distance, limit = _distances(a, e, limit)
            with np.errstate(divide="ignore", invalid="ignore"):
                fraction = np.where(same, 0, distance / limit)
            fraction[np.isnan(fraction)] = np.inf
            worst = max(worst, float(np.max(fraction, initial=0)))
    return worst


def assert_same_bits(actual, expected):
    """Assert that ``actual`` and ``expected`` (nested alike) have equal dtypes, shapes and bits: -0 is not 0, nan is nan."""
    for where, a, e, _ in leaves(actual, expected):
        a, e = np.asarray(a), np.asarray(e)
        if (a.dtype, a.shape) != (e.dtype, e.shape):
            raise AssertionError(f"{where} is {a.dtype} {a.shape}, expected {e.dtype} {e.shape}")
        # An 80-bit longdouble is stored in 16 bytes: those beyond the tenth hold nothing.
        used = 10 if e.dtype.char == "g" and np.finfo(e.dtype).nmant == 63 else e.itemsize
        a_bits, e_bits = (np.frombuffer(x.tobytes(), np.uint8).reshape(x.size, x.itemsize)[:, :used] for x in (a, e))
        different = np.flatnonzero(np.any(a_bits != e_bits, axis=1))
        if different.size:
            i = tuple(map(int, np.unravel_index(different[0], e.shape)))
            raise AssertionError(
                f"{where}: {different.size} of {e.size} entries differ in bits; the first is {i}: {a[i]!r}, expected {e[i]!r}"
            )


def assert_same_form(actual, expected):
    """Assert that ``actual`` and ``expected`` have the same types, shapes and dtypes (in any byte order).

    They are nested alike, where a list may stand for a tuple and the other way round.
    """
    for where, a, e, _ in leaves(actual, expected):
        if type(a) is not type(e):
            raise AssertionError(f"{where} is of type {type(a).__name__}, expected {type(e).__name__}")
        if isinstance(e, (np.ndarray, np.generic)):
            form, expected_form = ((x.dtype.newbyteorder("="), x.shape) for x in (a, e))
            if form != expected_form:
                raise AssertionError(f"{where} is {form[0]} {form[1]}, expected {expected_form[0]} {expected_form[1]}")
