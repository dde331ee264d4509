"""Strides that are no whole number of elements, as fields of packed records have them.

NumPy calls an array contiguous for any stride along a dimension of length 1: then `ascontiguousarray` copies nothing.
"""

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop import reference
from fastbackprop.testing import CASES, Size, assert_same_bits, assert_within_bound, map_arrays


def _element(x):
    """Each element a field of a record: all strides are odd."""
    view = np.zeros(x.shape, [("id", "u1"), ("x", x.dtype)])["x"]
    view[...] = x
    return view


def _row(x):
    """Each row a field of a record: its elements lie together, rows do not lie whole elements apart."""
    view = np.zeros(x.shape[:1], [("id", "u1"), ("x", x.dtype, x.shape[1:])])["x"]
    view[...] = x
    return view


def _column(x):
    return _row(x.T).T


def _backwards(x):
    return _row(x[::-1])[::-1]


LAYOUTS = {"element": _element, "row": _row, "column": _column, "backwards": _backwards}
# One row, one column, one of both, and sizes whose products are packed, shared and streamed past the caches.
SIZES = [Size((1, 1), 1), Size((3, 1), 1), Size((1, 4, 1), 1), Size((1, 3, 1), 5), Size((3, 4, 1), 5), Size((300, 70, 1), 90)]
FUNCTIONS = sorted(CASES.keys() - {"initialize_parameters_deep"})


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_fields_of_packed_records(name, dtype, layout, size):
    case = CASES[name]
    for activation in case.activations or (None,):
        plain = case.make(size, dtype, activation=activation)
        given = map_arrays(LAYOUTS[layout], plain)
        before = map_arrays(np.copy, given)
        if name == "L_layer_model":
            start = CASES["L_model_forward"].make(size, dtype)[1]
            found = bp.L_layer_model(*given, parameters=map_arrays(LAYOUTS[layout], start))
            expected = reference.L_layer_model(*plain, parameters=start)
            bound = {key: np.finfo(dtype).eps * 1e3 * np.abs(value).max(initial=1) for key, value in expected.items()}
        else:
            found, expected, bound = getattr(bp, name)(*given), getattr(reference, name)(*plain), case.bound(*plain)
        if name == "update_parameters":
            given = given[1:]  # the dict of parameters is rebound
            before = before[1:]
        assert_within_bound(found, expected, bound)
        assert_same_bits(map_arrays(np.copy, given), before)


def test_one_packed_record():
    """Arrays of one record: contiguous for NumPy, though their first stride is 25 or 49 bytes."""
    record = np.zeros(1, [("id", "u1"), ("W", "f8", (3,)), ("dW", "f8", (3,))])
    record["W"], record["dW"] = [[1, 2, 3]], [[10, 20, 30]]
    assert record["W"].flags.c_contiguous and record["W"].strides[0] % 8
    parameters = {"W1": record["W"], "b1": np.ones((1, 1))}
    updated = bp.update_parameters(parameters, {"dW1": record["dW"], "db1": np.ones((1, 1))}, 0.5)
    np.testing.assert_array_equal(updated["W1"], [[-4, -8, -12]])
    np.testing.assert_array_equal(bp.relu(record["W"])[0], [[1, 2, 3]])
