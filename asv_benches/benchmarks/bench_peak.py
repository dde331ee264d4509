"""The part of the peak of the multiply-add units that products and trainings reach, the peak measured in turns with them."""

from functools import partial
from operator import truediv

import fastbackprop
from scripts.benching import matmul, training
from scripts.measuring.nets import LEARNING_RATE, NETS, examples, least, start
from scripts.measuring.peak import L3_BYTES, MultiplyAdds
from scripts.measuring.sides import rest
from scripts.measuring.timing import FEWEST, interleave, median_interval

from .table import DTYPES


class Product:
    """``linear_forward`` of n x n x n."""

    params = (matmul.SIZES, DTYPES)
    param_names = ("n", "dtype")
    unit = "of the peak"

    def track_product(self, n, dtype):
        threads = fastbackprop.get_num_threads()
        return matmul.measure(n, dtype, threads, MultiplyAdds(dtype, threads), FEWEST)["of peak"].median


class Training:
    """Whole trainings in float64, by the operations that they cannot do without."""

    params = (tuple(sorted(NETS, key=lambda name: NETS[name].m * sum(NETS[name].layers_dims))), ("chosen", "direct"))
    param_names = ("net", "algorithm")
    unit = "of the peak"

    def setup(self, name, algorithm):
        net = NETS[name]
        chosen = training.algorithm_of(net)
        if algorithm == chosen:
            raise NotImplementedError("direct descent is what is chosen")
        self.algorithm = chosen if algorithm == "chosen" else algorithm
        iterations = net.iterations if algorithm == "chosen" else net.long_slice
        self.net = net._replace(iterations=iterations)
        X, Y = examples(net)
        train = partial(fastbackprop.L_layer_model, parameters=start(net.layers_dims), algorithm=self.algorithm)
        self.train = partial(train, X, Y, net.layers_dims, LEARNING_RATE, iterations)
        self.train()  # compiles, or loads what was compiled

    def track_training(self, name, algorithm):
        peak = MultiplyAdds("float64", fastbackprop.get_num_threads())
        seconds = interleave({"training": self.train, "peak": peak}, FEWEST, rest=rest())
        part = least(self.net, self.algorithm, L3_BYTES).operations / peak.operations
        return part * median_interval(map(truediv, seconds["peak"], seconds["training"])).median
