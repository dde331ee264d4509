"""Loops over batches come out as their own code, with its random numbers, and run compiled; others are left."""

import signal

import numpy as np
import pytest

from fastbackprop.kernels import jit

from ..support.net_programs import BATCHES, MOMENTUM, STEPS, both, data, start
from ..support.taken import changed, namespace

MODEL = STEPS + BATCHES
SEEDED = [
    ("size):\n    order", "size, seed):\n    np.random.seed(seed)\n    order"),
    ("batches_of(X, Y, size):\n            AL", "batches_of(X, Y, size, 10 + i):\n            AL"),
]


def call(m=90, **options):
    X, Y = data(m=m)
    return lambda space: (space["fit"](X, Y, start(4, 5, 1), **options), np.random.rand(3))


FORMS = {
    "as it stands": [],
    "seeded": SEEDED,
    "seeded, and drawn twice": [*SEEDED, ("    order =", "    np.random.rand()\n    order =")],
    "bound to a name": [
        (
            "        for X_batch, Y_batch in batches_of(X, Y, size):",
            "        drawn = batches_of(X, Y, size)\n"
            "        for j, batch in enumerate(drawn):\n            X_batch, Y_batch = batch",
        )
    ],
    "read afterwards": [
        (
            "        for X_batch, Y_batch in batches_of(X, Y, size):",
            "        drawn = batches_of(X, Y, size)\n        for X_batch, Y_batch in drawn:",
        ),
        ("costs, i\n", "costs, i, drawn, AL, Y_batch\n"),
    ],
    "a mean": [
        (
            "            total += compute_cost(AL, Y_batch)\n",
            "            cost = compute_cost(AL, Y_batch)\n            total += cost / size\n",
        )
    ],
    "a count of epochs": [
        ("        total = 0\n", "        total = 0\n        done += 1\n"),
        ("    costs = []\n", "    costs, done = [], 0\n"),
        ("costs, i\n", "costs, i, done\n"),
    ],
    "a rate that falls": [
        ("        total = 0\n", "        total = 0\n        rate = learning_rate / (1 + 0.05 * i)\n"),
        ("parameters, grads, learning_rate)\n        if", "parameters, grads, rate)\n        if"),
        ("costs, i\n", "costs, i, rate\n"),
    ],
    "a rate that falls afterwards": [
        ("        if i % 20", "        learning_rate = 0.98 * learning_rate\n        if i % 20"),
        ("costs, i\n", "costs, i, learning_rate\n"),
    ],
    "momentum": MOMENTUM,
    "copies": [
        (
            "    for key in parameters:\n        parameters[key] = parameters[key] -",
            "    parameters = dict(parameters)\n    for key in parameters:\n        parameters[key] = parameters[key] -",
        )
    ],
    "nothing returned": [
        ("            parameters = update_parameters(", "            update_parameters("),
        ("\n    return parameters\n", "\n"),
    ],
    "in place": [("parameters[key] = parameters[key] - learning_rate *", "parameters[key] -= learning_rate *")],
}


@pytest.mark.parametrize(
    ("name", "m"), [*((name, 90) for name in FORMS), ("as it stands", 96), ("as it stands", 10), ("seeded", 96), ("seeded", 10)]
)
def test_loops_over_batches(name, m):
    epochs, _ = both(changed(*FORMS[name], text=MODEL), call(m))
    assert epochs > 70


def test_fewer_epochs_than_one():
    for epochs in (0, 1, 2, 3):
        both(MODEL.replace("costs, i\n", "costs\n"), call(epochs=epochs))


PRINTED = "def fallen(rate, i):\n    print(i)\n    return rate\n\n\ndef fit("
LEFT = {
    "a rate that is printed": [
        ("        total = 0\n", "        total = 0\n        rate = fallen(learning_rate, i)\n"),
        ("parameters, grads, learning_rate)\n        if", "parameters, grads, rate)\n        if"),
        ("def fit(", PRINTED),
    ],
    "batches that are printed": [("    order =", "    print(size)\n    order =")],
    "batches of a generator": [("return [(X[:,", "return ((X[:,"), ("size)]\n", "size))\n")],
    "the last batch left out": [("range(0, len(order), size)", "range(0, len(order) // size * size, size)")],
    "examples drawn with repetition": [
        ("np.random.permutation(X.shape[1])", "np.random.randint(0, X.shape[1] + 0, X.shape[1])"),
        ("order[k:k + size]], Y", "order[k:k + size]] + 0.001, Y"),
    ],
    "batches of two sizes": [
        (
            "order[k:k + size]], Y[:, order[k:k + size]]) for k in range(0, len(order), size)",
            "order[k]], Y[:, order[k]]) for k in (slice(0, 3), slice(3, None))",
        )
    ],
    "noise": [("(X[:, order[k:k + size]],", "(X[:, order[k:k + size]] + np.random.randn(),")],
    "a batch printed": [("            grads", "            print(AL.shape)\n            grads")],
    "a cost of each epoch": [
        (
            "        if i % 20 == 0:\n            costs.append(total)\n            print(i, total)\n",
            "        costs.append(total)\n",
        )
    ],
    "a total of all epochs": [("        total = 0\n", ""), ("    costs = []\n", "    costs, total = [], 0\n")],
    "velocities that begin afresh": [
        *MOMENTUM[:2],
        ("    costs = []\n", "    costs, beta = [], 0.8\n"),
        ("        total = 0\n", '        total = 0\n        v = {"d" + key: value * 0 for key, value in parameters.items()}\n'),
    ],
    "a rate of the batch": [
        ("parameters, grads, learning_rate)\n        if", "parameters, grads, learning_rate / (1 + total))\n        if")
    ],
    "two loops": [
        ("        if i % 20", "        for X_batch, Y_batch in batches_of(X, Y, size):\n            pass\n        if i % 20")
    ],
    "shuffled data that is kept": [
        (
            "        total = 0\n",
            "        order = np.random.permutation(X.shape[1])\n        X, Y, total = X[:, order], Y[:, order], 0\n",
        )
    ],
}


@pytest.mark.parametrize("name", LEFT)
def test_what_is_no_training_by_batches_is_left(name):
    epochs, how = both(changed(*LEFT[name], text=MODEL), call(), "left")
    assert epochs == 0 and how


@pytest.mark.parametrize("rate", [300.0, 1e300])
def test_saturation_puts_back_what_was_drawn(rate):
    with np.errstate(all="ignore"):
        both(MODEL, call(learning_rate=rate), rtol=1e-6, atol=1e-9)
        both(changed(*SEEDED, text=MODEL), call(learning_rate=rate), rtol=1e-6, atol=1e-9)


@pytest.mark.skipif(not hasattr(signal, "setitimer") or not jit.JIT, reason="nothing to interrupt")
def test_an_interrupt_leaves_whole_epochs_and_the_model_serves_afterwards():
    import fastbackprop as bp

    space = namespace(MODEL)
    bp.patch(space)
    X, Y = data(m=2000)
    passed = start(4, 5, 1)
    first = {key: value.copy() for key, value in passed.items()}

    def interrupt(number, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        with pytest.raises(KeyboardInterrupt):
            space["fit"](X, Y, passed, 1e-3, 10**7, 64)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    for key, value in passed.items():
        assert np.isfinite(value).all() and not (value == first[key]).all()
    own = namespace(MODEL)
    results = []
    for names in (own, space):
        np.random.seed(4)
        results.append(names["fit"](X, Y, start(4, 5, 1), 0.1, 40, 64)[0])
    for key, value in results[0].items():
        np.testing.assert_allclose(results[1][key], value, rtol=1e-9, atol=1e-13)
