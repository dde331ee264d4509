"""Stand-in for ``opt_utils_v1a``: the functions of the newer notebook about optimizers, and those that it defines."""

from fastbackprop.compat._costs import compute_total_cost as compute_cost
from fastbackprop.compat._examples import load_2D_dataset, load_params_and_grads
from fastbackprop.compat._examples import load_moons as load_dataset
from fastbackprop.compat._optimizer_models import model_of_mean as model
from fastbackprop.compat._optimizers import (
    initialize_adam,
    initialize_velocity,
    random_mini_batches,
    update_parameters_with_adam,
    update_parameters_with_gd,
    update_parameters_with_momentum,
)
from fastbackprop.compat._plots import plot_decision_boundary
from fastbackprop.compat._seeded_starts import initialize_parameters_of_optimizers as initialize_parameters
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
    "compute_cost",
    "forward_propagation",
    "initialize_adam",
    "initialize_parameters",
    "initialize_velocity",
    "load_2D_dataset",
    "load_dataset",
    "load_params_and_grads",
    "model",
    "plot_decision_boundary",
    "predict",
    "predict_dec",
    "random_mini_batches",
    "relu",
    "sigmoid",
    "update_parameters_with_adam",
    "update_parameters_with_gd",
    "update_parameters_with_momentum",
]
