"""The compiled classes in use: patched in, pickled, searched over, interrupted; and what scikit-learn's code does for them."""

import pickle
import signal
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

import sklearn
from sklearn import neural_network as theirs
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelBinarizer, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from fastbackprop.batches import Batches
from fastbackprop.extras import sklearn_mlp as ours
from fastbackprop.extras.sklearn_mlp import epochs, evaluations, internals, solvers

X, y = make_classification(90, 6, random_state=1)
X_numbers, numbers = make_regression(90, 6, n_targets=2, random_state=5)
SAME = ("n_iter_", "t_", "loss_", "best_loss_", "loss_curve_", "_no_improvement_count")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def pair(kind="MLPClassifier", **options):
    options = {"hidden_layer_sizes": (5,), "batch_size": 32, "max_iter": 20, "tol": 0.0, **options}
    return [getattr(side, kind)(**options, random_state=np.random.RandomState(7)) for side in (ours, theirs)]


def assert_alike(mine, reference, rtol=1e-9):
    for name in SAME:
        if hasattr(reference, name):
            np.testing.assert_allclose(getattr(mine, name), getattr(reference, name), rtol)
    for a, b in zip([*mine.coefs_, *mine.intercepts_], [*reference.coefs_, *reference.intercepts_], strict=True):
        np.testing.assert_allclose(a, b, rtol, rtol * np.abs(b).max())
    np.testing.assert_array_equal(mine.random_state.get_state()[1], reference.random_state.get_state()[1])
    assert mine.random_state.get_state()[2] == reference.random_state.get_state()[2]
    assert "_training" not in vars(mine)
    assert "update_params" not in vars(getattr(mine, "_optimizer", mine))


def said(fallbacks):
    """The reasons for which scikit-learn's code ran, and no more: others log at DEBUG too."""
    return [line.partition(", since ")[2] for line in fallbacks() if "scikit-learn's code" in line]


# --------------------------------------------------------------------------------------------------------- as an estimator


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning", "ignore:.*:FutureWarning")
@parametrize_with_checks([ours.MLPClassifier(max_iter=60), ours.MLPRegressor(max_iter=60)])
def test_scikit_learns_checks_of_estimators(estimator, check):
    check(estimator)


def test_parameters_are_scikit_learns():
    for name in ("MLPClassifier", "MLPRegressor"):
        mine, reference = getattr(ours, name), getattr(theirs, name)
        assert mine().get_params() == reference().get_params()
        assert issubclass(mine, reference)
        assert repr(mine(alpha=3, max_iter=5)) == repr(reference(alpha=3, max_iter=5))
    model = clone(ours.MLPClassifier((3,)).set_params(alpha=1.0))
    assert (type(model), model.alpha, model.hidden_layer_sizes) == (ours.MLPClassifier, 1.0, (3,))


def test_a_pipeline_and_a_search_in_two_processes():
    results = []
    for side in (ours, theirs):
        pipeline = make_pipeline(StandardScaler(), side.MLPClassifier((4,), max_iter=5, random_state=1))
        search = GridSearchCV(pipeline, {"mlpclassifier__alpha": [1e-4, 10.0]}, cv=2, n_jobs=2).fit(X, y)
        assert type(search.best_estimator_[-1]) is side.MLPClassifier
        results.append((search.cv_results_["mean_test_score"].tolist(), search.best_estimator_.predict(X).tolist()))
    assert results[0] == results[1]


def test_a_pickle_is_a_model_that_goes_on():
    mine, reference = pair(warm_start=True)
    mine, reference = (pickle.loads(pickle.dumps(model.fit(X, y))) for model in (mine, reference))
    assert type(mine) is ours.MLPClassifier
    assert_alike(mine.partial_fit(X, y), reference.partial_fit(X, y))


@pytest.fixture
def patched():
    ours.patch_sklearn()
    yield
    ours.unpatch_sklearn()


def test_patch_and_unpatch(patched):
    reference = pickle.loads(pickle.dumps(internals.module.MLPRegressor(max_iter=3)))  # one that was made before
    assert type(reference) is internals.module.MLPRegressor
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    assert (MLPClassifier, MLPRegressor) == (ours.MLPClassifier, ours.MLPRegressor)
    ours.patch_sklearn()
    ours.unpatch_sklearn()
    assert theirs.MLPClassifier is internals.module.MLPClassifier
    assert theirs.MLPRegressor is internals.module.MLPRegressor
    assert not issubclass(theirs.MLPClassifier, solvers.Compiled)


def test_without_scikit_learn_an_error_names_the_extra():
    program = "import sys; sys.modules['sklearn'] = None; import fastbackprop.extras.sklearn_mlp"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert 'fastbackprop.extras.sklearn_mlp needs scikit-learn: pip install ".[sklearn]" in a clone' in run.stderr


