"""scikit-learn's tests of its MLP, run against the compiled classes; nothing of them stands here."""

from __future__ import annotations

import subprocess
import sys
import tempfile

import sklearn

MODULE = "sklearn.neural_network.tests.test_mlp"


def main(arguments: list[str]) -> int:
    """Run them in a folder of their own, with no settings of this project; returns pytest's exit code."""
    print(f"==> tests of scikit-learn {sklearn.__version__}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "pytest",
            "--pyargs",
            MODULE,
            "-p",
            "scripts.upstream.plugin",
            "-p",
            "no:cacheprovider",
        ]
        command += ["-c", "/dev/null", "--rootdir", folder, "-q", *arguments]
        return subprocess.run(command, cwd=folder).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
