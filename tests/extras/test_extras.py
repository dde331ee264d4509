"""Where an optional dependency is missing, an error names it."""

import sys

import numpy as np
import pytest

from ..support.trainings import train


@pytest.mark.parametrize(
    ("option", "library", "module"),
    [("progress", "tqdm.auto", "progress"), ("plot_cost", "matplotlib", "plotting")],
)
def test_what_is_not_installed_is_named_with_its_extra_before_any_work(option, library, module, monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, f"fastbackprop.extras.{module}", raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    state = np.random.get_state(legacy=False)["state"]["pos"]
    extra = {"progress": "progress", "plot_cost": "plot"}[option]
    with pytest.raises(ImportError, match=rf'{option}=True needs .*pip install "\.\[{extra}\]" in a clone'):
        train(parameters=None, print_cost=True, **{option: True})
    assert capsys.readouterr().out == ""
    assert np.random.get_state(legacy=False)["state"]["pos"] == state
