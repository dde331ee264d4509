"""The team's handshake: what two threads write and then read must be ordered on weakly ordered processors too.

Emulation on x86 cannot show a missing order, so the tests read the code that arm64 would run.
"""

import re

import llvmlite.binding as llvm
import numba
import pytest
from numba import types

from fastbackprop import team
from fastbackprop.kernels import inlined, jit, threads
from fastbackprop.kernels.elementwise import ActivationJob, relu_chunk
from fastbackprop.kernels.jobs import held
from fastbackprop.kernels.mailbox import ACTIVE, CLAIM, COUNT, OPEN
from fastbackprop.kernels.matrix import Matrix
from fastbackprop.kernels.memory import at_address

pytestmark = pytest.mark.skipif(not jit.JIT, reason="nothing is compiled")


@pytest.mark.parametrize("opened", range(8))
def test_a_helper_joins_each_job_that_is_open_once_and_no_other(opened):
    """A job is open while OPEN is odd; joined, it is asked for a chunk, of which there is none here."""
    mailbox = team._mailbox(2)
    mailbox[OPEN], mailbox[COUNT], mailbox[CLAIM], mailbox[ACTIVE] = opened, 0, 0, 0
    threads.serve["d"](team.place(mailbox), 1, 50)
    assert mailbox[CLAIM] == opened % 2
    assert mailbox[ACTIVE] == 0 and mailbox[OPEN] == opened


def _share(mailbox, rows, chunks):
    Z = Matrix(at_address(mailbox, 1.0), 0, 1, 1)
    job = held(ActivationJob(rows, 1, 1, 1, Z, Z, 0.0))
    threads.share(threads._mailbox_at(mailbox), relu_chunk, job, chunks)


def _claim_and_release(own, team):
    threads.release(threads.claim(own, team))


def code_for_arm64(function, arguments):
    """The function's assembly for an arm64 that has every kind of load and atomic instruction, line by line."""
    dispatcher = numba.njit(**inlined.INTO_CODE, **jit._OPTIONS)(function)
    signature = (types.int64,) * arguments
    dispatcher.compile(signature)
    text = dispatcher.inspect_llvm(signature)
    text = re.sub(r"^target (triple|datalayout) = .*$", "", text, flags=re.M)
    text = re.sub(r"^.*llvm\.x86\.sse2\.pause.*$", "", text, flags=re.M)
    text = re.sub(r'"target-(cpu|features)"="[^"]*"', "", text)
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    try:
        target = llvm.Target.from_triple("aarch64-unknown-linux-gnu")
    except RuntimeError:
        pytest.skip("this LLVM has no code generator for arm64")
    machine = target.create_target_machine(features="+lse,+rcpc", opt=2)
    module = llvm.parse_assembly(text)
    module.triple = machine.triple
    module.data_layout = str(machine.target_data)
    code = machine.emit_assembly(module)
    body = re.search(rf"^_ZN\S*{function.__name__.strip('_')}\S*:(?: .*)?\n(.*?)^\.Lfunc_end", code, flags=re.M | re.S)
    assert body is not None, code
    return [line.strip().split() for line in body[1].splitlines()]


def instructions(lines):
    """Those that order memory, in the order of the code, with where they load from."""
    ordered = ("ldaddal", "ldadd", "ldadda", "ldaddl", "ldar", "ldapr", "stlr", "casal", "cas", "casa", "casl")
    return [line[0] for line in lines if line and line[0] in ordered]


def test_closing_a_job_is_stored_before_its_helpers_are_counted():
    """`share`: an addition to OPEN, sequentially consistent, then a load of ACTIVE that is too: ldar; acquire is ldapr."""
    relu_chunk.load(types.float64)
    found = instructions(code_for_arm64(_share, 3))
    opened, *_, closed = (i for i, name in enumerate(found) if name == "ldaddal")
    assert opened < closed
    assert set(found[closed + 1 :]) == {"ldar"}
    assert not {"ldadd", "ldadda", "ldaddl"} & set(found)


def test_entering_a_job_is_stored_before_it_is_seen_open():
    """`serve`: an addition to ACTIVE, then a load of OPEN."""
    found = instructions(code_for_arm64(threads.serve.function, 3))
    went_in = found.index("ldaddal")
    assert found[went_in + 1] == "ldar"
    assert not {"ldadd", "ldadda", "ldaddl"} & set(found)
    assert "ldapr" in found  # loads that nothing depends on are weaker: the features above do show the difference


def test_the_team_is_claimed_by_one_exchange_and_given_back_by_stores_that_come_last():
    found = instructions(code_for_arm64(_claim_and_release, 2))
    assert [name for name in found if name.startswith("cas")] == ["casal"]
    assert found.count("stlr") == 3  # HOLD; then HOLD and OWNER again
    assert found.index("casal") < found.index("stlr")
