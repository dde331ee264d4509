"""The examples that the second course's modules load, and the pictures of them."""

import re
import sys

import numpy as np
import pytest

from fastbackprop.compat import init_utils, opt_utils, reg_utils

from .test_data import entries, write


@pytest.fixture
def plt():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield pyplot
    pyplot.close("all")


def assert_drawn(plt, X, Y):
    (points,) = plt.gca().collections
    np.testing.assert_array_equal(points.get_offsets(), X.T)
    np.testing.assert_array_equal(points.get_array(), Y.ravel())
    np.testing.assert_array_equal(points.get_sizes(), [40])
    assert points.get_cmap().name == "Spectral"


@pytest.mark.parametrize(
    ("function", "maker", "parts", "noise"),
    [
        (init_utils.load_dataset, "make_circles", [(1, 300), (2, 100)], 0.05),
        (opt_utils.load_dataset, "make_moons", [(3, 300)], 0.2),
    ],
)
def test_examples_of_scikit_learn(function, maker, parts, noise, plt):
    datasets = pytest.importorskip("sklearn.datasets")
    expected = []
    for seed, m in parts:
        np.random.seed(seed)
        X, Y = getattr(datasets, maker)(n_samples=m, noise=noise)
        expected += [X.T, Y.reshape(1, m)]
    for is_plot in (False, True):
        assert plt.get_fignums() == []
        loaded = function(is_plot=is_plot)
        assert isinstance(loaded, tuple)
        for actual, value in zip(loaded, expected, strict=True):
            np.testing.assert_array_equal(actual, value, strict=True)
    assert_drawn(plt, *loaded[:2])


def matrices(rng, m=5, m_val=3):
    return {
        "X": rng.normal(size=(m, 2)), "y": rng.integers(0, 2, (m, 1), dtype=np.uint8),
        "Xval": rng.normal(size=(m_val, 2)), "yval": rng.integers(0, 2, (m_val, 1), dtype=np.uint8),
    }  # fmt: skip


def test_examples_of_a_file_of_matlab(tmp_path, monkeypatch, plt):
    io = pytest.importorskip("scipy.io")
    found = matrices(np.random.default_rng(0))
    (tmp_path / "datasets").mkdir()
    io.savemat(tmp_path / "datasets" / "data.mat", found)
    monkeypatch.chdir(tmp_path)
    for loaded in (reg_utils.load_2D_dataset(is_plot=False, folder=tmp_path / "datasets"), reg_utils.load_2D_dataset()):
        for actual, name in zip(loaded, ("X", "y", "Xval", "yval"), strict=True):
            np.testing.assert_array_equal(actual, found[name].T, strict=True)
    assert_drawn(plt, loaded[0], loaded[1])


def test_a_file_of_matlab_that_does_not_serve(tmp_path, plt):
    io = pytest.importorskip("scipy.io")
    path = tmp_path / "data.mat"

    def refused(error, message):
        with pytest.raises(error, match=message):
            reg_utils.load_2D_dataset(folder=tmp_path)
        assert plt.get_fignums() == []

    refused(FileNotFoundError, re.escape(f"{path} is not a file; expected one with the matrices X, y, Xval, yval"))
    path.write_bytes(200 * b"no matrix")
    refused(ValueError, r"data\.mat cannot be read as a file of MATLAB: ")
    found = matrices(np.random.default_rng(0))
    io.savemat(path, {name: found[name] for name in ("X", "Xval")})
    refused(ValueError, r"data\.mat holds no y and no yval; expected the matrices X, y, Xval, yval")
    io.savemat(path, found | {"yval": found["yval"].T})
    refused(ValueError, r"data\.mat: Xval has shape \(3, 2\), yval \(1, 3\); expected one label an example")


