"""Course-style vectorized backprop, JIT-compiled: the same fourteen functions, the same numbers, faster.

Examples are columns: ``X (n_0, m)``, ``W_l (n_l, n_{l-1})``, ``b_l (n_l, 1)``, ``Y (1, m)``. ``fastbackprop.reference``
holds the same functions in NumPy; the functions here return the same results, except where a docstring states a difference.
"""

from typing import TYPE_CHECKING

from fastbackprop.activations import LeakyRelu  # noqa: F401 - not in __all__: a star import brings the fourteen
from fastbackprop.elementwise import relu, relu_backward, sigmoid, sigmoid_backward
from fastbackprop.fitting import train  # noqa: F401 - likewise
from fastbackprop.layers import linear_activation_backward, linear_activation_forward, linear_backward, linear_forward
from fastbackprop.network import (
    L_model_backward,
    L_model_forward,
    compute_cost,
    initialize_parameters_deep,
    predict,  # noqa: F401 - not in __all__: a star import must not shadow the user's own
    update_parameters,
)
from fastbackprop.notebook import patch, unpatch  # noqa: F401 - likewise
from fastbackprop.optimizers import Adam, GradientDescent, Momentum, Nesterov  # noqa: F401 - likewise
from fastbackprop.team import get_num_threads, num_threads, set_num_threads  # noqa: F401 - likewise
from fastbackprop.training import L_layer_model

if TYPE_CHECKING:
    from fastbackprop.extras.sweep import sweep  # noqa: F401 - likewise

__version__ = "0.1.0"

__all__ = [
    "L_layer_model",
    "L_model_backward",
    "L_model_forward",
    "compute_cost",
    "initialize_parameters_deep",
    "linear_activation_backward",
    "linear_activation_forward",
    "linear_backward",
    "linear_forward",
    "relu",
    "relu_backward",
    "sigmoid",
    "sigmoid_backward",
    "update_parameters",
]


def __getattr__(name: str) -> object:
    """``sweep``, whose module is imported when it is first asked for."""
    if name == "sweep":
        from fastbackprop.extras.sweep import sweep

        return sweep
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(shell: object) -> None:
    """``%load_ext fastbackprop``: the functions of cells, and of modules of the user's own, are judged and replaced."""
    from fastbackprop.takeover import ipython

    ipython.load(shell)


def unload_ipython_extension(shell: object) -> None:
    """``%unload_ext fastbackprop``: the user's own functions stand everywhere again."""
    from fastbackprop.takeover import ipython

    ipython.unload(shell)
