"""train: every activation, output, rule and batch size against the reference; what is drawn, validated, refused; Ctrl-C."""

import itertools
import logging
import signal
import warnings
from typing import Any

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop import looping
from fastbackprop.activations import HIDDEN, OUTPUTS
from fastbackprop.optimizers import OPTIMIZERS
from fastbackprop.reference import general
from fastbackprop.testing import TRAINING_RTOL, assert_same_bits, map_arrays

from .support.epochs import LABELS, SIZES, X, drawn_orders, problem, start
from .support.trainings import drawn

# Steps of a size that shows in every parameter after a few epochs.
RULES = {
    "gradient_descent": bp.GradientDescent(0.02),
    "momentum": bp.Momentum(0.01, 0.7),
    "nesterov": bp.Nesterov(0.01, 0.7),
    "adam": bp.Adam(0.01, epsilon=1e-3),  # beside a small epsilon the step of a gradient near 0 is that of its rounding
}
M = X.shape[1]


def assert_close(net, expected, rtol):
    parameters, costs = expected
    for key, value in parameters.items():
        np.testing.assert_allclose(net.parameters[key], value, rtol=0, atol=rtol * np.max(np.abs(value)), err_msg=key)
    np.testing.assert_allclose(net.costs, costs, rtol=rtol)


# ------------------------------------------------------------------------------------------------------ the reference's


def test_every_rule_is_here():
    assert RULES.keys() == OPTIMIZERS.keys()
    assert {name: type(rule) for name, rule in RULES.items()} == OPTIMIZERS


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("hidden", [*HIDDEN, bp.LeakyRelu(0.3)], ids=str)
def test_the_numbers_of_the_reference(hidden, output, dtype):
    """Each rule with full batches, with some that do not come out even, and with one example each; with and without l2."""
    x, Y, sizes = problem(output, dtype)
    first = start(sizes, dtype)
    for rule, batch_size, l2 in itertools.product(RULES, (None, 8, 1), (0.0, 0.7)):
        options: dict[str, Any] = {
            "hidden": hidden,
            "output": output,
            "optimizer": RULES[rule],
            "l2": l2,
            "batch_size": batch_size,
        }
        net = bp.train(x, Y, sizes, epochs=3, seed=5, parameters=first, **options)
        orders = None if batch_size is None else drawn_orders(5, 3)
        wide = map_arrays(lambda value: value.astype(float), (x, first))
        rows = np.asarray(Y, float) if np.ndim(Y) == 2 else np.eye(sizes[-1])[:, Y]
        expected = general.descend(wide[0], rows, sizes, wide[1], epochs=3, orders=orders, **options)
        # In float32: the rounding of 60 steps, each of which rates of at most 0.02 make smaller.
        assert_close(net, expected, TRAINING_RTOL if dtype == "float64" else 2e-4)
        assert {value.dtype for value in net.parameters.values()} == {np.dtype(dtype)}


@pytest.mark.parametrize("features", [2, 40])
def test_full_batch_gradient_descent_is_that_of_L_layer_model(features, caplog):
    """By direct and by gram descent."""
    caplog.set_level(logging.INFO, logger="fastbackprop")
    rng = np.random.default_rng(1)
    x, layers = rng.standard_normal((features, 12)), [features, 3, 1]
    first = start(layers, "float64")
    parameters, costs = bp.L_layer_model(x, x[:1] > 0, layers, 0.1, 250, parameters=first, return_costs=True)
    net = bp.train(x, x[:1] > 0, layers, optimizer=bp.GradientDescent(0.1), epochs=250, parameters=first)
    assert_same_bits(net.parameters, parameters)
    assert net.costs[::100] == costs
    assert len(net.costs) == 250
    taken = [record.getMessage().split(": ")[1].split()[0] for record in caplog.records]
    assert taken == ["gram" if features == 40 else "direct"] * 2


@pytest.mark.parametrize("rule", ["gradient_descent", "momentum", "nesterov"])
@pytest.mark.parametrize("l2", [0.0, 0.7])
def test_wide_data_is_trained_by_gram_descent(rule, l2, caplog):
    caplog.set_level(logging.INFO, logger="fastbackprop")
    rng = np.random.default_rng(1)
    x, sizes = rng.standard_normal((60, 12)), [60, 3, 2]
    Y, first = (x[:2] > 0).astype(float), start(sizes, "float64")
    options: dict[str, Any] = {"hidden": "tanh", "output": "sigmoid", "optimizer": RULES[rule], "l2": l2, "epochs": 200}
    assert_close(
        bp.train(x, Y, sizes, parameters=first, **options), general.descend(x, Y, sizes, first, **options), TRAINING_RTOL
    )
    assert "train: gram descent" in caplog.text
    bp.train(x, Y, sizes, optimizer=bp.Adam(), epochs=2)
    bp.train(x, Y, sizes, optimizer=RULES[rule], l2=l2, epochs=200, validation=0.2)
    assert caplog.text.count("train: gram descent") == 1