# -------------------------------------------------------------------------------------------------- errors and divergence


@pytest.mark.parametrize(
    ("options", "data"),
    [
        ({"solver": "cg"}, (X, y)),
        ({"alpha": -1.0}, (X, y)),
        ({"hidden_layer_sizes": (0,)}, (X, y)),
        ({}, (X, y[:-1])),
        ({}, (np.where(X > 2, np.nan, X), y)),
        ({"early_stopping": True}, (X[:6], y[:6])),
        ({"early_stopping": True, "validation_fraction": 0.01}, (X, y)),
    ],
    ids=str,
)
def test_errors_are_scikit_learns(options, data):
    errors = []
    for model in pair(**options):
        with pytest.raises(Exception) as error:
            model.fit(*data)
        errors.append((error.type, str(error.value)))
    assert errors[0] == errors[1]


def test_partial_fit_with_early_stopping_and_with_lbfgs():
    for options, kind in (({"early_stopping": True}, ValueError), ({"solver": "lbfgs"}, AttributeError)):
        for model in pair(**options):
            with pytest.raises(kind, match=r"partial_fit"):
                model.partial_fit(X, y, classes=[0, 1])


@pytest.mark.parametrize("options", [{}, {"early_stopping": True}, {"shuffle": False}, {"n_iter_no_change": 5}], ids=str)
def test_a_training_that_diverges_ends_as_scikit_learns_does(options, fallbacks, saturating):
    mine, reference = pair("MLPRegressor", solver="sgd", activation="identity", learning_rate_init=0.1, max_iter=40, **options)
    for model in (mine, reference):
        if "early_stopping" in options:
            model.fit(X_numbers, numbers / 50)
        else:
            with pytest.raises(ValueError, match="Solver produced non-finite parameter weights"):
                model.fit(X_numbers, numbers / 50)
    finite = int(np.isfinite(reference.loss_curve_).sum())
    assert 1 < finite < 40  # it begins well
    assert len(mine.loss_curve_) == len(reference.loss_curve_) == 40
    np.testing.assert_allclose(mine.loss_curve_[: finite - 1], reference.loss_curve_[: finite - 1], 1e-9)
    np.testing.assert_array_equal(np.isfinite(mine.loss_curve_), np.isfinite(reference.loss_curve_))
    np.testing.assert_array_equal(mine.random_state.get_state()[1], reference.random_state.get_state()[1])
    assert "makes parameters that are not finite" in said(fallbacks)[0]


def test_a_batch_without_weight_is_scikit_learns_error():
    if "sample_weight" not in internals.PARAMETERS_FOUND["_backprop"]:
        pytest.skip("this scikit-learn has no weights of examples")
    mine, reference = pair(shuffle=False)
    weights = np.r_[np.ones(32), np.zeros(32), np.ones(26)]
    for model in (mine, reference):
        with pytest.raises(ZeroDivisionError, match="Weights sum to zero"):
            model.fit(X, y, sample_weight=weights)
    assert mine.n_iter_ == reference.n_iter_ == 0
    for a, b in zip(mine.coefs_, reference.coefs_, strict=True):
        np.testing.assert_allclose(a, b, 1e-9)


# ------------------------------------------------------------------------------------------------- what is not covered


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
    outcomes = []
    for model in (mine, reference):
        try:
            fit(model)
            outcomes.append(None)
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
    mine._forward_pass = lambda activations: calls.append(1) or type(mine)._forward_pass(mine, activations)
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
    assert why in internals.look()


# -------------------------------------------------------------------------------------------------------- interrupts


class Raising(list):
    """A loss curve that interrupts the loop as it gets so many losses."""

    def append(self, loss):
        super().append(loss)
        if len(self) == self.last:
            raise KeyboardInterrupt


@pytest.mark.parametrize("last", [1, 2, 11, 12, 17])
@pytest.mark.parametrize("options", [{}, {"solver": "sgd", "learning_rate": "invscaling"}, {"shuffle": False}], ids=str)
def test_an_interrupt_of_the_loop_leaves_what_it_has_seen(options, last):
    """Though the engine has done more epochs by then."""
    mine, reference = pair(warm_start=True, max_iter=1, **options)
    for model in (mine, reference):
        model.fit(X, y)
        model.loss_curve_ = Raising()
        model.loss_curve_.last = last
        model.set_params(max_iter=30)
        with pytest.warns(UserWarning, match=r"^Training interrupted by user\.$"):
            model.fit(X, y)
    assert reference.n_iter_ == last
    assert_alike(mine, reference)
    for name in ("t", "learning_rate"):
        assert getattr(mine._optimizer, name, None) == getattr(reference._optimizer, name, None)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("call", [1, 2])
