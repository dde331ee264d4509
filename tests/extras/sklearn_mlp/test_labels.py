"""The one look at labels: what scikit-learn's classifier keeps, returns and says of them is the same."""

import functools
import pickle
import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.preprocessing import LabelBinarizer

from fastbackprop.extras.sklearn_mlp import MLPClassifier, labels
from fastbackprop.extras.sklearn_mlp.internals import module

rng = np.random.default_rng(3)
X = rng.standard_normal((60, 3))
QUICK = {
    "two": rng.integers(0, 2, 60),
    "two, far apart": np.where(rng.random(60) < 0.5, -7, 10**12),
    "truth values": rng.random(60) < 0.5,
    "several": rng.integers(-3, 4, 60),
    "small numbers without a sign": rng.integers(0, 5, 60).astype(np.uint8),
    "read-only": np.frombuffer(rng.integers(0, 3, 60).tobytes(), np.int64),
    "apart": rng.integers(0, 3, 120)[::2],
    "of one column": rng.integers(0, 3, (60, 1)),
    "a list": rng.integers(0, 3, 60).tolist(),
}
OTHERS = {
    "of another byte order": rng.integers(0, 3, 60).astype(np.dtype(np.int32).newbyteorder()),
    "one class": np.ones(60, int),
    "words": np.array(["yes", "no", "perhaps"])[rng.integers(0, 3, 60)],
    "objects": np.array(["yes", "no"], object)[rng.integers(0, 2, 60)],
    "whole numbers as float64": rng.integers(0, 3, 60).astype(float),
    "rows of ones and zeros": rng.integers(0, 2, (60, 3)),
    "many": np.arange(60) // 1.5 // 1,
    "many whole numbers": np.arange(60),
    "numbers": rng.standard_normal(60),
    "not finite": np.full(60, np.nan),
    "too few": rng.integers(0, 2, 59),
    "none": np.empty(0, int),
}


def outcome(cls, y):
    """Everything that a check of X and y makes, returns, raises and warns of."""
    model = cls()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            returned = model._validate_input(X, y, False, True)[1]
        except ValueError as error:
            returned = str(error)
    state = vars(getattr(model, "_label_binarizer", model))
    kept = {name: (type(value), getattr(value, "dtype", None), str(value)) for name, value in state.items()}
    classes = getattr(model, "classes_", np.empty(0))
    array = (returned.dtype, returned.shape, returned.tobytes()) if isinstance(returned, np.ndarray) else returned
    return array, kept, (classes.dtype, classes.tolist()), [(w.category, str(w.message)) for w in caught]


@pytest.mark.parametrize("y", [*QUICK.values(), *OTHERS.values()], ids=[*QUICK, *OTHERS])
def test_checks_are_scikit_learns(y):
    assert outcome(MLPClassifier, y) == outcome(module.MLPClassifier, y)


def _noting(found, own):
    def looking(self, y):
        found.append(own.__name__)
        return own(self, y)

    return looking


@pytest.fixture
def looks(monkeypatch):
    """How often scikit-learn's own binarizer looks at labels."""
    found: list[str] = []
    for name in ("fit", "transform"):
        monkeypatch.setattr(LabelBinarizer, name, _noting(found, getattr(LabelBinarizer, name)))
    return found


@pytest.mark.parametrize("y", QUICK.values(), ids=[*QUICK])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")
def test_whole_numbers_are_looked_at_once(y, looks):
    assert labels.KNOWN
    MLPClassifier()._validate_input(X, y, False, True)
    assert looks == []


def test_other_labels_are_scikit_learns_business(looks):
    MLPClassifier()._validate_input(X, OTHERS["words"], False, True)
    assert looks == ["fit", "transform"]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_a_model_keeps_is_scikit_learns():
    model = MLPClassifier((3,), max_iter=2).fit(X, QUICK["several"])
    assert type(model._label_binarizer) is LabelBinarizer
    assert b"OneLook" not in pickle.dumps(model)
    model.partial_fit(X[:5], QUICK["several"][:5])
    with pytest.raises(ValueError, match="classes not in"):
        model.partial_fit(X[:5], np.full(5, 77))


def test_nothing_is_left_behind_where_a_check_fails(monkeypatch):
    def failing(self, y):
        raise MemoryError

    monkeypatch.setattr(labels.OneLook, "transform", failing)
    model = MLPClassifier()
    with pytest.raises(MemoryError):
        model._validate_input(X, QUICK["two"], False, True)
    assert type(model._label_binarizer) is LabelBinarizer
    assert vars(model._label_binarizer).keys() == vars(LabelBinarizer().fit(QUICK["two"])).keys()


def _closure(monkeypatch):
    check = module.MLPClassifier._validate_input
    monkeypatch.setattr(module.MLPClassifier, "_validate_input", lambda *given: check(*given))


def _other_state(monkeypatch):
    fit = LabelBinarizer.fit

    def fitting(self, y):
        self.more_ = 5
        return fit(self, y)

    monkeypatch.setattr(LabelBinarizer, "fit", fitting)


def _other_result(monkeypatch):
    monkeypatch.setattr(LabelBinarizer, "transform", lambda self, y: np.ones((len(y), 7)))


def _raising(monkeypatch):
    monkeypatch.setattr(LabelBinarizer, "transform", lambda self, y, *, more: y)


@pytest.mark.parametrize("move", [_closure, _other_state, _other_result, _raising])
def test_a_binarizer_that_moved_is_left_alone(move, monkeypatch):
    assert labels.known_check()
    move(monkeypatch)
    assert labels.known_check() is None


def test_without_it_the_check_is_scikit_learns(monkeypatch, looks, fallbacks):
    monkeypatch.setattr(labels, "KNOWN", None)
    assert outcome(MLPClassifier, QUICK["several"]) == outcome(module.MLPClassifier, QUICK["several"])
    assert looks == ["fit", "transform"] * 2
    assert any("looks at labels" in line for line in fallbacks())


def test_a_check_that_was_replaced_later_is_called(monkeypatch):
    check, seen = module.MLPClassifier._validate_input, []

    @functools.wraps(check)
    def checking(self, *arguments):
        seen.append(type(self))
        return check(self, *arguments)

    monkeypatch.setattr(module.MLPClassifier, "_validate_input", checking)
    MLPClassifier()._validate_input(X, QUICK["two"], False, True)
    assert seen == [MLPClassifier]


def test_a_class_beside_ours_has_its_own_check():
    class Beside(module.MLPClassifier):
        def _validate_input(self, *arguments):
            self.seen_ = True
            return super()._validate_input(*arguments)

    class Both(MLPClassifier, Beside):
        pass

    model = Both()
    model._validate_input(X, QUICK["two"], False, True)
    assert model.seen_
    assert type(model._label_binarizer) is LabelBinarizer
