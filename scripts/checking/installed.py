"""Tries the installed package; run with ``python -I`` in an environment that holds it and its dependencies alone."""

import sys
from importlib.metadata import entry_points, version
from pathlib import Path

import numpy as np

import fastbackprop
from fastbackprop import reference

folder = Path(fastbackprop.__file__).parent
if not folder.is_relative_to(sys.prefix):
    sys.exit(f"fastbackprop was imported from {folder}, not from the environment {sys.prefix}")
if version("fastbackprop") != fastbackprop.__version__ or not (folder / "py.typed").is_file():
    sys.exit(f"{folder}: version or py.typed is not what the wheel should hold")
(command,) = entry_points(group="console_scripts", name="fastbackprop")
if not callable(command.load()):
    sys.exit(f"the command fastbackprop is {command.value}, which cannot be called")

np.random.seed(1)
X = np.random.randn(2, 400)
Y = (X[:1] + X[1:] > np.random.randn(1, 400)).astype(float)
start = {"W1": np.random.randn(4, 2), "b1": np.zeros((4, 1)), "W2": np.random.randn(1, 4), "b2": np.zeros((1, 1))}
(ours, costs), (theirs, their_costs) = (
    module.L_layer_model(X, Y, [2, 4, 1], 0.1, 1000, parameters=start, return_costs=True)
    for module in (fastbackprop, reference)
)
np.testing.assert_allclose(costs, their_costs, rtol=1e-9)
for key, value in theirs.items():
    np.testing.assert_allclose(ours[key], value, rtol=1e-9, atol=1e-12)
print(f"fastbackprop {fastbackprop.__version__} in {folder}: cost {costs[0]:.6f} -> {costs[-1]:.6f}, as the reference")
