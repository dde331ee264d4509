"""The same training by mini-batches by all libraries: Adam, batches of 200, weight decay, float64, a loss each batch.

Each function takes a `Problem` and returns a `Training`: a call trains from the start, and `parameters()` returns those of the
last call. A library that is not installed raises ImportError. The loops, of fastbackprop, the reference, JAX and PyTorch, are
handed the orders of the examples; the fits draw them, as they draw the start. JAX and PyTorch have examples as rows, which
they gather in one piece.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from fastbackprop.activations import HIDDEN, OUTPUT, SOFTMAX
from fastbackprop.batches import Batches
from fastbackprop.optimizers import Adam
from fastbackprop.reference.general import descend
from scripts.comparing.runs import OURS
from scripts.comparing.tables import BATCH_SIZE, BETA1, BETA2, EPSILON, L2, LEARNING_RATE, SEED, Problem

RULE = Adam(LEARNING_RATE, BETA1, BETA2, EPSILON)
FIT = f"{OURS}, fit"


class Training(Protocol):
    def __call__(self) -> None: ...

    def parameters(self) -> dict[str, Any]: ...


class Loop:
    """fastbackprop's compiled loop."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.state = problem, dict(problem.start)

    def __call__(self) -> None:
        X, _, Y, layers_dims, start, orders, _ = self.problem
        work = Batches(
            X.T, Y.T, layers_dims, start, hidden=HIDDEN["relu"], output=SOFTMAX if layers_dims[-1] > 1 else OUTPUT,
            optimizer=RULE, l2=L2, batch_size=BATCH_SIZE,
        )  # fmt: skip
        work.advance(orders.reshape(-1), np.full(len(orders), LEARNING_RATE))
        self.state = work.parameters()

    def parameters(self) -> dict[str, Any]:
        return self.state


