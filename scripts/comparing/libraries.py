"""The same training by other libraries: same start, float64, fused output gradient, a cost every hundredth iteration.

Each function takes a `Problem` and returns a `Training`: a call with a number of iterations continues by that many, and
`parameters()` returns the parameters so far. A library that is not installed raises ImportError. Weights and examples keep
the layout of the formulas, ``W A + b`` with examples as columns, except in scikit-learn, which has examples as rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from fastbackprop import reference
from scripts.measuring.nets import LEARNING_RATE

COST_EVERY = 100


class Problem(NamedTuple):
    """Examples, the net, its start, and how many threads a side may use."""

    X: np.ndarray
    Y: np.ndarray
    layers_dims: tuple[int, ...]
    start: Mapping[str, np.ndarray]
    threads: int


class Training(Protocol):
    def __call__(self, iterations: int) -> None: ...

    def parameters(self) -> dict[str, Any]: ...


class Reference:
    """The NumPy functions; they take the cost every iteration."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.state = problem, dict(problem.start)

    def __call__(self, iterations: int) -> None:
        X, Y, layers_dims, _, _ = self.problem
        self.state = reference.L_layer_model(X, Y, layers_dims, LEARNING_RATE, iterations, parameters=self.state)

    def parameters(self) -> dict[str, Any]:
        return self.state


class Torch:
    """Autograd and ``torch.optim.SGD``; the loss comes with the forward pass, and is read every hundredth time."""

    def __init__(self, problem: Problem, compiled: bool) -> None:
        import torch

        torch.set_num_threads(problem.threads)
        X, Y = torch.tensor(problem.X), torch.tensor(problem.Y)
        self.state = {key: torch.tensor(value, requires_grad=True) for key, value in problem.start.items()}
        self.optimizer = torch.optim.SGD(self.state.values(), lr=LEARNING_RATE)
        L = len(problem.layers_dims) - 1
        layers = [(self.state[f"W{l}"], self.state[f"b{l}"]) for l in range(1, L + 1)]

        def loss():
            A = X
            for W, b in layers[:-1]:
                A = torch.relu(W @ A + b)
            W, b = layers[-1]
            return torch.nn.functional.binary_cross_entropy_with_logits(W @ A + b, Y)

        self.loss = torch.compile(loss) if compiled else loss

    def __call__(self, iterations: int) -> None:
        for i in range(iterations):
            self.optimizer.zero_grad(set_to_none=True)
            loss = self.loss()
            loss.backward()
            self.optimizer.step()
            if i % COST_EVERY == 0:
                loss.item()

    def parameters(self) -> dict[str, Any]:
        return {key: value.detach().numpy() for key, value in self.state.items()}


class Jax:
    """``jax.grad`` of the loss; the cost is computed only where it is wanted. ``scan``: the loop is compiled too.

    The variable PJRT_NPROC fixes XLA's number of threads when the process starts.
    """

    def __init__(self, problem: Problem, scan: bool) -> None:
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)
        L = len(problem.layers_dims) - 1

        def loss(p, X, Y):
            A = X
            for l in range(1, L):
                A = jax.nn.relu(p[f"W{l}"] @ A + p[f"b{l}"])
            Z = p[f"W{L}"] @ A + p[f"b{L}"]
            return jnp.mean(jax.nn.softplus(Z) - Y * Z)

        def descend(p, gradient):
            return jax.tree_util.tree_map(lambda x, dx: x - LEARNING_RATE * dx, p, gradient)

        def step(p, X, Y):
            return descend(p, jax.grad(loss)(p, X, Y))

        def step_with_cost(p, X, Y):
            cost, gradient = jax.value_and_grad(loss)(p, X, Y)
            return descend(p, gradient), cost

        def block(p, X, Y, length):
            """An iteration with the cost, and those up to the next one with it."""
            p, cost = step_with_cost(p, X, Y)
            return jax.lax.scan(lambda p, _: (step(p, X, Y), None), p, None, length=length - 1)[0], cost

        def loop(p, X, Y, blocks, rest):
            p, costs = jax.lax.scan(lambda p, _: block(p, X, Y, COST_EVERY), p, None, length=blocks)
            return (block(p, X, Y, rest) if rest else (p, None)), costs

        self.scan, self.ready = scan, jax.block_until_ready
        self.X, self.Y = jnp.array(problem.X), jnp.array(problem.Y)
        self.state = {key: jnp.array(value) for key, value in problem.start.items()}
        self.step, self.step_with_cost = (jax.jit(f, donate_argnums=0) for f in (step, step_with_cost))
        self.loop = jax.jit(loop, static_argnums=(3, 4), donate_argnums=0)

    def __call__(self, iterations: int) -> None:
        X, Y = self.X, self.Y
        if self.scan:
            (self.state, _), _ = self.loop(self.state, X, Y, *divmod(iterations, COST_EVERY))
        else:
            for i in range(iterations):
                if i % COST_EVERY == 0:
                    self.state, _ = self.step_with_cost(self.state, X, Y)
                else:
                    self.state = self.step(self.state, X, Y)
        self.ready(self.state)

    def parameters(self) -> dict[str, Any]:
        return {key: np.asarray(value) for key, value in self.state.items()}


class ScikitLearn:
    """``MLPClassifier`` with all that it adds switched off: one batch of all examples, plain steps, no penalty, no shuffle.

    The work is the same, except that it takes the cost and the weights' norm every iteration, and checks X once a call.
    """

    def __init__(self, problem: Problem) -> None:
        from sklearn.neural_network import MLPClassifier

        self.X, self.Y, m = np.ascontiguousarray(problem.X.T), problem.Y[0], problem.X.shape[1]
        self.model = MLPClassifier(
            problem.layers_dims[1:-1],
            solver="sgd",
            alpha=0.0,
            batch_size=m,
            learning_rate_init=LEARNING_RATE,
            max_iter=1,
            shuffle=False,
            tol=0.0,
            warm_start=True,
            momentum=0.0,
            nesterovs_momentum=False,
            n_iter_no_change=10**9,
        )
        self(1)  # makes what is put in place now
        layers = range(1, len(problem.layers_dims))
        self.model.coefs_ = [np.array(problem.start[f"W{l}"].T, order="C") for l in layers]  # changed in place
        self.model.intercepts_ = [problem.start[f"b{l}"][:, 0].copy() for l in layers]

    def __call__(self, iterations: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "maximum iterations reached": as it should
            self.model.set_params(max_iter=iterations).fit(self.X, self.Y)

    def parameters(self) -> dict[str, Any]:
        weights = {f"W{l}": W.T for l, W in enumerate(self.model.coefs_, start=1)}
        return weights | {f"b{l}": b[:, None] for l, b in enumerate(self.model.intercepts_, start=1)}


SIDES: dict[str, Callable[[Problem], Training]] = {
    "reference": Reference,
    "PyTorch eager": lambda problem: Torch(problem, compiled=False),
    "PyTorch compiled": lambda problem: Torch(problem, compiled=True),
    "JAX jit": lambda problem: Jax(problem, scan=False),
    "JAX jit + scan": lambda problem: Jax(problem, scan=True),
    "scikit-learn": ScikitLearn,
}
