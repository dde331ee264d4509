"""Element by element: sigmoid, relu and their backward."""

from .table import Calls, parameters


class Activations(Calls):
    params = parameters("activations")
    time_call = Calls.call
