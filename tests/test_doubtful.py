"""Costs that are nan or infinite: one warning that names the argument and the cause, where NumPy's formula would warn."""

import warnings

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop import reference

OUTSIDE, CERTAIN, HUGE = "outside [0, 1]", "certain and wrong", "so large that the sum overflows"
# Outputs, labels, and the causes.
DOUBTFUL = {
    "above and below": ([[1.5, -2]], [[1, 0]], [f"2 of 2 outputs in AL are {OUTSIDE}"]),
    "above, the label 1": ([[1.5, 0.5]], [[1, 0]], [f"1 of 2 outputs in AL are {OUTSIDE}"]),
    "infinite output": ([[np.inf, 0.5]], [[1, 0]], [f"1 of 2 outputs in AL are {OUTSIDE}"]),
    "0 and the label 1": ([[0, 0.5]], [[1, 0]], [f"1 of 2 outputs in AL are {CERTAIN}"]),
    "1 and the label 0": ([[1, 0.5]], [[0, 0]], [f"1 of 2 outputs in AL are {CERTAIN}"]),
    "1 and half a label": ([[1, 0.5]], [[0.5, 0]], [f"1 of 2 outputs in AL are {CERTAIN}"]),
    "both kinds": ([[0, 2, 0.5]], [[1, 1, 1]], [f"1 of 3 outputs in AL are {OUTSIDE}", f"1 of 3 outputs in AL are {CERTAIN}"]),
    "beside a nan": ([[np.nan, -1]], [[1, 0]], [f"1 of 2 outputs in AL are {OUTSIDE}"]),
    "an infinite label": ([[0.5, 0.5]], [[np.inf, 0]], [f"1 of 2 labels in Y are {HUGE}"]),
}
# NumPy's formula does not warn of these; or the fast function documents a limit.
SILENT = {
    "nan among outputs": ([[np.nan, 0.5]], [[1, 0]]),
    "nan among labels": ([[0.5, 0.5]], [[np.nan, 0]]),
    "certain, and the label nan": ([[0, 0.5]], [[np.nan, 0]]),
    "certain and right": ([[0, 1, 0.5]], [[0, 1, 1]]),
    "finite": ([[0.1, 0.9]], [[1, 0]]),
}


def warned(call):
    """The RuntimeWarnings of a call."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    assert all(warning.category is RuntimeWarning for warning in caught)
    return caught


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", DOUBTFUL)
def test_a_cost_that_is_not_finite_is_explained(case, dtype, reference_raises):
    *arrays, causes = DOUBTFUL[case]
    AL, Y = (np.array(x, dtype) for x in arrays)
    assert warned(lambda: reference.compute_cost(AL, Y))
    results = []
    with reference_raises():
        (warning,) = warned(lambda: results.append(bp.compute_cost(AL, Y)))
    assert str(warning.message) == f"the cost is {results[0]}: {'; '.join(whole(cause) for cause in causes)}"
    assert warning.filename == __file__


def whole(cause):
    return f"{cause}, 0 where Y is not or 1 where Y is not" if cause.endswith(CERTAIN) else cause


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", SILENT)
def test_a_cost_without_a_cause_to_name_is_silent(case, dtype):
    AL, Y = (np.array(x, dtype) for x in SILENT[case])
    assert warned(lambda: bp.compute_cost(AL, Y)) == []


def test_a_sum_that_overflows_is_explained():
    AL, Y = np.array([[0.1, 0.2]]), np.array([[1e308, 1e308]])
    (warning,) = warned(lambda: bp.compute_cost(AL, Y))
    assert str(warning.message) == f"the cost is inf: 2 of 2 labels in Y are {HUGE}"


def test_lists_and_labels_of_whole_numbers_are_explained_too():
    (warning,) = warned(lambda: bp.compute_cost([[1.5, -2]], [[True, False]]))
    assert OUTSIDE in str(warning.message)


@pytest.mark.parametrize("settings", [{"all": "ignore"}, {"divide": "ignore", "invalid": "ignore"}])
def test_what_silences_numpy_silences_the_explanation(settings):
    with np.errstate(**settings):
        assert warned(lambda: bp.compute_cost([[0, -2.0]], [[1, 0]])) == []
        assert warned(lambda: reference.compute_cost(np.array([[0, -2.0]]), np.array([[1, 0]]))) == []


def test_what_the_reference_computes_warns_as_numpy_does():
    AL, Y = np.array([[0, 0.5]], np.longdouble), np.array([[1, 0]])
    expected, actual = ([str(w.message) for w in warned(lambda m=m: m.compute_cost(AL, Y))] for m in (reference, bp))
    assert expected == actual != []


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_costs_of_a_training_that_are_not_finite_are_explained(dtype):
    """Logits overflow where all parameters are finite, and stay so at a rate this small."""
    largest = np.finfo(dtype).max
    X, Y = np.array([[np.sqrt(largest), 1]], dtype), np.array([[0, 1]], dtype)
    start = {"W1": np.array([[largest / 2]], dtype), "b1": np.zeros((1, 1), dtype)}
    costs: list[float] = []

    def train():
        costs[:] = bp.L_layer_model(X, Y, [1, 1], 1e-30, 101, parameters=start, return_costs=True)[1]

    (warning,) = warned(train)
    assert not np.isfinite(costs).any()
    assert str(warning.message) == (
        f"2 of 2 costs are not finite, the first is {costs[0]}: X or the parameters are so large that W A + b overflows"
    )
    assert warning.filename == __file__
