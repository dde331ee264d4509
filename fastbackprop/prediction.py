"""Outputs, cost and score of a net with any hidden activation and any output, a block of examples at a time."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from fastbackprop.activations import ACTIVATIONS, HIDDEN, LEAKY_RELU, LINEAR, OUTPUT, Hidden, LeakyRelu, Output
from fastbackprop.layers import forward
from fastbackprop.reference import activations, outputs
from fastbackprop.targets import TARGETS

BLOCK = 2**20  # numbers in the widest layer of a block: some milliseconds of work, so that a stop is soon seen
_KERNELS = {**ACTIVATIONS, "identity": LINEAR}  # the other activations are NumPy's, which is as quick once nothing is trained

Parameters = Mapping[str, np.ndarray]


class Net:
    """What the layers compute: ``[LINEAR -> hidden] * (L - 1) -> LINEAR -> output``."""

    def __init__(self, hidden: Hidden = HIDDEN["relu"], output: Output = OUTPUT) -> None:
        self.hidden, self.output, self.target = hidden, output, TARGETS[output.name]

    def outputs(self, X: np.ndarray, parameters: Parameters) -> np.ndarray:
        """``A_L (n_L, m)``, in the dtype of X and the parameters."""
        return np.concatenate([self._output(*last) for _, last in self._blocks(X, parameters)], axis=1)

    def cost(self, X: np.ndarray, Y: np.ndarray, parameters: Parameters) -> float:
        """The cost without a penalty, from the logits."""
        total = 0.0
        _, losses = outputs.functions_of(self.output.name)
        for columns, (A, W, b) in self._blocks(X, parameters):
            Z, _ = forward(A, W, b, LINEAR)
            with np.errstate(over="ignore", invalid="ignore"):
                total += float(np.sum(losses(Z, Y[:, columns]), dtype=float))
        return total / X.shape[1]

    def score(
        self, X: np.ndarray, Y: np.ndarray, parameters: Parameters, stopped: Callable[[], bool] = lambda: False
    ) -> float | None:
        """The part of right answers, or where these are numbers the negative mean squared error; None when stopped."""
        total = 0.0
        for columns, last in self._blocks(X, parameters):
            if stopped():
                return None
            total += self.target.merit(self._output(*last), Y[:, columns])
        return total / X.shape[1]

    def _blocks(
        self, X: np.ndarray, parameters: Parameters
    ) -> Iterator[tuple[slice, tuple[np.ndarray, np.ndarray, np.ndarray]]]:
        """The columns of each block, and what the last layer is computed from."""
        L = len(parameters) // 2
        widest = max(len(X), *(len(parameters[f"b{l}"]) for l in range(1, L + 1)))
        step = max(1, BLOCK // widest)
        for i in range(0, X.shape[1], step):
            A = X[:, i : i + step]
            for l in range(1, L):
                A = self._hidden(A, parameters[f"W{l}"], parameters[f"b{l}"])
            yield slice(i, i + step), (A, parameters[f"W{L}"], parameters[f"b{L}"])

    def _hidden(self, A_prev: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:
        if self.hidden.name in _KERNELS:
            return forward(A_prev, W, b, _KERNELS[self.hidden.name])[1]
        sloped = self.hidden.name == LEAKY_RELU.name
        g, _ = activations.functions_of(LeakyRelu(self.hidden.slope) if sloped else self.hidden.name)
        with np.errstate(over="ignore"):
            return g(forward(A_prev, W, b, LINEAR)[0])

    def _output(self, A_prev: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:
        Z, A = forward(A_prev, W, b, self.output.activation)
        if self.output.activation is not LINEAR:
            return A
        value, _ = outputs.functions_of(self.output.name)
        with np.errstate(over="ignore", invalid="ignore"):
            return value(Z)
