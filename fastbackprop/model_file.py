"""Model files: what ``train`` writes and ``predict`` reads.

A file is an ``.npz`` of ``W1, b1, ..., WL, bL``, of ``shift`` and ``divisor`` where the scaling was fitted, and of ``about``, a
JSON text: format, layers and what they compute, scaling, classes, names and the training's options. It is written whole or not
at all, and nothing in it is unpickled, unpacked or allocated for that does not fit.
"""

from __future__ import annotations

import json
import math
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastbackprop.activations import HIDDEN, OUTPUT, OUTPUTS, Hidden, Output
from fastbackprop.archive import Unfit, only, read_about, read_member
from fastbackprop.arguments import layer_keys
from fastbackprop.bad_input import BadInput, input_file
from fastbackprop.data.classes import Classes
from fastbackprop.data.scaling import FITTED, KINDS, Scaling
from fastbackprop.prediction import Net
from fastbackprop.whole_file import replacing

FORMAT = "fastbackprop model 2"
OLDER = "fastbackprop model 1"  # hidden relu, output sigmoid
NAMES_BYTES = 2**18  # of the features' names; longer ones are not kept
_FLOAT = np.dtype(float)


@dataclass(frozen=True)
class Model:
    """A trained network with all that a prediction needs.

    Parameters
    ----------
    layers : list of int
        ``n_0, ..., n_L``.
    parameters : dict
        ``W1, b1, ..., WL, bL`` of float64.
    scaling : Scaling
    classes : Classes, optional
        Two for one sigmoid unit, one a unit for softmax; other outputs have none.
    label : str, optional
        The label's name or number in the data.
    names : list of str, optional
        The features' names.
    training : dict
        How it was trained, for people to read; JSON values.
    hidden : Hidden
    output : Output
    """

    layers: list[int]
    parameters: dict[str, NDArray[np.float64]]
    scaling: Scaling
    classes: Classes | None
    label: str | None = None
    names: list[str] | None = None
    training: dict[str, Any] = field(default_factory=dict)
    hidden: Hidden = HIDDEN["relu"]
    output: Output = OUTPUT

    @property
    def net(self) -> Net:
        """What computes its outputs."""
        return Net(self.hidden, self.output)


def save_model(path: Path, model: Model) -> None:
    """Write the model, or leave the file as it is and raise."""
    names = model.names
    if names is not None and len(json.dumps(names)) > NAMES_BYTES:
        names = None
    about = {
        "format": FORMAT,
        "layers": model.layers,
        "hidden": model.hidden.name,
        "slope": model.hidden.slope,
        "output": model.output.name,
        "scaling": model.scaling.kind,
        "classes": model.classes and list(model.classes.values),
        "label": model.label,
        "names": names,
        "training": model.training,
    }
    fitted = {"shift": model.scaling.shift, "divisor": model.scaling.divisor} if model.scaling.kind in FITTED else {}
    arrays: dict[str, Any] = {key: np.ascontiguousarray(array, _FLOAT) for key, array in (model.parameters | fitted).items()}
    with replacing(path) as file:
        np.savez(file, about=json.dumps(about), **arrays)


def load_model(path: str) -> Model:
    """The model of a file.

    Raises
    ------
    BadInput
        The file is missing, damaged, of another version, or no model.
    """
    file = input_file(path)
    try:
        with zipfile.ZipFile(file) as members:
            return _model(members)
    except Exception as error:  # of any kind: NumPy, zipfile and json each raise their own
        reason = str(error) if isinstance(error, Unfit) else f"{type(error).__name__}: {error}"
        raise BadInput(f"{path} is no model of this version of fastbackprop, or is damaged ({reason})") from None


def is_model(path: Path) -> bool:
    """Whether a file is a model of any version, as far as its text says."""
    try:
        with zipfile.ZipFile(path) as members:
            return str(read_about(members)["format"]).startswith(FORMAT.rstrip("0123456789"))
    except Exception:  # likewise
        return False


def _model(members: zipfile.ZipFile) -> Model:
    about = read_about(members)
    if not isinstance(about, dict) or about.get("format") not in (FORMAT, OLDER):
        raise Unfit(f"its format is not {FORMAT!r}")
    if about["format"] == OLDER:
        about |= {"hidden": "relu", "slope": 0.0, "output": "sigmoid"}
    layers, kind, names = about["layers"], about["scaling"], about["names"]
    if not _are(layers, int) or len(layers) < 2 or min(layers) < 1:
        raise Unfit("its layers are no sizes")
    hidden, output = _layers_compute(about)
    if kind not in KINDS:
        raise Unfit("its scaling is unknown")
    if names is not None and not (_are(names, str) and len(names) == layers[0]):
        raise Unfit("its names do not fit its inputs")
    if not isinstance(about["label"], (str, type(None))) or not isinstance(about["training"], dict):
        raise Unfit("its text does not fit")
    shapes: dict[str, tuple[int, int]] = {}
    for (W, b), n_prev, n in zip(layer_keys(len(layers) - 1), layers, layers[1:], strict=False):
        shapes |= {W: (n, n_prev), b: (n, 1)}
    fitted = {"shift": (layers[0], 1), "divisor": (layers[0], 1)} if kind in FITTED else {}
    only(members, {"about", *shapes, *fitted})
    arrays = {name: read_member(members, name, shape, _FLOAT) for name, shape in (shapes | fitted).items()}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise Unfit(f"{name} holds what is no finite number")
    parameters = {name: arrays[name] for name in shapes}
    scaling = Scaling(kind, arrays.get("shift"), arrays.get("divisor"))
    if scaling.divisor is not None and not scaling.divisor.all():
        raise Unfit("divisor holds a 0")
    classes = _classes(about["classes"], output, layers[-1])
    return Model(layers, parameters, scaling, classes, about["label"], names, about["training"], hidden, output)


def _layers_compute(about: dict[str, Any]) -> tuple[Hidden, Output]:
    """The hidden activation and the output."""
    hidden, slope, output = about["hidden"], about["slope"], about["output"]
    if not isinstance(hidden, str) or hidden not in HIDDEN or not isinstance(output, str) or output not in OUTPUTS:
        raise Unfit("its activations are unknown")
    row = HIDDEN[hidden]
    if not isinstance(slope, float) or not math.isfinite(slope) or slope < 0 or (slope and not row.slope):
        raise Unfit("its slope does not fit")
    return replace(row, slope=slope), OUTPUTS[output]


def _classes(values: Any, output: Output, n: int) -> Classes | None:
    """The classes of an output with n units."""
    expected = {"softmax": n, "sigmoid": 2 if n == 1 else 0}.get(output.name, 0)
    if not expected:
        if values is not None:
            raise Unfit("its output has no classes")
        return None
    if not isinstance(values, list) or len(values) != expected or len(values) < 2:
        raise Unfit("its classes do not fit its output")
    texts = _are(values, str)
    if not texts and not all(type(value) in (int, float) and math.isfinite(value) for value in values):
        raise Unfit("its classes are neither texts nor numbers")
    if len(set(values)) != len(values):
        raise Unfit("its classes are not different")
    return Classes(tuple(values))


def _are(values: Any, kind: type) -> bool:
    """Whether it is a list of values of this very kind."""
    return isinstance(values, list) and all(type(value) is kind for value in values)
