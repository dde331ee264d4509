"""Stand-in for ``dnn_app_utils_v3``: the functions of the newer application notebooks, with gradients ``dA0 .. dA{L-1}``."""

from fastbackprop import (
    L_model_backward,
    L_model_forward,
    compute_cost,
    linear_activation_backward,
    linear_activation_forward,
    linear_backward,
    linear_forward,
    relu,
    relu_backward,
    sigmoid,
    sigmoid_backward,
    update_parameters,
)
from fastbackprop.compat._data import load_data
from fastbackprop.compat._pictures import print_mislabeled_images
from fastbackprop.compat._prediction import predict
from fastbackprop.compat._starts import initialize_parameters, initialize_parameters_deep

__all__ = [
    "L_model_backward",
    "L_model_forward",
    "compute_cost",
    "initialize_parameters",
    "initialize_parameters_deep",
    "linear_activation_backward",
    "linear_activation_forward",
    "linear_backward",
    "linear_forward",
    "load_data",
    "predict",
    "print_mislabeled_images",
    "relu",
    "relu_backward",
    "sigmoid",
    "sigmoid_backward",
    "update_parameters",
]
