"""What ``train`` returns: predictions, probabilities, score, cost, the model file, its text; on NumPy's own formulas."""

import pickle
from typing import Any

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop import prediction
from fastbackprop.activations import HIDDEN, OUTPUTS
from fastbackprop.cli import main
from fastbackprop.model_file import load_model
from fastbackprop.reference import general, outputs
from fastbackprop.testing import assert_same_bits

from .support.epochs import LABELS, SIZES, X, problem


def trained(output, hidden: Any = "tanh", dtype="float64", **options):
    x, Y, sizes = problem(output, dtype)
    return bp.train(x, Y, sizes, hidden=hidden, output=output, epochs=20, seed=1, optimizer=bp.Adam(0.05), **options)


def logits(net, x=X):
    return general.forward(x, net.parameters, hidden=net.hidden)[1]


@pytest.mark.parametrize("block", [1, 2**20])
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("hidden", [*HIDDEN, bp.LeakyRelu(0.3)], ids=str)
def test_predictions_score_and_cost_are_those_of_the_formulas(hidden, output, block, monkeypatch):
    """Also where a block has one example only."""
    monkeypatch.setattr(prediction, "BLOCK", block)
    net = trained(output, hidden)
    _, Y, sizes = problem(output, "float64")
    value, _ = outputs.functions_of(output)
    Z = logits(net)
    A = value(Z)
    if output == "identity":
        np.testing.assert_allclose(net.predict(X), A, rtol=1e-12, atol=1e-12)
        assert net.score(X, Y) == pytest.approx(-np.mean((A - Y) ** 2), rel=1e-12)
        with pytest.raises(AttributeError, match=r"identity.*use predict"):
            net.predict_proba(X)
    else:
        np.testing.assert_allclose(net.predict_proba(X), A, rtol=1e-12, atol=1e-13)
        right = A.argmax(axis=0) == Y if output == "softmax" else ((A > 0.5) == Y).all(axis=0)
        assert net.score(X, Y) == pytest.approx(np.mean(right), rel=1e-15)
        expected = A.argmax(axis=0).reshape(1, -1) if output == "softmax" else (A > 0.5).astype(int)
        np.testing.assert_array_equal(net.predict(X), expected)
        assert net.predict(X).dtype == np.int64
    rows = np.eye(sizes[-1])[:, Y] if output == "softmax" else Y
    assert net.cost(X, Y) == pytest.approx(float(outputs.cost(output, Z, rows)), rel=1e-12)


def test_a_probability_of_just_a_half_is_a_0():
    start = {"W1": np.zeros((1, 2)), "b1": np.zeros((1, 1))}
    net = bp.train(np.zeros((2, 4)), np.array([[0, 1, 0, 1]]), [2, 1], parameters=start, epochs=3)
    np.testing.assert_array_equal(net.predict_proba(np.ones((2, 3))), np.full((1, 3), 0.5))
    np.testing.assert_array_equal(net.predict(np.ones((2, 3))), np.zeros((1, 3)))
    assert net.score(np.ones((2, 4)), np.array([[0, 0, 0, 1]])) == 0.75


def test_a_leaky_relu_without_a_slope_is_a_relu():
    x, Y, sizes = problem("sigmoid", "float64")
    nets = [bp.train(x, Y, sizes, hidden=hidden, epochs=5, seed=1, batch_size=8) for hidden in ("relu", bp.LeakyRelu(0))]
    np.testing.assert_allclose(nets[1].predict_proba(x), nets[0].predict_proba(x), rtol=1e-12)


def test_float32_stays_float32():
    net = trained("softmax", dtype="float32")
    assert net.predict_proba(X).dtype == np.float32
    assert trained("identity", dtype="float32").predict(X.tolist()).dtype == np.float32


def test_outputs_that_are_certain_have_a_finite_cost_and_no_warning():
    net = trained("softmax")
    net.parameters["b2"][...] = [[1e6], [0], [-1e6]]
    assert np.isfinite(net.cost(X, LABELS))
    assert net.predict(X).tolist() == [[0] * X.shape[1]]
    np.testing.assert_array_equal(net.predict_proba(X)[1:], 0)


