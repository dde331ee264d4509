"""Keywords that variants of L_layer_model have and this one has not: refused with what serves them."""

_LAYERS = "write the loop over the layers yourself, of linear_activation_forward and linear_activation_backward,"
_SERVED = {
    **dict.fromkeys(("lambd", "lambda_", "l2"), "fastbackprop.train has l2="),
    **dict.fromkeys(("keep_prob", "dropout"), f"{_LAYERS} and mask A and dA between them"),
    **dict.fromkeys(
        ("optimizer", "beta", "beta1", "beta2", "epsilon", "momentum"),
        "fastbackprop.train has optimizer=, such as fastbackprop.Momentum or fastbackprop.Adam",
    ),
    **dict.fromkeys(("mini_batch_size", "batch_size"), "fastbackprop.train has batch_size="),
    **dict.fromkeys(("activation", "activations", "hidden_activation"), "fastbackprop.train has hidden= and output="),
    **dict.fromkeys(("num_epochs", "epochs"), "num_iterations= counts the passes over all examples"),
    **dict.fromkeys(("initialization", "initializer"), "pass the start as parameters="),
    **dict.fromkeys(("seed", "random_state"), "call np.random.seed before, from whose generator the start is drawn"),
    **dict.fromkeys(
        ("decay", "decay_rate", "learning_rate_decay"),
        "train in several calls, each with its learning_rate= and with parameters= of the one before",
    ),
}


def refuse(function, keywords):
    """Raise for the first of these keywords, if any: TypeError, as Python does for those that nobody has heard of."""
    for name in keywords:
        if name in _SERVED:
            raise TypeError(f"{function}() has no {name}=: {_SERVED[name]}")
        raise TypeError(f"{function}() got an unexpected keyword argument {name!r}")
