"""Costs that are nan or infinite: one warning that names the argument and the cause, where NumPy's formula would warn; and a
start from which a training hardly moves, said once.
"""

import itertools
import warnings

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop import doubtful, reference
from fastbackprop.testing import assert_same_bits

OUTSIDE, CERTAIN, HUGE = "outside [0, 1]", "certain and wrong", "so large that the sum overflows"
# Outputs, labels, and the causes.
DOUBTFUL = {
    "above and below": ([[1.5, -2]], [[1, 0]], [f"2 of 2 outputs in AL are {OUTSIDE}"]),
    "above, the label 1": ([[1.5, 0.5]], [[1, 0]], [f"1 of 2 outputs in AL are {OUTSIDE}"]),
    "infinite output": ([[np.inf, 0.5]], [[1, 0]], [f"1 of 2 outputs in AL are {OUTSIDE}"]),
    "0 and the label 1": ([[0, 0.5]], [[1, 0]], [f"1 of 2 outputs in AL are {CERTAIN}"]),
    "1 and the label 0": ([[1, 0.5]], [[0, 0]], [f"1 of 2 outputs in AL are {CERTAIN}"]),
    "1 and half a label": ([[1, 0.5]], [[0.5, 0]], [f"1 of 2 outputs in AL are {CERTAIN}"]),
    "certain and right beside it": ([[1, 1, 0.5]], [[0, 1, 0]], [f"1 of 3 outputs in AL are {CERTAIN}"]),
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


# ---------------------------------------------------------------------------------------------------------- a poor start

DEEP, SHALLOW = [2, 4, 4, 1], [2, 1]
POINTS = np.random.default_rng(0).standard_normal((2, 60))
BALANCED = (np.argsort(np.argsort(POINTS[:1])) < 30).astype(float)  # half of the labels are 1: the bias stays where it is
FEW = (np.argsort(np.argsort(POINTS[:1])) < 12).astype(float)


@pytest.fixture
def said(monkeypatch, caplog):
    """The warnings in the log so far, of a process that has not said it yet."""
    monkeypatch.setattr(doubtful, "_unsaid", [True])
    return lambda: [r.getMessage() for r in caplog.records if (r.name, r.levelname) == ("fastbackprop", "WARNING")]


def train(layers=DEEP, Y=BALANCED, iterations=501, X=POINTS, **options):
    np.random.seed(1)
    return bp.L_layer_model(X, Y, layers, 0.01, iterations, return_costs=True, **options)


@pytest.mark.parametrize("algorithm", ["direct", "gram"])
def test_a_start_from_which_the_cost_hardly_moves_is_said_once(algorithm, said):
    _, costs = train(algorithm=algorithm)
    assert abs(costs[5] - costs[0]) < 0.01 * costs[0]
    (line,) = said()
    assert line.startswith("L_layer_model started from 0.01 * randn and the cost has moved by less than 1 % in 500 iterations")
    assert f"from {costs[0]:.4f} to {costs[5]:.4f}); pass parameters=" in line
    train(algorithm=algorithm)
    assert len(said()) == 1


def test_it_is_said_where_the_bias_alone_has_moved_the_cost(said):
    """The net's weights have done nothing, the share of the labels is all that it learnt: pictures look like this."""
    _, costs = train(Y=FEW)
    assert abs(costs[5] - costs[0]) > 0.05 * costs[0]
    (line,) = said()
    assert "but for what the bias of the output alone" in line


def test_it_is_said_when_the_reference_trains(said):
    wide = POINTS.astype(np.longdouble)
    if wide.dtype == POINTS.dtype:
        pytest.skip("longdouble is float64 here")
    train(X=wide)
    assert len(said()) == 1


def test_the_hint_helps(said):
    np.random.seed(1)
    start = {}
    for l, (n_prev, n) in enumerate(itertools.pairwise(DEEP), start=1):
        start[f"W{l}"], start[f"b{l}"] = np.random.randn(n, n_prev) * np.sqrt(2 / n_prev), np.zeros((n, 1))
    _, costs = train(parameters=start)
    assert costs[5] < 0.95 * costs[0]
    assert said() == []


def test_a_training_that_moves_or_is_short_is_not_doubted(said):
    for Y in (BALANCED, FEW):
        _, costs = train(SHALLOW, Y)
        assert costs[5] < 0.95 * costs[0]
    train(iterations=500)
    assert said() == []


def test_a_start_of_the_users_own_is_not_doubted(said):
    np.random.seed(1)
    train(parameters=bp.initialize_parameters_deep(DEEP))
    assert said() == []


def test_a_resumed_training_is_not_doubted_and_a_begun_one_is(said, tmp_path):
    file = tmp_path / "training.npz"
    train(iterations=300, checkpoint=file)
    train(iterations=700, checkpoint=file)
    assert said() == []
    train(iterations=700, checkpoint=tmp_path / "another.npz")
    assert len(said()) == 1


def test_neither_result_nor_generator_is_another_for_it(said):
    first = train(), np.random.get_state()
    assert len(said()) == 1
    assert_same_bits((train(), np.random.get_state()), first)


def test_the_bias_alone_is_what_the_reference_trains_from_weights_of_zero():
    for Y, rate in ((FEW, 0.01), (BALANCED, 0.5), (np.ones((1, 60)), 3.0)):
        zeros = {"W1": np.zeros((1, 2)), "b1": np.zeros((1, 1))}
        _, costs = reference.L_layer_model(0 * POINTS, Y, SHALLOW, rate, 501, parameters=zeros, return_costs=True)
        # 500 steps, each with a few roundings of numbers below 10
        assert doubtful._cost_of_the_bias_alone(Y.mean(), rate) == pytest.approx(costs[5], rel=1e-10)
