"""LLVM's side of a compile: inner functions as IR alone, a routine or an entry as one module with all that it reaches.

Numba turns each function into optimized machine code, also where only its callers' copies ever run: at every level of calls
once more, which took 4.7 of 6.2 s of LLVM's passes and 3.7 of 5.4 s of code generation. Here IR is optimized once, where all
of it is together, by one set of passes.

Source: numba/core/codegen.py.
"""

from typing import Any

import llvmlite.binding as llvm
from numba.core import cgutils
from numba.core.codegen import JITCodeLibrary


class _WithoutEnvironments:
    """The code generator as an `IrLibrary` sees it: there is no machine code whose environment could be set."""

    def __init__(self, codegen: Any) -> None:
        self._codegen = codegen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codegen, name)

    def set_env(self, name: str, env: Any) -> None:
        pass


class IrLibrary(JITCodeLibrary):
    """IR that a `CodeLibrary` links in; no machine code."""

    def __init__(self, codegen: Any, name: str) -> None:
        super().__init__(_WithoutEnvironments(codegen), name)
        self.modules: list[llvm.ModuleRef] = []

    def add_ir_module(self, module: Any) -> None:
        for function in module.functions:
            if not function.is_declaration:
                function.linkage = "linkonce_odr"  # to be inlined, or left out
        self.modules.append(llvm.parse_assembly(cgutils.normalize_ir_text(str(module))))

    def finalize(self) -> None:
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        return 0


class CodeLibrary(JITCodeLibrary):
    """A function, and all inner functions that it reaches, once each; optimized together."""

    _linking_libraries: list[Any]

    def _optimize_functions(self, module: Any) -> None:
        module.data_layout = self._codegen._data_layout

    def finalize(self) -> None:
        others, waiting, seen = [], list(self._linking_libraries), set()
        while waiting:
            library = waiting.pop(0)
            if library in seen:
                continue
            seen.add(library)
            if isinstance(library, IrLibrary):
                waiting += library._linking_libraries
                for module in library.modules:
                    self._final_module.link_in(module, preserve=True)
            else:
                others.append(library)
        self._linking_libraries = others
        super().finalize()

    def _optimize_final_module(self) -> None:
        # Nobody else calls the inner functions, so what has one caller becomes part of it: 16 % of a training of one unit.
        for function in self._final_module.functions:
            if not function.is_declaration and function.linkage == llvm.Linkage.linkonce_odr:
                function.linkage = llvm.Linkage.internal
        # Without the cheaper passes that come first elsewhere: they gather reference counts, of which there are none.
        passes = self._codegen._module_pass_manager()
        manager, *builder = passes if isinstance(passes, tuple) else (passes,)
        manager.run(self._final_module, *builder)


class VectorLibrary(CodeLibrary):
    """A micro-kernel, whose loops are emitted as they shall run: variables become registers, and little else is left to do.

    All passes took seven times as long as these, and the code was no faster.
    """

    def _optimize_final_module(self) -> None:
        options = llvm.create_pipeline_tuning_options(speed_level=1)
        options.loop_unrolling = False
        builder = llvm.create_pass_builder(self._codegen._tm, options)
        try:
            manager = llvm.create_new_module_pass_manager()
            manager.add_sroa_pass()
            manager.add_simplify_cfg_pass()
            manager.add_instruction_combine_pass()
            manager.add_simplify_cfg_pass()
            manager.add_loop_rotate_pass()
        except AttributeError:  # llvmlite before 0.45 has no pass that makes registers
            manager = builder.getModulePassManager()
        manager.run(self._final_module, builder)
