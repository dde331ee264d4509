"""Keywords of L_layer_model's variants: refused by name, with what serves them; others as Python refuses them."""

import inspect
import re

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop import keywords, reference

from .support.trainings import drawn, train


@pytest.mark.parametrize("name", ["lambd", "keep_prob", "optimizer", "beta", "mini_batch_size", "activation", "seed"])
def test_a_variants_keyword_is_refused_before_anything_happens(name, capsys):
    before = drawn()
    with pytest.raises(TypeError, match=re.escape(f"L_layer_model() has no {name}=: ")):
        train(print_cost=True, parameters=None, **{name: 0.7})
    assert drawn() == before
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("name", "advice"), keywords._SERVED.items())
def test_the_advice_names_what_exists(name, advice):
    """Each word that looks like a name of the package is one."""
    named = set(re.findall(r"\b(\w+_\w+)\b(?!=)", advice)) - {"random_state"}
    assert all(word in bp.__all__ for word in named)
    options = inspect.signature(bp.L_layer_model).parameters
    given = set(re.findall(r"(\w+)=", advice)) - {"activation"}  # an option of the layers
    assert given <= set(options)
    assert name not in options
    assert named or given or "np.random.seed" in advice


def test_other_keywords_are_refused_as_python_does():
    """The reference has no keywords of this kind: Python words its error."""
    messages = []
    for module in (reference, bp):
        with pytest.raises(TypeError) as error:
            train(module=module, unheard_of=1)
        messages.append(str(error.value).partition(". Did you mean")[0])
    assert messages[0] == messages[1]


def test_the_signature_shows_what_is_accepted():
    kinds = {p.kind for p in inspect.signature(bp.L_layer_model).parameters.values()}
    assert inspect.Parameter.VAR_KEYWORD not in kinds


def test_what_the_advice_on_lambd_says_is_the_gradient_of_the_penalty():
    """lambd / m * W beside dW: the derivative of lambd / (2 m) * sum(W ** 2), by central differences."""
    rng = np.random.default_rng(0)
    X, Y, lambd, m = rng.standard_normal((3, 5)), np.array([[0, 1, 1, 0, 1]]), 0.7, 5
    parameters = {"W1": rng.standard_normal((1, 3)), "b1": np.zeros((1, 1))}

    def cost(W):
        AL, _ = bp.L_model_forward(X, parameters | {"W1": W})
        return float(bp.compute_cost(AL, Y)) + lambd / (2 * m) * np.sum(W**2)

    AL, caches = bp.L_model_forward(X, parameters)
    dW = bp.L_model_backward(AL, Y, caches)["dW1"] + lambd / m * parameters["W1"]
    for j in range(3):
        step = np.zeros((1, 3))
        step[0, j] = h = 1e-5
        slope = (cost(parameters["W1"] + step) - cost(parameters["W1"] - step)) / (2 * h)
        # The cost's third derivative is below 10 here: h^2 * 10; roundings of the cost over 2 h: 1e-16 / 1e-5, some of them.
        assert abs(slope - dW[0, j]) < 1e-9 + 1e-9