@pytest.mark.parametrize("batch_size", [M, M + 1, 10**9])
def test_a_batch_of_all_examples_is_a_full_batch(batch_size):
    options: dict[str, Any] = {"epochs": 5, "seed": 1}
    assert_same_bits(
        bp.train(X, LABELS > 0, SIZES, batch_size=batch_size, **options).parameters,
        bp.train(X, LABELS > 0, SIZES, **options).parameters,
    )


def test_the_data_may_lie_otherwise_and_be_of_other_kinds():
    options: dict[str, Any] = {"output": "softmax", "optimizer": bp.Adam(), "batch_size": 8, "epochs": 4, "seed": 1}
    whole = np.round(4 * X)
    expected = bp.train(whole, LABELS, [*SIZES[:-1], 3], **options)
    for x in (
        np.asfortranarray(whole),
        whole.astype(int),
        whole.tolist(),
        np.repeat(whole, 2, axis=1)[:, ::2],
        whole.astype(">f8"),
    ):
        for Y in (LABELS, LABELS.reshape(1, -1).astype(float), LABELS.tolist(), np.eye(3, dtype=bool)[:, LABELS]):
            assert_same_bits(bp.train(x, Y, (*SIZES[:-1], 3), **options).parameters, expected.parameters)


@pytest.mark.parametrize("batch_size", [None, 8])
@pytest.mark.parametrize("output", OUTPUTS)
def test_fields_of_records_are_data(output, batch_size):
    """Their strides do not lead between elements."""

    def field(values):
        records = np.zeros(values.shape, [("flag", np.int8), ("value", float)])
        records["value"] = values
        return records["value"]

    x, Y, sizes = problem(output, "float64")
    rows = Y.reshape(-1, M)
    options: dict[str, Any] = {"output": output, "batch_size": batch_size, "epochs": 4, "seed": 1, "optimizer": bp.Adam()}
    expected = bp.train(x, rows, sizes, **options)
    labels = np.eye(3)[:, LABELS] if output == "softmax" else rows
    net = bp.train(field(x), field(labels), sizes, **options)
    assert_same_bits((net.parameters, net.costs), (expected.parameters, expected.costs))


def test_nothing_is_changed_and_nothing_drawn_from_the_global_generator():
    x, Y, sizes = problem("sigmoid", "float64")
    first = start(sizes, "float64")
    before = drawn()
    copies = map_arrays(np.copy, (x, Y, first))
    net = bp.train(x, Y, sizes, parameters=first, optimizer=bp.Adam(), batch_size=8, epochs=2, validation=0.2)
    assert_same_bits((x, Y, first), copies)
    assert not any(np.shares_memory(a, b) for a in net.parameters.values() for b in first.values())
    assert drawn() == before


def test_the_same_bits_with_any_number_of_threads():
    options: dict[str, Any] = {"optimizer": bp.Adam(), "batch_size": 64, "epochs": 3, "seed": 1, "validation": 0.1}
    rng = np.random.default_rng(0)
    x = rng.standard_normal((50, 500))
    nets = []
    for threads in (1, 2, 3):
        with bp.num_threads(threads):
            nets.append(bp.train(x, x[:1] > 0, [50, 40, 1], **options))
    for net in nets[1:]:
        assert_same_bits(
            (net.parameters, net.costs, net.validation_scores), (nets[0].parameters, nets[0].costs, nets[0].validation_scores)
        )


# ----------------------------------------------------------------------------------------------------------- what is drawn

DEVIATIONS = {
    "he": lambda n_prev, n: np.sqrt(2 / n_prev),
    "xavier": lambda n_prev, n: np.sqrt(1 / n_prev),
    "glorot": lambda n_prev, n: np.sqrt(2 / (n_prev + n)),
    "small": lambda n_prev, n: 0.01,
}


