"""A sweep: each training has the bits of a call alone, and what came of it is a record."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastbackprop as bp
from fastbackprop.algorithms import Gram
from fastbackprop.batches import RULES
from fastbackprop.extras.sweep import sharing
from fastbackprop.gram_rules import GramRule
from fastbackprop.optimizers import Momentum
from fastbackprop.testing import assert_same_bits

from ...support.trainings import drawn
from .nets import BY_DESCENT, BY_TRAIN, TALL, WIDE, alone, outcome

pytest.importorskip("joblib")


@pytest.mark.parametrize("n_jobs", [1, 2, None, -1])
def test_trainings_have_the_bits_of_calls_alone(n_jobs):
    X, Y = WIDE
    held_out = X[:, :9], Y[:, :9]
    before = drawn()
    records = bp.sweep(X, Y, BY_DESCENT + BY_TRAIN, n_jobs=n_jobs, validation=held_out)
    assert drawn() == before
    assert [record.configuration for record in records] == BY_DESCENT + BY_TRAIN
    for record in records:
        assert (record.status, record.error) == ("done", None)
        assert record.seconds > 0
        assert_same_bits(outcome(record), alone(X, Y, record.configuration, held_out))


@pytest.mark.parametrize("kind", ["float32", "Fortran", "integers", "tall"])
def test_data_of_any_kind(kind):
    X, Y = WIDE if kind != "tall" else TALL
    data: dict[str, Any] = {
        "float32": X.astype(np.float32),
        "Fortran": np.asfortranarray(X),
        "integers": (10 * X).astype(int),
        "tall": X,
    }
    X = data[kind]
    configurations = [
        {"layers_dims": [len(X), 5, 1], "learning_rate": 0.01, "num_iterations": 101, "seed": 1},
        {"layers_dims": [len(X), 5, 1], "optimizer": Momentum(0.001), "epochs": 30, "seed": 1},
        {"layers_dims": [len(X), 5, 1], "batch_size": 8, "epochs": 3, "seed": 1},
    ]
    for record in bp.sweep(X, Y, configurations, validation=(X, Y)):
        assert_same_bits(outcome(record), alone(X, Y, record.configuration, (X, Y)))


def test_parameters_to_start_from_need_no_seed():
    X, Y = TALL
    start = bp.initialize_parameters_deep([3, 4, 1])
    configuration = {"layers_dims": [3, 4, 1], "parameters": start, "num_iterations": 10}
    (record,) = bp.sweep(X, Y, [configuration])
    assert_same_bits(outcome(record), alone(X, Y, configuration))


def test_lists_and_frames_are_data_too():
    pandas = pytest.importorskip("pandas")
    X, Y = TALL
    configuration = {"layers_dims": [3, 4, 1], "num_iterations": 10, "seed": 1}
    pairs: list[Any] = [(X.tolist(), Y.tolist()), (pandas.DataFrame(X), pandas.DataFrame(Y))]
    for data, labels in pairs:
        (record,) = bp.sweep(data, labels, iter([configuration]))
        assert_same_bits(outcome(record), alone(X, Y, configuration))


@given(n_0=st.integers(1, 700), n_1=st.integers(1, 9), m=st.integers(1, 40), narrow=st.booleans(), fortran=st.booleans())
def test_v_has_the_same_bits_where_g_is_handed_in(n_0, n_1, m, narrow, fortran):
    rng = np.random.default_rng(n_0)
    X, start = rng.standard_normal((n_0, m)), {"W1": rng.standard_normal((n_1, n_0)), "b1": np.zeros((n_1, 1))}
    start |= {"W2": rng.standard_normal((1, n_1)), "b2": np.zeros((1, 1))}
    X = np.asarray(X, np.float32 if narrow else np.float64, order="F" if fortran else "C")
    G = sharing.gram_matrix(X)
    for kind in (
        lambda: Gram(X, np.ones((1, m)), [n_0, n_1, 1], start, 0.1),
        lambda: GramRule(X, np.ones((1, m)), [n_0, n_1, 1], start, Momentum(0.1)),
    ):
        own, shared = kind(), kind()
        own.prepare()
        shared.share(G)
        shared.prepare()
        assert_same_bits((shared.G, shared.V), (own.G, own.V))
    assert RULES[Momentum].linear


def test_x_is_read_once_for_its_gram_matrix(monkeypatch):
    calls, made = [], sharing.gram_matrix

    def counted(X):
        calls.append(X)
        return made(X)

    monkeypatch.setattr(sharing, "gram_matrix", counted)
    bp.sweep(*WIDE, BY_DESCENT[:4])
    bp.sweep(*WIDE, [BY_DESCENT[5]])  # direct descent has no use for it
    assert len(calls) == 1


def test_a_diverging_and_a_failing_training_are_records(monkeypatch, caplog):
    X, Y = TALL
    good = {"layers_dims": [3, 4, 1], "learning_rate": 0.1, "num_iterations": 50, "seed": 1}
    wild = good | {"learning_rate": 1e300}
    with pytest.raises(FloatingPointError) as caught:
        alone(X, Y, wild)
    expected: Any = caught.value
    failing = good | {"seed": 2}

    def small_start(sizes, randn, made=bp.extras.sweep.plans.small_start):
        if randn.__self__.get_state()[1][0] == 2:
            raise MemoryError("there is none")
        return made(sizes, randn)

    monkeypatch.setattr(bp.extras.sweep.plans, "small_start", small_start)
    records = bp.sweep(X, Y, [wild, good, failing], validation=(X, Y))
    assert [record.status for record in records] == ["diverged", "done", "failed"]
    assert records[0].error == str(expected)
    assert_same_bits(records[0].parameters, expected.parameters)
    assert records[0].accuracy is None
    assert records[2].error == "MemoryError: there is none"
    assert records[2].parameters is None
    assert "configurations[2] fails" in caplog.text
    assert repr(records) == "Records(1 diverged, 1 done, 1 failed)"
    assert "diverged" in repr(records[0])


def test_records_are_a_sequence_and_a_frame():
    pandas = pytest.importorskip("pandas")
    records = bp.sweep(*WIDE, [BY_DESCENT[0], BY_TRAIN[0]], validation=WIDE)
    assert len(records) == 2
    assert list(records) == [records[0], records[-1]]
    assert len(records[1:]) == 1
    frame = records.to_frame()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == [
        *("layers_dims", "learning_rate", "num_iterations", "seed", "optimizer", "epochs"),
        *("cost", "accuracy", "seconds", "status", "error"),
    ]
    assert frame["cost"].tolist() == [record.costs[-1] for record in records]
    assert frame["accuracy"].tolist() == [record.accuracy for record in records]


def test_one_bar_for_all(capsys):
    pytest.importorskip("tqdm")
    bp.sweep(*TALL, [{"layers_dims": [3, 4, 1], "num_iterations": 5, "seed": seed} for seed in range(7)], progress=True)
    shown = capsys.readouterr().err
    assert "7/7" in shown
    assert "cost 0.69" in shown


NET = {"layers_dims": [3, 4, 1], "seed": 1}


@pytest.mark.parametrize(
    ("configurations", "error", "message"),
    [
        (
            [NET, NET | {"rate": 1}],
            TypeError,
            r"configurations\[1\]: it has 'rate'; expected arguments of L_layer_model or of train: ",
        ),
        (
            [NET | {"num_iterations": 3, "epochs": 3}],
            TypeError,
            "it has num_iterations of L_layer_model and epochs of train; expected",
        ),
        ([NET | {"print_cost": True}], TypeError, "it has print_cost; a sweep itself has progress and folder"),
        ([NET | {"checkpoint": "x"}], TypeError, "it has checkpoint"),
        ([{"seed": 1}], TypeError, "it has no layers_dims"),
        ([{"layers_dims": [3, 1]}], ValueError, "it has no seed; expected one, or parameters to start from"),
        ([{"layers_dims": [3, 1], "epochs": 2}], ValueError, "it has no seed"),
        ([NET | {"seed": 2**32}], ValueError, r"seed is 4294967296; expected a whole number below 2 \*\* 32"),
        ([NET | {"seed": -1}], ValueError, "seed is -1"),
        ([NET, NET | {"layers_dims": [4, 1]}], ValueError, r"configurations\[1\]: X has shape \(3, 150\); expected \(4, m\)"),
        ([NET | {"learning_rate": "fast"}], TypeError, "learning_rate"),
        ([NET | {"output": "soft"}], ValueError, "output is 'soft'"),
        ([NET | {"parameters": {"W1": np.zeros((4, 3))}}], KeyError, r"configurations\[0\]: parameters lacks"),
        ([3], TypeError, "it is of type int; expected a dict"),
        ([], ValueError, "configurations has no entries"),
        (NET, TypeError, "configurations is of type dict; expected dicts, one a training"),
    ],
)
def test_what_is_meaningless_raises_before_any_work(configurations, error, message, monkeypatch):
    monkeypatch.setattr(sharing, "free_memory", None)  # to call it would be a TypeError
    with pytest.raises(error, match=message):
        bp.sweep(*TALL, configurations)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_jobs": 0}, ValueError, "n_jobs is 0"),
        ({"n_jobs": 1.5}, TypeError, "n_jobs is 1.5"),
        ({"validation": 0.2}, TypeError, r"validation is no pair; expected \(X, Y\)"),
        (
            {"validation": (np.ones((2, 3)), np.ones((1, 3)))},
            ValueError,
            r"validation's X has shape \(2, 3\); expected \(3, m\)",
        ),
        ({"validation": (np.ones((3, 3)), np.ones((1, 2)))}, ValueError, "validation's Y has shape"),
        ({"validation": (np.full((3, 3), np.nan), np.ones((1, 3)))}, ValueError, "validation's X has 9 values that are not"),
        ({"folder": 3}, TypeError, "folder is 3; expected the path of a folder"),
        ({"progress": 3}, TypeError, "progress"),
    ],
)
def test_other_arguments(options, error, message):
    with pytest.raises(error, match=message):
        bp.sweep(*TALL, [NET], **options)


def test_x_that_is_not_finite_and_labels_outside():
    X, Y = TALL
    bad = X.copy()
    bad[0, 0] = np.inf
    with pytest.raises(ValueError, match="X has 1 values that are not finite"):
        bp.sweep(bad, Y, [NET])
    with pytest.warns(UserWarning, match="Y has labels from") as said:
        bp.sweep(X, 2 * Y, [NET | {"num_iterations": 2, "seed": seed} for seed in range(3)])
    assert len(said) == 1


def test_costs_that_are_not_finite_are_explained():
    """As those of a training alone are, with the training's number."""
    start = {"W1": np.full((1, 1), 1e306), "b1": np.zeros((1, 1))}
    huge = {"layers_dims": [1, 1], "parameters": start, "learning_rate": 1e-300, "num_iterations": 101}
    X, Y = np.array([[1e3, 1.0]]), np.array([[0, 1]])
    with pytest.warns(RuntimeWarning, match=r"^2 of 2 costs of configurations\[1\] are not finite, the first is") as said:
        records = bp.sweep(X, Y, [huge | {"parameters": None, "seed": 1}, huge])
    assert len(said) == 1
    assert said[0].filename == __file__
    assert [record.status for record in records] == ["done", "done"]


def test_sweep_is_imported_when_it_is_used():
    code = "import sys, fastbackprop; assert 'fastbackprop.extras.sweep' not in sys.modules; fastbackprop.sweep; print(1)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "1\n"


@pytest.mark.parametrize(("library", "match"), [("joblib", r'sweep needs joblib: pip install "\.\[sweep\]"')])
def test_what_is_not_installed_is_named(library, match, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, "fastbackprop.extras.sweep.engine", raising=False)
    with pytest.raises(ImportError, match=match):
        bp.sweep(*TALL, [NET])


def test_pandas_is_named_where_it_is_missing(monkeypatch):
    records = bp.sweep(*TALL, [NET | {"num_iterations": 1}])
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r'to_frame needs pandas: pip install "\.\[pandas\]"'):
        records.to_frame()
