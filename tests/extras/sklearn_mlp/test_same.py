"""The compiled classes beside scikit-learn's own: from the same seed all that a fit leaves is scikit-learn's.

Numbers of 50 epochs agree within 1e-9 of the largest of their array, those of one step within 1e-13.
"""

import warnings
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

import sklearn
from sklearn import neural_network as theirs
from sklearn.datasets import make_classification, make_multilabel_classification, make_regression
from threadpoolctl import threadpool_limits

from fastbackprop.extras import sklearn_mlp as ours

from .sides import said

RTOL = 1e-9
OLD = np.lib.NumpyVersion(np.__version__) < "2.0.0"  # a loss of float32 data is of another kind there
M = 90  # examples
BINARY = make_classification(M, 6, random_state=1)
CLASSES = make_classification(M, 6, n_informative=4, n_classes=3, random_state=2)
LABELS = make_multilabel_classification(M, 6, n_classes=4, random_state=3)
LABELS = (LABELS[0] / 10, LABELS[1])
NUMBER = make_regression(M, 6, n_informative=3, noise=1, random_state=4)
NUMBER = (NUMBER[0], NUMBER[1] / 50)
NUMBERS = make_regression(M, 6, n_targets=3, random_state=5)
NUMBERS = (NUMBERS[0], NUMBERS[1] / 50)
TARGETS: dict[str, tuple[str, Any]] = {
    "binary": ("MLPClassifier", BINARY),
    "classes": ("MLPClassifier", CLASSES),
    "labels": ("MLPClassifier", LABELS),
    "number": ("MLPRegressor", NUMBER),
    "numbers": ("MLPRegressor", NUMBERS),
}
SGD: dict[str, Any] = {"solver": "sgd", "learning_rate_init": 0.05}
WEIGHTS = np.random.default_rng(6).uniform(0.2, 3, M)


@pytest.fixture(autouse=True)
def compiled(fallbacks):
    """Every fit of a test is compiled. BLAS has one thread: more would wait for each other."""
    with threadpool_limits(1):
        yield
    assert not said(fallbacks)


