"""How a training grows: the points, and the model beside a measurement."""

import math

import pytest

pytest.importorskip("threadpoolctl")
from scripts.benching import scaling
from scripts.benching.scaling import VARIED, Point, points
from scripts.measuring.nets import least
from scripts.measuring.peak import L3_BYTES
from scripts.measuring.timing import Estimate


def test_each_varied_value_is_a_point_while_the_others_stay():
    found = points()
    assert len(set(found)) == len(found)
    for name, values in VARIED.items():
        assert getattr(Point(), name) in values, "lines that do not meet"
        for value in values:
            assert Point()._replace(**{name: value}) in found


def test_a_call_is_short_but_not_all_overhead():
    for point in points():
        net = point.net
        one = least(net, "direct", L3_BYTES).operations / net.iterations
        assert 1 <= net.iterations <= scaling.MOST_ITERATIONS
        assert net.iterations == 1 or net.iterations * one <= 1.5 * scaling.SECONDS * scaling.OPERATIONS_A_SECOND


class Yardstick:
    """Does nothing; ``amount`` is what it would have done."""

    def __init__(self, amount):
        self.operations = self.bytes = amount

    def __call__(self):
        pass


@pytest.mark.parametrize(("operations", "bytes_", "limit"), [(1e-9, 1e9, "arithmetic"), (1e12, 1e-9, "memory")])
def test_the_model_is_the_slower_of_arithmetic_and_memory(operations, bytes_, limit):
    row = scaling.measure(Point(3, 4, 5), 1, 3, Yardstick(operations), Yardstick(bytes_))  # type: ignore[arg-type]
    assert row["model by"] == limit
    assert (row["n_0"], row["width"], row["m"], row["threads"]) == (3, 4, 5, 1)
    # W1 X and dZ1 X^T; three products of each upper layer.
    assert row["operations"] == 2 * 5 * (2 * 3 * 4 + 3 * 4 * 4 + 3 * 4 * 1)
    rate = row["GFLOP/s"] * 1e9 if limit == "arithmetic" else row["GB/s"] * 1e9
    needed = row["operations"] if limit == "arithmetic" else row["bytes"]
    assert math.isclose(row["model"].median, needed / rate, rel_tol=1e-9)
    assert row["fast"].median > 0 and row["reference"].median > 0


def test_a_printed_line_has_the_point_and_the_times():
    times = {name: Estimate(x, x, x) for name, x in {"reference": 3e-3, "fast": 2e-3, "model": 1e-3, "of model": 0.5}.items()}
    row = Point(8, 64, 4096)._asdict() | {"threads": 2, "model by": "memory"} | times
    expected = "8 64 4096 2 3000.0 2000.0 1000.0 0.50 [0.50, 0.50] by memory"
    assert scaling.line(row).split() == expected.split()
