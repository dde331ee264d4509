"""Revisions of this repository, installed side by side through asv's environment."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from scripts import ROOT

SUITE = ROOT / "asv_benches"


class CannotCompare(Exception):
    """Revisions or benchmarks that do not allow a comparison; the message is one line."""


class Installed(NamedTuple):
    """One commit's package in a folder of its own, and the interpreter whose NumPy and Numba all commits share."""

    name: str
    folder: Path
    python: str


def git(*arguments: str) -> str:
    process = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True)
    if process.returncode:
        raise CannotCompare(f"git {' '.join(arguments)} failed: {process.stderr.strip()}")
    return process.stdout.strip()


def commit(revision: str) -> str:
    """The commit that a name stands for."""
    try:
        return git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except CannotCompare:
        raise CannotCompare(f"there is no revision {revision!r} in {ROOT}") from None


def install(commits: list[str]) -> list[Installed]:
    """Build and install each commit by asv, in the one environment that its configuration describes.

    asv's environment holds one commit at a time; each is therefore copied out of it, to be there beside the other.
    """
    from asv.config import Config
    from asv.environment import get_environments
    from asv.repo import get_repo
    from asv.util import ProcessError, UserError

    back = os.getcwd()
    os.chdir(SUITE)  # its configuration names folders relative to itself
    try:
        conf = Config.load("asv.conf.json")
        environment = next(iter(get_environments(conf, [])))
        environment.create()
        folders = [SUITE / conf.env_dir / "commits" / sha for sha in commits]
        for sha, folder in zip(commits, folders, strict=True):
            if not folder.is_dir():
                environment.install_project(conf, get_repo(conf), sha)
                package = environment.run(["-c", "import fastbackprop; print(fastbackprop.__path__[0])"], cwd=conf.env_dir)
                unfinished = folder.with_suffix(".unfinished")
                shutil.rmtree(unfinished, ignore_errors=True)
                shutil.copytree(package.strip().splitlines()[-1], unfinished / "fastbackprop")
                unfinished.rename(folder)
        python = environment.find_executable("python")
    except (ProcessError, UserError) as error:
        raise CannotCompare(f"asv cannot install the revisions: {str(error).splitlines()[0]}") from error
    finally:
        os.chdir(back)
    return [Installed(sha[:8], folder, python) for sha, folder in zip(commits, folders, strict=True)]
