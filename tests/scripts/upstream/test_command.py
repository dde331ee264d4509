"""scikit-learn's tests run on the compiled classes, and say so."""

import pytest

pytest.importorskip("sklearn")
from scripts.upstream import command


def test_a_test_of_scikit_learn_passes(capfd):
    assert command.main(["-k", "test_fit or test_nonfinite_params"]) == 0
    printed = capfd.readouterr().out
    assert "tests of scikit-learn" in printed
    assert "2 passed" in printed


def test_a_plugin_that_does_not_reach_the_tests_is_an_error(capfd, monkeypatch):
    monkeypatch.setattr(command, "MODULE", "sklearn.neural_network.tests.test_base")
    assert command.main([]) != 0
    assert "does not test the compiled classes" in "".join(capfd.readouterr())
