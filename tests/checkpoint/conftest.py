"""A file for a checkpoint, and one that holds a training that has begun."""

import pytest

from ..support.trainings import train


@pytest.fixture
def file(tmp_path):
    return tmp_path / "training.npz"


@pytest.fixture
def begun(file):
    """A file at iteration 130 of a training by direct descent."""
    train(130, checkpoint=file, algorithm="direct")
    return file
