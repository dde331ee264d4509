"""The generator of awkward inputs keeps its promises; the assertions pass and fail when they should."""

import inspect

import numpy as np
import pytest

import fastbackprop
from fastbackprop import reference, testing
from fastbackprop.testing import (
    CASES,
    LAYOUTS,
    SIZES,
    Size,
    assert_same_bits,
    assert_same_form,
    assert_within_bound,
    map_arrays,
)

EVERY_CALL = [(name, activation) for name, case in CASES.items() for activation in case.activations or (None,)]


def test_every_public_function_has_a_case_and_no_other():
    assert set(CASES) == set(fastbackprop.__all__)


def test_a_public_function_without_a_case_is_an_error():
    with pytest.raises(LookupError, match="new_function"):
        testing.require_cases(["sigmoid", "new_function"])


# ------------------------------------------------------------------------------------------------------------ layouts

PROPERTIES = {
    "C": lambda x: x.flags.c_contiguous,
    "Fortran": lambda x: x.flags.f_contiguous and not x.flags.c_contiguous,
    "strided": lambda x: not x.flags.c_contiguous and not x.flags.f_contiguous and min(x.strides) > 0,
    "reversed": lambda x: max(x.strides) < 0,
    "read-only": lambda x: not x.flags.writeable,
    "misaligned": lambda x: not x.flags.aligned,
    "byte-swapped": lambda x: not x.dtype.isnative,
}


def test_every_layout_has_its_property_checked():
    assert set(PROPERTIES) == set(LAYOUTS)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout_keeps_the_values_and_has_its_property(layout, dtype):
    x = np.arange(15, dtype=dtype).reshape(3, 5)
    laid_out = LAYOUTS[layout](x)
    assert PROPERTIES[layout](laid_out)
    assert not np.shares_memory(laid_out, x)
    np.testing.assert_array_equal(laid_out, x)
    assert laid_out.dtype.newbyteorder("=") == x.dtype


@pytest.mark.parametrize("shape", [(1, 1), (0, 3), (4,), ()])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout_takes_every_shape(layout, shape):
    x = np.ones(shape)
    np.testing.assert_array_equal(LAYOUTS[layout](x), x)


def test_map_arrays_keeps_the_build_and_reaches_every_array():
    tree = {"a": (np.ones(2), [np.zeros(1), "relu"]), "b": 3}
    mapped = map_arrays(lambda x: x + 1, tree)
    assert mapped["b"] == 3
    assert isinstance(mapped["a"], tuple)
    assert isinstance(mapped["a"][1], list)
    assert mapped["a"][1][1] == "relu"
    np.testing.assert_array_equal(mapped["a"][0], [2, 2])
    np.testing.assert_array_equal(mapped["a"][1][0], [1])


# ---------------------------------------------------------------------------------------------------------- arguments


@pytest.mark.parametrize(("name", "activation"), EVERY_CALL)
def test_arguments_fit_the_reference(name, activation):
    args = CASES[name].make("planar", "float64", activation=activation)
    inspect.signature(getattr(reference, name)).bind(*args)
    getattr(reference, name)(*args)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("name", "activation"), EVERY_CALL)
def test_arguments_have_the_dtype_and_layout_asked_for(name, activation, layout, dtype):
    seen: list[np.ndarray] = []
    map_arrays(seen.append, CASES[name].make(Size((3, 4, 1), 5), dtype, layout, activation=activation))
    assert seen or name == "initialize_parameters_deep"
    for x in seen:
        assert x.dtype.newbyteorder("=") == dtype
        if min(x.shape) > 1:  # else several layouts are one
            assert PROPERTIES[layout](x)


def test_equal_requests_give_equal_arguments_and_another_seed_others():
    make = CASES["linear_backward"].make
    assert_same_bits(make("planar", "f"), make("planar", "f"))
    assert_same_bits(make("planar", "f"), map_arrays(np.ascontiguousarray, make("planar", "f", "Fortran")))
    with pytest.raises(AssertionError):
        assert_same_bits(make("planar", "f"), make("planar", "f", seed=1))


def test_the_activation_asked_for_is_passed_on():
    for activation in ("relu", "sigmoid"):
        assert CASES["linear_activation_forward"].make("one", "d", activation=activation)[-1] == activation
    assert CASES["linear_activation_forward"].make("one", "d")[-1] == "relu"
    with pytest.raises(ValueError, match=r"'relu'.*takes \(\)"):
        CASES["sigmoid"].make("one", "d", activation="relu")


def test_pre_activations_hit_the_kink_and_both_sides_of_it():
    (Z,) = CASES["relu"].make("planar", "d")
    for part in (Z < 0, Z == 0, Z > 0):
        assert np.count_nonzero(part) > 10


def test_every_size_that_a_case_names_exists():
    for case in CASES.values():
        assert case.sizes
        assert set(case.sizes) <= set(SIZES)


