"""What holds the parameters of a loop that runs compiled sees what it would see of the loop's own code."""

import numpy as np
import pytest

from ..support.loops import GIVEN, HEAD, IN_PLACE, NO_START, NOTHING, TAKES, UPDATES, X, Y, matrix, start
from ..support.taken import assert_as_own, changed, taken, with_loop


@pytest.mark.parametrize("name", UPDATES)
@pytest.mark.parametrize("besides", ["", "        if i % 30 == 7:\n            print(parameters['b1'][0, 0] > 0)\n"])
def test_what_holds_the_parameters_sees_what_it_would(name, besides):
    text = changed(*UPDATES[name], TAKES, NO_START, text=with_loop(HEAD + besides))

    def call(space):
        passed = start(6, 4, 1)
        arrays, view = dict(passed), passed["W1"][0]
        result = space["L_layer_model"](X, Y, passed, 0.2, 150)
        return result, result is passed, passed, arrays, view, [passed[key] is arrays[key] for key in passed]

    assert assert_as_own(text, call) > 100


def test_an_update_that_returns_nothing_and_is_bound_fails_as_it_did():
    text = changed(NOTHING[0])
    own, row = taken(text)
    assert row.verdict == "left"
    with pytest.raises(TypeError):
        own["L_layer_model"](X, Y, [6, 4, 1], 0.1, 10)


def test_arrays_that_share_memory():
    text = changed(*IN_PLACE, text=GIVEN)

    def tied(space):
        passed = start(6, 6, 6, 1)
        passed["W2"] = passed["W1"]
        return space["L_layer_model"](X, Y, passed, 0.1, 80)

    assert_as_own(text, tied)

    def within_X(space):
        x = X.copy()
        passed = start(6, 4, 1) | {"W1": x[:4, :6]}
        return space["L_layer_model"](x, Y, passed, 0.1, 80), x

    assert_as_own(text, within_X)


class Parameters(dict):
    """A dict that is more."""


@pytest.mark.parametrize(
    "make",
    [
        lambda: start(6, 4, 1) | {"note": "text"},
        lambda: start(6, 4, 1) | {"note": "text", "more": 3},
        lambda: Parameters(start(6, 4, 1)),
        lambda: dict(reversed(start(6, 4, 1).items())),
        lambda: start(6, 4, 1) | {"b1": 0.5},
        lambda: start(6, 4, 1) | {"b1": np.zeros(4)},
        lambda: start(6, 4, 1) | {"b1": np.zeros((4, 1), "f4")},
        lambda: start(6, 4, 1) | {"W2": np.zeros((1, 5))},
        lambda: start(6, 4, 1) | {"W1": matrix(np.ones((4, 6)))},
        lambda: start(6, 4, 1) | {"W1": np.full((4, 6), np.nan)},
        lambda: list(start(6, 4, 1).values()),
        lambda: None,
        lambda: {},
    ],
)
def test_parameters_of_any_kind(make):
    assert_as_own(GIVEN, lambda space: space["L_layer_model"](X, Y, make(), 0.2, 80))


def test_two_models_of_the_same_parameters_one_after_the_other():
    def call(space):
        passed = start(6, 4, 1)
        return space["L_layer_model"](X, Y, passed, 0.2, 80), space["L_layer_model"](X, Y, passed, 0.1, 80), passed

    assert assert_as_own(GIVEN, call) > 100


def test_other_statements_that_put_other_parameters_in_their_place():
    bodies = ["parameters['W1'] = parameters['W1'].astype('f4')", "parameters.clear()", "parameters.update(new)",
              "parameters['W1'] = np.full((4, 6), np.nan)"]  # fmt: skip
    for body in bodies:
        before = f"def swap(parameters):\n    new = {{'W1': np.ones((4, 6)) / 3}}\n    {body}\n\n\n"
        text = with_loop(
            HEAD + "        if i == 30:\n            swap(parameters)\n", before="import numpy as np\n\n\n" + before
        )
        assert_as_own(text, lambda space: space["L_layer_model"](X, Y, [6, 4, 1], 0.2, 80))
