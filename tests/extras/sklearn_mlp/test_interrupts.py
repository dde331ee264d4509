"""Ctrl-C during a fit: it ends as scikit-learn's does, and the model is that of the epochs that are done."""

import signal
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")


from fastbackprop.batches import Batches
from fastbackprop.extras.sklearn_mlp import epochs, evaluations

from .sides import X, assert_alike, pair, y

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Raising(list):
    """A loss curve that interrupts the loop as it gets so many losses."""

    last: int

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


@pytest.mark.parametrize("quick", [False, True])
def test_an_interrupt_with_early_stopping_leaves_the_best_epoch(quick, monkeypatch):
    """The loop puts the best coefficients in place of those that are trained, before the engine's state is put back."""
    mine, reference = pair(early_stopping=True, learning_rate_init=0.5, max_iter=8, n_iter_no_change=100)
    reference.fit(X, y)
    assert np.argmax(reference.validation_scores_) < 7  # the last one is not the best
    advance = Batches.advance

    def interrupted(self, order, rates):
        if self.done == 8:
            monkeypatch.setattr(Batches, "advance", advance)
            raise KeyboardInterrupt
        return advance(self, order, rates)

    monkeypatch.setattr(Batches, "advance", interrupted)
    if not quick:
        monkeypatch.setattr(epochs, "quick_epochs", lambda batches: 0)
    mine.set_params(max_iter=30)
    with pytest.warns(UserWarning, match=r"^Training interrupted by user\.$"):
        mine.fit(X, y)
    assert mine.validation_scores_ == reference.validation_scores_
    for a, b in zip([*mine.coefs_, *mine.intercepts_], [*reference.coefs_, *reference.intercepts_], strict=True):
        np.testing.assert_allclose(a, b, 1e-9)


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