# ------------------------------------------------------------------------------------------------------------- bounds


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [Size((1, 1), 1), Size((7, 5, 1), 3)])
@pytest.mark.parametrize(("name", "activation"), EVERY_CALL)
def test_bounds_fit_the_result_and_are_small(name, activation, size, dtype):
    args = CASES[name].make(size, dtype, activation=activation)
    bound = CASES[name].bound(*args)
    np.random.seed(0)
    result = getattr(reference, name)(*CASES[name].make(size, dtype, activation=activation))
    assert_within_bound(result, result, bound)
    u = float(np.finfo(dtype).eps) / 2
    for _, r, _, b in testing.leaves(result, result, bound):
        assert np.all(np.isfinite(b))
        assert np.all(np.asarray(b) >= 0)
        if isinstance(r, np.ndarray):
            assert np.broadcast_shapes(np.shape(b), r.shape) == r.shape
            # Entries are about 1 (0.01 in a training): anything larger would let wrong results through.
            assert np.max(b) < (1e-10 if name == "L_layer_model" else 2000 * u)


@pytest.mark.parametrize(("name", "activation"), EVERY_CALL)
def test_bounds_hold_between_float32_and_float64(name, activation):
    """The float64 result is exact to float32's eye: the reference in float32 has to keep half of the bound."""
    size = Size((7, 5, 1), 33)
    half = testing.map_arrays(lambda b: b / 2, CASES[name].bound(*CASES[name].make(size, "f", activation=activation)))
    args = CASES[name].make(size, "f", activation=activation)
    exact_args = map_arrays(lambda x: x.astype("d"), CASES[name].make(size, "f", activation=activation))
    results = []
    for call in (args, exact_args):
        np.random.seed(0)
        results.append(getattr(reference, name)(*call))
    assert_within_bound(results[0], results[1], half)


def test_product_bound_is_the_classical_one():
    A, B = np.array([[1.0, -2.0]]), np.array([[3.0], [4.0]])
    assert testing.product_bound(A, B) == [[2 * 2 * 2.0**-53 * 11]]
    assert testing.product_bound(A, B, extra_terms=1) == [[2 * 3 * 2.0**-53 * 11]]
    assert testing.product_bound(A, B, error_A=0.5) == pytest.approx(0.5 * 7)
    assert testing.product_bound(A, B, error_B=0.5) == pytest.approx(0.5 * 3)


# --------------------------------------------------------------------------------------------------------- assertions


def test_within_bound_passes_up_to_the_bound_and_fails_beyond():
    expected, bound = np.array([1.0, 2.0]), np.array([0.5, 0.25])
    assert_within_bound(np.array([1.5, 1.75]), expected, bound)
    with pytest.raises(AssertionError, match=r"1 of 2 entries.*\(1,\).*1\.7"):
        assert_within_bound(np.array([1.5, 1.74]), expected, bound)


def test_within_bound_of_zero_means_equal():
    assert_within_bound(np.array([0.0, 1.0]), np.array([-0.0, 1.0]), 0.0)
    with pytest.raises(AssertionError):
        assert_within_bound(np.array([np.nextafter(1.0, 2.0)]), np.array([1.0]), 0.0)


def test_within_bound_is_as_fine_as_the_last_place_of_float64():
    expected = np.array([1.0])
    assert_within_bound(np.nextafter(expected, 2), expected, 2.0**-52)
    with pytest.raises(AssertionError):
        assert_within_bound(np.nextafter(expected, 2), expected, 2.0**-53)


@pytest.mark.parametrize(
    ("actual", "expected"),
    [(np.nan, 1.0), (1.0, np.nan), (np.inf, 1.0), (1.0, np.inf), (np.inf, -np.inf), (np.nan, np.inf), (np.inf, np.nan)],
)
def test_within_bound_fails_on_the_wrong_non_finite_value_whatever_the_bound(actual, expected):
    for bound in (1.0, np.inf, np.nan):
        with pytest.raises(AssertionError):
            assert_within_bound(np.array([actual]), np.array([expected]), bound)


def test_within_bound_takes_equal_non_finite_values():
    values = np.array([np.nan, np.inf, -np.inf])
    assert_within_bound(values, values, np.array([0.0, np.nan, 1.0]))


@pytest.mark.parametrize("bound", [np.nan, np.inf, -1.0])
def test_within_bound_fails_where_the_bound_is_meaningless(bound):
    with pytest.raises(AssertionError):
        assert_within_bound(np.array([1.0]), np.array([1.5]), bound)


def test_within_bound_fails_on_another_shape_even_if_it_would_broadcast():
    with pytest.raises(AssertionError, match=r"shape \(1,\), expected \(2,\)"):
        assert_within_bound(np.ones(1), np.ones(2), 1.0)
    with pytest.raises(AssertionError):
        assert_within_bound(np.empty((0, 2)), np.empty((0, 3)), 1.0)


