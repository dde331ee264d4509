"""How kernels are compiled: `inner` functions to LLVM's IR alone, once for all constants; the rest with all that it reaches.

Numba compiles a function again for each literal number that it is called with (a product 6 times). What else is done to spare
time leans on Numba's internals (`pipeline.py`, `libraries.py`); where these are others, Numba compiles as it does by itself.
"""

import logging
from typing import Any

from numba import types

logger = logging.getLogger("fastbackprop")

INTO_CALLERS: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # without them, twice the time
INTO_CODE: dict[str, Any] = {}
INTO_VECTORS: dict[str, Any] = {}  # of a routine that is emitted as vector code
_dispatchers: list[Any] = []  # of all inner functions


def _found() -> bool:
    """Whether Numba's internals are those that are known; then the options name the compilers that lean on them."""
    try:
        from fastbackprop.kernels import pipeline
    except Exception as error:  # whatever a later Numba has changed
        logger.info("kernels take three times as long to compile, since Numba's internals are others: %r", error)
        return False
    INTO_CALLERS["pipeline_class"], INTO_CODE["pipeline_class"] = pipeline.INTO_IR, pipeline.INTO_CODE
    INTO_VECTORS["pipeline_class"] = pipeline.INTO_VECTORS
    return True


FOUND = _found()


def once_for_all_constants(dispatcher: Any) -> Any:
    """The compiled function, which callers with other literal numbers share."""
    specialized = dispatcher.get_call_template

    def get_call_template(arguments: Any, keywords: Any) -> Any:
        general = {name: types.unliteral(kind) for name, kind in keywords.items()}
        return specialized(tuple(map(types.unliteral, arguments)), general)

    dispatcher.get_call_template = get_call_template
    _dispatchers.append(dispatcher)
    return dispatcher


def give_up(error: Exception) -> bool:
    """From now on let Numba compile as it does by itself, after an error; whether it did otherwise until now."""
    from numba.core.compiler import Compiler

    if INTO_CODE.pop("pipeline_class", None) is None:
        return False
    logger.info("kernels take three times as long to compile, since Numba's internals are others: %r", error)
    del INTO_CALLERS["pipeline_class"], INTO_VECTORS["pipeline_class"]
    for dispatcher in _dispatchers:
        dispatcher._compiler.pipeline_class = Compiler
        dispatcher._compiler._failed_cache.clear()
        dispatcher.overloads.clear()
    return True
