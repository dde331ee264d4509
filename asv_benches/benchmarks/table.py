"""The table of timed calls: every public function, over the cases of ``fastbackprop.testing``."""

import fastbackprop
from fastbackprop import reference
from fastbackprop.testing import CASES, TIMED

IMPLEMENTATIONS = {"reference": reference, "fast": fastbackprop}
DTYPES = ("float64", "float32")

FAMILIES: dict[str, list[str]] = {}
for name, case in CASES.items():
    FAMILIES.setdefault(case.family, []).append(name)


class Calls:
    """Times calls of a family's functions: subclasses define the parameters and the ``time_`` methods."""

    param_names = ("implementation", "function", "size", "dtype")

    def setup(self, implementation, function, size, dtype):
        name, _, activation = function.partition("/")
        if size not in CASES[name].sizes:
            raise NotImplementedError(f"{name} is not timed at size {size}")
        self.function = getattr(IMPLEMENTATIONS[implementation], name)
        self.arguments = CASES[name].make(size, dtype, activation=activation or None)
        self.call()  # compiles, or loads what was compiled

    def call(self, *parameters):
        self.function(*self.arguments)


def parameters(family):
    """``params`` of a family: implementation x function x size x dtype; a function with an activation counts twice."""
    functions = [
        "/".join((name, activation)).rstrip("/") for name in FAMILIES[family] for activation in CASES[name].activations or ("",)
    ]
    return (tuple(IMPLEMENTATIONS), tuple(functions), TIMED, DTYPES)
