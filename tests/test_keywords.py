"""Keywords of L_layer_model's variants: refused by name, with what serves them; others as Python refuses them."""

import inspect
import re

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
    beside = re.findall(r"fastbackprop\.(\w+)", advice)
    assert all(hasattr(bp, word) for word in beside)
    options = inspect.signature(bp.L_layer_model).parameters
    given = set(re.findall(r"(\w+)=", advice)) - {"activation"}  # an option of the layers
    assert given <= set(inspect.signature(bp.train).parameters if "train" in beside else options)
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