def recorded(call, *arguments, **keywords):
    """The warnings of a call: what a filter sees of them."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        call(*arguments, **keywords)
    return [(warning.category, str(warning.message), warning.filename) for warning in found]


def close(mine, reference, rtol=RTOL):
    assert len(mine) == len(reference)
    for a, b in zip(mine, reference, strict=True):
        assert type(a) is type(b) or OLD
        a, b = np.asarray(a), np.asarray(b)
        assert a.dtype == b.dtype or (OLD and not a.shape)
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol, rtol * np.abs(b).max(initial=0))


def alike(mine, reference, X, rtol=RTOL):
    """All that a fit leaves, and predictions."""
    assert vars(mine).keys() - {"_sklearn_version"} == vars(reference).keys() - {"_sklearn_version"}
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_", "_no_improvement_count"):
        assert getattr(mine, name, None) == getattr(reference, name, None), name
    for name in ("coefs_", "intercepts_", "loss_curve_", "validation_scores_"):
        close(getattr(mine, name, None) or [], getattr(reference, name, None) or [], rtol)
    for name in ("loss_", "best_loss_", "best_validation_score_"):
        if getattr(reference, name, None) is not None:
            close([getattr(mine, name)], [getattr(reference, name)], rtol)
    if hasattr(reference, "_optimizer"):
        a, b = vars(mine._optimizer), vars(reference._optimizer)
        assert type(mine._optimizer) is type(reference._optimizer)
        assert a.keys() == b.keys()
        for name in a:
            if isinstance(b[name], list):
                close(a[name], b[name], rtol)
            elif isinstance(b[name], str):
                assert a[name] == b[name]
            else:
                close([a[name]], [b[name]], 1e-15)
    for name in ("predict", "predict_proba"):
        if hasattr(reference, name):
            close([getattr(mine, name)(X)], [getattr(reference, name)(X)], rtol)


def same_state(a, b):
    np.testing.assert_array_equal(a.get_state()[1], b.get_state()[1])
    assert a.get_state()[2:] == b.get_state()[2:]


def pair(kind, options, seed=7):
    """A model of each side, with a generator each."""
    options = {"hidden_layer_sizes": (7,), "batch_size": 32, "max_iter": 50, "tol": 0.0, **options}
    return [getattr(side, kind)(**options, random_state=np.random.RandomState(seed)) for side in (ours, theirs)]


def check(target, options, rtol=RTOL, fits=1, dtype=None, **arguments):
    """Fit both as often, and compare."""
    kind, (X, y) = TARGETS[target]
    if dtype is not None:
        X, y = X.astype(dtype), y if kind == "MLPClassifier" else y.astype(dtype)
    mine, reference = pair(kind, options)
    for _ in range(fits):
        assert recorded(mine.fit, X, y, **arguments) == recorded(reference.fit, X, y, **arguments)
    alike(mine, reference, X, rtol)
    same_state(mine.random_state, reference.random_state)
    return mine


# ----------------------------------------------------------------------------------------------------- the same training


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_fifty_epochs_are_scikit_learns(solver, activation, target):
    check(target, {"solver": solver, "activation": activation, "learning_rate_init": 0.01})


@pytest.mark.parametrize(
    "options",
    [
        {**SGD, "momentum": 0.0},
        {**SGD, "nesterovs_momentum": False},
        {**SGD, "learning_rate": "invscaling", "power_t": 0.3},
        {**SGD, "learning_rate": "adaptive", "learning_rate_init": 0.1, "tol": 0.05, "n_iter_no_change": 2},
        {**SGD, "tol": 0.01},
        {"tol": 0.01, "n_iter_no_change": 4},
        {"n_iter_no_change": np.inf},
        {"batch_size": "auto"},
        {"batch_size": 1, "max_iter": 4},
        {"batch_size": M - 1},
        {"batch_size": 1000},
        {"shuffle": False},
        {**SGD, "shuffle": False, "batch_size": M},
        {"alpha": 0.0},
        {**SGD, "alpha": 3.0},
        {"beta_1": 0.0, "beta_2": 0.5, "epsilon": 1e-3},
        {"hidden_layer_sizes": (1,)},
        {"hidden_layer_sizes": (9, 4, 6)},
        {"hidden_layer_sizes": ()},
    ],
    ids=str,
)
@pytest.mark.parametrize("target", ["classes", "numbers"])
def test_options(target, options):
    check(target, options)


@pytest.mark.parametrize(
    "options", [{}, {**SGD, "learning_rate": "adaptive", "tol": 0.05}, {"validation_fraction": 0.4}], ids=str
)
@pytest.mark.parametrize("target", TARGETS)
def test_early_stopping(target, options):
    check(target, {**options, "early_stopping": True, "n_iter_no_change": 4})


@pytest.fixture
def weights():
    if "sample_weight" not in theirs.MLPClassifier.fit.__wrapped__.__code__.co_varnames:
        pytest.skip("this scikit-learn has no weights of examples")
    return WEIGHTS


@pytest.mark.parametrize("options", [{}, SGD, {"early_stopping": True}, {"solver": "lbfgs"}, {"batch_size": "auto"}], ids=str)
@pytest.mark.parametrize("target", TARGETS)
def test_sample_weights(target, options, weights):
    check(target, {**options, "max_iter": 20}, sample_weight=weights)


@pytest.mark.parametrize("options", [{}, {**SGD, "learning_rate": "invscaling"}, {"early_stopping": True}], ids=str)
@pytest.mark.parametrize("target", ["binary", "number"])
def test_warm_starts(target, options):
    check(target, {**options, "warm_start": True, "max_iter": 12}, fits=3)


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("target", TARGETS)
def test_lbfgs(target, activation):
    """Few iterations: the search enlarges differences of rounding."""
    check(target, {"solver": "lbfgs", "activation": activation, "max_iter": 8, "alpha": 0.1})


@pytest.mark.parametrize("options", [{}, SGD, {"solver": "lbfgs", "max_iter": 4}], ids=str)
@pytest.mark.parametrize("target", TARGETS)
def test_float32(target, options):
    """20 epochs of float32: each result is within 1e-4 of its array's largest, some thousand roundings."""
    check(target, {"max_iter": 20, "learning_rate_init": 0.01, **options}, rtol=1e-4, dtype=np.float32)


