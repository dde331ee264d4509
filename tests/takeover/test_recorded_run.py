"""The pictures' notebook as a script whose helper module is missing: under ``run`` it prints the costs that others recorded."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np

from ..support.recorded import PICTURES_COSTS

ROOT = Path(__file__).parents[2]
SCRIPT = """
import numpy as np
from dnn_app_utils_v3 import *

train_x_orig, train_y, test_x_orig, test_y, classes = load_data()
train_x = train_x_orig.reshape(train_x_orig.shape[0], -1).T / 255.
test_x = test_x_orig.reshape(test_x_orig.shape[0], -1).T / 255.
layers_dims = [12288, 20, 7, 5, 1]


def L_layer_model(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False):
    np.random.seed(1)
    costs = []
    parameters = initialize_parameters_deep(layers_dims)
    for i in range(0, num_iterations):
        AL, caches = L_model_forward(X, parameters)
        cost = compute_cost(AL, Y)
        grads = L_model_backward(AL, Y, caches)
        parameters = update_parameters(parameters, grads, learning_rate)
        if print_cost and i % 100 == 0:
            print("Cost after iteration %i: %f" % (i, cost))
        if print_cost and i % 100 == 0:
            costs.append(cost)
    return parameters


parameters = L_layer_model(train_x, train_y, layers_dims, num_iterations=2500, print_cost=True)
pred_train = predict(train_x, train_y, parameters)
pred_test = predict(test_x, test_y, parameters)
"""


def test_a_script_without_its_helper_module_prints_the_recorded_costs(pictures, tmp_path):
    (tmp_path / "datasets").symlink_to(pictures.folder, target_is_directory=True)
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    command = [sys.executable, "-m", "fastbackprop", "run", "script.py"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    *lines, on_train, on_test = done.stdout.splitlines()
    found = [re.fullmatch(r"Cost after iteration (\d+): ([\d.]+)", line) for line in lines]
    assert [int(line[1]) for line in found if line] == list(range(0, 2500, 100))
    np.testing.assert_allclose([float(line[2]) for line in found if line], PICTURES_COSTS, rtol=0, atol=6e-7)  # six digits
    assert on_train == "Accuracy: 0.9856459330143539" and on_test == "Accuracy: 0.8"
    assert "dnn_app_utils_v3" in done.stderr
    assert re.search(r"L_layer_model +taken over", done.stderr), done.stderr
