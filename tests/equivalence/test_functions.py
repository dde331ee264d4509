"""All fourteen functions, from the one table: the fast answer is the reference's within the bounds, and has its form.

Each is called twice: as it is, and with the reference made to raise, so that the kernels are what is tested.
"""

import contextlib
import inspect
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastbackprop as bp
from fastbackprop import reference
from fastbackprop.testing import CASES, LAYOUTS, Size, assert_same_bits, assert_same_form, assert_within_bound, map_arrays

EVERY_CALL = [(name, activation) for name, case in CASES.items() for activation in case.activations or (None,)]
DTYPES = ["float32", "float64"]
NUMPY_1 = np.lib.NumpyVersion(np.__version__) < "2.0.0"
TINY, ODD = Size((3, 4, 1), 5), Size((31, 18, 11, 1), 53)


def call(module, name, args):
    np.random.seed(1)
    return getattr(module, name)(*args)


def arrays(tree):
    found: list[np.ndarray] = []
    map_arrays(found.append, tree)
    return found


def native(tree):
    """The same numbers in C order and native bytes, for the bounds."""
    return map_arrays(lambda x: np.array(x, x.dtype.newbyteorder("="), order="C"), tree)


def check(name, make, during_the_call=contextlib.nullcontext):
    """Check one call of both implementations on ``make()``: numbers, form, and what is shared with the arguments."""
    bound = CASES[name].bound(*native(make()))
    args, expected_args = make(), make()
    passed, expected_passed = arrays(args), arrays(expected_args)
    before = [x.tobytes() for x in passed]
    expected = call(reference, name, expected_args)
    with during_the_call():
        actual = call(bp, name, args)

    assert_within_bound(actual, expected, bound)
    assert_same_form(actual, expected)
    assert [x.tobytes() for x in passed] == before, "an argument was written to"

    # Where the reference passes an argument on (in a cache), so does the fast version; everything else is new.
    passed_on = {id(e): a for a, e in zip(passed, expected_passed, strict=True)}
    for a, e in zip(arrays(actual), arrays(expected), strict=True):
        if id(e) in passed_on:
            assert a is passed_on[id(e)]
        else:
            assert a.flags.c_contiguous
            assert a.flags.writeable
            assert not any(np.shares_memory(a, x) for x in passed), "a result is an alias of an argument"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("name", "activation"), EVERY_CALL)
def test_same_answer(name, activation, layout, dtype):
    for size in ("one", TINY, ODD):
        check(name, lambda size=size: CASES[name].make(size, dtype, layout, activation=activation))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("name", "activation"), EVERY_CALL)
def test_same_answer_with_the_reference_made_to_raise(name, activation, layout, dtype, reference_raises, fallbacks):
    for size in ("one", TINY, ODD):
        make = lambda size=size: CASES[name].make(size, dtype, layout, activation=activation)  # noqa: E731
        check(name, make, reference_raises)
    assert fallbacks() == []


def _field_of_numbers(x):
    """Records of one number each, a byte between two."""
    records = np.zeros(x.shape, [("id", "u1"), ("x", x.dtype)])
    records["x"] = x
    return records["x"]


def _field_of_rows(x):
    """Records of one row each: a byte between two rows, none between the numbers of a row."""
    if x.ndim != 2 or len(x) == 1:
        return _field_of_numbers(x)
    records = np.zeros(len(x), [("id", "u1"), ("x", x.dtype, x.shape[1:])])
    records["x"] = x
    return records["x"]


@pytest.mark.plain
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("field", [_field_of_numbers, _field_of_rows])
@pytest.mark.parametrize(("name", "activation"), EVERY_CALL)
def test_same_answer_on_fields_of_records(name, activation, field, dtype, reference_raises):
    """All arrays, and each alone among others that lie as usual; rows are whole numbers of elements apart, or are not."""
    size = Size((3, 4, 1), 8)
    arguments = CASES[name].make(size, dtype, activation=activation)
    for which in (None, *range(len(arrays(arguments)))):

        def make(which=which):
            number = itertools.count()
            lies = lambda x: field(x) if x.size > 1 and (next(number) == which or which is None) else x  # noqa: E731
            return map_arrays(lies, CASES[name].make(size, dtype, activation=activation))

        check(name, make, reference_raises)


@pytest.mark.plain
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "activation"), EVERY_CALL)
def test_same_answer_on_tiny_arrays(name, activation, dtype, reference_raises):
    for size in ("one", TINY):
        check(name, lambda size=size: CASES[name].make(size, dtype, activation=activation), reference_raises)


