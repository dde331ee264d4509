"""Known ways in which functions of the course's form differ from the reference: each a sentence and a function.

``VARIANTS[name]`` are (how, function) with the reference's arguments and form of result. ``explain.py`` compares a user's
function with them once it differs from the reference; the function's name is the subject of the sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastbackprop import reference

Variants = list[tuple[str, Callable[..., Any]]]


def _s(Z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-Z))


def _softmax(Z: np.ndarray) -> np.ndarray:
    powers = np.exp(Z - np.max(Z, axis=0, keepdims=True))
    return powers / np.sum(powers, axis=0, keepdims=True)


# Activations that may take another's place, by name.
OTHERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda Z: Z,
    "softmax": _softmax,
    "tanh": np.tanh,
    "sigmoid": _s,
    "relu": lambda Z: np.maximum(0, Z),
    "leaky relu (slope 0.01)": lambda Z: np.where(Z > 0, Z, 0.01 * Z),
    "leaky relu (slope 0.1)": lambda Z: np.where(Z > 0, Z, 0.1 * Z),
    "abs": np.abs,
    "softplus": lambda Z: np.logaddexp(0, Z),
}
# Faulty forms of dA * g'(Z), of relu and of sigmoid.
SLOPES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "lets the gradient pass where Z == 0: its mask is Z < 0, the reference's Z <= 0": lambda dA, Z: np.where(Z < 0, 0, dA),
    "masks by the sign of dA instead of the sign of Z": lambda dA, Z: np.where(dA <= 0, 0, dA),
    "leaves dA out: it returns the slope alone": lambda dA, Z: np.where(Z > 0, 1.0, 0.0),
    "masks the wrong side: it is 0 where Z > 0": lambda dA, Z: np.where(Z > 0, 0, dA),
    "is leaky (slope 0.01 where Z <= 0)": lambda dA, Z: np.where(Z > 0, dA, 0.01 * dA),
    "returns dA unchanged: the derivative is missing": lambda dA, Z: dA,
}
SIGMOID_SLOPES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "leaves dA out: it returns the slope alone": lambda dA, Z: _s(Z) * (1 - _s(Z)),
    "takes its cache for A = sigmoid(Z), where it is Z": lambda dA, Z: dA * Z * (1 - Z),
    "lacks the factor 1 - s": lambda dA, Z: dA * _s(Z),
    "lacks the factor s": lambda dA, Z: dA * (1 - _s(Z)),
    "has s * (1 + s) for s * (1 - s)": lambda dA, Z: dA * _s(Z) * (1 + _s(Z)),
    "has the derivative of tanh": lambda dA, Z: dA * (1 - np.tanh(Z) ** 2),
    "returns dA unchanged: the derivative is missing": lambda dA, Z: dA,
}


def _activations(name: str) -> Variants:
    found: Variants = [(f"is {other}, not {name}", lambda Z, g=g: (g(Z), Z)) for other, g in OTHERS.items() if other != name]
    if name == "sigmoid":
        found.append(("has exp(Z) for exp(-Z): it is 1 - sigmoid(Z)", lambda Z: (_s(-Z), Z)))
    else:
        found.append(("is min(0, Z), not max(0, Z)", lambda Z: (np.minimum(0, Z), Z)))
    own = OTHERS[name]
    return [*found, ("keeps A in its cache, where Z is needed", lambda Z: (own(Z), own(Z)))]


def _layers() -> Variants:
    def variant(g: Callable) -> Callable:
        def layer(A_prev, W, b, activation):
            Z, cache = reference.linear_forward(A_prev, W, b)
            return g(Z), (cache, Z)

        return layer

    return [(f"applies {other} instead", variant(g)) for other, g in OTHERS.items()]


def _networks() -> Variants:
    def variant(hidden: Callable, output: Callable) -> Callable:
        def network(X, parameters):
            A, caches, L = X, [], len(parameters) // 2
            for l in range(1, L + 1):
                Z, cache = reference.linear_forward(A, parameters[f"W{l}"], parameters[f"b{l}"])
                A = (hidden if l < L else output)(Z)
                caches.append((cache, Z))
            return A, caches

        return network

    relu, sigmoid = OTHERS["relu"], OTHERS["sigmoid"]
    outputs = [(f"has a {other} output, not a sigmoid", variant(relu, g)) for other, g in OTHERS.items()]
    return [*outputs, *((f"has {other} hidden layers, not relu", variant(g, sigmoid)) for other, g in OTHERS.items())]


def _costs() -> Variants:
    def entropy(AL, Y, eps=0.0, log: Callable = np.log):
        return -np.sum(Y * log(AL + eps) + (1 - Y) * log(1 - AL + eps)) / Y.shape[1]

    found: Variants = [
        ("is the mean squared error", lambda AL, Y: np.mean((AL - Y) ** 2)),
        ("is half the mean squared error", lambda AL, Y: np.mean((AL - Y) ** 2) / 2),
        ("is the mean absolute error", lambda AL, Y: np.mean(np.abs(AL - Y))),
        ("is half the cross-entropy: it divides by 2 m", lambda AL, Y: entropy(AL, Y) / 2),
        ("takes logarithms of base 2", lambda AL, Y: entropy(AL, Y, log=np.log2)),
        ("takes logarithms of base 10", lambda AL, Y: entropy(AL, Y, log=np.log10)),
        ("lacks the term (1 - Y) log(1 - AL)", lambda AL, Y: -np.mean(Y * np.log(AL))),
        ("lacks the term Y log(AL)", lambda AL, Y: -np.mean((1 - Y) * np.log(1 - AL))),
        ("has AL and 1 - AL exchanged", lambda AL, Y: entropy(1 - AL, Y)),
    ]
    for eps in (1e-15, 1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4):
        found.append((f"adds {eps:g} inside its logarithms", lambda AL, Y, eps=eps: entropy(AL, Y, eps)))
        within = f"limits AL to [{eps:g}, 1 - {eps:g}]"
        found.append((within, lambda AL, Y, eps=eps: entropy(np.clip(AL, eps, 1 - eps), Y)))
    return [(how, lambda AL, Y, f=f: np.asarray(f(AL, Y))) for how, f in found]


def _linear_backward(dA_prev: Callable | None = None, dW: Callable | None = None) -> Callable:
    """The reference's function with another formula for one of its results."""

    def backward(dZ, cache):
        A_prev, W, _ = cache
        parts = list(reference.linear_backward(dZ, cache))
        if dA_prev:
            parts[0] = dA_prev(W, dZ)
        if dW:
            parts[1] = dW(dZ, A_prev) / A_prev.shape[1]
        return tuple(parts)

    return backward


