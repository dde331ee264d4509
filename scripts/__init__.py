"""Programs of the project: the commands are here, the code of each in a folder.

A command makes the environment that it needs (`_environment`) and runs a module of this package, `python -m scripts...`.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]  # of the clone
