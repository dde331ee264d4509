"""The model of an iteration on several ranks, and the tables that it fills."""

import pytest

from fastbackprop.shares import GATHERED_BYTES
from scripts.drawing import pages, ranks
from scripts.spreading import model

NETWORK = model.Network(1e-3, 1e6)


def test_a_sum_takes_a_step_up_to_the_size_at_which_pieces_are_summed():
    most = GATHERED_BYTES // (4 * model.ITEMSIZE)
    assert [model.steps(n, 4) for n in (1, most, most + 1)] == [1, 1, 2]
    assert model.steps(10**6, 1) == 0


def test_messages_one_after_the_other_and_the_bytes_that_a_rank_receives():
    assert model.reduction(100, 1, NETWORK) == 0
    assert model.reduction(100, 4, NETWORK) == pytest.approx(2e-3 + 3 * 800 / 1e6)
    assert model.reduction(10**6, 4, NETWORK) == pytest.approx(2 * 2e-3 + 2 * 0.75 * 8)


def test_an_iteration_is_shared_by_what_computes_at_once_and_pays_each_step():
    assert model.iteration(1.0, 100, 4, 2, NETWORK, 0.5) == pytest.approx(0.5 + 0.5 + model.reduction(100, 4, NETWORK))
    assert model.iteration(1.0, 100, 1, 2, NETWORK, 0.5) == 1.0


def test_latency_and_bandwidth_follow_from_the_sums_of_two_ranks():
    rows = [
        {"kind": "sum", "ranks": p, "numbers": n, "seconds": [p * (1e-3 + 8 * n / 1e6) / 2]}
        for p in (2, 4)
        for n in (10, 1000, 100_000)
    ]
    assert model.of_machine(rows) == pytest.approx(NETWORK)


def test_the_tables_have_a_row_for_each_measurement_and_each_prediction():
    rows = pages.read_all()["ranks"]["rows"]
    assert len(ranks.ranks(rows).rows) == len(ranks.of_kind(rows, "iteration"))
    assert len(ranks.sums(rows).rows) == len(ranks.of_kind(rows, "sum"))
    assert len(ranks.wide(rows).rows) == len(ranks.of_kind(rows, "features")) + 1
    assert len(ranks.many(rows).rows) == sum(map(len, ranks.MANY.values()))
    assert len(ranks.many_features(rows).rows) == len(ranks.FEATURES)
    assert {row[2] for row in ranks.many(rows).rows if "1,000,000,000" in row[0]} != set()
