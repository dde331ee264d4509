"""Right arguments of every function on one small net, and a block that has to be refused."""

import contextlib
from typing import Any

import pytest

import fastbackprop as bp
from fastbackprop.testing import CASES, Size

SIZE = Size((3, 4, 1), 5)
X, PARAMETERS = CASES["L_model_forward"].make(SIZE, "float64", "read-only")
A_PREV, W, B = CASES["linear_forward"].make(SIZE, "float64", "read-only")
DZ, CACHE = CASES["linear_backward"].make(SIZE, "float64", "read-only")
AL, Y, CACHES = CASES["L_model_backward"].make(SIZE, "float64", "read-only")
LAYERS = [3, 4, 1]
GRADS = {f"d{key}": value for key, value in PARAMETERS.items()}
untyped: Any = bp  # called with what its types forbid


@contextlib.contextmanager
def refusing(kind, *fragments):
    """Check that the block raises exactly ``kind``, and that its message holds every one of ``fragments``."""
    with pytest.raises(kind) as caught:
        yield
    message = caught.value.args[0] if isinstance(caught.value, KeyError) else str(caught.value)
    assert type(caught.value) is kind
    for fragment in fragments:
        assert fragment in message, f"{fragment!r} is not in: {message}"
