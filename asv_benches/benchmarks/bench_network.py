"""The whole network: initialization, forward, cost, backward, update."""

from .table import Calls, parameters


class Network(Calls):
    params = parameters("network")
    time_call = Calls.call
