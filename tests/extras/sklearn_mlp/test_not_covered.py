"""What the kernels do not cover runs scikit-learn's code, and the log says why."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

import sklearn
from sklearn import neural_network as theirs
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer
from sklearn.preprocessing import LabelBinarizer

from fastbackprop.extras import sklearn_mlp as ours
from fastbackprop.extras.sklearn_mlp import internals, solvers

from .sides import X, X_numbers, assert_alike, numbers, pair, said, y

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class OwnLoss(ours.MLPRegressor):
    def _backprop(self, *arguments):
        loss, *gradients = super()._backprop(*arguments)
        return 2 * loss, *gradients


class OwnOptimizer(AdamOptimizer):
    pass


def _sparse(model):
    from scipy.sparse import csr_matrix

    return model.fit(csr_matrix(X_numbers), numbers)


def _poisson(model):
    return model.set_params(loss="poisson").fit(X_numbers, np.abs(numbers) / 100)


def _other_dtype(model):
    model.fit(X_numbers, numbers)
    return model.partial_fit(X_numbers.astype("f"), numbers)


def _other_sizes(model):
    model.fit(X_numbers, numbers)
    return model.set_params(hidden_layer_sizes=(8,), warm_start=True).fit(X_numbers, numbers)


def _read_only(model):
    model.fit(X_numbers, numbers)
    model.coefs_ = [np.asfortranarray(array).view(Sub) for array in model.coefs_]
    return model.partial_fit(X_numbers, numbers)


class Sub(np.ndarray):
    pass


def _optimizer(model):
    model.fit(X_numbers, numbers)
    model._optimizer.__class__ = OwnOptimizer
    return model.partial_fit(X_numbers, numbers)


def _optimizers_state(model):
    model.fit(X_numbers, numbers)
    model._optimizer.ms = [np.float64(0.0) for _ in model._optimizer.ms]
    model._optimizer.vs = [np.float64(0.0) for _ in model._optimizer.vs]
    return model.partial_fit(X_numbers, numbers)


class OwnRandomState(np.random.RandomState):
    pass


def _random_state(model):
    return model.set_params(random_state=OwnRandomState(3)).fit(X_numbers, numbers)


def _momentum(model):
    return model.set_params(solver="sgd", momentum=1.0, max_iter=2).fit(X_numbers, numbers / 1e3)


def _large(model):
    with np.errstate(over="ignore"):
        return model.set_params(max_iter=1).fit(X_numbers.astype("f"), 1e39 * numbers)


NOT_COVERED: list[tuple[Any, str]] = [
    (_sparse, "X is of type csr"),
    (_poisson, "loss 'poisson' and output 'exp'"),
    (_other_dtype, "not all coefs_ and intercepts_ are of X's dtype, float32"),
    (_other_sizes, "coefs_ and intercepts_ are not of shapes [(6, 8), (8, 2), (8,), (2,)]"),
    (_read_only, "not all coefs_ and intercepts_ are writable arrays"),
    (_optimizer, "the optimizer is of type OwnOptimizer"),
    (_optimizers_state, "the optimizer's state has other shapes than coefs_ and intercepts_"),
    (_random_state, "the random state is a OwnRandomState"),
    (_momentum, "momentum is 1.0; expected a number from 0 to below 1"),
    (_large, "y does not fit float32"),
]


@pytest.mark.parametrize(("fit", "reason"), NOT_COVERED, ids=[fit.__name__ for fit, _ in NOT_COVERED])
def test_what_is_not_covered_runs_scikit_learns_code_and_the_log_says_why(fit, reason, fallbacks, saturating):
    if fit is _poisson and "loss" not in theirs.MLPRegressor().get_params():
        pytest.skip("this scikit-learn has no other loss")
    mine, reference = pair("MLPRegressor")
    outcomes: list[str] = []
    for model in (mine, reference):
        try:
            fit(model)
            outcomes.append("")
        except ValueError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]
    assert_alike(mine, reference)
    (line,) = said(fallbacks)
    assert reason in line


class NoClass(LabelBinarizer):
    def transform(self, y):
        found = super().transform(y)
        found[0] = 0
        return found


def test_an_example_of_no_class_is_scikit_learns(fallbacks):
    mine, reference = pair()
    for model in (mine, reference):
        model.fit(X, y + (X[:, 0] > 1))
        model._label_binarizer.__class__ = NoClass
        model.partial_fit(X, y)
    assert_alike(mine, reference)
    assert said(fallbacks) == ["an example is not of one class"]


def test_a_subclass_with_its_own_step_keeps_it(fallbacks):
    mine, reference = (Kind(hidden_layer_sizes=(5,), random_state=1, max_iter=4) for Kind in (OwnLoss, theirs.MLPRegressor))
    mine.fit(X_numbers, numbers)
    reference.fit(X_numbers, numbers)
    np.testing.assert_array_equal(mine.loss_curve_, 2 * np.array(reference.loss_curve_))
    assert said(fallbacks) == ["OwnLoss has its own _backprop"]


def test_a_model_with_its_own_step_keeps_it(fallbacks):
    mine, _ = pair(max_iter=2)
    calls = []

    def counted(activations):
        calls.append(1)
        return type(mine)._forward_pass(mine, activations)

    mine._forward_pass = counted
    mine.fit(X, y)
    assert len(calls) == 6
    assert said(fallbacks) == ["MLPClassifier has its own _forward_pass"]


@pytest.mark.parametrize(("solver", "kind"), [("adam", "MLPClassifier"), ("lbfgs", "MLPRegressor")])
def test_a_scikit_learn_with_other_internals_trains_by_its_own_code_and_one_warning_says_so(solver, kind, caplog, monkeypatch):
    monkeypatch.setattr(solvers, "MOVED", "shuffle draws other numbers")
    monkeypatch.setattr(internals, "MOVED", "shuffle draws other numbers")
    monkeypatch.setattr(internals, "_said", False)
    data = (X, y) if kind == "MLPClassifier" else (X_numbers, numbers)
    mine, reference = pair(kind, solver=solver)
    assert_alike(mine.fit(*data), reference.fit(*data), rtol=0)
    mine.fit(*data)
    (record,) = [record for record in caplog.records if record.name == "fastbackprop" and record.levelname == "WARNING"]
    assert f"version {sklearn.__version__} has other internals" in record.getMessage()
    assert "shuffle draws other numbers" in record.getMessage()


def _no_such(monkeypatch):
    monkeypatch.delattr(internals.module, "gen_batches")


def _parameters(monkeypatch):
    monkeypatch.setattr(internals.Base, "_backprop", lambda self, X, y, w, z: None)


def _draws(monkeypatch):
    monkeypatch.setattr(internals.module, "shuffle", lambda x, random_state: random_state.permutation(x)[::-1])


def _loop(monkeypatch):
    loop = internals.Base._fit_stochastic
    monkeypatch.setattr(internals.Base, "_fit_stochastic", lambda *given: loop(*given))


def _state(monkeypatch):
    monkeypatch.setattr(internals.module, "AdamOptimizer", type("AdamOptimizer", (), {"__init__": lambda self, params: None}))


@pytest.mark.parametrize(
    ("move", "why"),
    [
        (_no_such, "gen_batches"),
        (_parameters, "_backprop has parameters X, y, w, z"),
        (_draws, "shuffle draws other numbers"),
        (_loop, "_fit_stochastic"),
        (_state, "AdamOptimizer has other attributes"),
    ],
)
def test_internals_that_moved_are_seen(move, why, monkeypatch):
    assert internals.MOVED is None
    assert internals.look() is None
    move(monkeypatch)
    assert why in (internals.look() or "")
