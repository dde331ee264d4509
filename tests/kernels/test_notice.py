"""The line that a waiting process prints: when, where and how often; and that it disturbs neither waiting nor compiling."""

import io
import logging
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from fastbackprop.kernels import jit, notice
from fastbackprop.kernels.jit import entry
from fastbackprop.kernels.kinds import INT, OUT
from fastbackprop.kernels.notice import EACH_TIME, ONCE, QUIET, Notice, say


class Clock:
    """A clock that the test sets."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class Stream(io.StringIO):
    def __init__(self, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


@pytest.fixture
def said(caplog):
    """A function that returns the lines in the log so far."""
    caplog.set_level(logging.INFO, logger="fastbackprop")
    return lambda: [r.getMessage() for r in caplog.records if r.name == "fastbackprop" and r.levelno == logging.INFO]


@pytest.fixture
def stderr(monkeypatch):
    """A function that replaces stderr, by a terminal or something else, and returns it; no setting, no notebook."""
    monkeypatch.delenv(QUIET, raising=False)
    monkeypatch.delitem(sys.modules, "IPython", raising=False)

    def replaced(terminal):
        stream = Stream(terminal)
        monkeypatch.setattr(sys, "stderr", stream)
        return stream

    return replaced


# ------------------------------------------------------------------------------------------------------------------ when


def compile_for(notice, clock, seconds, kept=True, loaded=0.0):
    """Observe a compile before its end, after `loaded` seconds of loading something."""
    with notice:
        clock.now += loaded
        notice.look()
        notice.began(kept)
        clock.now += seconds
        notice.look()


def test_a_second_of_compiling_passes_in_silence_and_more_is_said_once(said):
    clock = Clock()
    notice = Notice(clock)
    compile_for(notice, clock, 1.0)
    assert said() == []
    clock.now += 1000  # of something else
    compile_for(notice, clock, 0.01)
    compile_for(notice, clock, 50)
    assert said() == [ONCE]
    assert notice.compiled == 3


def test_loading_is_not_compiling(said):
    clock = Clock()
    notice = Notice(clock)
    for _ in range(5):
        compile_for(notice, clock, 0.1, loaded=60)
        with notice:
            clock.now += 60
            notice.look()
    assert said() == []


def test_a_compile_that_fails_ends_too(said):
    clock = Clock()
    notice = Notice(clock)
    with pytest.raises(ZeroDivisionError), notice:
        notice.began(kept=True)
        raise ZeroDivisionError
    clock.now += 60
    notice.look()
    assert said() == []


def test_where_there_is_no_disk_cache_it_promises_none(said):
    clock = Clock()
    compile_for(Notice(clock), clock, 2, kept=False)
    assert said() == [EACH_TIME]


# ----------------------------------------------------------------------------------------------------------------- where


def test_on_a_terminal_it_is_written_and_elsewhere_logged_alone(stderr, said):
    for terminal in (True, False):
        stream = stderr(terminal)
        say("a line")
        assert stream.getvalue() == ("a line\n" if terminal else "")
    assert said() == ["a line"] * 2


@pytest.mark.parametrize(("shell", "shown"), [(None, ""), (SimpleNamespace(), ""), (SimpleNamespace(kernel=1), "a line\n")])
def test_in_a_notebook_it_is_written_too(shell, shown, stderr, monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    stream = stderr(terminal=False)
    say("a line")
    assert stream.getvalue() == shown


@pytest.mark.parametrize(("setting", "shown"), [("1", ""), ("yes", ""), ("", "a line\n"), ("0", "a line\n"), (" ", "a line\n")])
def test_the_setting_keeps_it_off_the_terminal_and_in_the_log(setting, shown, stderr, said, monkeypatch):
    stream = stderr(terminal=True)
    monkeypatch.setenv(QUIET, setting)
    say("a line")
    assert stream.getvalue() == shown
    assert said() == ["a line"]


def test_without_a_stderr_that_works_nothing_fails(stderr, monkeypatch, said):
    stderr(terminal=True).close()
    say("a line")
    monkeypatch.setattr(sys, "stderr", None)
    say("a line")
    assert said() == ["a line"] * 2


# ------------------------------------------------------------------------------------------------- a slow compile itself


def _thrice(x, n):
    x[0, 0] = 3 * n


@pytest.fixture
def slow(monkeypatch):
    """A kernel whose compile in each dtype ends when the gate opens, and a notice of this process that has said nothing."""
    if not jit.JIT:
        pytest.skip("nothing is compiled")
    own, gate = Notice(), threading.Lock()

    def missing(cache, signature, target):
        own.began(kept=True)

    def save(cache, signature, compiled):
        with gate:
            pass

    monkeypatch.setattr(jit, "notice", own)
    monkeypatch.setattr(jit.DiskCache, "load_overload", missing)
    monkeypatch.setattr(jit.DiskCache, "save_overload", save)
    monkeypatch.setattr(notice, "SECONDS", 0.3)
    return entry(OUT, INT)(_thrice), gate


def call(kernel, char="d"):
    x = np.zeros((1, 1), char)
    kernel[char](x, 14)
    return x[0, 0]


def wait_for(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_of_many_that_wait_one_says_it_and_a_process_says_it_once(slow, stderr, said):
    kernel, gate = slow
    stream, found = stderr(terminal=True), []
    for char in "df":
        with gate:
            threads = [threading.Thread(target=lambda char=char: found.append(call(kernel, char))) for _ in range(5)]
            for thread in threads:
                thread.start()
            wait_for(said)
            time.sleep(0.2)
        for thread in threads:
            thread.join()
    assert found == [42] * 10
    assert said() == [ONCE]
    assert stream.getvalue() == ONCE + "\n"


def test_a_short_wait_prints_nothing(slow, stderr, said, monkeypatch):
    monkeypatch.setattr(notice, "SECONDS", 3600)
    kernel, _ = slow
    stream = stderr(terminal=True)
    assert call(kernel) == 42
    assert (said(), stream.getvalue()) == ([], "")


class Interrupt(Exception):
    """The exception that a signal handler raises."""


def test_an_interrupt_while_it_is_said_ends_the_wait_and_not_the_compile(slow, said, monkeypatch):
    kernel, gate = slow

    def interrupted(work, *arguments):
        raise Interrupt

    monkeypatch.setattr(notice, "do", interrupted)
    with gate:
        with pytest.raises(Interrupt):
            call(kernel)
        assert "d" not in kernel
        assert not kernel.tasks["d"].done
    assert call(kernel) == 42
    assert jit.notice.compiled == 1


def test_a_stderr_that_fails_does_not_fail_the_call(slow, stderr, said):
    kernel, gate = slow
    stderr(terminal=True).write = lambda text: 1 / 0
    found = []
    thread = threading.Thread(target=lambda: found.append(call(kernel)))
    with gate:
        thread.start()
        wait_for(said)
    thread.join()
    assert found == [42]