@given(
    call=st.sampled_from(EVERY_CALL),
    layers=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    m=st.integers(1, 70),
    dtype=st.sampled_from(DTYPES),
    layout=st.sampled_from(list(LAYOUTS)),
    seed=st.integers(0, 2**32 - 1),
)
def test_same_answer_on_any_size(call, layers, m, dtype, layout, seed):
    name, activation = call
    size = Size((*layers, 1), m)
    check(name, lambda: CASES[name].make(size, dtype, layout, seed, activation))


@pytest.mark.parametrize("name", bp.__all__)
def test_a_call_written_for_the_reference_means_the_same(name):
    """Equal positional parameters with equal defaults; what is added is keyword-only and has a default."""
    of_reference, of_fast = (list(inspect.signature(getattr(module, name)).parameters.values()) for module in (reference, bp))
    positional = [p for p in of_reference if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert [(p.name, p.kind, p.default) for p in of_fast[: len(positional)]] == [
        (p.name, p.kind, p.default) for p in positional
    ]
    for p in of_fast[len(positional) :]:
        assert p.kind is p.KEYWORD_ONLY
        assert p.default is not p.empty
    in_both = {p.name: p.default for p in of_reference if p.kind is p.KEYWORD_ONLY}
    assert in_both.items() <= {p.name: p.default for p in of_fast}.items()


def test_same_names():
    assert len(set(bp.__all__)) == 14
    assert not any(getattr(bp, name) is getattr(reference, name) for name in bp.__all__)


def test_the_fixture_makes_the_reference_raise_wherever_it_is_reached(reference_raises):
    with reference_raises(), pytest.raises(AssertionError, match=r"reference\.sigmoid was called"):
        reference.sigmoid(np.ones(1))
    with reference_raises(), pytest.raises(AssertionError, match=r"reference\..* was called"):
        bp.linear_forward(np.ones((1, 1)), np.ones((1, 1)), 5)  # a scalar b goes through the reference
    reference.sigmoid(np.ones(1))


@pytest.mark.parametrize("m", [1, 3, 49, 209, 1511, 70_001])
@pytest.mark.parametrize("dtype", DTYPES)
def test_means_of_whole_numbers_have_the_references_bits(dtype, m, rng):
    """dW and db: their sums are exact, and then divided once; so are Z and a step.

    NumPy 1 widens float32 where m is more than 65,535; rounded to float32 again, a quotient is that of float32.
    """

    def not_widened(results):
        return map_arrays(lambda x: x.astype(dtype), results) if NUMPY_1 and m > 65_535 else results

    A_prev, W, b, dA = (rng.integers(-3, 4, shape).astype(dtype) for shape in ((5, m), (4, 5), (4, 1), (4, m)))
    _, cache = reference.linear_activation_forward(A_prev, W, b, "relu")
    for name, arguments in {
        "linear_forward": (A_prev, W, b),
        "linear_backward": (dA, cache[0]),
        "linear_activation_backward": (dA, cache, "relu"),
    }.items():
        assert_same_bits(getattr(bp, name)(*arguments), not_widened(getattr(reference, name)(*arguments)))
    steps = [module.update_parameters({"W1": W, "b1": b}, {"dW1": W / 7, "db1": b / 7}, 0.1) for module in (bp, reference)]
    assert_same_bits(*steps)
    # An output layer that knows nothing: AL = 1/2, its gradient -1/2 or 1/2.
    AL, caches = reference.L_model_forward(A_prev, {"W1": W, "b1": b, "W2": 0 * W[:1, :4], "b2": 0 * b[:1]})
    Y = rng.integers(0, 2, (1, m)).astype(dtype)
    grads = [module.L_model_backward(AL, Y, caches) for module in (bp, reference)]
    assert_same_bits(grads[0], not_widened({key: grads[1][key] for key in grads[0]}))


@pytest.mark.plain
@pytest.mark.parametrize("shape_b", [(), (1,), (2,)], ids=str)
def test_an_example_that_is_a_vector_is_served_as_numpy_would(shape_b):
    W, A, b = np.arange(6.0).reshape(2, 3), np.arange(3.0), np.arange(8.0)[: int(np.prod(shape_b))].reshape(shape_b)
    Z, cache = bp.linear_forward(A, W, b)
    np.testing.assert_array_equal(Z, np.dot(W, A) + b, strict=True)
    assert all(kept is given for kept, given in zip(cache, (A, W, b), strict=True))
