"""The disk cache: it never serves old, foreign or damaged code, and any fault of it costs a compile, no more."""

import os
import re
import shutil
import time
from pathlib import Path

import numba
import pytest

from fastbackprop.kernels import disk_cache

from .support.copies import KERNEL, REPORT, REPORTED, Copy, files


@pytest.fixture
def copy(tmp_path):
    return Copy(tmp_path)


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A copy in which one process has called the kernel, and what that process reported."""
    original = Copy(tmp_path_factory.mktemp("first"))
    return original, original.run(REPORT)


@pytest.fixture
def used(first, tmp_path):
    """A copy in which a process has compiled the kernel: its disk cache has the code, whatever changes from here on."""
    original, report = first
    assert (report["compiled"], report["loaded"], report["reported"]) == (1, 0, 1)
    return Copy(tmp_path, of=original)


@pytest.fixture
def MR(first):
    """The tile that the kernel in `used` was compiled with."""
    return first[1]["MR"]


# ------------------------------------------------------------------------------------------------------- the disk cache


def test_a_second_process_compiles_nothing(used, MR):
    second = used.run(REPORT)
    assert (second["compiled"], second["loaded"]) == (0, 1)
    assert not second["readied"]  # all that Numba reads before it compiles, and SciPy with it, takes longer than to load
    assert (second["MR"], second["reported"]) == (MR, 1)
    assert {path.suffix for path in files(used.cache)} == {".code"}


def test_an_edited_callee_in_another_file_runs(used):
    used.append("activations.py", REPORTED.format(2))
    assert used.run(REPORT)["reported"] == 2


def test_a_changed_tile_is_the_one_that_runs(used, MR):
    used.append("blocking.py", f"MR = {int(MR) + 1}\n")
    assert used.run(REPORT)["MR"] == MR + 1


def test_tiles_of_another_processor_are_not_mixed_up(used, MR):
    """The same sources, and the same disk cache in a home that two machines share."""
    change = "from fastbackprop.kernels import blocking\nblocking.MR = 99\n"
    assert used.run(REPORT, change)["MR"] == 99
    again = used.run(REPORT)
    assert (again["MR"], again["compiled"]) == (MR, 0)


def test_another_version_over_it_runs_its_own_code(used):
    """Files of the same names, sizes and times, in the same place, and the disk cache of the old ones still there."""
    for path in sorted(used.kernels.glob("*.py")):
        text, stamp = path.read_text(), path.stat()
        path.unlink()
        path.write_text(text.replace(REPORTED.format(1), REPORTED.format(3)))
        os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
        assert path.stat().st_size == stamp.st_size
    assert used.run(REPORT)["reported"] == 3


FOLDER = """
import json, sys
from fastbackprop.kernels import disk_cache, jit
json.dump(str(jit.cache_folder()), sys.stdout)
"""


def test_settings_of_numba_have_folders_of_their_own(copy):
    """Those that change machine code; the number of threads doesn't."""
    usual = copy.run(FOLDER)
    assert Path(usual).parent == copy.cache
    assert copy.run(FOLDER, NUMBA_NUM_THREADS="1") == usual
    assert copy.run(FOLDER, NUMBA_OPT="1") != usual


