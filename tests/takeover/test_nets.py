"""Loops that train other nets come out as their own code, and run compiled; what computes something else is left."""

import numpy as np
import pytest

from fastbackprop import activations
from fastbackprop.reference.general import forward
from fastbackprop.takeover.nets.likeness import _END, _with_ends
from fastbackprop.takeover.nets.probes import UNITS, probe

from ..support.net_programs import LOOP, MODEL, MOMENTUM, STEP, STEPS, both, data, start
from ..support.taken import changed

HIDDEN = {
    "tanh": [],
    "sigmoid": [("np.tanh(Z)", "1 / (1 + np.exp(-Z))"), ("1 - A**2", "A * (1 - A)")],
    "relu": [("np.tanh(Z)", "np.maximum(0, Z)"), ("1 - A**2", "(A > 0)")],
    "identity": [("np.tanh(Z)", "Z"), ("1 - A**2", "1.0")],
    "leaky_relu": [("np.tanh(Z)", "np.maximum(0.1 * Z, Z)"), ("1 - A**2", "np.where(A > 0, 1, 0.1)")],
}
SOFTMAX = [
    ("return 1.0 / (1.0 + np.exp(-Z))", "return np.exp(Z) / np.exp(Z).sum(axis=0)"),
    ("-np.mean(Y * np.log(AL) + (1 - Y) * np.log(1 - AL))", "-np.sum(Y * np.log(AL)) / Y.shape[1]"),
]
SQUARES = [
    ("return 1.0 / (1.0 + np.exp(-Z))", "return Z"),
    ("-np.mean(Y * np.log(AL) + (1 - Y) * np.log(1 - AL))", "np.sum((AL - Y) ** 2) / (2 * Y.shape[1])"),
]
OUTPUTS = {"sigmoid": ([], 1), "softmax": (SOFTMAX, 3), "identity": (SQUARES, 2)}


def call(units=1, sizes=(5,), **options):
    X, Y = data(units)
    return lambda space: space["fit"](X, Y, start(4, *sizes, units), **options)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_hidden_activations_and_outputs(hidden, output):
    replaced, units = OUTPUTS[output]
    text = changed(*HIDDEN[hidden], *replaced, text=MODEL)
    iterations, how = both(text, call(units, (5, 4), learning_rate=0.1))
    assert iterations == 120 and ((hidden == "relu" and output == "sigmoid") or f"hidden {hidden}, {output} output" in how)


ADAM = [
    MOMENTUM[0],
    ("v, learning_rate, beta)", "v, s, t, learning_rate, beta1=0.9, beta2=0.999, epsilon=1e-8)"),
    (
        'v["d" + key] = beta * v["d" + key] + (1 - beta) * grads["d" + key]',
        'v["d" + key] = beta1 * v["d" + key] + (1 - beta1) * grads["d" + key]\n'
        '        s["d" + key] = beta2 * s["d" + key] + (1 - beta2) * grads["d" + key] ** 2',
    ),
    (
        'v["d" + key]\n    return parameters, v',
        'v["d" + key] / (1 - beta1**t) / (np.sqrt(s["d" + key] / (1 - beta2**t)) + epsilon)\n    return parameters, v, s',
    ),
    (
        "parameters = update_parameters(parameters, grads, learning_rate)",
        "t += 1\n        parameters, v, s = update_parameters(parameters, grads, v, s, t, learning_rate)",
    ),
    (
        "    costs = []\n",
        "    costs, t = [], 0\n"
        '    v = {"d" + key: np.zeros_like(value) for key, value in parameters.items()}\n'
        '    s = {"d" + key: np.zeros_like(value) for key, value in parameters.items()}\n',
    ),
    ("return parameters, costs, i", "return parameters, costs, i, v, s, t"),
]
OF_RATE = (
    'learning_rate * v["d" + key] / (1 - beta1**t) / (np.sqrt(s["d" + key] / (1 - beta2**t)) + epsilon)',
    'learning_rate * np.sqrt(1 - beta2**t) / (1 - beta1**t) * v["d" + key] / (np.sqrt(s["d" + key]) + epsilon)',
)
UPDATES = {
    "averaged": MOMENTUM,
    "summed": [*MOMENTUM, ("(1 - beta) * grads", "grads")],
    "added": [*MOMENTUM, ("+ (1 - beta) * grads", "- learning_rate * grads"), ("- learning_rate * v", "+ v")],
    "subtracted": [*MOMENTUM, ("(1 - beta) * grads", "learning_rate * grads"), ("- learning_rate * v", "- v")],
    "Adam": ADAM,
    "Adam with its rate corrected": [*ADAM, OF_RATE],
    "Adam of the iteration": [
        *ADAM,
        ("        t += 1\n", ""),
        ("v, s, t, learning_rate)\n        if", "v, s, i + 1, learning_rate)\n        if"),
    ],
}


