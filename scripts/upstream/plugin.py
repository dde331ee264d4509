"""A pytest plugin: the tests that it is loaded with find the compiled classes in `sklearn.neural_network`."""

from __future__ import annotations

import pytest

from fastbackprop.extras.sklearn_mlp import MLPClassifier, MLPRegressor, patch_sklearn

# Tests that cannot pass, with the reason; one that passes all the same is an error.
EXPECTED: dict[str, str] = {}

patch_sklearn()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        module = getattr(item, "module", None)
        if {getattr(module, "MLPClassifier", None), getattr(module, "MLPRegressor", None)} != {MLPClassifier, MLPRegressor}:
            raise pytest.UsageError(f"{item.nodeid} does not test the compiled classes")
        if reason := EXPECTED.get(item.nodeid.partition("::")[2]):
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
