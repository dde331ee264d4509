"""Settings of the documentation: `sphinx-build -W docs build/docs`, after `pip install -e ".[docs]"`."""

import fastbackprop

project = "fastbackprop"
author = copyright = "The fastbackprop developers"
release = version = fastbackprop.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]
autodoc_typehints = "none"  # the sections Parameters and Returns say it
numpydoc_show_class_members = False
html_theme = "alabaster"
