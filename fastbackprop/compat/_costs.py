"""The costs of the second course's helper modules: cross-entropies as NumPy scalars."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import fastbackprop


def compute_cost(a3: ArrayLike, Y: ArrayLike) -> Any:
    """The mean cross-entropy; terms that are nan do not count.

    Parameters
    ----------
    a3 : array (1, m)
        Outputs.
    Y : array (1, m)
        Labels.

    Returns
    -------
    NumPy scalar

    Raises
    ------
    TypeError
        An argument does not hold real numbers.
    ValueError
        Shapes other than (1, m), or no examples.

    Warns
    -----
    RuntimeWarning
        A cost that is infinite, with the cause.
    """
    mean = fastbackprop.compute_cost(a3, Y)[()]
    if np.isnan(mean):
        outputs, labels = np.asarray(a3), np.asarray(Y, dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.nansum(-np.log(outputs) * labels - np.log(1 - outputs) * (1 - labels)) / labels.size
    return mean


def compute_batch_cost(a3: ArrayLike, Y: ArrayLike) -> Any:
    """The mean cross-entropy of a batch.

    Parameters
    ----------
    a3 : array (1, m)
        Outputs.
    Y : array (1, m)
        Labels.

    Returns
    -------
    NumPy scalar

    Raises
    ------
    TypeError
        An argument does not hold real numbers.
    ValueError
        Shapes other than (1, m), or no examples.

    Warns
    -----
    RuntimeWarning
        A cost that is nan or infinite, with the cause.
    """
    return fastbackprop.compute_cost(a3, Y)[()]


def compute_total_cost(a3: ArrayLike, Y: ArrayLike) -> Any:
    """The sum of the cross-entropies of a batch's examples, not their mean.

    Parameters
    ----------
    a3 : array (1, m)
        Outputs.
    Y : array (1, m)
        Labels.

    Returns
    -------
    NumPy scalar

    Raises
    ------
    TypeError
        An argument does not hold real numbers.
    ValueError
        Shapes other than (1, m), or no examples.

    Warns
    -----
    RuntimeWarning
        A cost that is nan or infinite, with the cause.
    """
    mean = fastbackprop.compute_cost(a3, Y)[()]
    return mean * mean.dtype.type(np.shape(Y)[1])
