"""A team of threads that shares work inside the kernels: fork and join without leaving compiled code.

A job is a routine, what its chunks have to know (`jobs.py`) and their count. The caller writes it into the mailbox and opens
it; any idle helper, and the caller, claims chunks by an atomic counter until none is left; the caller closes the job and
waits for those still at work. Nobody waits for a helper that sleeps: what it doesn't claim, the others do. So which thread
computes a chunk is chance, but what a chunk computes is not: the bits are the same for any number of threads.

Entries are handed two mailboxes: the caller's own and the team's. They claim the team as they begin and give it back as they
end, within compiled code: a signal handler, which runs between two instructions of Python and may raise there, never finds it
claimed. A token left behind by a kernel that raised (no memory) is overwritten by its thread's next call.
"""

import sys

from llvmlite import ir
from numba import types
from numba.core import cgutils

from fastbackprop.kernels.jit import entry, inner, with_twin
from fastbackprop.kernels.jobs import do_chunk, in_turn, post
from fastbackprop.kernels.kinds import INT, Pointer
from fastbackprop.kernels.mailbox import ACTIVE, CLAIM, COUNT, HOLD, OPEN, OWNER, SINGLE, TOKEN
from fastbackprop.kernels.memory import address, load_flag, load_ordered, store_flag

SPINS = 2_000  # looks at the mailbox before a helper yields the processor; about 40 us
YIELDS = 200  # looks with a yield between before it sleeps 50 us between looks
_WINDOWS, _LINUX = sys.platform == "win32", sys.platform == "linux"


def _add_twin(a, i, value):
    a[i] += value
    return a[i] - value


@with_twin(_add_twin)
def atomic_add(typing_context, a, i, value):
    """a[i] += value at once, for whole numbers; returns the old value. Orders all memory accesses."""

    def emit(context, builder, signature, arguments):
        pointer = address(context, builder, a, arguments[0], arguments[1])
        return builder.atomic_rmw("add", pointer, arguments[2], "seq_cst")

    return types.int64(a, types.intp, types.int64), emit


def _mailbox_at_twin(mailbox):
    return mailbox


@with_twin(_mailbox_at_twin)
def _mailbox_at(typing_context, place):
    """The mailbox at an address; in plain Python the mailbox itself."""

    def emit(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())

    return Pointer(types.int64)(types.int64), emit


def _claim_twin(a, i, value):
    raise NotImplementedError("there is no team where nothing is compiled")


@with_twin(_claim_twin)
def _claim_word(typing_context, a, i, value):
    """a[i] = value at once if it is 0 or value; whether it is now."""

    def emit(context, builder, signature, arguments):
        pointer, value = address(context, builder, a, arguments[0], arguments[1]), arguments[2]
        found = builder.cmpxchg(pointer, ir.Constant(ir.IntType(64), 0), value, "seq_cst", "seq_cst")
        left = builder.icmp_signed("==", builder.extract_value(found, 0), value)
        return builder.or_(builder.extract_value(found, 1), left)

    return types.boolean(a, types.intp, types.int64), emit


def _single_twin(team):
    return team


@with_twin(_single_twin)
def single(typing_context, team):
    """The mailbox of one thread within a mailbox."""

    def emit(context, builder, signature, arguments):
        return address(context, builder, team, arguments[0], ir.Constant(ir.IntType(64), SINGLE))

    return team(team), emit


@inner
def claim(own, team):
    """The mailbox to work with until `release`: the team's, if there is one that nobody else has, else the caller's own."""
    mine = _mailbox_at(own)
    if team == 0:
        return mine
    theirs = _mailbox_at(team)
    if not _claim_word(theirs, OWNER, mine[TOKEN]):
        return mine
    store_flag(theirs, HOLD, 1)
    return theirs


@inner
def release(mailbox):
    """End of a `claim`."""
    if load_flag(mailbox, OWNER) != 0:
        store_flag(mailbox, HOLD, 0)
        store_flag(mailbox, OWNER, 0)


def _relax_twin(sleep):
    pass


@with_twin(_relax_twin)
def relax(typing_context, kind):
    """Let others go first: 0 for the twin thread of the core, 1 yields the processor, 2 sleeps about 50 us."""

    def emit(context, builder, signature, arguments):
        i32, none = ir.IntType(32), ir.VoidType()

        def call(name, result, *values):
            function = ir.FunctionType(result, [value.type for value in values])
            builder.call(cgutils.get_or_insert_function(builder.module, function, name), values)

        zero, one = (ir.Constant(ir.IntType(64), n) for n in (0, 1))
        with builder.if_then(builder.icmp_signed("==", arguments[0], zero)):
            if context.codegen().magic_tuple()[0].startswith(("x86_64", "i686")):
                call("llvm.x86.sse2.pause", none)
        with builder.if_then(builder.icmp_signed("==", arguments[0], one)):
            call("SwitchToThread" if _WINDOWS else "sched_yield", i32)
        with builder.if_then(builder.icmp_signed(">", arguments[0], one)):
            if _WINDOWS:
                call("Sleep", none, ir.Constant(i32, 1))
            else:
                call("usleep", i32, ir.Constant(i32, 50))
        return context.get_dummy_value()

    return types.void(types.int64), emit


def _core_twin():
    return -1


@with_twin(_core_twin)
def core_of_thread(typing_context):
    """As `core`."""

    def emit(context, builder, signature, arguments):
        word = ir.IntType(64)
        if not _LINUX:
            return ir.Constant(word, -1)
        kind = ir.FunctionType(ir.IntType(32), [])
        return builder.sext(builder.call(cgutils.get_or_insert_function(builder.module, kind, "sched_getcpu"), []), word)

    return types.int64(), emit


@inner
def _work(team, member):
    """Claim chunks and do them until none is left."""
    count = team[COUNT]
    while True:
        chunk = atomic_add(team, CLAIM, 1)
        if chunk >= count:
            return
        do_chunk(team, chunk, member)


@inner
def share(team, routine, job, chunks):
    """Do all chunks of the job, an address, with the helpers that join in; all is done on return."""
    post(team, routine, job)
    team[COUNT] = chunks
    team[CLAIM] = 0
    atomic_add(team, OPEN, 1)
    _work(team, 0)
    atomic_add(team, OPEN, 1)  # closed: then the look at who is inside, as `serve` goes in and then looks whether it is open
    looks = 0
    while load_ordered(team, ACTIVE) != 0:
        looks += 1
        relax(0 if looks < SPINS else 1)


@inner
def do_chunks(shared, team, routine, job, chunks):
    """Do all chunks of the job, an address: with the helpers that join in where it is `shared`, else in this thread."""
    if shared:
        share(team, routine, job, chunks)
    else:
        in_turn(routine, job, chunks)


@entry(INT, INT, INT, dtypes="d")
def serve(mailbox, member, patience):
    """A helper's loop: join each job; returns when `patience` looks found none and nobody holds the team."""
    team = _mailbox_at(mailbox)
    done, looks = 0, 0
    while looks < patience or load_flag(team, HOLD) != 0:
        job = load_flag(team, OPEN)
        if job % 2 == 1 and job != done:
            atomic_add(team, ACTIVE, 1)
            if load_ordered(team, OPEN) == job:  # still the same: the caller now waits for this helper
                _work(team, member)
                looks = 0
            atomic_add(team, ACTIVE, -1)
            done = job
        else:
            looks += 1
            relax(0 if looks < SPINS else (1 if looks < SPINS + YIELDS else 2))


@entry(dtypes="d")
def core():
    """The core that the calling thread runs on, or -1 where the system has no cheap way to know."""
    return core_of_thread()
