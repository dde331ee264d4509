"""The compiled classes as estimators: checked by scikit-learn, patched in, pickled, searched over; what they say and raise."""

import doctest
import pickle
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn import neural_network as theirs
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from fastbackprop.extras import sklearn_mlp as ours
from fastbackprop.extras.sklearn_mlp import internals, solvers

from .sides import X, X_numbers, assert_alike, numbers, pair, said, y

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


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


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_the_example_of_a_docstring_is_right(name):
    (example,) = doctest.DocTestFinder(recurse=False).find(getattr(ours, name), name, globs={"np": np})
    failed, attempted = doctest.DocTestRunner().run(example)
    assert attempted > 2
    assert not failed


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


# ---------------------------------------------------------------------- messages


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
    outcomes = []
    for model in (mine, reference):
        try:
            model.fit(X_numbers, numbers / 50)
            outcomes.append("")
        except ValueError as error:  # of the parameters, or in older versions of a validation's score
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0] or "early_stopping" in options
    finite = int(np.isfinite(reference.loss_curve_).sum())
    assert 1 < finite < len(reference.loss_curve_)  # it begins well
    np.testing.assert_array_equal(np.isfinite(mine.loss_curve_), np.isfinite(reference.loss_curve_))
    np.testing.assert_allclose(mine.loss_curve_[: finite - 1], reference.loss_curve_[: finite - 1], 1e-9)
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
