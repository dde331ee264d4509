"""How many times as long the reference takes: the times of both sides in turns, of everything that is timed."""

from typing import Any

from scripts.measuring.sides import rest
from scripts.measuring.timing import FEWEST, interleave, paired_ratio

from . import bench_activations, bench_batches, bench_layers, bench_network, bench_training
from .table import SAMPLE_SECONDS, both_sides


class _Ratio:
    """Subclasses name a class of timed benchmarks and its method, and have its parameters but the implementation."""

    unit = "reference / fast"
    timed: Any
    method, at_least = "time_call", SAMPLE_SECONDS

    def setup(self, *parameters):
        self.sides = both_sides(self.timed, self.method, parameters)

    def track_ratio(self, *parameters):
        seconds = interleave(self.sides, FEWEST, at_least=self.at_least, rest=rest())
        return paired_ratio(seconds["reference"], seconds["fast"]).median


class Activations(_Ratio):
    timed = bench_activations.Activations
    params, param_names = timed.params[1:], timed.param_names[1:]


class Layers(_Ratio):
    timed = bench_layers.Layers
    params, param_names = timed.params[1:], timed.param_names[1:]


class Transposed(_Ratio):
    timed = bench_layers.Transposed
    params, param_names = timed.params[1:], timed.param_names[1:]


class Network(_Ratio):
    timed = bench_network.Network
    params, param_names = timed.params[1:], timed.param_names[1:]


class Training(_Ratio):
    timed, method, at_least = bench_training.Training, "time_training", 0
    params, param_names = timed.params[1:], timed.param_names[1:]


class DirectTraining(_Ratio):
    timed, method, at_least = bench_training.DirectTraining, "time_training", 0
    params, param_names = timed.params[1:], timed.param_names[1:]


class OwnLoop(_Ratio):
    timed, method = bench_training.OwnLoop, "time_iteration"
    params, param_names = timed.params[1:], timed.param_names[1:]


class Epoch(_Ratio):
    timed, method = bench_batches.Epoch, "time_epoch"
    params, param_names = timed.params[1:], timed.param_names[1:]


class GramRules(_Ratio):
    timed, method, at_least = bench_batches.GramRules, "time_training", 0
    params, param_names = timed.params[1:], timed.param_names[1:]


class Gradient(_Ratio):
    timed, method = bench_batches.Gradient, "time_gradient"
    params, param_names = timed.params[1:], timed.param_names[1:]
