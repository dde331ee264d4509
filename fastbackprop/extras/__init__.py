"""What needs an optional dependency. Each module is imported when it is used, and names its extra if that is missing."""

EXTRAS = {  # each's library
    "data": "h5py",
    "mat": "scipy",
    "mpi": "mpi4py",
    "pandas": "pandas",
    "plot": "matplotlib",
    "progress": "tqdm",
    "sklearn": "scikit-learn",
    "sweep": "joblib",
}
MODULES = {"scikit-learn": "sklearn"}  # where a library's module has another name


def missing(what: str, extra: str) -> ImportError:
    """The error for something that needs an extra which is not installed."""
    return ImportError(f'{what} needs {EXTRAS[extra]}: pip install ".[{extra}]" in a clone of fastbackprop')
