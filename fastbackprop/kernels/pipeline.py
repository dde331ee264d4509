"""Numba's side of a compile: its passes, less those that find nothing in a kernel or work out what nobody reads.

A kernel has no closures, `with`, generators, exceptions of its own, array expressions or loops over types. Nothing but an
entry's arrays has an owner, so that nothing else has to be deleted, nor its lifetime to be known: that, worked out after each
pass, took a tenth of the time. What has been found out about types is kept for the next function.

Source: numba/core/compiler.py, untyped_passes.py, typed_passes.py, lowering.py.
"""

import functools
from collections.abc import Callable
from typing import Any

from numba import types
from numba.core import cgutils, ir_utils, lowering, rewrites, ssa, transforms
from numba.core.compiler import CompilerBase
from numba.core.compiler_machinery import PassManager, _pass_registry, register_pass
from numba.core.typed_passes import (
    BaseNativeLowering,
    IRLegalization,
    NoPythonBackend,
    NopythonTypeInference,
    PreLowerStripPhis,
)
from numba.core.untyped_passes import DeadBranchPrune, FixupArgs, FunctionPass, RewriteSemanticConstants, TranslateByteCode

from fastbackprop.kernels.libraries import CodeLibrary, IrLibrary, VectorLibrary

_has_owner: dict[Any, bool] = {}


def _have_owners(context: Any, kinds: Any) -> bool:
    """Whether references to values of some of the types are counted."""
    for kind in kinds:
        if kind not in _has_owner:
            _has_owner[kind] = context.data_model_manager[kind].contains_nrt_meminfo()
    return any(_has_owner[kind] for kind in kinds)


class _Lower(lowering.Lower):
    """Without counting references where there are no owners, and without what a debugger reads."""

    def init(self) -> None:
        super().init()
        self.counts = _have_owners(self.context, set(self.fndesc.typemap.values()))

    def incref(self, kind: Any, value: Any) -> None:
        if self.counts:
            super().incref(kind, value)

    def decref(self, kind: Any, value: Any) -> None:
        if self.counts:
            super().decref(kind, value)

    def alloca_lltype(self, name: str, lltype: Any, **_: Any) -> Any:
        # Without its size, which a debugger would be told: LLVM parses a module for each.
        return cgutils.alloca_once(self.builder, lltype, name=name)

    def storevar(self, value: Any, name: str, argidx: Any = None) -> None:
        if self.counts or name in self._singly_assigned_vars:
            super().storevar(value, name, argidx)
        else:
            self.builder.store(value, self.getvar(name))


@functools.cache
def _refreshed(context: Any) -> Any:
    """A context of Numba's that has read its registries."""
    context.refresh()
    return context


class _Context:
    """A context of Numba's that has read its registries: they need not be read again for each function."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def refresh(self) -> None:
        pass


class _Typing(_Context):
    """The typing context, which remembers what it found: operators have dozens of templates, tried one after the other."""

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self._found: dict[Any, Any] = {}

    def _remembered(self, key: Any, find: Callable[..., Any], *arguments: Any) -> Any:
        known = self._found.get(key)
        if known is None:
            known = find(*arguments)
            if known is not None:
                self._found[key] = known
        return known

    def resolve_function_type(self, function: Any, arguments: Any, keywords: Any) -> Any:
        find = self._context.resolve_function_type
        if isinstance(function, types.Function) and not keywords:
            return self._remembered((function, arguments), find, function, arguments, keywords)
        return find(function, arguments, keywords)

    def resolve_getattr(self, kind: Any, name: str) -> Any:
        return self._remembered((kind, name), self._context.resolve_getattr, kind, name)


def _rewritten(state: Any) -> None:
    """What Numba rewrites before types are known: constant indices, powers, ..."""
    blocks = state.func_ir.blocks
    for rewrite in (cls(state) for cls in rewrites.rewrite_registry.rewrites["before-inference"]):
        waiting = list(blocks.items())
        while waiting:
            key, block = waiting.pop()
            if rewrite.match(state.func_ir, block, None, None):
                blocks[key] = rewrite.apply()
                waiting.append((key, blocks[key]))


@register_pass(mutates_CFG=True, analysis_only=False)
class _Translate(TranslateByteCode):
    _name = "fastbackprop_translate"

    def run_pass(self, state: Any) -> bool:
        super().run_pass(state)
        state.func_ir.blocks = transforms.canonicalize_cfg(state.func_ir.blocks)
        return True


@register_pass(mutates_CFG=True, analysis_only=False)
class _ToSsa(FunctionPass):
    """A name a value: kernels name a matrix as they named its array."""

    _name = "fastbackprop_to_ssa"

    def __init__(self) -> None:
        FunctionPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        _rewritten(state)
        state.func_ir = ssa.reconstruct_ssa(state.func_ir)
        state.func_ir._definitions = ir_utils.build_definitions(state.func_ir.blocks)
        return True


@register_pass(mutates_CFG=True, analysis_only=False)
class _FromSsa(PreLowerStripPhis):
    """Back to variables; where some have owners, with the places where they are deleted."""

    _name = "fastbackprop_from_ssa"

    def run_pass(self, state: Any) -> bool:
        state.func_ir = self._strip_phi_nodes(state.func_ir)
        if _have_owners(state.targetctx, set(state.typemap.values())):
            _pass_registry.get(IRLegalization).pass_inst.run_pass(state)
        return True


class _Lowering(BaseNativeLowering):
    lowering_class = _Lower
    library: type[IrLibrary] | type[CodeLibrary]

    def run_pass(self, state: Any) -> bool:
        state.library = self.library(state.targetctx.codegen(), state.func_id.func_qualname)
        if self.library is not IrLibrary:
            state.library.enable_object_caching()
        return super().run_pass(state)


@register_pass(mutates_CFG=True, analysis_only=False)
class _IntoIr(_Lowering):
    _name, library = "fastbackprop_into_ir", IrLibrary


@register_pass(mutates_CFG=True, analysis_only=False)
class _IntoCode(_Lowering):
    _name, library = "fastbackprop_into_code", CodeLibrary


@register_pass(mutates_CFG=True, analysis_only=False)
class _IntoVectors(_Lowering):
    _name, library = "fastbackprop_into_vectors", VectorLibrary


class _Steps(PassManager):
    """The passes, one after the other, without what Numba does between them."""

    def __init__(self, lower: Any) -> None:
        super().__init__(lower._name)
        before = (_Translate, FixupArgs, RewriteSemanticConstants, DeadBranchPrune, _ToSsa)
        for step in (*before, NopythonTypeInference, _FromSsa, lower, NoPythonBackend):
            self.add_pass(step, step._name)
        self.finalize()

    def run(self, state: Any) -> None:
        for kind, _ in self.passes:
            step = _pass_registry.get(kind).pass_inst
            step.analysis = self._analysis
            step.run_pass(state)


_typing = functools.cache(_Typing)  # one for all compiles


def _compiler(lower: Any) -> Any:
    steps = _Steps(lower)

    class Compiler(CompilerBase):
        def __init__(self, typing: Any, target: Any, *options: Any) -> None:
            super().__init__(_typing(typing), _Context(_refreshed(target)), *options)

        def define_pipelines(self) -> list[Any]:
            return [steps]

    return Compiler


INTO_IR, INTO_CODE, INTO_VECTORS = _compiler(_IntoIr), _compiler(_IntoCode), _compiler(_IntoVectors)