@pytest.mark.parametrize("check", [assert_same_bits, assert_same_form, lambda a, e: assert_within_bound(a, e, 0.0)])
@pytest.mark.parametrize(
    ("actual", "expected", "message"),
    [
        ({"W1": 1.0}, {"W1": 1.0, "b1": 1.0}, "entries"),
        ({"W1": 1.0, "b1": 1.0}, {"W1": 1.0}, "entries"),
        ((1.0,), (1.0, 2.0), "entries"),
        (np.ones(2), (1.0, 1.0), "type ndarray"),
        ((1.0,), {0: 1.0}, "type tuple"),
    ],
)
def test_assertions_fail_on_another_build(check, actual, expected, message):
    with pytest.raises(AssertionError, match=message):
        check(actual, expected)


def test_assertions_name_the_part_that_is_wrong():
    good = {"dW1": np.ones((2, 2)), "caches": [(np.ones(1), np.ones(3))]}
    bad = {"dW1": np.ones((2, 2)), "caches": [(np.ones(1), np.array([1.0, 1.0, 2.0]))]}
    for check in (assert_same_bits, lambda a, e: assert_within_bound(a, e, {"dW1": 0.0, "caches": [(0.0, 0.5)]})):
        check(good, good)
        with pytest.raises(AssertionError, match=r"result\['caches'\]\[0\]\[1\].*\(2,\)"):
            check(bad, good)


def test_within_bound_applies_each_part_of_the_bound_to_its_part():
    assert_within_bound((1.5, 2.0), (1.0, 2.0), (0.5, 0.0))
    with pytest.raises(AssertionError, match=r"result\[1\]"):
        assert_within_bound((1.0, 2.5), (1.0, 2.0), (0.5, 0.0))


def test_within_bound_compares_what_is_no_number():
    assert_within_bound(("relu", 1), ("relu", 1), 0.0)
    with pytest.raises(AssertionError):
        assert_within_bound(("sigmoid", 1), ("relu", 1), 0.0)


def test_worst_fraction_is_that_of_the_bound():
    expected, bound = (np.array([1.0, 2.0]), np.array(3.0)), (np.array([0.5, 0.25]), 2.0)
    assert testing.worst_fraction(expected, expected, 0.0) == 0
    assert testing.worst_fraction((np.array([1.25, 2.0]), np.array(3.5)), expected, bound) == 0.5
    assert testing.worst_fraction((np.array([1.25, 1.5]), np.array(3.5)), expected, bound) == 2
    for wrong in (np.nan, np.inf):
        assert testing.worst_fraction((np.array([1.0, wrong]), np.array(3.0)), expected, bound) == np.inf
    assert testing.worst_fraction(np.array([1.5]), np.array([1.0]), 0.0) == np.inf
    assert testing.worst_fraction(np.array([np.nan]), np.array([np.nan]), 0.0) == 0
    assert testing.worst_fraction(np.empty((0, 2)), np.empty((0, 2)), 0.0) == 0


def test_a_training_problem_has_both_labels_and_a_bound_for_each_result():
    size = Size((3, 4, 1), 50)
    X, Y, start = testing.training_problem(size, "float32")
    assert (X.shape, Y.shape, X.dtype, Y.dtype) == ((3, 50), (1, 50), np.float32, np.float32)
    assert set(np.unique(Y)) == {0, 1}
    trained = reference.L_layer_model(X, Y, size.layers, 0.1, 3, parameters=start, return_costs=True)
    parameters, costs = testing.training_bound(*trained)
    assert parameters["W1"] == testing.TRAINING_RTOL * np.max(np.abs(trained[0]["W1"]))
    assert costs == [testing.TRAINING_RTOL * trained[1][0]]


def test_same_bits_distinguishes_what_compares_equal():
    x = np.array([0.0, 1.0, np.nan])
    assert_same_bits(x, x.copy())
    assert_same_bits(np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.arange(6.0).reshape(2, 3))
    for other in (np.array([-0.0, 1.0, np.nan]), x.astype("f"), x.reshape(1, 3), np.array([0.0, 1.0, -np.nan])):
        with pytest.raises(AssertionError):
            assert_same_bits(other, x)


def test_same_bits_of_longdouble_are_those_of_its_value():
    x = np.full(4, 0.1, np.longdouble)
    assert_same_bits(x * 1, x)
    with pytest.raises(AssertionError):
        assert_same_bits(np.nextafter(x, np.longdouble(1)), x)


def test_same_form_distinguishes_types_shapes_and_dtypes_and_no_more():
    x = np.ones((2, 2))
    assert_same_form(2 * x, x)
    assert_same_form(x, LAYOUTS["byte-swapped"](x))
    for other in (x.astype("f"), np.ones((2, 1)), np.ma.array(x), x.tolist()):
        with pytest.raises(AssertionError):
            assert_same_form(other, x)
    with pytest.raises(AssertionError):
        assert_same_form(np.float64(1), np.array(1.0))
    with pytest.raises(AssertionError):
        assert_same_form(1.0, np.float64(1))
