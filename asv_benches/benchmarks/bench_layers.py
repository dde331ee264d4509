"""One layer, forward and backward."""

from fastbackprop.testing import CASES

from .table import DTYPES, IMPLEMENTATIONS, Calls, Prepared, parameters


class Layers(Calls):
    params = parameters("layers")
    time_call = Calls.call


class Transposed(Prepared):
    """``linear_forward`` of arrays that lie along their columns, as those do that hold examples or units as rows, transposed.

    Its two units read the examples once, after they were packed: four fifths of its time in float64 go into that, by
    vectors and, as their number is one less than a panel's width, number by number. No other benchmark is mostly packing.
    """

    params = (tuple(IMPLEMENTATIONS), ("few",), DTYPES)
    param_names = ("implementation", "size", "dtype")

    def prepare(self, implementation, size, dtype):
        self.function = IMPLEMENTATIONS[implementation].linear_forward
        self.arguments = CASES["linear_forward"].make(size, dtype, "Fortran")

    def call(self, *parameters):
        self.function(*self.arguments)

    time_call = call
