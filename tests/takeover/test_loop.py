"""Which training loops are taken over, and which are left, with the reason."""

import numpy as np
import pytest

from ..support.taken import OWN, STEP, assert_as_own, taken, with_loop

rng = np.random.default_rng(5)
X = rng.standard_normal((5, 60))
Y = (X[:1] + X[1:2] ** 2 > 0.5).astype(float)

HEAD = "    for i in range(num_iterations):\n        STEP\n"
EVERY = "        if i % 10 == 0:\n            costs.append(cost)\n"


def call(space):
    return space["L_layer_model"](X, Y, [5, 4, 1], 0.2, 64, True)


# Loops of a model, what follows them, and whether some of their 64 iterations run compiled.
TAKEN = {
    "as it is": (HEAD + EVERY, "    return parameters, costs\n", True),
    "nothing besides": (HEAD, "    return parameters\n", True),
    "two conditions": (
        HEAD + "        if print_cost and i % 10 == 0 or i == num_iterations - 1:\n            print(i, cost)\n" + EVERY,
        "    return parameters, costs\n",
        True,
    ),
    "nested conditions and an else": (
        HEAD + "        if i % 4 == 0:\n            if i > 30:\n                costs.append(cost)\n            else:\n"
        "                print(i)\n        elif i % 25 == 3:\n            costs.append(-cost)\n",
        "    return parameters, costs\n",
        True,
    ),
    "every iteration": (HEAD + "        costs.append(cost)\n", "    return costs\n", True),
    "a list that is carried": (HEAD + "        costs = costs + [cost]\n", "    return costs\n", True),
    "the cost where it is printed": (
        "    for i in range(num_iterations):\n        AL, caches = L_model_forward(X, parameters)\n"
        "        grads = L_model_backward(AL, Y, caches)\n        if i % 10 == 0:\n"
        "            print(f'{i}: {compute_cost(AL, Y):f}')\n"
        "        parameters = update_parameters(parameters, grads, learning_rate)\n",
        "    return parameters\n",
        True,
    ),
    "the cost squeezed": (
        HEAD + "        cost = np.squeeze(cost)\n        loss = float(cost) * 2\n"
        "        if i % 10 == 0:\n            costs.append((cost, loss))\n",
        "    return parameters, costs, cost, loss\n",
        True,
    ),
    "the cost changed": (
        HEAD + "        cost = cost / 2\n" + EVERY,
        "    return parameters, costs, cost\n",
        True,
    ),
    "the cost of the end": (HEAD, "    print(cost)\n    return parameters\n", True),
    "steps of the end": (HEAD, "    return parameters, AL, grads, caches, cost, i\n", True),
    "the variable at the end": (HEAD + EVERY, "    return parameters, i\n", True),
    "a range backwards": (
        "    for i in range(num_iterations, 0, -3):\n        STEP\n" + EVERY,
        "    return parameters, costs, i\n",
        True,
    ),
    "another name of the variable": ("    for _ in range(0, 64):\n        STEP\n", "    return parameters, _\n", True),
    "AL is read": (
        HEAD + "        if i % 10 == 0:\n            costs.append((AL.mean(), grads['dW1'].sum(), parameters['W1'].sum()))\n",
        "    return costs\n",
        True,
    ),
    "parameters are changed besides": (
        HEAD + "        if i % 20 == 7:\n            halve(parameters)\n" + EVERY,
        "    return parameters, costs\n",
        True,
    ),
    "gradients are changed besides": (
        "    for i in range(num_iterations):\n        AL, caches = L_model_forward(X, parameters)\n"
        "        grads = L_model_backward(AL, Y, caches)\n        if i % 20 == 7:\n            halve(grads)\n"
        "        parameters = update_parameters(parameters, grads, learning_rate)\n",
        "    return parameters\n",
        True,
    ),
    "an alias of the parameters is read": (
        "    alias = parameters\n" + HEAD + "        if i % 10 == 0:\n            costs.append(str(alias))\n",
        "    return costs, alias is parameters\n",
        True,
    ),
    "a list that holds the parameters is read": (
        "    held = [0, [parameters]]\n" + HEAD + "        if i % 10 == 0:\n            print(held)\n",
        "    return held\n",
        True,
    ),
    "a closure reads": (
        "    def log():\n        costs.append((i, cost, parameters['b1'].sum()))\n" + HEAD + "        if i % 10 == 0:\n"
        "            log()\n",
        "    return costs\n",
        True,
    ),
    "a closure called at the end": (
        HEAD + "        if i == 5:\n            later = lambda: (i, cost, AL.sum())\n",
        "    return later()\n",
        True,
    ),
    "a generator evaluated at the end": (
        HEAD + "        if i == 5:\n            later = (AL.sum() + k for k in range(2))\n",
        "    return list(later)\n",
        True,
    ),
    "X is changed besides": (
        HEAD + "        if i == 40:\n            widen(X)\n",
        "    return parameters\n",
        True,
    ),
    "the learning rate of a dict": (
        "    options = {'rate': learning_rate}\n" + HEAD + EVERY,
        "    return parameters, costs\n",
        True,
    ),
    "a validation cost": (
        HEAD
        + "        if i % 10 == 0:\n            A2, _ = L_model_forward(X + 1, parameters)\n"
        "            costs.append(compute_cost(A2, Y))\n",
        "    return costs\n",
        True,
    ),
    "two costs of one name": (
        "    other = X + 1\n    for i in range(num_iterations):\n        AL, caches = L_model_forward(other, parameters)\n"
        "        of_other = compute_cost(AL, Y)\n        STEP\n        if i % 10 == 0:\n            print(of_other, cost)\n",
        "    return parameters\n",
        True,
    ),
    "in a with and an if": (
        "    if print_cost:\n        with np.errstate(over='ignore'):\n"
        + "".join("        " + line + "\n" for line in HEAD.replace("        STEP\n", "").splitlines()) + "STEPS"
        + "                if i % 10 == 0:\n                    costs.append(cost)\n",
        "    return parameters, costs\n",
        True,
    ),
    "in a loop": (
        "    for turn in range(2):\n        for i in range(num_iterations):\nSTEPS            if i % 10 == 0:\n"
        "                costs.append(cost)\n",
        "    return parameters, costs, AL\n",
        True,
    ),
    "two loops": (HEAD + EVERY + HEAD + EVERY, "    return parameters, costs\n", True),
    "a global variable": ("    global AL, cost\n" + HEAD, "    return shown()\n", True),
    "an empty range": ("    for i in range(0):\n        STEP\n" + EVERY, "    return parameters, costs\n", False),
    "one iteration": ("    for i in range(1):\n        STEP\n" + EVERY, "    return parameters, costs\n", False),
    "two iterations": ("    for i in range(2):\n        STEP\n" + EVERY, "    return parameters, costs\n", False),
    "what is not bound in an empty range": ("    for i in range(0):\n        STEP\n", "    return i\n", False),
    "a condition that fails": (
        "    every = 0\n" + HEAD + "        if i > 30 and i % every == 0:\n            print(i)\n",
        "    return parameters\n",
        True,
    ),
    "a condition that is an array": (
        "    flags = np.array([1, 2])\n" + HEAD + "        if flags:\n            print(i)\n",
        "    return parameters\n",
        False,
    ),
    "a condition on a list that grows": (
        HEAD + "        if not costs:\n            costs.append(cost)\n",
        "    return parameters, costs\n",
        False,
    ),
    "a statement that raises": (
        HEAD + "        if i == 40:\n            print(costs[i])\n",
        "    return parameters\n",
        True,
    ),
    "names like those of the plan": (
        "    PARAMETERS = RANGE = REST = BODY = 3\n" + HEAD + "        if i % 10 == 0:\n            print(BODY, REST, cost)\n",
        "    return PARAMETERS, RANGE, parameters\n",
        True,
    ),
    "its own seed and draws": (
        "    np.random.seed(1)\n" + HEAD + "        if i % 10 == 0:\n            costs.append(np.random.rand())\n",
        "    return parameters, costs\n",
        True,
    ),
    "a global that a helper changes": (
        HEAD + "        if i % 10 == 0:\n            if switch:\n                print(cost)\n            turn()\n",
        "    return parameters\n",
        False,
    ),
    "an alias of X is written to": (
        "    other = X\n" + HEAD + "        if i == 40:\n            other *= 1.25\n        if i == 50:\n"
        "            other[0, 0] = 7\n",
        "    return parameters, X\n",
        True,
    ),
    "an array of before the loop is written to": (
        "    held = {'W': parameters['W1']}\n" + HEAD + "        if i == 40:\n            held['W'] *= 1.25\n",
        "    return parameters, held\n",
        True,
    ),
    "an augmented cost": (HEAD + "        cost += 1\n" + EVERY, "    return parameters, costs, cost\n", True),
    "a sum in every iteration": (
        "    total = 0\n" + HEAD + "        total += cost\n",
        "    return parameters, total\n",
        True,
    ),
    "a comprehension": (
        HEAD + "        if i % 10 == 0:\n            print([round(float(c), 3) for c in costs])\n" + EVERY,
        "    return costs\n",
        True,
    ),
    "the result is not taken": (
        "    for i in range(num_iterations):\n        AL, caches = L_model_forward(X, parameters)\n"
        "        grads = L_model_backward(AL, Y, caches)\n        new = update_parameters(parameters, grads, learning_rate)\n",
        "    return parameters, new is parameters\n",
        True,
    ),
    "read after an update in place": (
        "    for i in range(num_iterations):\n        AL, caches = L_model_forward(X, parameters)\n"
        "        grads = L_model_backward(AL, Y, caches)\n        new = update_parameters(parameters, grads, learning_rate)\n"
        "        A2, _ = L_model_forward(X, parameters)\n        cost = compute_cost(A2, Y)\n        parameters = new\n"
        + EVERY,
        "    return parameters, costs\n",
        True,
    ),
}  # fmt: skip

