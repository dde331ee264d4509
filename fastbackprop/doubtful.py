"""What is computed all the same, with a warning that names the cause: costs that are not finite, labels outside [0, 1]."""

import math
import warnings

import numpy as np

from fastbackprop.activations import OUTPUT


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


def explain_costs(costs):
    """Warn of costs of a training that are nan or infinite: parameters that are not finite have stopped it before."""
    bad = [i for i, cost in enumerate(costs) if not math.isfinite(cost)]
    if bad:
        warnings.warn(
            f"{len(bad)} of {len(costs)} costs are not finite, the first is {costs[bad[0]]}: X or the parameters are so large "
            "that W A + b overflows",
            RuntimeWarning,
            stacklevel=3,
        )


def labels_outside(Y):
    """The warning about labels that the cost does not expect, or None."""
    lowest, highest = OUTPUT.labels
    if Y.min() < lowest or Y.max() > highest:
        expected = f"[{lowest:g}, {highest:g}]"
        return f"Y has labels from {Y.min()} to {Y.max()}; {OUTPUT.cost_name} expects them in {expected}"
    return None