def test_spirals():
    X, Y = reg_utils.load_planar_dataset(0, seed=3)
    assert X.shape == (2, 50)
    np.testing.assert_array_equal(Y, [[0] * 25 + [1] * 25])
    assert Y.dtype == np.uint8
    np.testing.assert_allclose(X[:, 0], 0, atol=0)
    t = np.linspace(1, 4 * 3.1415, 25)
    np.testing.assert_allclose(X[:, 25:], 0.2 * t**2 * [np.cos(t), np.sin(t)], rtol=1e-12)
    np.random.seed(3)
    noise = np.random.randn(50)
    noisy, _ = reg_utils.load_planar_dataset(0.1, seed=3)
    np.testing.assert_allclose(np.hypot(*X)[1:] + 0.1 * noise[1:], np.abs(np.hypot(*noisy))[1:], rtol=1e-9)


def test_pictures_of_cats_as_columns(tmp_path):
    pytest.importorskip("h5py")
    files = entries()
    folder = write(tmp_path / "pictures", files)
    loaded = init_utils.load_cat_dataset(folder)
    for actual, expected in zip(reg_utils.load_dataset(folder), loaded, strict=True):
        np.testing.assert_array_equal(actual, expected, strict=True)
    for X, name, part in ((loaded[0], "train_catvnoncat.h5", "train"), (loaded[2], "test_catvnoncat.h5", "test")):
        pictures = files[name][f"{part}_set_x"]
        np.testing.assert_array_equal(X, pictures.reshape(len(pictures), -1).T / 255, strict=True)


@pytest.mark.parametrize(
    ("function", "library", "named", "extra"),
    [
        (init_utils.load_dataset, "sklearn", "load_dataset needs scikit-learn", "sklearn"),
        (init_utils.load_dataset, "matplotlib", "load_dataset needs matplotlib", "plot"),
        (opt_utils.load_dataset, "sklearn", "load_dataset needs scikit-learn", "sklearn"),
        (init_utils.load_cat_dataset, "h5py", "load_cat_dataset needs h5py", "data"),
        (reg_utils.load_2D_dataset, "scipy.io", "load_2D_dataset needs scipy", "mat"),
        (reg_utils.load_2D_dataset, "matplotlib", "load_2D_dataset needs matplotlib", "plot"),
    ],
)
def test_what_is_not_installed_is_named_with_its_extra(function, library, named, extra, monkeypatch):
    if extra == "plot":  # what is asked for before it
        pytest.importorskip("scipy" if function is reg_utils.load_2D_dataset else "sklearn")
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=rf'^{named}: pip install "\.\[{extra}\]" in a clone of fastbackprop$'):
        function()


# ------------------------------------------------------------------------------------------------------------ boundaries


def test_a_boundary(plt, monkeypatch):
    X, y, asked, shown = np.array([[0.0, 0.1, -0.1], [0.0, 0.2, 0.1]]), np.array([[1, 0, 1]]), [], []
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.gcf()))

    def model(rows):
        asked.append(rows)
        return (rows[:, :1].T > 0.5).astype(int)

    init_utils.plot_decision_boundary(model, X, y)
    (rows,) = asked
    x1, x2 = np.unique(rows[:, 0]), np.unique(rows[:, 1])
    assert len(rows) == len(x1) * len(x2)
    for values, low, high in ((x1, -1.1, 1.1), (x2, -1, 1.2)):
        np.testing.assert_allclose([values[0], values[-1]], [low, high], atol=0.011)
        np.testing.assert_allclose(np.diff(values), 0.01, rtol=1e-9)
    (figure,) = shown
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x1", "x2")
    points = axes.collections[-1]
    np.testing.assert_array_equal(points.get_offsets(), X.T)
    np.testing.assert_array_equal(points.get_array(), y.ravel())
    assert len(axes.collections) > 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": np.ones((3, 4))}, r"X has shape \(3, 4\); expected \(2, m\)"),
        ({"y": np.ones((1, 3))}, r"y has shape \(1, 3\); expected \(1, 4\)"),
        ({"model": lambda rows: rows}, r"model returned an array of shape \(\d+, 2\) for \d+ rows; expected one label a row"),
    ],
)
def test_a_boundary_that_is_refused(change, message, plt):
    given = {"model": lambda rows: rows[:, 0], "X": np.ones((2, 4)), "y": np.ones((1, 4))} | change
    with pytest.raises(ValueError, match=message):
        opt_utils.plot_decision_boundary(**given)
    assert plt.get_fignums() == []
