"""Sizes, memory layouts, and the random arguments that are made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastbackprop import reference


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


class Draw:
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