def _backward(AL, Y, caches, dAL: Callable | None = None, slope: Callable | None = None):
    """The reference's gradients with another gradient of the output, or another slope of the hidden layers."""
    grads = {}
    Y = np.reshape(Y, AL.shape)
    dA = (dAL or (lambda AL, Y: -(Y / AL - (1 - Y) / (1 - AL))))(AL, Y)
    for l in range(len(caches), 0, -1):
        cache, Z = caches[l - 1]
        if l == len(caches):
            dZ = reference.sigmoid_backward(dA, Z)
        else:
            dZ = (slope or reference.relu_backward)(dA, Z)
        dA, dW, db = reference.linear_backward(dZ, cache)
        grads[f"dA{l - 1}"], grads[f"dW{l}"], grads[f"db{l}"] = dA, dW, db
    return grads


def _model_backwards() -> Variants:
    gradients: dict[str, Callable] = {
        "starts from dAL of the wrong sign": lambda AL, Y: Y / AL - (1 - Y) / (1 - AL),
        "starts from AL - Y as dAL: that is dZ of the output layer": lambda AL, Y: AL - Y,
        "starts from Y / AL + (1 - Y) / (1 - AL): a sign is wrong in dAL": lambda AL, Y: -(Y / AL + (1 - Y) / (1 - AL)),
        "starts from 2 (AL - Y) as dAL: the gradient of a squared error": lambda AL, Y: 2 * (AL - Y),
        "divides dAL by m as well": lambda AL, Y: -(Y / AL - (1 - Y) / (1 - AL)) / AL.shape[1],
    }
    found: Variants = [(how, lambda AL, Y, caches, g=g: _backward(AL, Y, caches, dAL=g)) for how, g in gradients.items()]
    for how, slope in SLOPES.items():
        found.append((f"has hidden layers whose relu_backward {how}", _with_slope(slope)))
    found.append(("takes the slope of sigmoid in hidden layers", _with_slope(reference.sigmoid_backward)))
    return found


