"""Result dtypes are the reference's, always; what no kernel covers is answered by the reference itself, bit for bit."""

import itertools

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop import reference
from fastbackprop.testing import CASES, Size, assert_same_bits, assert_same_form, assert_within_bound, map_arrays

KINDS = ["bool", "uint8", "int32", "int64", "float16", "float32", "float64", "longdouble"]
TRIPLES = list(itertools.product(KINDS, KINDS, ["float64", "float32", "int64"]))
SIZE = Size((3, 4, 1), 5)


def arguments(name, dtypes, activation=None):
    """The arguments of the case, its arrays cast to ``dtypes`` in turn (around again when there are more arrays)."""
    turn = itertools.cycle(dtypes)
    args = CASES[name].make(SIZE, "float64", activation=activation)
    return map_arrays(lambda x: (2 * x).astype(next(turn)) if name != "compute_cost" else x.astype(next(turn)), args)


def outcome(module, name, args):
    np.random.seed(0)
    try:
        with np.errstate(all="ignore"):
            return getattr(module, name)(*args)
    except TypeError as error:
        return type(error)


def check(name, dtypes, activation=None):
    expected = outcome(reference, name, arguments(name, dtypes, activation))
    actual = outcome(bp, name, arguments(name, dtypes, activation))
    if isinstance(expected, type):  # NumPy itself refuses, as it does to negate a bool
        assert actual is expected
        return
    assert_same_form(actual, expected)
    if {np.dtype(d) for d in dtypes} & {np.dtype("float16"), np.dtype("longdouble")}:
        assert_same_bits(actual, expected)
    else:  # somewhere on the way the reference may have rounded to float32
        coarse = map_arrays(lambda x: x.astype("float32"), arguments(name, dtypes, activation))
        assert_within_bound(actual, expected, CASES[name].bound(*coarse))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # float16 overflows in the reference
@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("name", ["sigmoid", "relu"])
def test_one_array(name, dtype):
    check(name, [dtype])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtypes", list(itertools.product(KINDS, KINDS)), ids="-".join)
@pytest.mark.parametrize("name", ["sigmoid_backward", "relu_backward"])
def test_gradient_and_cache(name, dtypes):
    check(name, dtypes)


@pytest.mark.parametrize("dtypes", TRIPLES, ids="-".join)
@pytest.mark.parametrize("name", ["linear_forward", "linear_backward"])
def test_one_linear_layer(name, dtypes):
    check(name, dtypes)


PAIRS = [
    ("float32", "float64"),
    ("float64", "float32"),
    ("float32", "int64"),
    ("int64", "float32"),
    ("float64", "bool"),
    ("uint8", "float32"),
    ("uint8", "float64"),
    ("float16", "float32"),
    ("longdouble", "float64"),
]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtypes", PAIRS, ids="-".join)
@pytest.mark.parametrize(
    ("name", "activation"),
    [
        ("linear_activation_forward", "relu"),
        ("linear_activation_forward", "sigmoid"),
        ("linear_activation_backward", "relu"),
        ("linear_activation_backward", "sigmoid"),
        ("L_model_forward", None),
        ("update_parameters", None),
    ],
)
def test_one_layer_and_the_network(name, activation, dtypes):
    check(name, dtypes, activation)


@pytest.mark.parametrize("labels", KINDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["compute_cost", "L_model_backward"])
def test_labels_of_any_kind(name, dtype, labels):
    """int64 or bool labels with float32 widen to float64; uint8 labels neither wrap around nor change the result."""
    args = list(CASES[name].make(Size((3, 4, 1), 50), dtype))
    args[1] = args[1].astype(labels)
    expected, actual = getattr(reference, name)(*args), getattr(bp, name)(*args)
    assert_same_form(actual, expected)
    coarse = map_arrays(lambda x: x.astype(dtype), tuple(args))
    assert_within_bound(actual, expected, CASES[name].bound(*coarse))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_learning_rate_of_any_kind(dtype):
    """A Python number takes the arrays' dtype, a NumPy scalar has its own."""
    for rate in (1, 0.1, np.float32(0.1), np.float64(0.1), np.int64(1), np.array(0.1), np.longdouble(0.1)):
        results = []
        for module in (reference, bp):
            parameters, grads, _ = CASES["update_parameters"].make(SIZE, dtype)
            results.append(module.update_parameters(parameters, grads, rate))
        parameters, grads, _ = CASES["update_parameters"].make(SIZE, dtype)
        assert_same_form(results[1], results[0])
        assert_within_bound(results[1], results[0], CASES["update_parameters"].bound(parameters, grads, float(rate)))


@pytest.mark.parametrize("value", [0, 2, -3, 0.5, True, np.float32(0.5), np.float64(-1), np.int64(2), np.array(0.25)])
@pytest.mark.parametrize("name", ["sigmoid", "relu"])
def test_scalars_answer_as_in_the_reference(name, value):
    if name == "sigmoid" and isinstance(value, bool):
        value = int(value)  # 1 + exp(-True) is that of 1
    A, cache = getattr(bp, name)(value)
    expected, _ = getattr(reference, name)(value)
    assert_same_form(A, expected)
    assert_same_bits(A, expected)
    assert cache is value


@pytest.mark.parametrize("name", ["sigmoid_backward", "relu_backward"])
def test_scalar_gradients_answer_as_in_the_reference(name):
    for dA, Z in ((2.0, 0.5), (np.float64(2), np.float64(-0.5)), (np.array(2.0), np.array(0.5)), (np.float32(1), 2.0)):
        expected, actual = (getattr(module, name)(dA, Z) for module in (reference, bp))
        assert_same_form(actual, expected)
        assert_same_bits(actual, expected)
