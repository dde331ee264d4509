"""Stand-in for ``dnn_app_utils_v2``: the functions of the older application notebooks, with gradients ``dA1 .. dAL``."""

from fastbackprop import (
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
from fastbackprop.compat._gradients import L_model_backward
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
