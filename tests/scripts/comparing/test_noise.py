"""The verdict on the machine: which intervals are too wide."""

import pytest

pytest.importorskip("threadpoolctl")
from scripts.comparing.noise import ratios, unsteady, verdict


def net(low, high):
    sides = {"fastbackprop": {"ratio": [1.0, 1.0, 1.0]}, "JAX jit": {"ratio": [2.0, low, high]}}
    return {"net": "table", "threads": 2, "sides": sides}


PRODUCTS = {
    "net": "products",
    "threads": 1,
    "products": [
        {"n": 32, "dtype": "float32", "sides": {"fastbackprop": {"ratio": [1, 1, 1]}, "MKL": {"ratio": [3, 2.9, 3.1]}}}
    ],
}


def test_ratios_are_named():
    assert dict(ratios([net(1.9, 2.1), PRODUCTS])) == {
        "table: JAX jit, 2 threads": [2.0, 1.9, 2.1],
        "32^3 float32: MKL, 1 threads": [3, 2.9, 3.1],
    }


@pytest.mark.parametrize(
    ("low", "high", "wide"), [(2.0, 2.0, 0), (2.0, 2.29, 0), (2.0, 2.31, 1), (0.0, 0.0, 0), (1.0, float("nan"), 1)]
)
def test_an_interval_of_more_than_15_percent_is_unsteady(low, high, wide):
    assert len(unsteady([("a", (low, low, high))])) == wide


def test_the_verdict_says_which():
    assert verdict([net(1.95, 2.05), PRODUCTS]).startswith("quiet enough: the interval of each of 2 ratios")
    said = verdict([net(1.7, 2.3), PRODUCTS])
    assert "too noisy: 1 of 2 ratios" in said and said.endswith("table: JAX jit, 2 threads")


def test_the_verdict_names_a_few():
    said = verdict([net(1.7, 2.3)] * 7)
    assert "7 of 7 ratios" in said and said.count("JAX jit") == 5 and said.endswith("; and 2 more")
