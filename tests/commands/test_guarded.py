"""Exit codes, and one line instead of a traceback or a warning's place."""

import argparse
import warnings

import pytest

from fastbackprop.bad_input import BadInput
from fastbackprop.commands import guarded, print_json

ENDS = {
    "bad input": (BadInput("x.csv is\nbad"), 2, "x.csv is bad"),
    "an extra that is missing": (ImportError("needs h5py"), 2, "needs h5py"),
    "a file": (PermissionError(13, "Permission denied", "x.csv"), 2, "x.csv: Permission denied"),
    "a divergence": (FloatingPointError("iteration 3"), 1, "iteration 3"),
    "memory": (MemoryError("8 TiB"), 1, "there is not enough memory: 8 TiB"),
    "Ctrl-C": (KeyboardInterrupt(), 130, "interrupted"),
    "Ctrl-C with a checkpoint": (KeyboardInterrupt("after 3 of 5"), 130, "interrupted after 3 of 5"),
}


@pytest.mark.parametrize("end", ENDS)
def test_ends(end, capsys):
    error, code, line = ENDS[end]

    def work(arguments):
        raise error

    assert guarded("train", work)(argparse.Namespace()) == code
    assert capsys.readouterr() == ("", f"fastbackprop train: {line}\n")


def test_a_fault_of_the_package_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        guarded("train", lambda arguments: 1 / 0)(argparse.Namespace())  # type: ignore[arg-type]


@pytest.mark.filterwarnings("default")
def test_a_warning_is_one_line(capsys):
    assert guarded("train", lambda arguments: warnings.warn("labels\noutside", stacklevel=1))(argparse.Namespace()) == 0
    assert capsys.readouterr().err == "fastbackprop train: warning: labels outside\n"


def test_json_has_no_numbers_that_it_does_not_know(capsys):
    print_json({"costs": [1.5, float("inf")], "deep": {"cost": float("nan")}})
    assert capsys.readouterr().out == '{"costs": [1.5, null], "deep": {"cost": null}}\n'