@pytest.mark.parametrize("name", UPDATES)
@pytest.mark.parametrize("besides", ["", "        if i % 25 == 3:\n            print(i, np.abs(parameters['W1']).max())\n"])
def test_updates(name, besides):
    text = changed(*UPDATES[name], ("        if i % 20", besides + "        if i % 20"), text=MODEL)
    iterations, how = both(text, call(learning_rate=0.05))
    assert iterations > 100 and ("Adam" if name.startswith("Adam") else "momentum") in how


COPIED = [
    (
        "    for key in parameters:\n        parameters[key] = parameters[key] -",
        "    parameters = dict(parameters)\n    for key in parameters:\n        parameters[key] = parameters[key] -",
    )
]
IN_PLACE = [("parameters[key] = parameters[key] - learning_rate *", "parameters[key] -= learning_rate *")]


NOTHING = [
    ("parameters = update_parameters(parameters,", "update_parameters(parameters,"),
    ('- learning_rate * grads["d" + key]\n    return parameters\n', '- learning_rate * grads["d" + key]\n'),
]
FORMS = {"bound": [], "copied": COPIED, "in place": IN_PLACE, "nothing returned": NOTHING}


@pytest.mark.parametrize("replaced", FORMS.values(), ids=FORMS)
def test_what_holds_the_parameters_sees_what_it_would(replaced):
    X, Y = data()

    def calling(space):
        passed = start(4, 5, 1)
        arrays = dict(passed)
        result = space["fit"](X, Y, passed)
        return result, passed, arrays, result[0] is passed, [result[0][key] is arrays[key] for key in arrays]

    assert both(changed(*replaced, text=MODEL), calling)[0] == 120


L2 = [
    (
        "def compute_cost(AL, Y):\n    return float(",
        "def compute_cost(AL, Y, parameters, lambd):\n"
        "    squares = sum(np.sum(W**2) for key,"
        " W in parameters.items() if key[0] == 'W')\n    return lambd / (2 * Y.shape[1]) * squares + float(",
    ),
    ("cost = compute_cost(AL, Y)", "cost = compute_cost(AL, Y, parameters, lambd)"),
    ("cache, parameters):", "cache, parameters, lambd):"),
    ("cache[l - 1].T / m", 'cache[l - 1].T / m + lambd / m * parameters["W" + str(l)]'),
    ("cache, parameters)\n        parameters", "cache, parameters, lambd)\n        parameters"),
    ("iterations=120", "iterations=120, lambd=0.9"),
]


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("replaced", [L2, [*L2[:2], *L2[2:]]])
def test_l2_of_any_shape(wide, replaced):
    X, Y = data()
    if wide:
        X, Y = np.random.default_rng(1).standard_normal((300, 20)), Y[:, :20]
    iterations, how = both(
        changed(*replaced, text=MODEL), lambda space: space["fit"](X, Y, start(len(X), 5, 1, scale=0.05), learning_rate=0.05)
    )
    assert iterations == 120 and how.count("l2")


def test_the_cost_of_each_iteration_needs_no_iteration_of_its_own():
    text = changed(
        (
            "        if i % 20 == 0:\n            costs.append(cost)\n            print(i, cost)\n",
            "        costs.append(cost)\n",
        ),
        text=MODEL,
    )
    assert both(text, call())[0] == 120


WITH_EPSILON = ("np.log(AL) + (1 - Y) * np.log(1 - AL)", "np.log(AL + 1e-8) + (1 - Y) * np.log(1 - AL + 1e-8)")


def test_a_cost_with_a_number_in_its_logarithms_is_their_own():
    assert 100 < both(changed(WITH_EPSILON, text=MODEL), call())[0] < 120
    text = changed(WITH_EPSILON, ("if i % 20 == 0", "if i >= 0"), text=MODEL)
    assert (
        both(
            changed(
                WITH_EPSILON,
                text=changed(
                    (
                        "        if i % 20 == 0:\n            costs.append(cost)\n            print(i, cost)\n",
                        "        costs.append(cost)\n",
                    ),
                    text=MODEL,
                ),
            ),
            call(),
            "left",
        )[0]
        == 0
    )
    assert both(text, call())[0] == 0


WAYS = [
    (
        STEP,
        """        if kind == "plain":
            AL, cache = forward(X, parameters)
        else:
            AL, cache = noisy(X, parameters)
        cost = compute_cost(AL, Y)
        grads = backward(AL, Y, cache, parameters)
        parameters = update_parameters(parameters, grads, learning_rate)
""",
    ),
    ("iterations=120", 'iterations=120, kind="plain"'),
    (
        "def compute_cost",
        "def noisy(X, parameters):\n    return forward(X + 0.1 * np.random.randn(*X.shape), parameters)\n\n\ndef compute_cost",
    ),
]


