"""The overview of the kernels names the files that there are."""

import re
from pathlib import Path

from fastbackprop import kernels


def test_the_overview_names_each_file_and_no_other():
    files = {path.name for path in Path(kernels.__path__[0]).glob("*.py")} - {"__init__.py"}
    overview, _, _ = kernels.__doc__.partition("Proof, in tests/")
    assert set(re.findall(r"\w+\.py\b", overview)) == files
