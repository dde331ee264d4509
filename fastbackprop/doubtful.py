"""What is computed all the same, with a warning that names the cause: costs that are not finite, labels outside [0, 1], a
start from which a training hardly moves.
"""

import logging
import math
import warnings

import numpy as np

from fastbackprop.activations import OUTPUT

logger = logging.getLogger("fastbackprop")

EARLY = 500  # iterations after which a training is looked at
HARDLY = 0.01  # of the first cost
_unsaid = [True]  # the one of several threads that pops it says that a start is poor


def explain_cost(AL, Y, cost):
    """Warn of what makes a cost nan or infinite, where NumPy's formula would warn: not of a nan in an argument."""
    AL, Y = AL.astype(float), Y.astype(float)
    with np.errstate(invalid="ignore"):
        outside = (AL < 0) | (AL > 1)
        certain = ((AL == 0) & (abs(Y) > 0)) | ((AL == 1) & (abs(1 - Y) > 0))
        huge = abs(Y) > np.finfo(float).max / (2000 * Y.size)  # logarithms lie above -1000
    causes = {  # by NumPy's name for what happens, which np.errstate silences
        "invalid": (outside, "outputs in AL are outside [0, 1]"),
        "divide": (certain, "outputs in AL are certain and wrong, 0 where Y is not or 1 where Y is not"),
        "over": (huge, "labels in Y are so large that the sum overflows"),
    }
    settings = dict(np.geterr())
    found = [
        f"{np.count_nonzero(where)} of {AL.size} {what}"
        for kind, (where, what) in causes.items()
        if where.any() and settings[kind] != "ignore"
    ]
    if found:
        warnings.warn(f"the cost is {cost}: {'; '.join(found)}", RuntimeWarning, stacklevel=3)


def explain_costs(costs, whose=""):
    """Warn of costs of a training that are nan or infinite: parameters that are not finite have stopped it before."""
    bad = [i for i, cost in enumerate(costs) if not math.isfinite(cost)]
    if bad:
        warnings.warn(
            f"{len(bad)} of {len(costs)} costs{whose} are not finite, the first is {costs[bad[0]]}: X or the parameters are so "
            "large that W A + b overflows",
            RuntimeWarning,
            stacklevel=3,
        )


def explain_examples_cost(cost, X, Y):
    """Warn of a cost of a net's examples that is nan or infinite, though they are finite."""
    if not math.isfinite(cost) and np.isfinite(X).all() and np.isfinite(Y).all() and set(np.geterr().values()) != {"ignore"}:
        warnings.warn(
            f"the cost is {cost}: X, Y or the parameters are so large that W A + b or the error overflows",
            RuntimeWarning,
            stacklevel=3,
        )


def labels_outside(Y, output=OUTPUT):
    """The warning about labels that the cost of an output does not expect, or None."""
    lowest, highest = output.labels
    if Y.min() < lowest or Y.max() > highest:
        expected = f"[{lowest:g}, {highest:g}]"
        return f"Y has labels from {Y.min()} to {Y.max()}; {output.cost_name} expects them in {expected}"
    return None


def explain_start(first, later, Y, rate):
    """Log, once a process, that the default start is poor: EARLY iterations took the cost from `first` to `later`.

    A cost that has moved as far as the bias of the output alone moves it counts as one that has not: the share of the labels
    is all that the net has learnt. Small weights in a deep net look like this.
    """
    near = HARDLY * abs(first)
    alone = _cost_of_the_bias_alone(float(Y.mean()), rate)
    if not (abs(later - first) < near or abs(later - alone) < near):
        return
    try:
        _unsaid.pop()
    except IndexError:
        return
    but = "" if abs(later - first) < near else ", but for what the bias of the output alone makes of the share of the labels"
    logger.warning(
        "L_layer_model started from 0.01 * randn and the cost has moved by less than %g %% in %d iterations (from %.4f to "
        "%.4f)%s; pass parameters=..., for instance with W of np.random.randn(n, n_prev) * np.sqrt(2 / n_prev) and b of zeros",
        100 * HARDLY, EARLY, first, later, but,
    )  # fmt: skip


def _cost_of_the_bias_alone(share, rate):
    """The cost after EARLY iterations of a net whose weights are 0, for labels of this mean."""
    b = 0.0
    for _ in range(EARLY):
        b -= rate * ((1 + math.tanh(b / 2)) / 2 - share)
    return float(np.logaddexp(0, b)) - share * b
