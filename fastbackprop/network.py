"""The network ``[LINEAR -> RELU] * (L - 1) -> LINEAR -> SIGMOID``: start, forward, cost, backward, step, prediction.

Arrays are taken as in ``layers``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy import array, empty, ndarray
from numpy.typing import ArrayLike, NDArray

from fastbackprop import arguments, doubtful, operands, shapes
from fastbackprop.activations import LINEAR, OUTPUT, RELU
from fastbackprop.fallbacks import by_reference, on_copies
from fastbackprop.kernels import cost, update
from fastbackprop.layers import backward, forward, serve_backward, serve_forward
from fastbackprop.operands import KERNEL_DTYPES
from fastbackprop.starts import small_start


def initialize_parameters_deep(layer_dims: Sequence[int]) -> dict[str, NDArray[np.float64]]:
    """``W_l ~ 0.01 * randn`` from NumPy's global generator and ``b_l = 0``.

    Parameters
    ----------
    layer_dims : sequence of int
        ``n_0, n_1, ..., n_L``, each at least 1.

    Returns
    -------
    dict
        ``W1, b1, ..., WL, bL``: ``W_l`` (n_l, n_{l-1}), ``b_l`` (n_l, 1). After ``np.random.seed`` the same bits as the
        reference's.

    Raises
    ------
    TypeError
        A size is not a whole number.
    ValueError
        A size below 1, or less than two sizes.

    Examples
    --------
    >>> np.random.seed(1)
    >>> parameters = bp.initialize_parameters_deep([2, 4, 1])
    >>> {key: value.shape for key, value in parameters.items()}
    {'W1': (4, 2), 'b1': (4, 1), 'W2': (1, 4), 'b2': (1, 1)}
    """
    return small_start(arguments.layer_sizes("layer_dims", layer_dims), np.random.randn)


def L_model_forward(X: ArrayLike, parameters: Any) -> tuple[NDArray[Any], list[Any]]:
    """Outputs of the network.

    Parameters
    ----------
    X : array (n_0, m)
        Examples are columns.
    parameters : mapping
        ``W1, b1, ..., WL, bL``, with L = ``len(parameters) // 2``.

    Returns
    -------
    AL : array (n_L, m)
    caches : list
        The cache of each layer, as ``linear_activation_forward`` returns it.

    Raises
    ------
    TypeError
        An array does not hold real numbers.
    ValueError
        Shapes that do not fit, no examples (m = 0), or no parameters.
    KeyError
        ``parameters`` lacks a key, or holds a W or b without its partner.

    Notes
    -----
    Differs from the reference on purpose as ``linear_activation_forward`` does, and in that W or b of one more layer, without
    its partner, raises.

    Examples
    --------
    >>> parameters = {"W1": np.array([[1.0, -1.0]]), "b1": np.array([[0.0]])}
    >>> AL, caches = bp.L_model_forward(np.array([[1.0, 2.0], [1.0, 0.0]]), parameters)
    >>> AL.round(3).tolist(), len(caches)
    ([[0.5, 0.881]], 1)
    """
    layers = arguments.layer_parameters(parameters)
    A: Any = X
    caches: list[Any] = []
    for l, (W, b) in enumerate(layers, start=1):
        g = RELU if l < len(layers) else OUTPUT.activation
        made = serve_forward(A, W, b, g)
        if not made:
            shapes.network_forward(X, layers)  # the whole network: its errors name the layer
            made = forward(A, W, b, g)
        Z, A_next = made
        caches.append(((A, W, b), Z))
        A = A_next
    return A, caches


def predict(X: ArrayLike, y: Any = None, parameters: Any = None, *, threshold: float = 0.5) -> NDArray[Any]:
    """Predicted labels of examples, ``predict(X, parameters)``: 1 where the network's output exceeds ``threshold``.

    ``predict(X, y, parameters)`` is the call of the course's helper modules: it prints the accuracy too.

    Parameters
    ----------
    X : array (n_0, m)
        Examples are columns.
    y : array (1, m), or one that NumPy broadcasts to it, optional
        Labels: what they share with the predictions is printed as ``Accuracy: ...``.
    parameters : mapping
        As for ``L_model_forward``.
    threshold : float

    Returns
    -------
    array, shape of the outputs
        Of int64; with `y` of float64.

    Raises
    ------
    TypeError, ValueError, KeyError
        As ``L_model_forward``; with `y` also for labels or outputs that are not one an example.

    Examples
    --------
    >>> X, parameters = np.array([[1.0, 2.0], [1.5, 0.0]]), {"W1": np.array([[1.0, -1.0]]), "b1": np.array([[0.0]])}
    >>> bp.predict(X, parameters).tolist()
    [[0, 1]]
    >>> bp.predict(X, np.array([[1, 1]]), parameters).tolist()
    Accuracy: 0.5
    [[0.0, 1.0]]
    """
    if parameters is None:
        y, parameters = None, y
    elif isinstance(y, Mapping):
        raise TypeError(
            "predict() got a dict of parameters, and something behind it; expected predict(X, parameters), "
            "predict(X, parameters, threshold=...) or predict(X, y, parameters)"
        )
    least = arguments.real("threshold", threshold)
    if y is None:
        outputs, _ = L_model_forward(X, parameters)
        return (outputs > least).astype(np.int64)
    return predict_and_compare(X, y, parameters, least)


def predict_and_compare(X: ArrayLike, y: Any, parameters: Any, least: float = 0.5) -> NDArray[np.float64]:
    """Predicted labels of examples, as floats; prints which part of them equals the given ones."""
    labels = np.asarray(arguments.numbers("y", y))
    outputs, _ = L_model_forward(X, parameters)
    if outputs.ndim != 2:
        raise ValueError(f"X has shape {np.shape(X)}; expected (n_0, m), examples are columns")
    n, m = outputs.shape
    if n != 1:
        raise ValueError(f"parameters make {n} outputs an example; predict expects 1")
    if not arguments.spreads(labels.shape, (1, m)):
        hint = f": use {arguments.as_row('y')}" if labels.size == m else ""
        raise ValueError(f"y has shape {labels.shape}; expected (1, {m}), one label an example of X{hint}")
    predictions = (outputs > least).astype(np.float64)
    print(f"Accuracy: {np.sum((predictions == labels) / m)!s}")  # a sum of m-ths: the digits that notebooks print
    return predictions


def compute_cost(AL: ArrayLike, Y: ArrayLike) -> NDArray[Any]:
    """Cross-entropy ``-sum(Y log AL + (1 - Y) log(1 - AL)) / m``.

    Parameters
    ----------
    AL : array (1, m)
        Outputs.
    Y : array (1, m)
        Labels: bool, integers or real numbers, 0 and 1 as a rule. Unsigned ones do not wrap around.

    Returns
    -------
    0-d array

    Raises
    ------
    TypeError
        An argument does not hold real numbers.
    ValueError
        Shapes other than (1, m), or no examples (m = 0).

    Warns
    -----
    RuntimeWarning
        A cost that is nan or infinite, with the cause: outputs outside [0, 1], outputs that are certain and wrong, or labels
        so large that the sum overflows. As in NumPy, a nan in an argument makes the cost nan without a warning, and
        ``np.errstate`` silences the warning.

    Notes
    -----
    Differs from the reference on purpose: a term ``0 * log 0`` (AL = 0 with Y = 0, AL = 1 with Y = 1) counts as 0, not as
    nan. An output that is certain and wrong makes the cost infinite in both.

    Examples
    --------
    >>> cost = bp.compute_cost(np.array([[0.5, 0.9]]), np.array([[0, 1]]))
    >>> cost.shape, round(float(cost), 3)
    ((), 0.399)
    """
    outputs: Any = AL
    labels = operands.plain_labels(Y, AL)
    total = _serve_cross_entropy(outputs, labels)
    if total is None:
        (outputs, labels), why = operands.cross_entropy(outputs, labels)
        if why:
            return by_reference("compute_cost", why)(outputs, labels)
        total = _serve_cross_entropy(outputs, labels)
    if total is None:
        total = on_copies(_serve_cross_entropy, (outputs, labels))
    if total - total != 0:  # nan or infinite
        doubtful.explain_cost(outputs, labels, total)
    return array(total, outputs.dtype)


def _serve_cross_entropy(AL, Y):
    """The cost of outputs and labels as a float, or None where the kernels do not take them as they stand."""
    if not (type(AL) is ndarray and AL.ndim == 2 and (dtype := AL.dtype) in KERNEL_DTYPES):
        return None
    total = empty(1)
    return total.item() if cost.cross_entropy[dtype.char](AL, Y, total) else None


def L_model_backward(AL: ArrayLike, Y: ArrayLike, caches: Sequence[Any]) -> dict[str, NDArray[Any]]:
    """Gradients of the cost with respect to all activations and parameters.

    Parameters
    ----------
    AL : array (n_L, m)
        Outputs; any real numbers, not only ``sigmoid(Z_L)``.
    Y : array of AL's size, any shape
        Labels: bool, integers or real numbers. Unsigned ones do not wrap around.
    caches : sequence
        ``((A_prev, W, b), Z)`` of each layer, as ``L_model_forward`` returned them.

    Returns
    -------
    dict
        ``dA0 .. dA{L-1}, dW1 .. dWL, db1 .. dbL``, each of the shape of its array. They start from
        ``dAL = -(Y / AL - (1 - Y) / (1 - AL))``.

    Raises
    ------
    TypeError
        An array does not hold real numbers.
    ValueError
        Shapes that do not fit, no examples (m = 0), or caches of another form.

    Notes
    -----
    Differs from the reference on purpose: where AL is exactly 0 or 1, dZ of the output layer is its limit ``AL - Y``,
    not nan. Elsewhere it differs as ``sigmoid_backward`` does.

    Examples
    --------
    >>> parameters = {"W1": np.array([[1.0, -1.0]]), "b1": np.array([[0.0]])}
    >>> AL, caches = bp.L_model_forward(np.array([[1.0, 2.0], [1.0, 0.0]]), parameters)
    >>> grads = bp.L_model_backward(AL, np.array([[1, 1]]), caches)
    >>> list(grads), grads["dW1"].round(3).tolist()
    (['dA0', 'dW1', 'db1'], [[-0.369, -0.25]])
    """
    layers = arguments.layer_caches(caches)
    Y = operands.plain_labels(Y, AL)
    L, grads, dA = len(layers), {}, None
    keys = arguments.gradient_keys(L)
    for l in range(L - 1, -1, -1):
        A_prev, W, b, Z = layers[l]
        is_output = l == L - 1
        made = _serve_output_backward(AL, Y, A_prev, W, Z) if is_output else serve_backward(dA, Z, A_prev, W, RELU)
        if not made:
            shapes.network_backward(AL, Y, layers)  # the whole network: its errors name the layer
            made = _output_backward(AL, Y, A_prev, W, b, Z) if is_output else backward(dA, Z, A_prev, W, b, RELU)
        key_A, key_W, key_b = keys[l]
        dA, dW, db = made
        grads[key_A], grads[key_W], grads[key_b] = dA, dW, db
    return grads


def _serve_output_gradient(AL, Y, Z):
    """dZ of the output layer, or None where the kernels do not take the operands as they stand."""
    if not (type(Z) is ndarray and Z.ndim == 2 and (dtype := Z.dtype) in KERNEL_DTYPES):
        return None
    dZ = empty(Z.shape, dtype)
    return dZ if cost.output_gradient[dtype.char](AL, Y, Z, dZ) else None


def _serve_output_backward(AL, Y, A_prev, W, Z):
    """``dA_prev, dW, db`` of the output layer, or None as above."""
    dZ = _serve_output_gradient(AL, Y, Z)
    return None if dZ is None else serve_backward(dZ, dZ, A_prev, W, LINEAR)


def _output_backward(AL, Y, A_prev, W, b, Z):
    """``dA_prev, dW, db`` of the output layer, of any operands."""
    (AL, Y, Z), why = operands.output_gradient(AL, Y, Z)
    if why:
        # The output layer is the whole of a network of one layer.
        last = (arguments.operand("A_prev", A_prev), arguments.operand("W", W), b), Z
        grads = by_reference("L_model_backward", why)(AL, Y, [last])
        return grads["dA0"], grads["dW1"], grads["db1"]
    dZ = _serve_output_gradient(AL, Y, Z)
    dZ = on_copies(_serve_output_gradient, (AL, Y, Z)) if dZ is None else dZ
    return backward(dZ, dZ, A_prev, W, b, LINEAR)


def update_parameters(parameters: Any, grads: Any, learning_rate: float) -> Any:
    """One step of gradient descent: ``W <- W - learning_rate * dW``, likewise ``b``.

    Parameters
    ----------
    parameters : mutable mapping
        ``W1, b1, ..., WL, bL``, with L = ``len(parameters) // 2``. These entries are rebound to new arrays of the same shapes
        (a b that is one number takes that of its gradient); all other entries, and the old arrays, stay as they are. Nothing
        is changed where anything raises.
    grads : mapping
        ``dW1, db1, ..., dWL, dbL``; other entries are not used.
    learning_rate : float
        The dtype of a NumPy scalar takes part in that of the result.

    Returns
    -------
    The object ``parameters``.

    Raises
    ------
    TypeError
        An array does not hold real numbers.
    ValueError
        Shapes that do not fit, or no parameters.
    KeyError
        ``parameters`` or ``grads`` lacks a key.

    Notes
    -----
    Differs from the reference on purpose: a ``b`` of shape (n,), n > 1, raises where ``db`` is (n, 1).

    Examples
    --------
    >>> parameters = {"W1": np.array([[1.0, -1.0]]), "b1": np.array([[0.0]])}
    >>> grads = {"dW1": np.array([[2.0, 4.0]]), "db1": np.array([[1.0]])}
    >>> parameters = bp.update_parameters(parameters, grads, 0.5)
    >>> parameters["W1"].tolist(), parameters["b1"].tolist()
    ([[0.0, -3.0]], [[-0.5]])
    """
    if type(learning_rate) is int:
        arguments.scalar("learning_rate", learning_rate)  # one that no float can hold raises
    steps = arguments.layer_steps(parameters, grads)
    new = _serve_descent(steps, learning_rate, operands.STEP_DTYPES.get(type(learning_rate), ()))
    if new is None:
        new = _descend(*operands.descend(steps, learning_rate))
    try:
        parameters.update(new)
    except AttributeError:
        raise TypeError(f"parameters is of type {type(parameters).__name__}; expected a dict, whose entries change") from None
    return parameters


def _serve_descent(steps, learning_rate, dtypes):
    """The entries ``W - learning_rate * dW``, or None where the kernels do not take the operands as they stand.

    ``dtypes`` are those that the rate does not change.
    """
    new, dtype = {}, None
    for key, W, dW in steps:
        if type(W) is not ndarray or W.ndim != 2:
            return None
        if W.dtype is not dtype:
            if (dtype := W.dtype) not in dtypes:
                return None
            kernel = update.descend[dtype.char]
        W_new = new[key] = empty(W.shape, dtype)
        if not kernel(W, dW, learning_rate, W_new):
            return None
    return new


def _descend(steps, learning_rate, why):
    """The same entries of any operands, as `operands.descend` prepares them."""
    if why:
        old, changes = {key: W for key, W, _ in steps}, {f"d{key}": dW for key, _, dW in steps}
        return by_reference("update_parameters", why)(old, changes, learning_rate)
    new = _serve_descent(steps, learning_rate, KERNEL_DTYPES)
    if new is None:
        steps = [(key, array(W, order="C"), array(dW, order="C")) for key, W, dW in steps]
        new = _serve_descent(steps, learning_rate, KERNEL_DTYPES)
    return new