class Reference:
    """The same loop in NumPy."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.state = problem, dict(problem.start)

    def __call__(self) -> None:
        X, _, Y, layers_dims, start, orders, _ = self.problem
        self.state, _ = descend(
            X.T, Y.T, layers_dims, start, hidden="relu", output="softmax" if layers_dims[-1] > 1 else "sigmoid",
            optimizer=RULE, l2=L2, batch_size=BATCH_SIZE, orders=orders, epochs=len(orders),
        )  # fmt: skip

    def parameters(self) -> dict[str, Any]:
        return self.state


class Fit:
    """A whole fit of a classifier of scikit-learn's interface with its defaults, but for as many epochs as are asked for.

    Its Adam adds epsilon before the bias correction, not after it.
    """

    def __init__(self, problem: Problem, classifier: Callable[..., Any]) -> None:
        self.problem, epochs = problem, len(problem.orders)
        hidden = problem.layers_dims[1:-1]
        self.model = classifier(hidden, max_iter=epochs, tol=0.0, n_iter_no_change=epochs + 1, random_state=SEED)

    def __call__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "maximum iterations reached": as it should
            self.model.fit(self.problem.X, self.problem.classes)

    def parameters(self) -> dict[str, Any]:
        weights = {f"W{l}": W.T for l, W in enumerate(self.model.coefs_, start=1)}
        return weights | {f"b{l}": b[:, None] for l, b in enumerate(self.model.intercepts_, start=1)}


def _our_fit(problem: Problem) -> Training:
    from fastbackprop.extras.sklearn_mlp import MLPClassifier

    return Fit(problem, MLPClassifier)


def _scikit_learn(problem: Problem) -> Training:
    from sklearn.neural_network import MLPClassifier

    return Fit(problem, MLPClassifier)


class Torch:
    """Autograd of a compiled loss, and ``torch.optim.Adam``, fused, whose rate of decay is set for each batch."""

    def __init__(self, problem: Problem) -> None:
        import torch

        torch.set_num_threads(problem.threads)
        X, Y = torch.tensor(problem.X), torch.tensor(problem.Y)
        self.start = {key: torch.tensor(value) for key, value in _for_rows(problem.start).items()}
        self.state = {key: value.clone().requires_grad_() for key, value in self.start.items()}
        self.orders, self.torch = torch.tensor(problem.orders), torch
        L = len(problem.layers_dims) - 1
        layers = [(self.state[f"W{l}"], self.state[f"b{l}"]) for l in range(1, L + 1)]

        def loss(batch):
            A, y = X[batch], Y[batch]
            for W, b in layers[:-1]:
                A = torch.relu(A @ W + b)
            W, b = layers[-1]
            Z = A @ W + b
            if Z.shape[1] == 1:
                return torch.nn.functional.binary_cross_entropy_with_logits(Z, y)
            return torch.nn.functional.cross_entropy(Z, y)

        self.loss = torch.compile(loss, dynamic=False)

    def __call__(self) -> None:
        with self.torch.no_grad():
            for key, value in self.start.items():
                self.state[key].copy_(value)
        weights, biases = ([x for key, x in self.state.items() if key[0] == letter] for letter in "Wb")
        groups = [{"params": weights}, {"params": biases}]
        optimizer = self.torch.optim.Adam(groups, LEARNING_RATE, (BETA1, BETA2), EPSILON, fused=True)
        for order in self.orders:
            costs = 0.0
            for batch in order.split(BATCH_SIZE):
                optimizer.param_groups[0]["weight_decay"] = L2 / len(batch)
                optimizer.zero_grad(set_to_none=True)
                loss = self.loss(batch)
                loss.backward()
                optimizer.step()
                costs = costs + loss.detach() * len(batch)
            float(costs)

    def parameters(self) -> dict[str, Any]:
        return _of_formulas({key: value.detach().numpy() for key, value in self.state.items()})


class Jax:
    """The whole training is one compiled call: a scan over epochs, and one over their batches.

    The variable PJRT_NPROC fixes XLA's number of threads when the process starts.
    """

    def __init__(self, problem: Problem) -> None:
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)
        L, m = len(problem.layers_dims) - 1, len(problem.X)
        full = m // BATCH_SIZE

        def loss(p, x, y):
            A = x
            for l in range(1, L):
                A = jax.nn.relu(A @ p[f"W{l}"] + p[f"b{l}"])
            Z = A @ p[f"W{L}"] + p[f"b{L}"]
            if Z.shape[1] == 1:
                return jnp.mean(jax.nn.softplus(Z) - y * Z)
            return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(Z), axis=1))

        def step(state, batch, X, Y):
            p, M, V, t = state
            cost, gradient = jax.value_and_grad(loss)(p, X[batch], Y[batch])
            t = t + 1
            d = {key: g + L2 / len(batch) * p[key] if key[0] == "W" else g for key, g in gradient.items()}
            M = {key: BETA1 * M[key] + (1 - BETA1) * d[key] for key in p}
            V = {key: BETA2 * V[key] + (1 - BETA2) * d[key] ** 2 for key in p}
            first, second = 1 - BETA1**t, 1 - BETA2**t
            p = {key: p[key] - LEARNING_RATE * (M[key] / first) / (jnp.sqrt(V[key] / second) + EPSILON) for key in p}
            return (p, M, V, t), cost * len(batch)

        def epoch(state, order, X, Y):
            batches = order[: full * BATCH_SIZE].reshape(full, BATCH_SIZE)
            state, costs = jax.lax.scan(lambda state, batch: step(state, batch, X, Y), state, batches)
            total = jnp.sum(costs)
            if m % BATCH_SIZE:
                state, cost = step(state, order[full * BATCH_SIZE :], X, Y)
                total = total + cost
            return state, total / m

        def train(p, orders, X, Y):
            zeros = {key: jnp.zeros_like(value) for key, value in p.items()}
            state = p, zeros, zeros, jnp.zeros(())
            (p, _, _, _), costs = jax.lax.scan(lambda state, order: epoch(state, order, X, Y), state, orders)
            return p, costs

        self.train, self.ready = jax.jit(train), jax.block_until_ready
        self.start = {key: jnp.array(value) for key, value in _for_rows(problem.start).items()}
        self.arguments = jnp.array(problem.orders), jnp.array(problem.X), jnp.array(problem.Y)
        self.state = self.start

    def __call__(self) -> None:
        self.state, costs = self.train(self.start, *self.arguments)
        self.ready((self.state, costs))

    def parameters(self) -> dict[str, Any]:
        return _of_formulas({key: np.asarray(value) for key, value in self.state.items()})


def _for_rows(parameters: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """W^T and b as n numbers, for examples as rows."""
    return {key: np.ascontiguousarray(x.T) if key[0] == "W" else x[:, 0].copy() for key, x in parameters.items()}


def _of_formulas(parameters: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {key: x.T if key[0] == "W" else x[:, None] for key, x in parameters.items()}


SIDES: dict[str, Callable[[Problem], Training]] = {
    "scikit-learn": _scikit_learn,
    "JAX jit + scan": Jax,
    "PyTorch compiled": Torch,
    "reference": Reference,
}
# fastbackprop's own sides, and the one beside which each side stands: fit beside fit, loop beside loop.
OWN: dict[str, Callable[[Problem], Training]] = {OURS: Loop, FIT: _our_fit}
BESIDE = dict.fromkeys((*OWN, *SIDES), OURS) | {FIT: FIT, "scikit-learn": FIT}
