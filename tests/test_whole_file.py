"""What killed processes leave of files is removed once it is old, and nothing else is."""

import os
import subprocess
import sys
import time

import pytest

from fastbackprop.whole_file import LEFT_SECONDS, remove_left, replacing, try_folder

NAME = "net.npz"


def left(folder, name):
    """A file as a killed process leaves it, long ago."""
    path = folder / name
    path.write_bytes(b"half")
    age(path)
    return path


def age(path):
    long_ago = time.time() - 2 * LEFT_SECONDS
    os.utime(path, (long_ago, long_ago))


def test_what_is_left_of_a_file_is_removed_when_the_next_one_is_to_be_written(tmp_path):
    path = left(tmp_path, f"{NAME}.0123abcd.tmp")
    try_folder(tmp_path / NAME)
    assert not path.exists()


NAMES = NAME, *(f"{NAME}{end}.tmp" for end in ("", ".0123abcdef", ".0123wxyz")), "a.npz.0123abcd.tmp"


@pytest.mark.parametrize("name", NAMES)
def test_what_has_another_name_stays(tmp_path, name):
    path = left(tmp_path, name)
    try_folder(tmp_path / NAME)
    assert path.exists()


def test_a_name_is_no_pattern(tmp_path):
    path, other = left(tmp_path, "[a].npz.0123abcd.tmp"), left(tmp_path, "a.npz.0123abcd.tmp")
    try_folder(tmp_path / "[a].npz")
    assert not path.exists() and other.exists()


def test_what_was_written_to_lately_stays(tmp_path):
    path = left(tmp_path, f"{NAME}.0123abcd.tmp")
    os.utime(path)
    try_folder(tmp_path / NAME)
    assert path.exists()


def test_an_interrupt_at_any_instruction_of_the_trial_leaves_nothing(tmp_path):
    interrupted = 0
    while raises_at(interrupted, try_folder, tmp_path / NAME):
        interrupted += 1
        end = time.monotonic() + 10
        while (found := [*tmp_path.iterdir()]) and time.monotonic() < end:
            time.sleep(0.001)  # the thread of the trial is at it
        assert not found, interrupted
    assert interrupted > 10


def raises_at(count, call, *arguments):
    """Call, with an interrupt after so many instructions of this thread; returns whether it came to that many."""
    seen = 0

    def trace(frame, event, argument):
        nonlocal seen
        frame.f_trace_opcodes = True
        if event == "opcode":
            seen += 1
            if seen > count:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call(*arguments)
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def test_what_is_being_written_stays_whatever_its_age(tmp_path):
    with replacing(tmp_path / NAME) as file:
        file.write(b"whole")
        file.flush()
        (path,) = tmp_path.iterdir()
        age(path)
        remove_left(tmp_path, "*")
        assert path.exists()
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert (tmp_path / NAME).read_bytes() == b"whole"


def test_the_lock_of_a_process_ends_with_it(tmp_path):
    code = (
        "import os, pathlib, sys\nfrom fastbackprop.whole_file import replacing\n"
        "with replacing(pathlib.Path(sys.argv[1])) as file:\n    file.write(b'half')\n    file.flush()\n    os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path / NAME)], timeout=60).returncode == 9
    (path,) = tmp_path.iterdir()
    age(path)
    try_folder(tmp_path / NAME)
    assert not path.exists()
