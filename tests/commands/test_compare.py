"""``compare``: all sides do the same training, and the differences are real ones."""

import time

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop.commands import compare

QUICK = ("--iterations", "120", "--learning-rate", "0.1")


@pytest.fixture(autouse=True)
def no_rest(monkeypatch):
    monkeypatch.setattr(compare, "REST_SECONDS", 0)


def test_the_sides_end_with_the_same_numbers(command):
    record = command("compare", "table.csv", *QUICK, "--json").json
    assert record["layers"] == [3, 20, 7, 5, 1]
    assert record["iterations"] == 120
    assert list(record["sides"]) == ["reference", "fast"]
    assert record["sides"]["reference"] | {"seconds": 0} == {"seconds": 0, "ratio": 1, "parameters_apart": 0, "costs_apart": 0}
    fast = record["sides"]["fast"]
    assert min(fast["seconds"], fast["ratio"]) > 0
    assert max(fast["parameters_apart"], fast["costs_apart"]) < 1e-9


def test_the_seconds_of_all_sides_are_part_of_those_of_the_command(command):
    begun = time.perf_counter()
    sides = command("compare", "table.csv", *QUICK, "--json").json["sides"].values()
    assert 0 < sum(side["seconds"] for side in sides) <= time.perf_counter() - begun


def test_a_difference_is_found(command, monkeypatch):
    train = bp.L_layer_model

    def wrong(*arguments, **options):
        parameters, costs = train(*arguments, **options)
        return parameters | {"b1": parameters["b1"] + 0.25}, [cost * 1.5 for cost in costs]

    monkeypatch.setattr(bp, "L_layer_model", wrong)
    fast = command("compare", "table.csv", *QUICK, "--json").json["sides"]["fast"]
    assert fast["parameters_apart"] == pytest.approx(0.25, rel=1e-9)
    assert fast["costs_apart"] == pytest.approx(0.5, rel=1e-9)


def test_beside_gram_descent_direct_descent_is_shown(command, here):
    rng = np.random.default_rng(0)
    np.savez(here / "wide.npz", X=rng.standard_normal((30, 400)), Y=np.arange(30) % 2)
    result = command("compare", "wide.npz", "--layers", "4", *QUICK)
    assert result.code == 0
    assert "30 examples, 120 iterations" in result.out
    assert [line.split()[0] for line in result.out.splitlines()[1:]] == ["reference", "fast", "fast,"]
    assert result.out.count("times as fast") == 2


def test_iterations_are_as_many_as_the_reference_does_in_its_time(command, monkeypatch):
    monkeypatch.setattr(compare, "SECONDS", 0)
    assert command("compare", "table.csv", "--json").json["iterations"] == 1
    monkeypatch.setattr(compare, "SECONDS", 1e9)
    monkeypatch.setattr(compare, "MOST_ITERATIONS", 7)
    assert command("compare", "table.csv", "--json").json["iterations"] == 7


def test_bad_data_is_refused(refused):
    refused("compare", "none.csv", words=["none.csv does not exist"])