def test_an_interrupt_of_the_engine_leaves_the_epochs_that_are_done(call, late, monkeypatch):
    advance, calls = Batches.advance, []

    def interrupted(self, order, rates):
        calls.append(len(rates))
        if len(calls) == call and not late:
            raise KeyboardInterrupt
        advance(self, order, rates)
        if len(calls) == call and late:
            raise KeyboardInterrupt

    monkeypatch.setattr(Batches, "advance", interrupted)
    mine, _ = pair(max_iter=30)
    with pytest.warns(UserWarning, match=r"^Training interrupted by user\.$"):
        mine.fit(X, y)
    done = sum(calls[: call if late else call - 1])
    assert mine.n_iter_ == len(mine.loss_curve_) == done
    monkeypatch.undo()
    _, reference = pair(max_iter=max(done, 1))
    reference.fit(X, y)
    if done:
        assert_alike(mine, reference)
    mine.fit(X, y)  # as if nothing had been


def test_an_interrupt_in_the_last_epoch_is_raised_after_it(monkeypatch):
    advance = Batches.advance

    def interrupted(self, order, rates):
        advance(self, order, rates)
        raise KeyboardInterrupt

    mine, reference = pair()
    monkeypatch.setattr(Batches, "advance", interrupted)
    with pytest.raises(KeyboardInterrupt):
        mine.partial_fit(X, y, classes=[0, 1])
    monkeypatch.undo()
    assert_alike(mine, reference.partial_fit(X, y, classes=[0, 1]))


def test_two_interrupts_leave_the_model_as_it_was(monkeypatch):
    settle = epochs.Task.settle

    def wait(batches, work, file):
        work.start()
        raise KeyboardInterrupt

    def interrupted(self, *seconds):
        monkeypatch.setattr(epochs.Task, "settle", settle)
        raise KeyboardInterrupt

    mine, reference = pair(warm_start=True, max_iter=3)
    mine.fit(X, y)
    reference.fit(X, y)
    monkeypatch.setattr(epochs, "quick_epochs", lambda batches: 0)
    monkeypatch.setattr(epochs, "wait", wait)
    monkeypatch.setattr(epochs.Task, "settle", interrupted)
    with pytest.warns(UserWarning, match=r"^Training interrupted by user\.$"):
        mine.fit(X, y)
    assert mine.n_iter_ == 0
    for a, b in zip(mine.coefs_, reference.coefs_, strict=True):
        np.testing.assert_allclose(a, b, 1e-9)
    np.testing.assert_array_equal(mine.random_state.get_state()[1], reference.random_state.get_state()[1])


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_thread_computes_the_same(solver, monkeypatch):
    alone, _ = pair(solver=solver)
    alone.fit(X, y)
    threaded, _ = pair(solver=solver)
    for module in (epochs, evaluations):
        monkeypatch.setattr(module, "quick_epochs", lambda batches: 0)
    threaded.fit(X, y)
    assert_alike(threaded, alone, rtol=0)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no signal can be timed here")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_ctrl_c_ends_a_training_whose_epochs_are_long(solver):
    """As scikit-learn's ends: with a warning, or, where SciPy searches, with KeyboardInterrupt."""
    m, n = 40_000, 60
    data = np.random.default_rng(1).standard_normal((m, n))
    labels = data[:, 0] * data[:, 1] > 0
    options: dict[str, Any] = {
        "n_iter_no_change": np.inf,
        "max_iter": 100_000,
        "solver": solver,
        "batch_size": m,
        "max_fun": 10**9,
    }
    mine, _ = pair(**options, hidden_layer_sizes=(60,))
    if solver == "lbfgs":
        mine.set_params(tol=0.0)

    def interrupt(number, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.4)
        if solver == "lbfgs":
            with pytest.raises(KeyboardInterrupt):
                mine.fit(data, labels)
        else:
            with pytest.warns(UserWarning, match=r"^Training interrupted by user\.$"):
                mine.fit(data, labels)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert "_training" not in vars(mine)
    if solver == "adam":
        assert mine.n_iter_ == len(mine.loss_curve_) == mine._optimizer.t
        whole, _ = pair(**{**options, "max_iter": max(1, mine.n_iter_)}, hidden_layer_sizes=(60,))
        whole.fit(data, labels)
        if mine.n_iter_:
            assert_alike(mine, whole, rtol=0)


def test_a_model_that_does_not_converge_warns_as_scikit_learns_does():
    for model in pair():
        with pytest.warns(ConvergenceWarning, match=r"^Stochastic Optimizer: Maximum iterations \(20\) reached"):
            model.fit(X, y)


@pytest.mark.parametrize(
    "options", [{}, {"early_stopping": True}, {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.1}], ids=str
)
def test_what_is_printed_is_scikit_learns(options, capsys):
    printed = []
    for model in pair(verbose=True, n_iter_no_change=3, **options):
        model.fit(X, y)
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert "Iteration 2, loss = " in printed[0]