@pytest.mark.parametrize("init", DEVIATIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_start_is_drawn_from_the_seed(init, dtype):
    rng = np.random.default_rng(7)
    net = bp.train(X.astype(dtype), LABELS > 0, SIZES, init=init, seed=7, epochs=0)
    for l, (n_prev, n) in enumerate(itertools.pairwise(SIZES), start=1):
        W = rng.standard_normal((n, n_prev)) * DEVIATIONS[init](n_prev, n)
        np.testing.assert_array_max_ulp(net.parameters[f"W{l}"], W.astype(dtype), 2)
        np.testing.assert_array_equal(net.parameters[f"b{l}"], np.zeros((n, 1), dtype))
    assert (net.costs, net.epochs) == ([], 0)


def test_a_seed_decides_all_and_without_one_each_call_is_another():
    def trained(**options):
        return bp.train(X, LABELS > 0, SIZES, batch_size=8, epochs=3, validation=0.25, **options)

    assert_same_bits(trained(seed=3).parameters, trained(seed=3).parameters)
    for first, second in (({"seed": 3}, {"seed": 4}), ({}, {}), ({"seed": 3}, {"seed": 3, "shuffle": False})):
        assert np.any(trained(**first).parameters["W1"] != trained(**second).parameters["W1"])


def test_without_shuffling_the_examples_are_taken_as_they_lie():
    first = start(SIZES, "float64")
    options: dict[str, Any] = {
        "hidden": "tanh",
        "output": "sigmoid",
        "optimizer": RULES["nesterov"],
        "batch_size": 8,
        "epochs": 4,
    }
    net = bp.train(X, LABELS > 0, SIZES, parameters=first, shuffle=False, **options)
    Y = (LABELS > 0).astype(float).reshape(1, -1)
    assert_close(net, general.descend(X, Y, SIZES, first, l2=0.0, orders=None, **options), TRAINING_RTOL)


# -------------------------------------------------------------------------------------------------------------- validation

CASES: dict[str, dict[str, Any]] = {
    "direct": {"optimizer": bp.GradientDescent(0.3)},
    "full batches": {"optimizer": bp.Adam(0.05)},
    "mini-batches": {"optimizer": bp.Adam(0.05), "batch_size": 8},
    "softmax": {"optimizer": bp.Momentum(0.1), "batch_size": 8, "output": "softmax"},
    "identity": {"optimizer": bp.GradientDescent(0.1), "output": "identity", "hidden": "tanh"},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("given", [True, False])
def test_scores_are_those_of_the_net_after_each_epoch(case, given):
    options = CASES[case]
    x, Y, sizes = problem(options.get("output", "sigmoid"), "float64")
    rows = Y.reshape(-1, M)
    if given:
        validation: Any = (x[:, :10] + 1, rows[:, :10])
        x_val, Y_val = validation
    else:  # what is set aside is drawn first
        validation = 0.3
        held_out = np.sort(np.random.default_rng(2).permutation(M)[: round(0.3 * M)])
        x_val, Y_val = x[:, held_out], rows[:, held_out]
    net = bp.train(x, Y, sizes, epochs=6, seed=2, validation=validation, **options)
    for epochs in range(1, 7):
        part = bp.train(x, Y, sizes, epochs=epochs, seed=2, validation=validation, **options)
        assert part.validation_scores == net.validation_scores[:epochs]
        assert part.costs == net.costs[:epochs]
        assert part.score(x_val, Y_val) == part.validation_scores[-1]
    assert net.best_epoch is None
    assert not net.stopped_early


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("patience", [1, 3, 100])
def test_patience_keeps_the_best_epoch_and_ends_after_it(case, patience):
    options: dict[str, Any] = {"seed": 2, "validation": 0.3, **CASES[case]}
    x, Y, sizes = problem(options.get("output", "sigmoid"), "float64")
    scores = bp.train(x, Y, sizes, epochs=30, **options).validation_scores
    best = 0
    for epoch in range(1, 30):
        if scores[epoch] > scores[best]:
            best = epoch
        if epoch - best >= patience:
            break
    net = bp.train(x, Y, sizes, epochs=30, patience=patience, **options)
    assert (net.best_epoch, net.epochs, net.validation_scores) == (best + 1, epoch + 1, scores[: epoch + 1])
    assert net.stopped_early is (epoch - best >= patience)
    assert_same_bits(net.parameters, bp.train(x, Y, sizes, epochs=best + 1, **options).parameters)


def test_a_score_that_is_nan_is_never_the_best(monkeypatch):
    scores = iter([np.nan, 0.25, np.nan, 0.5, 0.5, np.nan, 0.5])
    monkeypatch.setattr("fastbackprop.prediction.Net.score", lambda *arguments: next(scores))
    monkeypatch.setattr("fastbackprop.epochs.Epochs.load", lambda epochs: epochs.engine.load())
    net = bp.train(X, LABELS > 0, SIZES, epochs=7, validation=0.3, patience=3, seed=1)
    assert (net.best_epoch, net.epochs, net.stopped_early) == (4, 7, True)


# ------------------------------------------------------------------------------------------------------------ diverging


@pytest.mark.parametrize("options", [{}, {"batch_size": 8}, {"optimizer": bp.Momentum(1e200)}, {"validation": 0.2}], ids=str)
def test_a_training_that_diverges_keeps_the_last_finite_parameters(options):
    options = {"optimizer": bp.GradientDescent(1e200), "seed": 1, **options}
    with (
        warnings.catch_warnings(),
        pytest.raises(FloatingPointError, match=r"epoch \d+ makes .*Try a smaller learning_rate") as caught,
    ):
        warnings.simplefilter("error")
        bp.train(X, LABELS > 0, SIZES, epochs=1000, **options)
    assert repr(options["optimizer"]) in str(caught.value)
    done, last = int(str(caught.value).split()[1]) - 1, vars(caught.value)["parameters"]
    assert all(np.isfinite(value).all() for value in last.values())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # costs of such parameters
        assert_same_bits(last, bp.train(X, LABELS > 0, SIZES, epochs=done, **options).parameters)


@pytest.mark.parametrize("rule", [bp.GradientDescent, bp.Momentum, bp.Nesterov])
@pytest.mark.parametrize("l2", [0.0, 0.5])
def test_wide_data_in_float32_ends_within_its_numbers(rule, l2, caplog):
    """Gram descent computes in float64, whose numbers go on where those of the parameters end."""
    caplog.set_level(logging.INFO, logger="fastbackprop")
    x = np.random.default_rng(0).standard_normal((100, 8)).astype(np.float32)
    with warnings.catch_warnings(), pytest.raises(FloatingPointError, match="not finite") as caught:
        warnings.simplefilter("error")
        bp.train(x, x[:2] > 0, [100, 4, 2], output="identity", optimizer=rule(1e10), l2=l2, epochs=60, seed=1)
    assert "gram descent in float32" in caplog.text
    assert all(np.isfinite(value).all() for value in vars(caught.value)["parameters"].values())


def test_labels_outside_0_and_1_are_warned_of_where_the_user_wrote_it():
    with pytest.warns(UserWarning, match=r"\[0, 1\]") as caught:
        bp.train(X, 2.0 * LABELS, SIZES, epochs=1)
    assert caught[0].filename == __file__
    with (
        pytest.warns(UserWarning, match="labels from 0"),
        pytest.raises(FloatingPointError, match=r"labels from 0.* to 4.*\[0, 1\]"),
    ):
        bp.train(X, 2.0 * LABELS, SIZES, optimizer=bp.GradientDescent(1e200), epochs=10**5)
    bp.train(X, 2.0 * LABELS, SIZES, output="identity", epochs=1)  # a warning would be an error


# ---------------------------------------------------------------------------------------------------------------- refused

ONE_HOT = np.eye(3)[:, LABELS]
REFUSED: dict[str, tuple[type[Exception], dict[str, Any], tuple[str, ...]]] = {
    "an unknown activation": (ValueError, {"hidden": "swish"}, ("hidden", "'swish'", "'relu'", "LeakyRelu")),
    "an activation of a list": (ValueError, {"hidden": ["relu"]}, ("hidden", "['relu']")),
    "a slope below 0": (ValueError, {"hidden": bp.LeakyRelu(-1)}, ("hidden", "-1")),
    "an unknown output": (ValueError, {"output": "tanh"}, ("output", "'tanh'", "'softmax'")),
    "softmax of one unit": (ValueError, {"output": "softmax"}, ("layers_dims ends with 1", "2", "softmax")),
    "a rule by name": (TypeError, {"optimizer": "adam"}, ("optimizer", "'adam'", "Adam(learning_rate=0.001)", "Momentum")),
    "a rule's class": (TypeError, {"optimizer": bp.Adam}, ("optimizer", "Adam")),
    "l2 below 0": (ValueError, {"l2": -0.1}, ("l2", "-0.1")),
    "l2 as text": (TypeError, {"l2": "0.1"}, ("l2", "<U3")),
    "a batch of none": (ValueError, {"batch_size": 0}, ("batch_size", "0", "1")),
    "a batch of a half": (TypeError, {"batch_size": 2.5}, ("batch_size", "2.5")),
    "epochs below 0": (ValueError, {"epochs": -1}, ("epochs", "-1")),
    "a fraction of epochs": (TypeError, {"epochs": 2.5}, ("epochs", "2.5")),
    "shuffle of 1": (TypeError, {"shuffle": 1}, ("shuffle", "1", "True or False")),
    "a seed below 0": (ValueError, {"seed": -1}, ("seed", "-1")),
    "a seed of a half": (TypeError, {"seed": 0.5}, ("seed", "0.5")),
    "an unknown start": (ValueError, {"init": "zeros"}, ("init", "'zeros'", "'he'")),
    "a start of a list": (ValueError, {"init": ["he"]}, ("init", "['he']")),
    "a part of all": (ValueError, {"validation": 1.0}, ("validation", "1", "between 0 and 1")),
    "a part of none": (ValueError, {"validation": 0.001}, ("validation", "0 of 40")),
    "a third of validation": (ValueError, {"validation": (X, LABELS > 0, X)}, ("validation", "3")),
    "other features to validate": (ValueError, {"validation": (X[:2], LABELS > 0)}, ("validation's X", "(2, 40)", "3")),
    "labels to validate on end": (
        ValueError, {"validation": (X, LABELS.reshape(-1, 1))}, ("validation's Y", "use np.asarray(Y).reshape(1, -1)")
    ),
    "other labels to validate": (ValueError, {"validation": (X, LABELS[:7] > 0)}, ("validation's Y", "(7,)", "(1, 40)")),
    "nan to validate": (ValueError, {"validation": (X * np.nan, LABELS > 0)}, ("validation's X", "finite")),
    "validation as text": (TypeError, {"validation": "0.1"}, ("validation", "<U3")),
    "patience without scores": (ValueError, {"patience": 3}, ("patience", "validation=")),
    "patience of none": (ValueError, {"patience": 0, "validation": 0.2}, ("patience", "0")),
    "labels on end": (ValueError, {"Y": LABELS.reshape(-1, 1)}, ("Y", "(40, 1)", "(1, 40)", "reshape(1, -1)")),
    "too few labels": (ValueError, {"Y": LABELS[:5]}, ("Y", "(5,)", "(1, 40)")),
    "rows too many": (ValueError, {"Y": ONE_HOT}, ("Y", "(3, 40)", "(1, 40)")),
    "other features": (ValueError, {"X": X[:2]}, ("X", "(2, 40)", "(3, m)")),
    "no examples": (ValueError, {"X": X[:, :0], "Y": LABELS[:0]}, ("X", "(3, 0)")),
    "nan in X": (ValueError, {"X": X * np.nan}, ("X", "finite")),
    "inf in Y": (ValueError, {"Y": LABELS + np.inf}, ("Y", "finite")),
    "longdouble": (ValueError, {"X": X.astype(np.longdouble)}, ("float", "expected float32 or float64")),
    "float16": (ValueError, {"X": X.astype(np.float16)}, ("float16", "float32")),
    "a missing key": (KeyError, {"parameters": {k: v for k, v in start(SIZES, "d").items() if k != "b2"}}, ("b2", "layer 2")),
    "a misshapen W": (ValueError, {"parameters": {**start(SIZES, "d"), "W2": X}}, ("W2", "(3, 40)", "(1, 4)")),
    "nan in a W": (ValueError, {"parameters": {**start(SIZES, "d"), "W2": np.full((1, 4), np.nan)}}, ("W2", "4", "finite")),
    "inf in a b": (ValueError, {"parameters": {**start(SIZES, "d"), "b1": np.full((4, 1), np.inf)}}, ("b1", "4", "finite")),
    "Y beyond float32": (ValueError, {"X": X.astype("f"), "Y": LABELS - 1e300}, ("Y", "3.4e+38", "float32")),
    "X to validate beyond float32": (
        ValueError, {"X": X.astype("f"), "validation": (1e300 * X, LABELS > 0)}, ("validation's X", "3.4e+38", "float32")
    ),
    "Y to validate beyond float32": (
        ValueError, {"X": X.astype("f"), "validation": (X, LABELS * 1e300)}, ("validation's Y", "3.4e+38", "float32")
    ),
    "starts in an array": (ValueError, {"init": np.array(["he", "he"])}, ("init", "['he', 'he']")),
    "progress of 1": (TypeError, {"progress": 1}, ("progress", "1", "True or False")),
    "a path of a number": (TypeError, {"checkpoint": 3}, ("checkpoint", "3")),
}  # fmt: skip
CLASSES: dict[str, tuple[Any, tuple[str, ...]]] = {
    "a class too many": (LABELS + 1, ("Y", "from 0 to 2", "3")),
    "a class below 0": (LABELS - 1, ("Y", "from 0 to 2", "-1")),
    "half a class": (LABELS / 2, ("Y", "whole numbers from 0 to 2", "0.5")),
    "a class of nan": (LABELS * np.nan, ("Y", "whole numbers from 0 to 2", "nan")),
    "two ones": (ONE_HOT + ONE_HOT[::-1], ("Y", "one-hot", "sums to 2")),
    "less than none": (2 * ONE_HOT - ONE_HOT[[1, 2, 0]], ("Y", "one-hot", "from 0 on")),
    "other rows": (ONE_HOT[:2], ("Y", "(2, 40)", "(3, 40)", "(1, 40)")),
}


def refused(kind, usual, changed, fragments, tmp_path):
    with pytest.raises(kind) as caught:
        bp.train(**({"checkpoint": tmp_path / "file.npz"} | usual | changed))
    assert type(caught.value) is kind
    assert [fragment for fragment in fragments if fragment not in str(caught.value)] == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_meaningless_is_refused_before_any_work(case, tmp_path):
    if case == "longdouble" and np.longdouble(1).dtype == np.float64:
        pytest.skip("longdouble is float64 here")
    kind, changed, fragments = REFUSED[case]
    refused(kind, {"X": X, "Y": LABELS > 0, "layers_dims": SIZES, "epochs": 3}, changed, fragments, tmp_path)


@pytest.mark.parametrize("case", CLASSES)
def test_labels_that_are_no_classes_are_refused(case, tmp_path):
    Y, fragments = CLASSES[case]
    refused(ValueError, {"X": X, "layers_dims": [3, 3], "output": "softmax"}, {"Y": Y}, fragments, tmp_path)


def test_a_distribution_is_a_label_of_softmax():
    Y = np.full((3, M), 1 / 3, np.float32)
    net = bp.train(X, Y, [3, 3], output="softmax", init="small", optimizer=bp.GradientDescent(0.5), epochs=300, seed=1)
    np.testing.assert_allclose(net.predict_proba(X), 1 / 3, rtol=0.05)


# ----------------------------------------------------------------------------------------------------- watchers and Ctrl-C


def test_the_bar_shows_epochs_and_cost_and_changes_no_bit(capsys):
    pytest.importorskip("tqdm")
    options: dict[str, Any] = {"optimizer": bp.Adam(), "batch_size": 8, "epochs": 20, "seed": 1}
    net = bp.train(X, LABELS > 0, SIZES, progress=True, **options)
    shown = capsys.readouterr().err
    assert "20/20" in shown
    assert f"cost {net.costs[-1]:.6f}" in shown
    assert_same_bits(net.parameters, bp.train(X, LABELS > 0, SIZES, **options).parameters)


@pytest.mark.parametrize("case", CASES)
def test_slices_change_no_bit(case, monkeypatch, tmp_path):
    options: dict[str, Any] = {"seed": 2, "epochs": 9, **CASES[case]}
    x, Y, sizes = problem(options.get("output", "sigmoid"), "float64")
    whole = bp.train(x, Y, sizes, **options)
    monkeypatch.setattr(looping, "next_length", lambda length, seconds, wanted: 2)
    net = bp.train(x, Y, sizes, checkpoint=tmp_path / "file.npz", **options)
    assert_same_bits((net.parameters, net.costs), (whole.parameters, whole.costs))


class Interrupt(Exception):
    """The exception that the handler raises."""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no signal can be timed here")
@pytest.mark.parametrize("case", CASES)
def test_an_interrupt_ends_a_training_without_end(case):
    def interrupt(number, frame):
        raise Interrupt

    options = CASES[case]
    x, Y, sizes = problem(options.get("output", "sigmoid"), "float64")
    bp.train(x, Y, sizes, epochs=1, **options)  # compiled
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(Interrupt):
            bp.train(x, Y, sizes, epochs=10**12, **options)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
