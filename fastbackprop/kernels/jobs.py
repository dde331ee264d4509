"""A job: what all chunks of some work have to know, a named tuple on the stack of the thread that waits for their end.

A routine takes the tuple's address, the number of a chunk and of the member that does it. `held` puts the tuple on the stack;
`in_turn` does all chunks in the calling thread; `post` writes into a mailbox where the job lies, for any helper that claims
chunks (`threads.share`). Both take a routine, or the address of one (`jit.Routine.at`), chosen when a kernel is called: then
it need not be compiled by those who choose another.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.core.errors import TypingError
from numba.core.imputils import lower_constant
from numba.extending import register_model, typeof_impl

from fastbackprop.kernels.jit import DTYPES, Routine, call_routine, with_twin
from fastbackprop.kernels.kinds import ADDRESS, Pointer
from fastbackprop.kernels.mailbox import JOB, ROUTINE
from fastbackprop.kernels.memory import address


class _RoutineType(types.Type):
    """A routine as kernels name it: it is no value, only its type counts."""

    def __init__(self, routine):
        self.routine = routine
        super().__init__(f"routine {routine.function.__module__}.{routine.function.__name__}")


register_model(_RoutineType)(models.OpaqueModel)


@typeof_impl.register(Routine)
def _type_of_routine(routine, context):
    return _RoutineType(routine)


@lower_constant(_RoutineType)
def _routine_constant(context, builder, kind, routine):
    return context.get_dummy_value()


def _fits(given, wanted):
    if isinstance(wanted, types.BaseTuple):
        same = isinstance(given, types.BaseTuple) and given.instance_class is wanted.instance_class
        return same and all(map(_fits, given.types, wanted.types))
    return given == wanted if isinstance(wanted, Pointer) else isinstance(given, (types.Number, types.Boolean))


def _address_of(given):
    """The type of the address of such a job, as the routines for one of the dtypes take it."""
    for T in DTYPES.values():
        kind = ADDRESS(given.instance_class)(T)
        if _fits(given, kind.dtype):
            return kind
    raise TypingError(f"no routine takes the job {given}")


def _converted(context, builder, value, given, wanted):
    """The tuple with its fields converted to the types of the routine's job: a literal 1 is a whole number there."""
    if not isinstance(wanted, types.BaseTuple):
        return context.cast(builder, value, given, wanted)
    result = cgutils.get_null_value(context.get_value_type(wanted))
    for i, kinds in enumerate(zip(given.types, wanted.types, strict=True)):
        result = builder.insert_value(result, _converted(context, builder, builder.extract_value(value, i), *kinds), i)
    return result


def _held_twin(job):
    return job


@with_twin(_held_twin)
def held(typing_context, job):
    """The address of a copy of the job, in the frame of the function that calls this."""
    kind = _address_of(job)

    def emit(context, builder, signature, arguments):
        slot = cgutils.alloca_once_value(builder, _converted(context, builder, arguments[0], job, kind.dtype))
        return builder.bitcast(slot, context.get_value_type(kind))

    return kind(job), emit


def _pointer_to(builder, routine, value, at):
    """Emit the address of a routine for the job at `at`: of one that is named, or of whichever `value` is that of."""
    if isinstance(routine, types.Integer):
        return builder.inttoptr(value, ir.IntType(8).as_pointer())
    for T in DTYPES.values():
        if routine.routine.arguments[0](T) == at:
            return routine.routine.address(builder, T)
    raise TypingError(f"{routine.routine.function.__name__} takes another job than {at.dtype}")


def _in_turn_twin(routine, job, chunks):
    for chunk in range(chunks):
        routine.function(job, chunk, 0)


@with_twin(_in_turn_twin)
def in_turn(typing_context, routine, job, chunks):
    """Do all chunks of the job at an address, one after the other, in this thread."""

    def emit(context, builder, signature, arguments):
        function = _pointer_to(builder, routine, arguments[0], job)
        with cgutils.for_range(builder, arguments[2]) as loop:
            call_routine(builder, function, [arguments[1], loop.index, ir.Constant(ir.IntType(64), 0)])
        return context.get_dummy_value()

    return types.void(routine, job, types.intp), emit


def _do_one_twin(routine, job, chunk, member):
    routine.function(job, chunk, member)


@with_twin(_do_one_twin)
def do_one(typing_context, routine, job, chunk, member):
    """Do one chunk of the job at an address in this thread, which is that member of the team."""

    def emit(context, builder, signature, arguments):
        call_routine(builder, _pointer_to(builder, routine, arguments[0], job), [*arguments[1:]])
        return context.get_dummy_value()

    return types.void(routine, job, types.intp, types.intp), emit


def _no_team_twin(*arguments):
    raise NotImplementedError("there is no team where nothing is compiled")


@with_twin(_no_team_twin)
def post(typing_context, team, routine, job):
    """Write into a mailbox where a routine and its job lie."""

    def emit(context, builder, signature, arguments):
        word = ir.IntType(64)
        for place, pointer in ((ROUTINE, _pointer_to(builder, routine, arguments[1], job)), (JOB, arguments[2])):
            where = address(context, builder, team, arguments[0], ir.Constant(word, place))
            builder.store(builder.ptrtoint(pointer, word), where)
        return context.get_dummy_value()

    return types.void(team, routine, job), emit


@with_twin(_no_team_twin)
def do_chunk(typing_context, team, chunk, member):
    """Do one chunk of the job in a mailbox, as a member of the team: 0 is the caller."""

    def emit(context, builder, signature, arguments):
        word, byte = ir.IntType(64), ir.IntType(8)
        routine, job = (
            builder.load(address(context, builder, team, arguments[0], ir.Constant(word, place))) for place in (ROUTINE, JOB)
        )
        function, job = (builder.inttoptr(found, byte.as_pointer()) for found in (routine, job))
        call_routine(builder, function, [job, *arguments[1:]])
        return context.get_dummy_value()

    return types.void(team, types.intp, types.intp), emit
