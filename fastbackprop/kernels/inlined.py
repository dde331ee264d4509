"""How `inner` functions are compiled: to LLVM's IR alone, once for all constants.

Numba turns each function into optimized machine code, also where only its callers' copies ever run: at every level of calls
once more, which took 4.7 of 6.2 s of LLVM's passes and 3.7 of 5.4 s of code generation. And it compiles a function again for
each literal number that it is called with (a product 6 times). Neither is a matter of options: the first leans on Numba's
internals, and is left out where they are others.
"""

from typing import Any

from numba import types


def _compiler_to_ir() -> Any:
    """The class of compiler for such functions; raises whatever comes up where Numba's internals are others."""
    from numba.core.codegen import JITCodeLibrary
    from numba.core.compiler import CompilerBase, DefaultPassBuilder
    from numba.core.compiler_machinery import LoweringPass, register_pass
    from numba.core.typed_passes import AnnotateTypes, NopythonRewrites
    from numba.core.untyped_passes import InlineClosureLikes

    for name in ("_optimize_final_module", "_finalize_final_module", "_finalize_dynamic_globals", "get_pointer_to_function"):
        getattr(JITCodeLibrary, name)
    idle = (InlineClosureLikes, NopythonRewrites)

    class WithoutEnvironments:
        """The code generator as such a library sees it: there is no machine code whose environment could be set."""

        def __init__(self, codegen: Any) -> None:
            self._codegen = codegen

        def __getattr__(self, name: str) -> Any:
            return getattr(self._codegen, name)

        def set_env(self, name: str, env: Any) -> None:
            pass

    class IrLibrary(JITCodeLibrary):
        """IR that callers link in and optimize; no machine code."""

        def __init__(self, codegen: Any, name: str) -> None:
            super().__init__(WithoutEnvironments(codegen), name)

        def _optimize_final_module(self) -> None:
            pass

        def _finalize_final_module(self) -> None:
            self._finalize_dynamic_globals()
            self._finalized = True

        def get_pointer_to_function(self, name: str) -> int:
            return 0

    @register_pass(mutates_CFG=False, analysis_only=False)
    class IntoIrLibrary(LoweringPass):
        _name = "fastbackprop_into_ir_library"

        def __init__(self) -> None:
            LoweringPass.__init__(self)

        def run_pass(self, state: Any) -> bool:
            state.library = IrLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
            return True

    class Compiler(CompilerBase):
        def define_pipelines(self) -> list[Any]:
            manager = DefaultPassBuilder.define_nopython_pipeline(self.state)
            manager.add_pass_after(IntoIrLibrary, AnnotateTypes)
            # Passes that find nothing: there are no closures, array expressions or prints.
            manager.passes = [step for step in manager.passes if step[0] not in idle]
            manager.finalize()
            return [manager]

    return Compiler


# Options of a function that is compiled into its callers. It has no Python wrapper either, which halves compile time.
INTO_CALLERS: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
try:
    INTO_CALLERS["pipeline_class"] = _compiler_to_ir()
    FOUND = True
except Exception:  # whatever a later Numba has changed: functions compile all the same, in twice the time
    FOUND = False


def once_for_all_constants(dispatcher: Any) -> Any:
    """The compiled function, which callers with other literal numbers share."""
    specialized = dispatcher.get_call_template

    def get_call_template(arguments: Any, keywords: Any) -> Any:
        general = {name: types.unliteral(kind) for name, kind in keywords.items()}
        return specialized(tuple(map(types.unliteral, arguments)), general)

    dispatcher.get_call_template = get_call_template
    return dispatcher
