"""Cross-entropy and its gradient."""

import math
from fastbackprop.kernels.activations import sigmoid_slope
from fastbackprop.kernels.jit import IN, OUT, entry


@entry(IN, IN)
def cross_entropy(AL, Y):
    """-sum(Y log AL + (1 - Y) log(1 - AL)) / m, where a term 0 log 0 counts as 0. AL, Y: (1, m)."""
    total = 0.0
    m = AL.shape[1]
    for j in range(m):
        y, a = float(Y[0, j]), float(AL[0, j])
        if not y == 0:
            total += y * math.log(a) if a > 0 or a != a else (math.nan if a < 0 else -y * math.inf)
        if not y == 1:
            rest = 1.0 - a
            total += (1 - y) * math.log(rest) if rest > 0 or a != a else (math.nan if rest < 0 else -(1 - y) * math.inf)
    return -total / m


@entry(IN, IN, IN, OUT)
def output_gradient(AL, Y, Z, dZ):
    """dZ = -(Y / AL - (1 - Y) / (1 - AL)) s(Z) (1 - s(Z)); where AL is exactly 0 or 1 its limit AL - Y. All (1, m)."""
    for j in range(AL.shape[1]):
        y, a = Y[0, j], AL[0, j]
        if a == 0 or a == 1:
            dZ[0, j] = a - y
        else:
            dZ[0, j] = -(y / a - (1 - y) / (1 - a)) * sigmoid_slope(Z[0, j])
