"""Commands beside each other: what fails is named and shows what it wrote; Ctrl-C ends all."""

import os
import signal
import subprocess
import sys

import pytest

from scripts import ROOT

PROGRAM = """
import sys
from scripts.checking.beside import beside
print(beside({title: (sys.executable, "-c", program) for title, program in COMMANDS.items()}))
"""
# Both end: each waits for what the other has made.
MEETING = "import os, time\nopen('MINE', 'w').close()\nwhile not os.path.exists('OTHER'): time.sleep(.01)\nprint('WROTE')"


def begin(commands):
    program = PROGRAM.replace("COMMANDS", repr(commands))
    return subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def test_they_run_at_once_and_each_output_is_in_one_piece(tmp_path):
    def meeting(mine, other):
        text = MEETING.replace("MINE", str(tmp_path / mine)).replace("OTHER", str(tmp_path / other))
        return text.replace("WROTE", f"{mine} wrote")

    out, errors = begin({"first": meeting("a", "b"), "second": meeting("b", "a")}).communicate(timeout=60)
    assert (out, errors) == ("==> first; beside it: second\na wrote\n==> second\nb wrote\n[]\n", "")


@pytest.mark.parametrize("failing", ["first", "second"])
def test_one_that_fails_is_named_and_what_it_wrote_is_shown(failing):
    commands = dict.fromkeys(("first", "second"), "print('as it should')")
    commands[failing] = "import sys; print('why', file=sys.stderr); sys.exit(3)"
    out, errors = begin(commands).communicate(timeout=60)
    assert out.endswith(f"['{failing}']\n")
    assert f"==> FAILED with exit code 3: {failing}\n" in out
    assert "why\n" in (errors if failing == "first" else out)  # the first writes as it goes
    assert "as it should\n" in out


@pytest.mark.skipif(os.name != "posix", reason="the signal is sent as a terminal on POSIX would")
def test_ctrl_c_ends_all():
    process = begin({"first": "import time; print('begun', flush=True); time.sleep(300)", "second": "while True: pass"})
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(2)] == ["==> first; beside it: second\n", "begun\n"]
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode not in (0, None)
    assert "KeyboardInterrupt" in errors
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
