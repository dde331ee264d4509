"""The measurement of a call: the kernels on the other side do the same work."""

import pytest

pytest.importorskip("threadpoolctl")
from fastbackprop.testing import assert_same_bits
from scripts.benching.calls import calls


def test_the_kernels_do_what_the_functions_do():
    for _, sides in calls():
        sides.kernel()
        result = sides.function()
        assert_same_bits(sides.result, result["dA0"] if isinstance(result, dict) else result[0])
