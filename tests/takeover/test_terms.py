"""Formulas that say the same are one term, others are not."""

import ast

import numpy as np
import pytest

from fastbackprop.takeover.terms import Terms, Unknown, gradient_of_output

TERMS = Terms({"AL"}, lambda node: None, lambda node: node.attr if isinstance(node, ast.Attribute) else "")
GRADIENT = gradient_of_output(TERMS.name("AL"), TERMS.name("Y"))

SAME = [
    "-(Y / AL - (1 - Y) / (1 - AL))",
    "-(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))",
    "(1 - Y) / (1 - AL) - Y / AL",
    "-Y / AL + (1 - Y) / (1 - AL)",
    "-(Y / AL) + (1 - Y) / (1 - AL)",
    "np.negative(np.subtract(np.divide(Y, AL), np.divide(np.subtract(1, Y), 1 - AL)))",
    "np.add((1 - Y) / (1 - AL), np.true_divide(-Y, AL))",
    "(-Y + 1) / (-AL + 1) - Y / AL",
]
OTHERS = [
    "Y / AL - (1 - Y) / (1 - AL)",
    "-(Y / AL + (1 - Y) / (1 - AL))",
    "-(Y / AL) - (1 - Y) / (1 - AL)",
    "-(AL / Y - (1 - Y) / (1 - AL))",
    "-(Y / AL - (1 - AL) / (1 - Y))",
    "AL - Y",
    "-(Y / AL - (2 - Y) / (1 - AL))",
    "-(Y / AL - (True - Y) / (1 - AL))",
]


def values_of(text):
    AL, Y = np.array([0.2, 0.7, 0.9]), np.array([0.0, 1.0, 1.0])
    with np.errstate(all="ignore"):
        return eval(text, {"AL": AL, "Y": Y, "np": np})


@pytest.mark.parametrize("text", SAME)
def test_the_same_gradient(text):
    assert TERMS.of(ast.parse(text, mode="eval").body) == GRADIENT
    np.testing.assert_allclose(values_of(text), values_of(SAME[0]), rtol=1e-12)


@pytest.mark.parametrize("text", OTHERS)
def test_another_gradient(text):
    assert TERMS.of(ast.parse(text, mode="eval").body) != GRADIENT


@pytest.mark.parametrize("text", ["Y @ AL", "Y ** 2", "[Y]", "Y if AL else 1", "f(Y)", "np.divide(Y, AL, out=AL)", "lambda: Y"])
def test_what_is_no_term(text):
    with pytest.raises(Unknown, match="line 1: "):
        TERMS.of(ast.parse(text, mode="eval").body)


def test_the_entries_of_a_dict_that_is_filled():
    terms = Terms({"grads"}, lambda node: None, lambda node: "")
    for statement in ast.parse("grads['dW1'] = X\ngrads['db1'] = Y\ngrads['dW1'] = Z").body:
        assert isinstance(statement, ast.Assign)
        terms.assign(statement.targets[0], terms.of(statement.value))
    read = {key: terms.of(ast.parse(f"grads['{key}']", mode="eval").body) for key in ("dW1", "db1", "dW2")}
    assert read["dW1"] == ("before", "Z") and read["db1"] == ("before", "Y")
    assert read["dW2"] == ("item", ("carried", "grads"), ("constant", "str", "dW2"))