def test_conditions_that_stay_the_same_choose_among_statements():
    text = changed(*WAYS, text=MODEL)
    assert both(text, call())[0] == 120
    assert both(text, call(kind="noisy"))[0] == 0


# -------------------------------------------------------------------------------------------------------- what is left

LEFT = {
    "limited hidden activations": (
        [("return np.tanh(Z)", "return np.minimum(np.maximum(Z, 0), 6)"), ("return 1 - A**2", "return (A > 0) * (A < 6)")],
        "no step that train knows",
    ),
    "limited Z of hidden layers": ([("np.tanh(Z)", "np.tanh(np.clip(Z, -5, 5))")], "no step that train knows"),
    "limited logits": ([("np.exp(-Z)", "np.exp(-np.clip(Z, -15, 15))")], "no step that train knows"),
    "limited outputs": ([("dZ = AL - Y", "dZ = np.clip(AL, 1e-8, 1 - 1e-8) - Y")], "no step that train knows"),
    "limited gradients": (
        [('grads["dW" + str(l)] = dZ @ cache[l - 1].T / m', 'grads["dW" + str(l)] = np.clip(dZ @ cache[l - 1].T / m, -5, 5)')],
        "no step that train knows",
    ),
    "limited norms": (
        [
            (
                "    return parameters\n\n",
                "    norm = np.linalg.norm(parameters['W1'])\n    if norm > 15:\n"
                "        parameters['W1'] = parameters['W1'] * 15 / norm\n"
                "    return parameters\n\n",
            )
        ],
        "no step that train knows",
    ),
    "a number in the gradient": (
        [("dZ = AL - Y", "dZ = ((1 - Y) / (1 - AL + 1e-8) - Y / (AL + 1e-8)) * AL * (1 - AL)")],
        "no step that train knows",
    ),
    "dropout": (
        [
            (
                "        cache.append(A)",
                "        A = A * (np.random.rand(*A.shape) < 0.9) if l < L else A\n        cache.append(A)",
            )
        ],
        "random numbers",
    ),
    "one mask for ever": (
        [
            (
                "        cache.append(A)",
                "        np.random.seed(1)\n        A = A * (np.random.rand(*A.shape) < 2)\n        cache.append(A)",
            )
        ],
        "random numbers",
    ),
    "a step that prints": ([("    dZ = AL - Y\n", "    dZ = AL - Y\n    print(m)\n")], "prints"),
    "a cost that prints": ([("def compute_cost(AL, Y):\n", "def compute_cost(AL, Y):\n    print(AL.shape)\n")], "prints"),
    "another function that prints": (
        [
            ("cost = compute_cost(AL, Y)", "cost = compute_cost(AL, Y)\n        n = shown(AL)"),
            ("def compute_cost", "def shown(AL):\n    print(AL.size)\n\n\ndef compute_cost"),
        ],
        "prints",
    ),
    "a count outside": (
        [
            ("    dZ = AL - Y\n", "    dZ = AL - Y\n    calls.append(m)\n"),
            ("import numpy as np\n", "import numpy as np\ncalls = []\n"),
        ],
        "outlives the call",
    ),
    "a rate that falls in the update": (
        [
            ("learning_rate):\n", "learning_rate, i):\n    learning_rate = learning_rate / (2 if i > 60 else 1)\n"),
            ("grads, learning_rate)", "grads, learning_rate, i)"),
        ],
        "no step that train knows",
    ),
    "a rate that falls": (
        [("        if i % 20", "        learning_rate = learning_rate * 0.99\n        if i % 20")],
        "learning_rate",
    ),
    "the wrong sign": ([("parameters[key] - learning", "parameters[key] + learning")], "no step that train knows"),
    "a slope of another function": ([("1 - A**2", "1 - A")], "no step that train knows"),
    "two activations": ([("g(Z) if l < L", "(g(Z) if l == 1 else np.maximum(0, Z)) if l < L")], ""),
    "RMSprop": (
        [
            (
                'parameters[key] = parameters[key] - learning_rate * grads["d" + key]',
                's[key] = 0.9 * s[key] + 0.1 * grads["d" + key] ** 2\n'
                '        parameters[key] = parameters[key] - learning_rate * grads["d" + key] / (np.sqrt(s[key]) + 1e-8)',
            ),
            ("grads, learning_rate):", "grads, s, learning_rate):"),
            ("return parameters\n\n", "return parameters, s\n\n"),
            ("parameters = update_parameters(parameters, grads,", "parameters, s = update_parameters(parameters, grads, s,"),
            ("    costs = []\n", "    costs, s = [], {key: value * 0 for key, value in parameters.items()}\n"),
        ],
        "no step that train knows",
    ),
    "a closure": (
        [
            (
                "def compute_cost",
                "def counter():\n    n = 0\n\n    def noted(parameters):\n"
                "        nonlocal n\n        n += 1\n"
                "        return parameters\n\n    return noted\n\n\nnoted = counter()\n\n\ndef compute_cost",
            ),
            ("forward(X, parameters)\n", "forward(X, noted(parameters))\n"),
        ],
        "outlives the call",
    ),
    "decorated": (
        [
            (
                "def backward",
                "import functools\n\n\ndef same(f):\n    @functools.wraps(f)\n"
                "    def inner(*args):\n        return f(*args)\n\n"
                "    return inner\n\n\n@same\ndef backward",
            )
        ],
        "decorated",
    ),
}


