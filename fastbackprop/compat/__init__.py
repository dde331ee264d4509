"""Stand-ins for the helper modules that course notebooks import: the same names and behaviour, on this package's kernels.

``from fastbackprop.compat.dnn_app_utils_v3 import *`` replaces ``from dnn_app_utils_v3 import *`` where that file is missing.
"""

__all__ = [
    "dnn_app_utils_v2",
    "dnn_app_utils_v3",
    "dnn_utils",
    "dnn_utils_v2",
    "init_utils",
    "opt_utils",
    "opt_utils_v1a",
    "reg_utils",
]
