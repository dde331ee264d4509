"""The one table of cases, and what counts as the same: shared by tests, benchmarks and ``verify``.

``CASES[name].make(size, dtype, layout)`` makes the positional arguments of the public function ``name``, and
``CASES[name].bound(*args)`` bounds how far two correct implementations may lie apart on them. Sizes have names (``SIZES``),
and so have memory layouts (``LAYOUTS``). Importing this package fails if a public function has no case. It needs NumPy only.
"""

from fastbackprop.testing.bounds import PRODUCT_U, TRAINING_RTOL, product_bound, training_bound, unit_roundoff
from fastbackprop.testing.cases import CASES, Case, require_cases, training_problem
from fastbackprop.testing.drawn import LAYOUTS, SIZES, TIMED, Size
from fastbackprop.testing.trees import (
    assert_same_bits,
    assert_same_form,
    assert_within_bound,
    leaves,
    map_arrays,
    worst_fraction,
)

__all__ = [
    "CASES",
    "LAYOUTS",
    "PRODUCT_U",
    "SIZES",
    "TIMED",
    "TRAINING_RTOL",
    "Case",
    "Size",
    "assert_same_bits",
    "assert_same_form",
    "assert_within_bound",
    "leaves",
    "map_arrays",
    "product_bound",
    "require_cases",
    "training_bound",
    "training_problem",
    "unit_roundoff",
    "worst_fraction",
]
