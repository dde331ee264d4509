"""Bytes gone wrong in a file of any kind: it is read, or it is bad input; nothing else is raised."""

import random

import numpy as np
import pytest

from fastbackprop.bad_input import BadInput
from fastbackprop.data import Wanted, read_examples
from fastbackprop.data.classes import find_classes

from ..support.tables import LABELS, NAMES, ROWS, csv_text, write


def hdf5(path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        file["X"], file["Y"], file["classes"] = ROWS, LABELS, np.array([b"no", b"yes"])


WRITERS = {
    "d.csv": lambda path: write(path, csv_text(names=[*NAMES, "ill"])),
    "d.npy": lambda path: np.save(path, np.column_stack([ROWS, LABELS])),
    "d.npz": lambda path: np.savez(path, X=ROWS, Y=LABELS),
    "packed.npz": lambda path: np.savez_compressed(path, X=ROWS, Y=LABELS),
    "d.h5": hdf5,
}


@pytest.mark.filterwarnings("ignore")  # NumPy warns of some headers
@pytest.mark.parametrize("name", WRITERS)
def test_a_damaged_file_is_read_or_is_bad_input(name, tmp_path):
    path, chance, refused = tmp_path / name, random.Random(0), 0
    WRITERS[name](path)
    whole = path.read_bytes()
    for _ in range(200):
        damaged = bytearray(whole)
        for _ in range(chance.choice([1, 2, 5])):
            damaged[chance.randrange(len(whole))] = chance.randrange(256)
        path.write_bytes(damaged[: chance.randrange(len(whole))] if chance.random() < 0.2 else damaged)
        try:
            find_classes(read_examples(str(path), Wanted(features=chance.choice([None, 3]), label=None)))
        except BadInput as error:
            assert str(path) in str(error)
            refused += 1
    assert refused
