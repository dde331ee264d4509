"""One layer, forward and backward."""

from .table import Calls, parameters


class Layers(Calls):
    params = parameters("layers")
    time_call = Calls.call
