"""The trainings by mini-batches of other libraries do the work of the reference, and draw what scikit-learn draws."""

import numpy as np
import pytest

pytest.importorskip("threadpoolctl")
pytest.importorskip("sklearn")
from fastbackprop.reference.general import descend
from fastbackprop.testing import TRAINING_RTOL
from scripts.comparing import batch_libraries, one_table, tables
from scripts.comparing.batch_libraries import BESIDE, OWN, SIDES
from scripts.comparing.tables import Case, Table
from scripts.measuring.nets import largest_difference


def small(classes, m=430):
    """A table of three batches, of which the last is smaller, and a net for it."""
    rng = np.random.default_rng(classes)
    X = rng.standard_normal((m, 6))
    X[:, 4] = 3.0  # without deviation
    return Case("small", Table(m, 6, classes, 3, lambda: (X, rng.permutation(m) % classes)), 4)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(
    "side", [side for side in OWN | SIDES if side != "PyTorch compiled"]
)  # which takes a minute to compile
def test_a_side_trains_as_the_reference_does(side, classes):
    problem = tables.problem(small(classes), 1)
    start = {key: value.copy() for key, value in problem.start.items()}
    try:
        training = (OWN | SIDES)[side](problem)
    except ImportError as error:
        pytest.skip(str(error))
    for _ in range(2):  # each call trains from the start
        training()
    # scikit-learn's Adam adds epsilon before the bias correction: this is the same rule with another epsilon in each step.
    if BESIDE[side] == batch_libraries.FIT:
        expected = classifiers_steps(problem)
    else:
        expected, _ = descend(
            problem.X.T, problem.Y.T, problem.layers_dims, start, hidden="relu", output="softmax" if classes > 2 else "sigmoid",
            optimizer=batch_libraries.RULE, l2=tables.L2, batch_size=200, orders=problem.orders, epochs=3,
        )  # fmt: skip
    assert largest_difference(training.parameters(), expected) <= TRAINING_RTOL
    for key, value in start.items():
        assert np.array_equal(problem.start[key], value), f"{side} has changed the start that others begin with"


def classifiers_steps(problem):
    """The same training with ``sqrt(V) + epsilon``, whose rate alone is corrected."""
    from fastbackprop.reference.general import cost_and_gradients
    from fastbackprop.reference.mini_batches import mini_batches

    output = "softmax" if problem.Y.shape[1] > 1 else "sigmoid"
    p, t = dict(problem.start), 0
    M, V = ({key: np.zeros_like(value) for key, value in p.items()} for _ in range(2))
    for order in problem.orders:
        for batch in mini_batches(len(order), 200, order):
            _, _, grads = cost_and_gradients(problem.X[batch].T, problem.Y[batch].T, p, hidden="relu", output=output, l2=1e-4)
            t += 1
            rate = 1e-3 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
            for key in p:
                d = grads[f"d{key}"]
                M[key], V[key] = 0.9 * M[key] + (1 - 0.9) * d, 0.999 * V[key] + (1 - 0.999) * d**2
                p[key] = p[key] - rate * M[key] / (np.sqrt(V[key]) + 1e-8)
    return p


def test_nets_have_the_sizes_of_their_tables():
    for name in ("cancer", "digits"):
        X, classes = tables.TABLES[name].load()
        case = tables.NETS[f"{name}-16"]
        assert (len(X), X.shape[1], len(np.unique(classes))) == (case.table.m, case.table.n_0, case.table.classes)
    assert tables.NETS["digits-16"].layers_dims == (64, 16, 10) and tables.NETS["digits-16"].weights == 1184
    assert tables.NETS["long-100"].layers_dims == (20, 100, 1) and tables.NETS["long-100"].batches == 1000


def test_goals_are_of_every_net_and_of_jax_where_the_net_is_small():
    assert one_table.wanted_of(tables.NETS["cancer-100"])["JAX jit + scan"] == " (wanted 1.5)"
    assert one_table.wanted_of(tables.NETS["pixels-100"])["JAX jit + scan"] == ""
    for case in tables.NETS.values():
        assert one_table.wanted_of(case)["scikit-learn"].startswith(" (wanted ")


def test_a_side_stands_beside_what_does_the_same_work(monkeypatch):
    monkeypatch.setitem(tables.NETS, "small", small(3, 60))
    monkeypatch.setattr(one_table, "rest", lambda: 0.0)

    def missing(problem):
        raise ImportError("no classifier")

    monkeypatch.setitem(OWN, batch_libraries.FIT, missing)
    run = one_table.measure("small", 1, 2, ["scikit-learn", "reference"])
    assert list(run["sides"]) == ["fastbackprop", "reference"] == ["fastbackprop", *run["differences"]]
    assert run["skipped"] == {
        "fastbackprop, fit": "no classifier",
        "scikit-learn": "it stands beside fastbackprop, fit, which is missing: no classifier",
    }
    (row,) = one_table.rows([run])
    assert (row["layers"], row["m"], row["batches"]) == ((6, 4, 3), 60, 3)
    text = "\n".join(one_table.lines([run]))
    assert "small: [6, 4, 3], 60, 3 epochs: 3 batches" in text and "scikit-learn         skipped: it stands beside" in text