def test_float32_data_with_float64_numbers_train_in_float32():
    """scikit-learn's gradients are float64 there, its parameters and predictions float32."""
    X, y = NUMBER
    mine, reference = pair("MLPRegressor", {"max_iter": 20})
    assert recorded(mine.fit, X.astype("f"), y) == recorded(reference.fit, X.astype("f"), y)
    close(mine.coefs_, reference.coefs_, 1e-4)
    close([mine.predict(X.astype("f"))], [reference.predict(X.astype("f"))], 1e-4)


def test_a_saturated_output_is_clipped_as_scikit_learn_clips_it():
    """Labels that contradict a certain prediction cost log(eps), whatever the logit is."""
    X, y = np.array([[40.0], [60.0], [-50.0], [-3.0]]), np.array([0, 1, 1, 0])
    for labels in (y, np.column_stack([y, 1 - y, y]), y + 2 * (np.arange(4) == 0)):
        mine, reference = pair(
            "MLPClassifier",
            {"activation": "identity", "max_iter": 3, "learning_rate_init": 0.5, "solver": "sgd", "momentum": 0.5},
        )
        recorded(mine.fit, X, labels)
        recorded(reference.fit, X, labels)
        alike(mine, reference, X)
        assert max(reference.loss_curve_) > 5


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_data_in_any_layout(order, solver):
    X, y = BINARY
    mine, reference = pair("MLPClassifier", {"solver": solver, "max_iter": 5})
    data = np.asarray(np.repeat(X, 2, axis=1), order=order)[:, ::2]
    data.flags.writeable = False
    recorded(mine.fit, data, y)
    recorded(reference.fit, X, y)
    alike(mine, reference, X)


# ------------------------------------------------------------------------------------------------------------ one step


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("options", [{}, SGD, {**SGD, "nesterovs_momentum": False, "learning_rate": "invscaling"}], ids=str)
def test_a_step_from_one_state_and_to_and_fro(target, options):
    """Each class takes the steps of the other's state: its parameters, its optimizer, its generator."""
    kind, (X, y) = TARGETS[target]
    mine, reference = pair(kind, {**options, "batch_size": M})
    first = {"classes": range(4) if target == "labels" else np.unique(y)} if kind == "MLPClassifier" else {}
    for i in range(8):
        mine.partial_fit(X, y, **(first if i == 0 else {}))
        reference.partial_fit(X, y, **(first if i == 0 else {}))
        alike(mine, reference, X, rtol=1e-13)
        same_state(mine._random_state, reference._random_state)
        state, other = mine.__getstate__(), reference.__getstate__()
        assert type(mine._optimizer).__module__.startswith("sklearn.")
        if i % 2:
            mine, reference = type(mine)(), type(reference)()
            mine.__setstate__(other)
            reference.__setstate__({**state, "_sklearn_version": sklearn.__version__})
    assert mine.coefs_[0] is not reference.coefs_[0]


def test_parameters_change_in_place():
    X, y = BINARY
    mine, _ = pair("MLPClassifier", {})
    mine.partial_fit(X, y, classes=[0, 1])
    held = [*mine.coefs_, *mine.intercepts_]
    mine.partial_fit(X, y)
    assert all(a is b for a, b in zip(held, [*mine.coefs_, *mine.intercepts_], strict=True))
    assert all(array.flags.c_contiguous for array in held)
