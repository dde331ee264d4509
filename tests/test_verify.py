"""The check on a user's machine passes on the package as it is, and names a function that is wrong."""

import logging

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop import reference, verify
from fastbackprop.machine import facts
from fastbackprop.testing import CASES, LAYOUTS, Size

SMALL = Size((3, 4, 1), 5)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """The same checks on smaller sizes: the whole run is for users, and takes a quarter of a minute."""
    monkeypatch.setattr(verify, "LAYOUTS", {layout: LAYOUTS[layout] for layout in ("C", "misaligned")})
    monkeypatch.setattr(verify, "SIZES_IN_ALL_LAYOUTS", (SMALL,))
    monkeypatch.setattr(verify, "SIZES_IN_C_ORDER", (Size((7, 5, 1), 19),))
    monkeypatch.setattr(verify, "SHARED_SIZE", Size((40, 80, 1), 300))
    monkeypatch.setattr(verify, "TRAININGS", {algorithm: ((SMALL, 30),) for algorithm in verify.TRAININGS})


def run():
    lines: list[str] = []
    return verify.run_verification(lines.append), lines


def result(name):
    (found,) = [result for result in verify.verify() if result.name == name]
    return found


def test_the_package_passes():
    code, lines = run()
    assert code == 0
    assert lines[-1].startswith("all 16 are the reference's")
    table = [line for line in lines if line.split()[-1] == "same"]
    assert [line.split()[0] for line in table[:14]] == list(CASES)
    assert [line.split(" " * 5)[0] for line in table[14:]] == ["training, direct", "training, gram"]
    assert all("kernels" in line for line in table)
    assert set(facts()) <= set(lines)


def test_the_worst_error_is_a_fraction_of_the_bound():
    results = {found.name: found for found in verify.verify()}
    assert all(0 <= found.worst <= 1 and found.cases > 0 for found in results.values())
    assert results["sigmoid"].worst > 0.01
    assert results["relu"].worst == 0
    assert results["linear_forward"].cases < results["linear_activation_forward"].cases  # both activations


# -------------------------------------------------------------------------------------------------------- faults

right = {name: getattr(bp, name) for name in bp.__all__}


def a_little_off(dA, cache):
    return right["sigmoid_backward"](dA, cache) * (1 + 1e-5)


def off_in_one_layout(dA, cache):
    dZ = right["sigmoid_backward"](dA, cache)
    return dZ if np.asarray(dA).flags.aligned else 2 * dZ


def of_another_dtype(dA, cache):
    return right["sigmoid_backward"](dA, cache).astype("longdouble")


def writing_to_its_input(dA, cache):
    dZ = right["sigmoid_backward"](dA, cache)
    if dA.flags.writeable:
        dA[...] = 0
    return dZ


def raising(dA, cache):
    raise MemoryError("no room")


def other_bits_for_two_threads(dA, cache):
    dZ = right["sigmoid_backward"](dA, cache)
    return np.nextafter(dZ, 1, dtype=dZ.dtype) if bp.get_num_threads() == 2 and dZ.size > 10_000 else dZ


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (a_little_off, "out of bounds"),
        (off_in_one_layout, "misaligned"),
        (of_another_dtype, np.dtype("longdouble").name),
        (writing_to_its_input, "an argument was written to"),
        (raising, "raises MemoryError: no room"),
        (other_bits_for_two_threads, "differ in bits"),
    ],
)
def test_a_wrong_function_is_named(fault, reason, monkeypatch):
    monkeypatch.setattr(bp, "sigmoid_backward", fault)
    code, lines = run()
    assert code == 1
    assert lines[-1] == "FAILED: sigmoid_backward is wrong on this machine"
    assert [line.split()[0] for line in lines if line.endswith("FAILS")] == ["sigmoid_backward"]
    assert any(reason in line for line in lines if line.startswith("sigmoid_backward: "))


def test_of_several_the_first_callee_is_named_before_the_others(monkeypatch):
    monkeypatch.setattr(bp, "sigmoid", lambda Z: (1 - right["sigmoid"](Z)[0], Z))
    monkeypatch.setattr(bp, "L_model_forward", lambda X, parameters: right["L_model_forward"](X + 1, parameters))
    code, lines = run()
    assert code == 1
    assert lines[-2] == "FAILED: sigmoid is wrong on this machine"
    assert lines[-1].endswith(": L_model_forward")


@pytest.mark.parametrize("algorithm", ["direct", "gram"])
def test_a_wrong_training_is_named_with_its_algorithm(algorithm, monkeypatch):
    def train(*args, **options):
        trained = right["L_layer_model"](*args, **options)
        if options.get("algorithm") == algorithm:
            trained[0]["W1"][0, 0] *= 1 + 1e-6
        return trained

    monkeypatch.setattr(bp, "L_layer_model", train)
    code, lines = run()
    assert code == 1
    assert lines[-1] == f"FAILED: training, {algorithm} is wrong on this machine"


def test_what_the_reference_answers_is_counted(monkeypatch):
    def relu(Z):
        logging.getLogger("fastbackprop").debug("relu: the reference answers, since it was asked to")
        return reference.relu(Z)

    monkeypatch.setattr(bp, "relu", relu)
    found = result("relu")
    assert found.by_reference == found.cases
    assert f"reference: {found.cases}" in found.line()
    assert not found.faults


def test_afterwards_everything_is_as_it_was(caplog):
    logger = logging.getLogger("fastbackprop")
    before = logger.level, logger.propagate, list(logger.handlers), np.geterr(), bp.get_num_threads()
    np.random.seed(3)
    state = np.random.get_state()
    run()
    assert (logger.level, logger.propagate, logger.handlers, np.geterr(), bp.get_num_threads()) == before
    assert all(np.array_equal(a, b) for a, b in zip(np.random.get_state(), state, strict=True))
    assert caplog.records == []
