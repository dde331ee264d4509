"""The public face: its names, and the documentation of each."""

import fastbackprop as bp


def test_a_star_import_brings_the_fourteen_and_nothing_else():
    namespace = {"predict": "the user's own"}
    exec("from fastbackprop import *", namespace)
    del namespace["__builtins__"]
    assert namespace.pop("predict") == "the user's own"
    assert set(namespace) == set(bp.__all__)


def test_every_public_function_is_documented():
    for name in (*bp.__all__, "predict"):
        doc = getattr(bp, name).__doc__
        for section in ("Parameters", "Returns", "Raises"):
            assert f"{section}\n" in doc, f"{name}: no section {section}"