def test_a_folder_belongs_to_what_the_code_depends_on(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    disk_cache.folder.cache_clear()
    try:
        folders = [disk_cache.folder(options) for options in ("some options", "others", "some options")]
    finally:
        disk_cache.folder.cache_clear()
    assert folders[0] == folders[2] != folders[1]
    assert {folder.parent for folder in folders if folder} == {tmp_path}
    assert all(folder and re.fullmatch("fastbackprop-[0-9a-f]{16}", folder.name) and folder.is_dir() for folder in folders)


LISTEN = """
import logging
messages = []
handler = logging.Handler()
handler.emit = lambda record: (  # where compiling takes over a second, that is said too
    "compiles its kernels" in record.getMessage() or messages.append((record.name, record.levelname, record.getMessage()))
)
logging.getLogger().addHandler(handler)
logging.getLogger().setLevel(logging.INFO)
"""
REPORT_AND_LOG = REPORT.replace("json.dump({", 'json.dump({"messages": messages, ')


def test_without_a_writable_folder_each_process_compiles_and_says_so_once(copy, tmp_path):
    occupied = tmp_path / "a file"
    occupied.touch()
    for _ in range(2):
        result = copy.run(REPORT_AND_LOG, LISTEN, NUMBA_CACHE_DIR=str(occupied / "cache"))
        assert result["reported"] == 1
        ((name, level, message),) = result["messages"]
        assert (name, level) == ("fastbackprop", "INFO")
        assert str(occupied) in message
    assert occupied.read_bytes() == b""


def test_it_lies_in_the_users_cache_and_never_in_the_package(copy, tmp_path):
    """A package that is uninstalled leaves no folder that Python still imports."""
    home, package = tmp_path / "home", files(copy.site)
    settings = {"NUMBA_CACHE_DIR": "", "LOCALAPPDATA": "", "XDG_CACHE_HOME": str(home)}
    assert copy.run(REPORT_AND_LOG, LISTEN, **settings)["compiled"] == 1
    assert {path.suffix for path in files(home)} == {".code"}
    result = copy.run(REPORT_AND_LOG, LISTEN, **settings)
    assert (result["loaded"], result["messages"]) == (1, [])
    assert files(copy.site) == package


def test_a_user_without_a_home_gets_no_folder_of_that_name(copy):
    """Neither HOME nor an entry among the users."""
    without_home = """
import os
try:
    import pwd
    def getpwuid(uid): raise KeyError(uid)
    pwd.getpwuid = getpwuid
except ImportError:
    pass
for name in ("HOME", "USERPROFILE", "HOMEPATH", "XDG_CACHE_HOME", "LOCALAPPDATA"):
    os.environ.pop(name, None)
"""
    result = copy.run(REPORT_AND_LOG, without_home + LISTEN, NUMBA_CACHE_DIR="")
    assert (result["reported"], result["compiled"]) == (1, 1)
    ((_, _, message),) = result["messages"]
    assert "no home folder" in message
    assert not (copy.site / "~").exists()


def test_from_a_zip_file_the_sources_are_looked_at_too(used):
    """The same sources find the same code, others don't."""
    zipped = Path(shutil.make_archive(str(used.site), "zip", used.site))
    settings = {"PYTHONPATH": str(zipped)}
    where = used.cache.parent
    assert used.run(REPORT, where=where, **settings)["loaded"] == 1
    used.append("activations.py", REPORTED.format(2))
    zipped.unlink()
    shutil.make_archive(str(used.site), "zip", used.site)
    result = used.run(REPORT, where=where, **settings)
    assert (result["reported"], result["compiled"]) == (2, 1)


def _flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def _foreign(path):
    """The whole file of another function."""
    (other,) = path.parent.glob("*.report-*.code")
    shutil.copyfile(other, path)


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"x"),
    "one bit of the machine code": lambda path: _flip(path, path.stat().st_size // 2),
    "one bit of the mark": lambda path: _flip(path, 3),
    "text": lambda path: path.write_text("no machine code"),
    "of another function": _foreign,
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


EACH = """
import json, sys
import numpy as np
from fastbackprop.kernels import disk_cache, jit, probe

found = {}
for name, kernel in vars(probe).items():
    if isinstance(kernel, jit.Entry):
        disk_cache.said.clear()  # what is said is said once a process
        messages.clear()
        x = np.zeros((1, 2))
        kernel["d"](x)
        (stats,) = (dispatcher.stats for dispatcher in kernel.dispatchers.values())
        found[name] = x[0].tolist(), stats.cache_misses.total(), stats.cache_hits.total(), list(messages)
json.dump(found, sys.stdout)
"""


def test_what_is_damaged_is_compiled_again_and_replaced(copy):
    """One kernel for each damage."""
    kernels = {f"report_{i}": damage for i, damage in enumerate(DAMAGES)}
    copy.append("probe.py", "".join(map(KERNEL.format, kernels)))
    first = copy.run(EACH, LISTEN)
    paths = {name: next(path for path in files(copy.cache) if f".{name}-float64-" in path.name) for name in kernels}
    for name, damage in kernels.items():
        DAMAGES[damage](paths[name])
    after, last = copy.run(EACH, LISTEN), copy.run(EACH, LISTEN)
    assert first.keys() == {"report", *kernels}
    assert {tuple(compiled) for _, *compiled, _ in first.values()} == {(1, 0)}
    values = first["report"][0]
    assert after["report"] == last["report"] == [values, 0, 1, []]
    for name, damage in kernels.items():
        *found, messages = after[name]
        assert found == [values, 1, 0], damage
        assert messages[0][:2] == ["fastbackprop", "INFO"], damage
        assert str(paths[name]) in messages[0][2], damage
        if damage == "a folder":  # a foreign file: it stays
            assert paths[name].is_dir()
        else:
            assert len(messages) == 1, damage
            assert last[name] == [values, 0, 1, []], damage


FAULTS = {
    "a full disk": """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
""",
    "a folder that vanished, with a file in its place": """
import shutil
from fastbackprop.kernels import disk_cache, jit
folder = jit.cache_folder()
shutil.rmtree(folder)
folder.touch()
""",
    "a folder that became unwritable": """
import os, tempfile
def refused(*arguments, **options): raise PermissionError(13, "Permission denied")
tempfile.mkstemp = refused
""",
}


@pytest.mark.skipif(os.name != "posix", reason="the limits are those of POSIX")
@pytest.mark.parametrize("fault", FAULTS)
def test_where_nothing_can_be_kept_each_process_compiles_and_says_so_once(copy, fault):
    both = REPORT_AND_LOG.replace('report["d"](x)', 'report["d"](x); report["f"](x.astype("f"))')
    result = copy.run(both, LISTEN + FAULTS[fault])
    assert (result["reported"], result["compiled"]) == (1, 2)
    ((name, level, message),) = result["messages"]
    assert (name, level) == ("fastbackprop", "INFO")
    assert "later processes compile again" in message
    assert [path for path in files(copy.cache) if path.suffix in (".code", ".tmp")] == []


def test_a_folder_that_vanished_is_made_again(copy):
    before = """
import shutil
from fastbackprop.kernels import disk_cache, jit
shutil.rmtree(jit.cache_folder())
"""
    result = copy.run(REPORT_AND_LOG, LISTEN + before)
    assert (result["reported"], result["messages"]) == (1, [])
    assert copy.run(REPORT)["loaded"] == 1


def test_folders_that_no_process_used_for_a_month_go(used):
    month, now = 31 * 24 * 3600, time.time()
    old, recent, other = (
        used.cache / name for name in ("fastbackprop-" + "0" * 16, "fastbackprop-" + "1" * 16, "fastbackprop-mine")
    )
    (ours,) = used.cache.iterdir()
    for folder, seconds in ((old, month), (recent, month - 2 * 24 * 3600), (other, month), (ours, month)):
        folder.mkdir(exist_ok=True)
        (folder / "file").touch()
        os.utime(folder, (now - seconds, now - seconds))
    assert used.run(REPORT)["loaded"] == 1  # it stamps its own
    assert not old.exists()
    assert recent.exists() and other.exists() and ours.exists()


def test_the_users_own_cache_setting_is_left_as_it_was(copy):
    """It is the parent of our folder, and the user's functions go where they would have gone."""
    (copy.site / "own.py").write_text(
        "import numba\n\n@numba.njit(cache=True)\ndef double(x):\n    return 2 * x\n",
    )
    use = """
import os
from own import double
assert numba.config.CACHE_DIR == os.environ["NUMBA_CACHE_DIR"]
assert double(3) == 6
assert numba.config.CACHE_DIR == os.environ["NUMBA_CACHE_DIR"]
"""
    copy.run(REPORT + use)
    (ours,) = (path for path in copy.cache.iterdir() if path.name.startswith("fastbackprop-"))
    (own,) = (path for path in files(copy.cache) if path.suffix == ".nbi")
    assert [path.suffix for path in files(ours)] == [".code"]
    assert ours not in own.parents


def test_threads_that_look_a_kernel_up_at_once_compile_it_once(copy):
    lookups = """
import threading
barrier = threading.Barrier(6)
def look_up():
    barrier.wait()
    report["f"](np.zeros((1, 2), "f"))
threads = [threading.Thread(target=look_up) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
x = np.zeros((1, 2))
"""
    result = copy.run(REPORT.replace("x = np.zeros((1, 2))\n", lookups))
    assert (result["reported"], result["compiled"]) == (1, 2)  # one a dtype
