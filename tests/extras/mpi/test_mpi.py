"""Trainings on 1, 2 and 4 ranks beside those of one process, and how they end when a rank does not go on."""

import json
import os
import re
import signal
import time

import numpy as np
import pytest

from fastbackprop.arguments import layer_keys

COMMANDS = (*("rows", "columns", "numbers", "classes", "range", "wide", "pictures", "pictures by examples"),)  # of program.py

# What runs on so many ranks.
PROGRAMS = {1: "same", 2: "same,refused,unbroken,fails,commands", 4: "same"}
RANKS = tuple(PROGRAMS)
# Within 1e-9 of one process; sums of two to four parts differ by roundings alone, about 1e-15 here.
FAR = 1e-12
M_WIDE, N_1 = 40, 5
END_SECONDS = 10.0
ANY = "ANYTHING"  # in the words of an error


@pytest.fixture(scope="module")
def found(ended, tmp_path_factory):
    """What a program found on so many ranks; all of them are run at once, since each rank has to load the package."""
    known = {}

    def run(name, ranks):
        if ranks not in known:
            folder = tmp_path_factory.mktemp(f"ranks{ranks}")
            code, _, err = ended(ranks, PROGRAMS[ranks], folder)
            assert code == 0, err
            known[ranks] = json.loads((folder / "found.json").read_text())
        return known[ranks][name]

    return run


# ------------------------------------------------------------------------------------------------------------ the numbers


@pytest.mark.parametrize("ranks", RANKS)
@pytest.mark.parametrize("training", ["examples", "features", "adam"])
def test_the_numbers_of_one_process_and_the_same_bits_again(found, training, ranks):
    here = found("same", ranks)[training]
    assert here["far"] <= FAR
    assert here["costs far"] <= FAR
    assert here["same again"]
    assert here["same on all ranks"]


@pytest.mark.parametrize("ranks", RANKS[1:])
def test_features_are_reduced_once_in_the_whole_training(found, ranks):
    """G, V and a flag in one buffer; at the end the columns of W1 are gathered. Nothing else is sent."""
    (reduction, size), (gather, _) = found("same", ranks)["features"]["sent"]
    assert (reduction, size) == ("Iallgather", M_WIDE**2 + N_1 * M_WIDE + 1)
    assert gather == "Iallgatherv"


@pytest.mark.parametrize("ranks", RANKS[1:])
def test_examples_are_reduced_once_an_iteration(found, ranks):
    """All gradients, the cost and a flag in one buffer."""
    parameters = 6 * 9 + 9 + 9 * 4 + 4 + 4 + 1
    assert found("same", ranks)["examples"]["sent"] == 24 * [["Iallgather", parameters + 2]]


@pytest.mark.parametrize("ranks", RANKS)
def test_large_buffers_are_summed_in_pieces_in_the_order_of_ranks(found, ranks):
    assert found("same", ranks)["sums"] == {"in order": True, "same on all ranks": True}


@pytest.mark.parametrize("ranks", RANKS)
def test_float32_stays_and_the_start_is_drawn_by_rank_0(found, ranks):
    assert set(found("same", ranks)["float32"]) == {"float32"}
    assert found("same", ranks)["drawn"] <= FAR


@pytest.mark.parametrize("training", ["examples", "features", "adam"])
def test_a_training_that_resumes_has_the_bits_of_one_without_a_break(found, training):
    assert found("unbroken", 2)[training] == [True, True]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_has_the_costs_and_the_model_of_one_process(found, name):
    here = found("commands", 2)[name]
    assert here["codes"] == [0, 0]
    assert here["costs far"] <= FAR
    assert here["far"] <= FAR
    assert max(here["scores"]) <= FAR


def test_a_refused_command_is_one_line_and_exit_code_2(tmp_path, ended):
    np.save(tmp_path / "one.npy", np.ones((1, 4)))
    code, out, err = ended(2, "train", "one.npy", "--layers", "3", module=True, cwd=tmp_path)
    assert (code, out) == (2, "")
    words = "one.npy has 1 examples, fewer than the 2 ranks; expected one or more for each"
    assert err == f"fastbackprop mpi train: rank 0: {words}\n"