@pytest.mark.parametrize("name", LEFT)
def test_a_loop_that_computes_something_else_is_left_with_the_reason(name):
    replaced, word = LEFT[name]
    text = changed(*replaced, text=MODEL)
    if name == "two activations":  # of two layers it is one
        assert both(text, call(sizes=(5, 4, 3)))[0] == 0
        assert both(text, call())[0] == 120
        return
    iterations, how = both(text, call(learning_rate=0.01), "left")
    assert iterations == 0 and word in how, how


def test_data_that_the_kernels_do_not_take():
    X, Y = data()
    for x, y in [
        (X, Y[0]),
        (X[:, :1], Y[:, :1]),
        (X.astype("f4"), Y),
        (X, Y.astype(int)),
        (X, Y * 2),
        (X * np.nan, Y),
        (X.astype(complex), Y),
        (X.astype(int), Y > 0),
        (list(X), Y),
    ]:
        both(MODEL, lambda space, x=x, y=y: space["fit"](x, y, start(4, 5, 1)))


def test_parameters_that_the_kernels_do_not_take():
    X, Y = data()
    for passed in [
        {key: value.astype("f4") for key, value in start(4, 5, 1).items()},
        start(4, 5, 1) | {"b1": np.zeros((1, 1))},
        dict(reversed(start(4, 5, 1).items())),
    ]:
        both(MODEL, lambda space, passed=passed: space["fit"](X, Y, dict(passed)))


@pytest.mark.parametrize(("scale", "rate"), [(60, 0.1), (0.5, 1e3), (0.5, 1e300), (1e160, 0.1)])
@pytest.mark.parametrize("output", OUTPUTS)
def test_saturation_and_divergence_end_as_their_own_code_does(output, scale, rate):
    replaced, units = OUTPUTS[output]
    X, Y = data(units)
    text = changed(*HIDDEN["relu"], *replaced, text=MODEL)
    with np.errstate(all="ignore"):
        both(text, lambda space: space["fit"](X, Y, start(4, 5, units, scale=scale), learning_rate=rate), rtol=1e-6, atol=1e-9)


def test_x_that_changes_is_seen():
    text = changed(
        (
            "            print(i, cost)\n",
            "            print(i, cost)\n        if i == 50:\n            np.multiply(X, 1.5, out=X)\n",
        ),
        text=MODEL,
    )
    X, Y = data()
    assert 0 < both(text, lambda space: space["fit"](X.copy(), Y, start(4, 5, 1)))[0] < 60


def test_a_function_that_is_defined_once_more():
    X, Y = data()
    later = "def g(Z):\n    return np.maximum(0, Z)\n\n\ndef slope(A):\n    return (A > 0) * 1.0\n"

    def calling(space):
        exec(later, space)
        return space["fit"](X, Y, start(4, 5, 1))

    assert both(MODEL, calling)[0] == 0


def test_global_names_of_data_and_numbers():
    text = "import numpy as np\n\nRATE, ROUNDS = 0.2, 90\n" + changed(
        ("import numpy as np\n", ""),
        ("def fit(X, Y, parameters, learning_rate=0.3, iterations=120):", "def fit(X, Y, parameters):"),
        ("range(iterations)", "range(ROUNDS)"),
        ("grads, learning_rate)\n        if", "grads, RATE)\n        if"),
        text=MODEL,
    )
    assert both(text, call())[0] == 90
    assert both(text, lambda space: (space.update(RATE=0.01), call()(space))[1])[0] == 90


def test_the_texts_are_what_they_seem():
    assert STEPS in MODEL and LOOP.replace("STEP", STEP) in MODEL


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("hidden", ["relu", "tanh"])
def test_a_probe_of_ends_has_logits_of_a_known_size(hidden, units):
    given = _with_ends(probe(3, units, 6, 3, ""), activations.HIDDEN[hidden], activations.OUTPUTS["sigmoid"])
    _, Z = forward(given.X, given.parameters, hidden=hidden)
    assert np.max(np.abs(Z)) == pytest.approx(_END, rel=1e-9)
