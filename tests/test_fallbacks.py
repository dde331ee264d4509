"""What answers a call that no kernel takes as it stands."""

import logging

import numpy as np
import pytest

from fastbackprop import reference
from fastbackprop.fallbacks import by_reference, on_copies


def test_a_kernel_is_tried_again_on_copies_in_c_order():
    operands = np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.arange(8.0)[::2]

    def serve(*given):
        *copies, rest = given
        assert all(x.flags.c_contiguous and not np.may_share_memory(x, y) for x, y in zip(copies, operands, strict=True))
        return [x.tolist() for x in copies], rest

    assert on_copies(serve, operands, "rest") == ([x.tolist() for x in operands], "rest")


def test_a_kernel_that_refuses_copies_is_at_fault():
    with pytest.raises(RuntimeError, match="refused operands in C order"):
        on_copies(lambda x: None, (np.zeros(2),))


def test_the_log_records_that_the_reference_answers_and_why(caplog):
    with caplog.at_level(logging.DEBUG, "fastbackprop"):
        assert by_reference("sigmoid", "Z is a 0-d array") is reference.sigmoid
    assert caplog.messages == ["sigmoid: the reference answers, since Z is a 0-d array"]