# -------------------------------------------------------------------------------------------------- what ends a training


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("nan", "ValueError: rank 1: X_local has 1 values that are not finite"),
        ("labels", "ValueError: rank 1: Y has shape (1, 100); expected (1, 101)"),
        ("rates", "ValueError: rank 1: learning_rate is 0.2, on rank 0 it is 0.1; expected the same on all ranks"),
        ("split", "ValueError: rank 0: split is 'rows'; known ones are 'examples', 'features'"),
        ("features", "ValueError: rank 1: examples is 101, on rank 0 it is 200; expected the same on all ranks"),
        ("key", "KeyError: \"rank 1: parameters lacks 'W1', which layer 1 needs\""),
        ("rule", "TypeError: rank 1: optimizer is 'adam'; expected one of"),
        ("folder", "OSError: rank 0: [Errno 2] no checkpoint can be written"),
        ("other data", f"ValueError: rank 0: checkpoint {ANY} belongs to another training: X was sums 6 x 301 "),
        ("beyond", f"ValueError: rank 0: checkpoint {ANY} is at iteration 2, beyond num_iterations 1"),
        (
            "of one process",
            f"ValueError: rank 0: checkpoint {ANY} was written by L_layer_model; mpi.L_layer_model resumes its own files alone",
        ),
        ("csv", "BadInput: table.csv is of a kind that is read whole; expected a name that ends in .npy, .h5, .hdf5"),
        ("command", "BadInput: rank 0: --split features trains with --l2 0.0 alone"),
        ("overflows", "FloatingPointError: iteration 0 makes parameters that are not finite"),
        ("diverges", "FloatingPointError: iteration 0 makes parameters that are not finite"),
    ],
)
def test_what_is_wrong_on_one_rank_is_raised_on_all(found, call, words):
    raised = found("refused", 2)[call]
    assert len(raised) == 2
    assert all(re.match(re.escape(words).replace(ANY, "[^;]*"), text) for text in raised), raised


def test_a_rank_that_fails_within_a_training_ends_it_on_all(found):
    here = found("fails", 2)
    other = "RuntimeError: rank 1 failed: no room for a block"
    assert here["raised"] == [other, "MemoryError: no room for a block"]
    assert here["calls"] == 2 * [5]


def test_an_exception_that_nobody_catches_ends_the_job_with_its_message(start, tmp_path):
    process = start(2, "raises", tmp_path)
    _, err = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "rank 1: Traceback" in err
    assert "LookupError: a fault of the user's own" in err


def _begun(process, folder):
    """Wait until the training has saved twice; returns the numbers of its processes."""
    file, first = folder / "long.npz", None
    for _ in range(1200):
        assert process.poll() is None, process.communicate()
        if file.exists():
            first = first or file.stat().st_ino
            if file.stat().st_ino != first:
                return [int(path.read_text()) for path in sorted(folder.glob("*.pid"))]
        time.sleep(0.05)
    raise AssertionError("no checkpoint was written")


def _runs(pid):
    """Whether a process still runs; one that has ended may not have been reaped yet."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


needs_proc = pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="processes are looked at in /proc")


@pytest.fixture(scope="module")
def killed(start, tmp_path_factory):
    """A training on 4 ranks of which one was killed: its folder, exit code, seconds until all had ended, and who had not."""
    folder = tmp_path_factory.mktemp("killed")
    process = start(4, "long", folder)
    pids = _begun(process, folder)
    os.kill(pids[2], signal.SIGKILL)
    begun = time.monotonic()
    process.communicate(timeout=120)
    while any(map(_runs, pids)) and time.monotonic() - begun < END_SECONDS:
        time.sleep(0.05)
    return folder, process.returncode, time.monotonic() - begun, [pid for pid in pids if _runs(pid)]


@needs_proc
def test_a_rank_that_is_killed_ends_the_others(killed):
    _, code, seconds, left = killed
    assert code != 0
    assert seconds < END_SECONDS
    assert left == []


@needs_proc
def test_the_checkpoint_of_four_ranks_resumes_on_two_with_either_split(killed, ended):
    folder = killed[0]
    code, _, err = ended(2, "resumes", folder)
    assert code == 0, err
    here = json.loads((folder / "found.json").read_text())["resumes"]
    assert here["done"] > 0
    assert max(here["examples"], here["features"], here["changed"]) <= FAR
    with np.load(folder / "features.npz") as file:  # which examples went on with
        assert set(file.files) >= {key for pair in layer_keys(3) for key in pair}
    assert not list(folder.glob("*.tmp"))


@needs_proc
def test_ctrl_c_on_one_rank_stops_all_after_the_same_iteration_and_saves(start, tmp_path):
    process = start(2, "long", tmp_path)
    pids = _begun(process, tmp_path)
    os.kill(pids[1], signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode != 0
    with np.load(tmp_path / "long.npz") as file:
        done = json.loads(str(file["about"]))["iteration"]
    assert f"KeyboardInterrupt: after {done} of 100000000 iterations, saved in {tmp_path / 'long.npz'}" in err
    assert not list(tmp_path.glob("*.tmp"))