@pytest.mark.parametrize("ask", ["predict", "predict_proba", "score", "cost"])
def test_what_does_not_fit_the_net_is_refused(ask):
    net = trained("sigmoid")
    labels = [problem("sigmoid", "d")[1]] if ask in ("score", "cost") else []
    for x, words in ((X[:2], "(2, 40)"), (X[0], "(40,)"), (X[:, :0], "no examples")):
        with pytest.raises(ValueError, match="X has shape") as caught:
            getattr(net, ask)(x, *labels)
        assert words in str(caught.value)
    with pytest.raises(TypeError, match="X is of dtype <U"):
        getattr(net, ask)(X.astype(str), *labels)
    if labels:
        with pytest.raises(ValueError, match=r"Y has shape \(1, 40\); expected \(2, 40\)"):
            getattr(net, ask)(X, labels[0][:1])


def test_its_text_says_what_it_is_and_how_it_went():
    rule = "Adam(learning_rate=0.05, beta1=0.9, beta2=0.999, epsilon=1e-08)"
    begins = f"Trained([3, 4, 3], 'tanh', 'softmax', {rule}; epochs: 20, last cost "
    assert repr(trained("softmax", batch_size=8)).startswith(begins)
    assert "validation score" in repr(trained("softmax", validation=0.2))
    patient = repr(bp.train(X, LABELS > 0, SIZES, optimizer=bp.GradientDescent(1e-9), validation=0.2, patience=2, seed=1))
    assert patient.endswith("in epoch 1, the best, stopped early)")
    assert repr(bp.train(X, LABELS > 0, SIZES, epochs=0)).endswith("; epochs: 0)")


def test_it_can_be_pickled():
    for hidden in ("relu", bp.LeakyRelu(0.3)):
        net = trained("softmax", hidden)
        again = pickle.loads(pickle.dumps(net))
        assert_same_bits(again.predict_proba(X), net.predict_proba(X))
        assert repr(again) == repr(net)


# -------------------------------------------------------------------------------------------------------------- model files


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("hidden", ["relu", "identity", bp.LeakyRelu(0.3)], ids=str)
def test_the_command_line_predicts_by_what_is_saved(hidden, output, dtype, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    net = trained(output, hidden, dtype)
    net.save("net.npz")
    net.save(tmp_path / "net.npz")  # replaced
    np.savez("data.npz", X=X.T)
    assert main(["predict", "net.npz", "data.npz"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    table = np.array([line.split(",") for line in lines], float)
    # Parameters of float32 are kept as float64, in which the command computes.
    rtol = 1e-12 if dtype == "float64" else 1e-4
    if output == "identity":
        assert head == "prediction_1,prediction_2"
        np.testing.assert_allclose(table.T, net.predict(X), rtol=rtol, atol=rtol)
    elif output == "softmax":
        assert head == "probability,class"
        np.testing.assert_array_equal(table[:, 1], net.predict(X)[0])
        np.testing.assert_allclose(table[:, 0], net.predict_proba(X).max(axis=0), rtol=rtol)
    else:
        assert head == "probability_1,class_1,probability_2,class_2"
        np.testing.assert_allclose(table[:, ::2].T, net.predict_proba(X), rtol=rtol)
        np.testing.assert_array_equal(table[:, 1::2].T, net.predict(X))


def test_a_cost_that_is_not_finite_is_explained():
    net, Y = trained("identity"), np.full((2, X.shape[1]), 1e300)
    with pytest.warns(RuntimeWarning, match=r"^the cost is inf: X, Y or the parameters are so large") as said:
        assert net.cost(X, Y) == np.inf
    assert said[0].filename == __file__
    with np.errstate(all="ignore"):  # silences NumPy's formula too
        assert net.cost(X, Y) == np.inf
    assert np.isnan(net.cost(X * np.nan, 0 * Y))  # a nan that was passed is no news


def test_a_net_of_one_unit_is_saved_with_its_two_classes(tmp_path):
    net = bp.train(X, LABELS > 0, SIZES, epochs=3, seed=1)
    net.save(tmp_path / "net.npz")
    model = load_model(str(tmp_path / "net.npz"))
    assert model.classes is not None
    assert model.classes.values == (0, 1)
    assert_same_bits(model.parameters, net.parameters)
    assert model.training["optimizer"] == repr(net.optimizer)


def test_what_cannot_be_written_raises(tmp_path):
    with pytest.raises(FileNotFoundError):
        trained("sigmoid").save(tmp_path / "none" / "net.npz")
