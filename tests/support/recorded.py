"""Starts and loops as the authors of recorded numbers wrote them, and the costs of the training that most recorded."""

import numpy as np

import fastbackprop as bp

# mghazel2020/Step-by-Step-ANN-Implementation-From-Scratch--Python, gitihm/Multi-Layer-Neural-Network-Sol,
# pranayaryal/blog, gmortuza/Deep-Learning-Specialization: [12288, 20, 7, 5, 1] on 209 pictures, every hundredth cost.
PICTURES_COSTS = [
    *(0.7717493284237686, 0.6720534400822914, 0.6482632048575212, 0.6115068816101354, 0.5670473268366111),
    *(0.54013766345478, 0.5279299569455267, 0.4654773771766851, 0.3691258524959279, 0.39174697434805344),
    *(0.3151869888600617, 0.2726998441789385, 0.23741853400268137, 0.19960120532208647, 0.18926300388463305),
    *(0.1611885466582775, 0.14821389662363316, 0.13777487812972944, 0.1297401754919012, 0.12122535068005211),
    *(0.1138206066863371, 0.10783928526254133, 0.10285466069352679, 0.10089745445261787, 0.09287821526472397),
]
PICTURES_LAYERS = [12288, 20, 7, 5, 1]
PICTURES_RTOL = 1e-10


def train(X, Y, parameters, learning_rate, num_iterations):
    """A user's own loop over the drop-in functions; the parameters and the cost of every iteration."""
    costs = []
    for _ in range(num_iterations):
        AL, caches = bp.L_model_forward(X, parameters)
        costs.append(float(bp.compute_cost(AL, Y)))
        grads = bp.L_model_backward(AL, Y, caches)
        parameters = bp.update_parameters(parameters, grads, learning_rate)
    return parameters, costs


def start(layers, seed, scale):
    """``W_l ~ randn * scale(n_prev)`` from the legacy generator, ``b_l = 0``."""
    np.random.seed(seed)
    parameters = {}
    for l in range(1, len(layers)):
        parameters[f"W{l}"] = np.random.randn(layers[l], layers[l - 1]) * scale(layers[l - 1])
        parameters[f"b{l}"] = np.zeros((layers[l], 1))
    return parameters


def lecun(n_prev):
    return 1 / np.sqrt(n_prev)


def he(n_prev):
    return np.sqrt(2.0 / n_prev)
