"""`scripts/sklearn-tests`: scikit-learn's own tests of its MLP, run against the classes that stand in for it."""
