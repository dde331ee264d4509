"""The command line: exit codes, one line where there is nothing to examine, and no cost for a mere import."""

import subprocess
import sys
from pathlib import Path

import pytest

from fastbackprop import verify, warmup
from fastbackprop.cli import main

OWN = Path(__file__).parent / "support" / "own.py"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A temporary current directory; modules imported from it are forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return tmp_path


def test_importing_the_package_imports_no_command_line():
    program = (
        "import numpy, numba, sys; before = set(sys.modules); import fastbackprop; new = set(sys.modules) - before; "
        "print([name for name in new if name in ('argparse', 'dis') or name.startswith(('fastbackprop.cli', "
        "'fastbackprop.verify', 'fastbackprop.warmup', 'fastbackprop.testing', 'fastbackprop.examination'))])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert run.stdout.strip() == "[]", run.stderr


def test_verify_runs_the_verification(monkeypatch):
    monkeypatch.setattr(verify, "run_verification", lambda: 1)
    assert main(["verify"]) == 1


@pytest.mark.parametrize("code", [0, 1])
def test_warmup_warms_up(code, monkeypatch):
    monkeypatch.setattr(warmup, "run_warmup", lambda: code)
    assert main(["warmup"]) == code


@pytest.mark.parametrize("arguments", [[], ["verity"], ["verify", "--module"]])
def test_wrong_usage_is_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: fastbackprop" in capsys.readouterr().err


def test_a_right_module_by_path_and_by_name(here, capsys):
    (here / "right_one.py").write_text(OWN.read_text())
    for module in (str(OWN), "right_one", "right_one.py"):
        assert main(["verify", "--module", module]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert sum(line.endswith(" same") for line in lines) == 14
        assert lines[-1] == "none of the 14 functions that were judged differs from the reference"


def test_a_wrong_module_names_the_culprit(here, capsys):
    (here / "helper_of_wrong_one.py").write_text("RATE = 1")
    text = OWN.read_text().replace("axis=1, keepdims=True) / m", "axis=1, keepdims=True)")
    (here / "wrong_one.py").write_text(f"import helper_of_wrong_one\n{text}")
    assert main(["verify", "--module", "wrong_one"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("DIFFERS")] == [lines[-1]]
    assert lines[-1].startswith("DIFFERS: linear_backward: db is a sum over the examples instead of their mean")


NOTHING = {
    "nowhere": "cannot be imported: ModuleNotFoundError",
    "nowhere.py": "there is no file",
    "broken.py": "cannot be imported: SyntaxError",
    "failing": "cannot be imported: ZeroDivisionError: division by zero",
    "leaving": "cannot be imported: SystemExit: 0",
    "empty": "has none of the fourteen functions",
}


@pytest.mark.parametrize("module", NOTHING)
def test_a_module_with_nothing_to_look_at_is_exit_code_2_and_one_line(module, here, capsys):
    (here / "broken.py").write_text("def relu(:")
    (here / "failing.py").write_text("1 / 0")
    (here / "leaving.py").write_text("raise SystemExit(0)")
    (here / "empty.py").write_text("")
    assert main(["verify", "--module", module]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert NOTHING[module] in err


def test_python_m_passes_on_the_exit_code(here):
    for module, code in ((str(OWN), 0), ("nowhere", 2)):
        command = [sys.executable, "-m", "fastbackprop", "verify", "--module", module]
        run = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert run.returncode == code, run.stderr
        assert "Traceback" not in run.stderr
