"""Stand-in for ``reg_utils``: the functions of the notebook about regularization, and those that it defines."""

from fastbackprop import update_parameters
from fastbackprop.compat._costs import compute_cost
from fastbackprop.compat._examples import load_2D_dataset, load_planar_dataset
from fastbackprop.compat._examples import load_cat_dataset as load_dataset
from fastbackprop.compat._plots import plot_decision_boundary
from fastbackprop.compat._regularization import (
    backward_propagation_with_dropout,
    backward_propagation_with_regularization,
    compute_cost_with_regularization,
    forward_propagation_with_dropout,
)
from fastbackprop.compat._seeded_starts import initialize_parameters_of_regularization as initialize_parameters
from fastbackprop.compat._three_layer_models import model_with_regularization as model
from fastbackprop.compat._three_layers import backward_propagation_of_sums as backward_propagation
from fastbackprop.compat._three_layers import forward_propagation, predict, predict_dec, relu, sigmoid

__all__ = [
    "backward_propagation",
    "backward_propagation_with_dropout",
    "backward_propagation_with_regularization",
    "compute_cost",
    "compute_cost_with_regularization",
    "forward_propagation",
    "forward_propagation_with_dropout",
    "initialize_parameters",
    "load_2D_dataset",
    "load_dataset",
    "load_planar_dataset",
    "model",
    "plot_decision_boundary",
    "predict",
    "predict_dec",
    "relu",
    "sigmoid",
    "update_parameters",
]
