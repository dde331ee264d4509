"""Stand-in for ``init_utils``: the functions of the notebook about starts, and those that it defines."""

from fastbackprop import update_parameters
from fastbackprop.compat._costs import compute_cost as compute_loss
from fastbackprop.compat._examples import load_cat_dataset
from fastbackprop.compat._examples import load_circles as load_dataset
from fastbackprop.compat._plots import plot_decision_boundary
from fastbackprop.compat._seeded_starts import (
    initialize_parameters_he,
    initialize_parameters_random,
    initialize_parameters_zeros,
)
from fastbackprop.compat._three_layer_models import model_of_starts as model
from fastbackprop.compat._three_layers import (
    backward_propagation,
    forward_propagation,
    predict,
    predict_dec,
    relu,
    sigmoid,
)

__all__ = [
    "backward_propagation",
    "compute_loss",
    "forward_propagation",
    "initialize_parameters_he",
    "initialize_parameters_random",
    "initialize_parameters_zeros",
    "load_cat_dataset",
    "load_dataset",
    "model",
    "plot_decision_boundary",
    "predict",
    "predict_dec",
    "relu",
    "sigmoid",
    "update_parameters",
]