def _with_slope(slope: Callable) -> Callable:
    return lambda AL, Y, caches: _backward(AL, Y, caches, slope=slope)


def _updated(sign: float = -1.0, rate: float | None = None) -> Callable:
    def update(parameters, grads, learning_rate):
        step = sign * (learning_rate if rate is None else rate)
        return {key: value + step * grads[f"d{key}"] for key, value in parameters.items()}

    return update


def _trainings() -> Variants:
    def variant(update: Callable = reference.update_parameters, more: int = 0, rate: float | None = None, slope: Any = None):
        def train(X, Y, layers_dims, learning_rate, num_iterations, *, parameters):
            parameters = dict(parameters)
            for _ in range(max(0, num_iterations + more)):
                AL, caches = reference.L_model_forward(X, parameters)
                grads = _backward(AL, Y, caches, slope=slope)
                parameters = update(parameters, grads, learning_rate if rate is None else rate)
            return parameters

        return train

    found: Variants = [
        ("returns the start: nothing is trained", lambda *args, parameters: parameters),
        ("adds the gradients: its update has the wrong sign", variant(_updated(+1.0))),
        ("does one iteration less than num_iterations", variant(more=-1)),
        ("does one iteration more than num_iterations", variant(more=1)),
        ("leaves learning_rate out of its update", variant(rate=1.0)),
    ]
    found += [(f"takes {rate:g} whatever learning_rate is", variant(rate=rate)) for rate in (0.0075, 0.01, 0.1, 0.05, 0.001)]
    return found + [(f"has a relu_backward that {how}", variant(slope=slope)) for how, slope in SLOPES.items()]


def _through_layers(slopes: dict[str, Callable]) -> Variants:
    def variant(slope: Callable) -> Callable:
        return lambda dA, cache, activation: reference.linear_backward(slope(dA, cache[1]), cache[0])

    return [(how, variant(slope)) for how, slope in slopes.items()]


VARIANTS: dict[str, Variants] = {
    "sigmoid": _activations("sigmoid"),
    "relu": _activations("relu"),
    "sigmoid_backward": list(SIGMOID_SLOPES.items()),
    "relu_backward": list(SLOPES.items()),
    "linear_forward": [
        ("leaves b out", lambda A, W, b: (W @ A, (A, W, b))),
        ("subtracts b", lambda A, W, b: (W @ A - b, (A, W, b))),
        ("multiplies by W^T, where W is wanted", lambda A, W, b: (W.T @ A + b, (A, W, b))),
        ("is A W, where W A is wanted", lambda A, W, b: (A @ W + b, (A, W, b))),
    ],
    "linear_activation_forward": _layers(),
    "L_model_forward": _networks(),
    "compute_cost": _costs(),
    "linear_backward": [
        ("has W dZ for dA_prev, where W^T is wanted", _linear_backward(lambda W, dZ: W @ dZ)),
        ("returns dZ as dA_prev", _linear_backward(lambda W, dZ: dZ)),
        ("has dZ A_prev for dW, where A_prev^T is wanted", _linear_backward(dW=lambda dZ, A: dZ @ A)),
        ("has A_prev dZ^T for dW: it is transposed", _linear_backward(dW=lambda dZ, A: A @ dZ.T)),
    ],
    "linear_activation_backward": _through_layers(SLOPES) + _through_layers(SIGMOID_SLOPES),
    "L_model_backward": _model_backwards(),
    "update_parameters": [
        ("adds the gradients: W + learning_rate * dW, where they are subtracted", _updated(+1.0)),
        ("leaves learning_rate out", _updated(rate=1.0)),
    ],
    "L_layer_model": _trainings(),
}
