"""The measurement behind the thresholds of methods: what it times are products, and how its rows read."""

import numpy as np
import pytest

from fastbackprop.testing import assert_within_bound, product_bound
from scripts.benching import methods
from scripts.benching.methods import QUESTIONS, calls, report
from scripts.measuring.timing import Estimate


@pytest.mark.parametrize("char", "d")
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: f"{question.name} {' '.join(question.methods)}")
def test_both_methods_make_the_product(question, char):
    for call in calls(question, (19, 70, 37), char).values():
        _, A, B, C, *_ = call.args
        C[:] = np.nan
        call()
        exact = A.astype(np.longdouble) @ B.astype(np.longdouble)
        assert_within_bound(C, exact.astype(float), product_bound(A, B))
        assert (A.strides[1] % 4096 == 0) == bool(question.far_A)
        assert (B.strides[0] % 2048 == 0) == bool(question.far_B)


def row(size, ratio):
    return {"size": size, "kind": "", "dtype": "d", "first": 1, "second": 1, "ratio": Estimate(ratio, ratio, ratio)}


def test_the_last_line_says_from_where_the_second_method_wins():
    question = QUESTIONS[0]
    _, second = question.methods
    assert list(report(question, [row(1, 0.9), row(2, 1.1)]))[-1] == f"{second} wins from 2 on, in every shape"
    assert list(report(question, [row(1, 0.9), row(2, 0.9)]))[-1] == f"{second} does not win in every shape"


def test_the_command_reports_the_names_that_are_asked_for(monkeypatch, capsys):
    monkeypatch.setattr(methods, "measure", lambda question, repeats: iter([row(1, 0.9)]))
    for asked, expected in (([], 6), (["--names", "READ_OFTEN"], 1)):
        monkeypatch.setattr("sys.argv", ["measure", *asked])
        methods.main()
        assert capsys.readouterr().out.count("does not win in every shape") == expected