HELPERS = """
import numpy as np

switch, seen = True, []


def halve(values):
    for key in values:
        values[key] = values[key] / 2


def widen(X):
    X *= 1.25


def turn():
    global switch
    switch = not switch


def shown():
    return AL.sum(), cost

"""


def text_of(loop, end):
    """The learner's module with a loop; STEPS in it stands for the step, one or two levels deeper."""
    pad = "        " if "with np" in loop else "    "
    deeper = "".join(pad + line + "\n" for line in STEP.splitlines())
    return with_loop(loop.replace("STEPS", deeper), end, HELPERS)


@pytest.mark.parametrize("name", TAKEN)
def test_a_loop_is_taken_over_and_does_what_it_did(name):
    loop, end, compiled = TAKEN[name]
    text = text_of(loop, end)
    before = X.copy()
    try:
        iterations = assert_as_own(text, call_on_copies)
    finally:
        np.testing.assert_array_equal(X, before)
    assert (iterations > 20) == compiled, iterations


def call_on_copies(space):
    return space["L_layer_model"](X.copy(), Y.copy(), [5, 4, 1], 0.2, 64, True)


LEFT = {
    "AL in every iteration": (HEAD + "        costs.append(AL.mean())\n", "each iteration as it stands"),
    "break": (HEAD + "        if i == 3:\n            break\n", "break"),
    "continue": (HEAD + "        if i == 3:\n            continue\n", "continue"),
    "return": (HEAD + "        if i == 3:\n            return parameters\n", "return"),
    "an else": (HEAD + "    else:\n        print(3)\n", "else"),
    "two variables": ("    for i, j in zip(range(3), range(3)):\n        STEP\n", "more than one variable"),
    "no range": ("    for i in [1, 2, 3]:\n        STEP\n", "not over a range"),
    "a changed variable": (HEAD + "        i += 1\n", "changes i"),
    "a condition on the cost": (HEAD + "        if cost < 0.5:\n            print(i)\n", "cost < 0.5"),
    "a condition that is called": (HEAD + "        if seen.append(i):\n            print(i)\n", "seen.append"),
    "a walrus": (HEAD + "        if (k := i) > 3:\n            print(k)\n", "k := i"),
    "del": (HEAD + "        del cost\n", "del cost"),
    "a nested function": (HEAD + "        def f():\n            pass\n", "def f"),
    "locals": (HEAD + "        if i == 3:\n            print(locals())\n", "by locals"),
    "a yield": (HEAD + "        yield cost\n", "yield cost"),
    "try": ("    try:\n" + "".join("    " + line + "\n" for line in HEAD.replace("        STEP\n", "").splitlines())
            + "STEPS    except KeyboardInterrupt:\n        print('stopped')\n", "stands in a try"),
    "the cost of before": ("    cost = 0\n    for i in range(num_iterations):\n"
                           "        if i % 10 == 0:\n            print(cost)\n"
                           "        STEP\n", "reads cost of the iteration before"),
    "AL of before": ("    AL = 0\n    for i in range(num_iterations):\n        if i % 10 == 0:\n            print(AL)\n"
                     "        STEP\n", "reads AL of the iteration before"),
    "a mean that is carried": ("    mean = 0\n" + HEAD + "        mean = 0.9 * mean + 0.1 * cost\n", "mean"),
    "a count that is carried": ("    t = 0\n" + HEAD + "        t = t + 1\n", "carries t"),
    "an older value": ("    old = 0\n" + HEAD + "        x = old\n        old = AL\n", "carries old"),
    "a rate that falls": (HEAD + "        learning_rate *= 0.99\n", "learning rate changes"),
    "a rate of the iteration": (HEAD.replace("        STEP\n", "STEP1"), "learning rate changes"),
    "data of the iteration": ("    parts = [X] * num_iterations\n    for i in range(num_iterations):\n"
                              "        AL, caches = L_model_forward(parts[i], parameters)\n"
                              "        grads = L_model_backward(AL, Y, caches)\n"
                              "        parameters = update_parameters(parameters, grads, learning_rate)\n", "X changes"),
    "star arguments": (HEAD.replace("        STEP\n", "        AL, caches = L_model_forward(*(X, parameters))\n"
                       "        grads = L_model_backward(AL, Y, caches)\n"
                       "        parameters = update_parameters(parameters, grads, learning_rate)\n"), "L_model_forward(*"),
    "parameters otherwise": (HEAD + "        parameters['W1'] *= 0.99\n", "changes parameters"),
    "gradients otherwise": (HEAD.replace("        STEP\n", "        AL, caches = L_model_forward(X, parameters)\n"
                            "        grads = L_model_backward(AL, Y, caches)\n        grads['dW1'] += 0.01\n"
                            "        parameters = update_parameters(parameters, grads, learning_rate)\n"), "changes grads"),
    "twice": (HEAD + "        parameters = update_parameters(parameters, grads, learning_rate)\n", ""),
    "old caches": ("    AL, caches = L_model_forward(X, parameters)\n    for i in range(num_iterations):\n"
                   "        A2, _ = L_model_forward(X, parameters)\n        grads = L_model_backward(A2, Y, caches)\n"
                   "        parameters = update_parameters(parameters, grads, learning_rate)\n", "gradients"),
    "a while": ("    i = 0\n    while i < num_iterations:\n        STEP\n        i += 1\n", "no training loop"),
    "one name for two": (HEAD + "        x = AL\n        if i == 5:\n            print(x)\n        x = np.squeeze(cost)\n",
                         "it uses x for the cost and for something else"),
    "in a function within it": ("    def train(parameters):\n        for i in range(num_iterations):\nSTEPS"
                                "        return parameters\n"
                                "    parameters = train(parameters)\n", "within it"),
}  # fmt: skip


@pytest.mark.parametrize("name", LEFT)
def test_a_loop_is_left_with_the_reason(name):
    loop, word = LEFT[name]
    loop = loop.replace(
        "STEP1",
        "        AL, caches = L_model_forward(X, parameters)\n        cost = compute_cost(AL, Y)\n"
        "        grads = L_model_backward(AL, Y, caches)\n"
        "        parameters = update_parameters(parameters, grads, [learning_rate, learning_rate / 2][i % 2])\n",
    )
    if name == "a rate of the iteration":
        loop = "    rates = [learning_rate, learning_rate / 2] * num_iterations\n" + loop.replace(
            "[learning_rate, learning_rate / 2][i % 2]", "rates[i]"
        )
    _, row = taken(text_of(loop, "    return parameters\n"))
    assert row.verdict == "left"
    assert word in row.how, row.how


def test_the_learners_model_is_the_first_of_them():
    assert assert_as_own(OWN, call) > 20
