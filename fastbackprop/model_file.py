"""Model files: what ``train`` writes and ``predict`` reads.

A file is an ``.npz`` of ``W1, b1, ..., WL, bL``, of ``shift`` and ``divisor`` where the scaling was fitted, and of ``about``, a
JSON text: format, layers, scaling, classes, names and the training's options. It is written whole or not at all, and nothing in
it is unpickled, unpacked or allocated for that does not fit.
"""

from __future__ import annotations

import json
import math
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastbackprop.archive import Unfit, only, read_about, read_member
from fastbackprop.arguments import layer_keys
from fastbackprop.bad_input import BadInput, input_file
from fastbackprop.data.classes import Classes
from fastbackprop.data.scaling import FITTED, KINDS, Scaling
from fastbackprop.whole_file import replacing

FORMAT = "fastbackprop model 1"
NAMES_BYTES = 2**18  # of the features' names; longer ones are not kept
_FLOAT = np.dtype(float)


@dataclass(frozen=True)
class Model:
    """A trained network with all that a prediction needs.

    Parameters
    ----------
    layers : list of int
        ``n_0, ..., n_L``, with ``n_L = 1``.
    parameters : dict
        ``W1, b1, ..., WL, bL`` of float64.
    scaling : Scaling
    classes : Classes
    label : str, optional
        The label's name or number in the data.
    names : list of str, optional
        The features' names.
    training : dict
        How it was trained, for people to read; JSON values.
    """

    layers: list[int]
    parameters: dict[str, NDArray[np.float64]]
    scaling: Scaling
    classes: Classes
    label: str | None = None
    names: list[str] | None = None
    training: dict[str, Any] = field(default_factory=dict)


def save_model(path: Path, model: Model) -> None:
    """Write the model, or leave the file as it is and raise."""
    names = model.names
    if names is not None and len(json.dumps(names)) > NAMES_BYTES:
        names = None
    about = {
        "format": FORMAT,
        "layers": model.layers,
        "scaling": model.scaling.kind,
        "classes": [model.classes.zero, model.classes.one],
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
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise Unfit(f"its format is not {FORMAT!r}")
    layers, kind, names = about["layers"], about["scaling"], about["names"]
    if not _are(layers, int) or len(layers) < 2 or min(layers) < 1 or layers[-1] != 1:
        raise Unfit("its layers are no sizes")
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
    return Model(layers, parameters, scaling, _classes(about["classes"]), about["label"], names, about["training"])


def _classes(values: Any) -> Classes:
    if not isinstance(values, list) or len(values) != 2 or values[0] == values[1]:
        raise Unfit("its classes are not two")
    texts = _are(values, str)
    if not texts and not all(type(value) in (int, float) and math.isfinite(value) for value in values):
        raise Unfit("its classes are neither texts nor numbers")
    return Classes(*values)


def _are(values: Any, kind: type) -> bool:
    """Whether it is a list of values of this very kind."""
    return isinstance(values, list) and all(type(value) is kind for value in values)
