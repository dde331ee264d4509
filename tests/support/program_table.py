"""The programs of tests/programs: how each one is run, its results, and what becomes of each of its functions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fastbackprop.testing import CASES

FOLDER = Path(__file__).parents[1] / "programs"
REPLACED, ADAPTED, TAKEN_OVER, LEFT = "replaced", "adapted", "taken over", "left"
START, MODEL = "initialize_parameters_deep", "L_layer_model"
STEPS = tuple(name for name in CASES if name not in (START, MODEL))


@dataclass(frozen=True)
class Program:
    """A program of somebody who wrote the functions down.

    ``main`` is its file; all that lies in its folder belongs to it, unless that is the folder of all programs. ``results`` are
    global names that hold what it found out. ``expected`` says of each function that has one of the names, or that trains,
    what `fastbackprop.patch` makes of it. ``replaced`` holds (file, old, new): changes of its text. ``fault`` is the function
    in which these plant a fault. ``falls`` says that its cost goes down.
    """

    name: str
    main: str
    results: tuple[str, ...]
    expected: dict[str, str]
    args: tuple[str, ...] = ()
    needs: str = ""
    exit_code: int | None = None
    replaced: tuple[tuple[str, str, str], ...] = ()
    fault: str = ""
    falls: bool = True

    @property
    def path(self) -> Path:
        return FOLDER / self.main


def _all(**others: str) -> dict[str, str]:
    """All fourteen, of which the steps compute the same in the same form, except the others."""
    return dict.fromkeys(STEPS, REPLACED) | {START: LEFT, MODEL: TAKEN_OVER} | others


def _some(*names: str, **others: str) -> dict[str, str]:
    return dict.fromkeys(names, REPLACED) | others


def _left(*names: str) -> Any:
    return dict.fromkeys(names, LEFT)


FORWARD = ("linear_activation_forward", "L_model_forward")
KEPT = "parameters", 'parameters["W1"]'
BACKWARD = ("linear_activation_backward", "L_model_backward")

_V3 = Program(
    "v3_star_import",
    "v3_star_import/application.py",
    ("parameters", "pred_train", "pred_test", "wrong", "layers_dims"),
    _all(predict=LEFT),
)

_2021 = Program(
    "copy_2021",
    "copy_2021.py",
    ("parameters", "costs", "new", "old"),
    _all(compute_cost=ADAPTED, update_parameters=ADAPTED),
)
_HE = Program("he_start", "he_start.py", ("parameters", "costs", "predictions"), _all(predict=LEFT, compute_cost=ADAPTED))
_EVERY = Program(
    "every_iteration",
    "every_iteration.py",
    ("parameters", "costs", "AL"),
    _all(compute_cost=ADAPTED, L_model_backward=ADAPTED, update_parameters=ADAPTED),
)
_DECORATED = Program(
    "decorated",
    "decorated.py",
    ("parameters", "costs", "calls"),
    _all(**_left("linear_forward", *FORWARD, "compute_cost", "update_parameters", MODEL)),
)


def _keeping(program: Program, condition: str, appended: str) -> Program:
    """The program with a list of its parameters on the way: the same dict or array again and again, or new ones each time."""
    replaced = (
        (program.main, "import numpy as np\n", "import numpy as np\nsnapshots = []\n"),
        (program.main, condition, f"        if i % 40 == 0: snapshots.append({appended})\n{condition}"),
    )
    results = *program.results, "snapshots"
    return replace(
        program, name=f"{program.name}_keeps_{'dicts' if appended[-1] == 's' else 'arrays'}", results=results, replaced=replaced
    )


def _faulty(name: str, function: str, reaching: tuple[str, ...], old: str, new: str, *more: tuple[str, str]) -> Program:
    """The program of the v3 generation with a fault in its helper module, and changes in its main file."""
    replaced = ("net_helpers_v3.py", old, new), *(("application.py", *change) for change in more)
    expected = _all(predict=LEFT, **_left(function, *reaching, MODEL))
    return replace(_V3, name=name, expected=expected, replaced=replaced, fault=function)


PROGRAMS = (
    Program(
        "v2_plot_inside",
        "v2_plot_inside.py",
        ("parameters", "predictions_train", "AL", "grads"),
        _all(predict=LEFT, compute_cost=ADAPTED, L_model_backward=ADAPTED),
    ),
    _V3,
    _2021,
    Program(
        "two_layer_cells",
        "two_layer_cells.py",
        ("parameters", "slow", "predictions"),
        {name: REPLACED for name in STEPS if not name.startswith("L_")}
        | {"compute_cost": ADAPTED, "initialize_parameters": LEFT, "two_layer_model": TAKEN_OVER},
    ),
    Program(
        "helper_module",
        "helper_module/train.py",
        ("parameters", "costs", "results", "accuracy"),
        _all(predict=LEFT, compute_cost=ADAPTED),
    ),
    Program(
        "command_line",
        "command_line.py",
        ("RESULTS",),
        _all(compute_cost=ADAPTED),
        args=("--iterations", "301", "--rate", "0.9", "--hidden", "6", "--seed", "3"),
        exit_code=0,
    ),
    Program(
        "command_line_fails",
        "command_line.py",
        ("RESULTS",),
        _all(compute_cost=ADAPTED),
        args=("--goal", "1.1"),
        exit_code=3,
    ),
    Program(
        "dataframe",
        "dataframe.py",
        ("parameters", "costs", "guess"),
        _all(predict=LEFT, compute_cost=ADAPTED),
        needs="pandas",
    ),
    Program(
        "own_prints",
        "own_prints.py",
        ("first", "second", "COSTS", "costs", "p"),
        _all(sigmoid=ADAPTED, relu=ADAPTED, compute_cost=ADAPTED, update_parameters=ADAPTED),
    ),
    Program("logistic", "logistic.py", ("parameters", "costs", "probability"), _all(update_parameters=ADAPTED)),
    _HE,
    _EVERY,
    Program(
        "linear_output",
        "linear_output.py",
        ("parameters", "prices"),
        _some("relu", "relu_backward", "linear_forward", "linear_backward", "update_parameters")
        | _left(*FORWARD, *BACKWARD, "compute_cost", START, "predict")
        | {MODEL: TAKEN_OVER},
    ),
    Program(
        "tanh_hidden",
        "tanh_hidden.py",
        ("parameters", "costs", "p"),
        _some("sigmoid", "sigmoid_backward", "linear_forward", "linear_backward", "compute_cost", "update_parameters")
        | _left(*FORWARD, *BACKWARD, START)
        | {MODEL: TAKEN_OVER},
    ),
    Program(
        "planar_tanh",
        "planar_tanh.py",
        ("parameters", "costs", "predictions"),
        {"compute_cost": ADAPTED} | _left("initialize_parameters", "update_parameters", "predict") | {"nn_model": TAKEN_OVER},
    ),
    Program(
        "softmax",
        "softmax.py",
        ("parameters", "costs", "guess"),
        _some("relu", "relu_backward", "linear_forward", "linear_backward", "update_parameters")
        | _left(*FORWARD, *BACKWARD, "compute_cost", START)
        | {MODEL: TAKEN_OVER},
    ),
    Program(
        "l2",
        "l2.py",
        ("parameters", "without", "plain", "regular"),
        _all(linear_backward=ADAPTED, linear_activation_backward=ADAPTED, **_left("L_model_backward", "compute_cost")),
    ),
    Program(
        "optimizers",
        "optimizers.py",
        ("by_gd", "by_momentum", "by_adam", "predictions", "drawn"),
        {"sigmoid": ADAPTED, "relu": ADAPTED, "model": TAKEN_OVER} | _left("compute_cost", "initialize_parameters", "predict"),
    ),
    Program(
        "regularization",
        "regularization.py",
        ("parameters", "with_l2", "with_dropout"),
        dict.fromkeys(("sigmoid", "relu", "compute_cost"), ADAPTED)
        | {"update_parameters": REPLACED, "model": TAKEN_OVER}
        | _left("initialize_parameters"),
    ),
    Program("adam_classes", "adam_classes.py", ("params", "costs", "m", "v", "guess"), {"fit": TAKEN_OVER}),
    Program(
        "momentum_regression",
        "momentum_regression.py",
        ("parameters", "costs", "velocity", "smaller"),
        {"train": TAKEN_OVER} | _left("update_parameters"),
    ),
    Program(
        "decaying_batches",
        "decaying_batches.py",
        ("params", "costs", "accuracies", "lr", "afterwards"),
        {"train": TAKEN_OVER, "relu": ADAPTED, "update_parameters": ADAPTED},
    ),
    Program(
        "class_net",
        "class_net.py",
        ("costs", "weights"),
        {name: REPLACED for name in STEPS if not name.startswith("L_") and name != "update_parameters"},
    ),
    Program(
        "dropout",
        "dropout.py",
        ("parameters", "costs", "plain", "plain_costs"),
        _all(compute_cost=ADAPTED),
    ),
    Program(
        "early_stopping",
        "early_stopping.py",
        ("parameters", "costs", "patient", "history"),
        _all(compute_cost=ADAPTED, **_left(MODEL, "train_with_patience")),
    ),
    _DECORATED,
    replace(_DECORATED, name="decorated_without_wraps", replaced=(("decorated.py", "    @functools.wraps(function)\n", ""),)),
    replace(
        _DECORATED,
        name="decorated_model",
        expected=_all(compute_cost=ADAPTED, **_left(MODEL)),
        replaced=(
            ("decorated.py", "@counted\n", ""),
            ("decorated.py", "@finite\n", ""),
            ("decorated.py", "def L_layer_model", "@counted\ndef L_layer_model"),
        ),
    ),
    Program(
        "odd_callables",
        "odd_callables.py",
        ("parameters", "costs"),
        _all(
            compute_cost=ADAPTED, **_left("sigmoid", "relu", "sigmoid_backward", "linear_backward", *FORWARD, *BACKWARD, MODEL)
        ),
    ),
    Program(
        "unfinished",
        "reads_files/unfinished.py",
        ("parameters", "costs"),
        _all(**_left("relu", "relu_backward", "linear_forward", "compute_cost", *FORWARD, *BACKWARD, MODEL)),
    ),
    replace(
        _faulty(
            "fault_sum_in_db",
            "linear_backward",
            BACKWARD,
            "db = 1./m * np.sum(dZ, axis = 1, keepdims = True)",
            "db = np.sum(dZ, axis = 1, keepdims = True)",
            ("learning_rate = 0.2,", "learning_rate = 0.1,"),
        ),
        falls=False,
    ),
    *(_keeping(_2021, "        if i % 100 == 0 or i == num_iterations:\n", kept) for kept in KEPT),
    *(_keeping(_HE, "        if i % 10 == 0:\n", kept) for kept in KEPT),
    *(
        replace(_keeping(_EVERY, "        if print_cost and i%60 == 0:", kept), expected=_EVERY.expected | {MODEL: LEFT})
        for kept in KEPT  # every iteration runs as it stands: they keep the parameters, and read AL in each
    ),
    replace(
        _EVERY,
        name="every_iteration_with_an_alias",
        replaced=(("every_iteration.py", 'W1_at_start = parameters["W1"].copy()', 'W1_at_start = parameters["W1"]'),),
    ),
    replace(
        _HE,
        name="he_start_decaying_rate",
        expected=_HE.expected | {MODEL: LEFT},
        replaced=(
            (
                "he_start.py",
                "            costs.append(cost)\n",
                "            costs.append(cost)\n            learning_rate *= 0.98\n",
            ),
        ),
    ),
    replace(
        _HE,
        name="he_start_until_it_stands_still",
        expected=_HE.expected | {MODEL: LEFT},
        replaced=(
            (
                "he_start.py",
                "    for i in range(1, num_iterations + 1):\n",
                "    i = 0\n    while i < num_iterations:\n        i += 1\n",
            ),
            (
                "he_start.py",
                "            costs.append(cost)\n",
                "            costs.append(cost)\n            if cost < 0.25 and costs[-2] - costs[-1] < 0.02: break\n",
            ),
        ),
    ),
    _faulty("fault_strict_mask", "relu_backward", BACKWARD, "dZ[Z <= 0] = 0", "dZ[Z < 0] = 0"),
    replace(
        _faulty(
            "fault_wrong_sign",
            "update_parameters",
            (),
            '"W" + str(l+1)] - learning_rate',
            '"W" + str(l+1)] + learning_rate',
            ("num_iterations = 300", "num_iterations = 120"),
        ),
        falls=False,
    ),
)
