"""Models of both sides, and whether they are alike."""

import numpy as np
from sklearn import neural_network as theirs
from sklearn.datasets import make_classification, make_regression

from fastbackprop.extras import sklearn_mlp as ours

X, y = make_classification(90, 6, random_state=1)
X_numbers, numbers = make_regression(90, 6, n_targets=2, random_state=5)
SAME = ("n_iter_", "t_", "loss_", "best_loss_", "loss_curve_", "_no_improvement_count")


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
