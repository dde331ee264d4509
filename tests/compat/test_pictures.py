"""``print_mislabeled_images``: what is drawn, and what is refused."""

import sys

import numpy as np
import pytest

from fastbackprop.compat import dnn_app_utils_v2, dnn_app_utils_v3

draw = dnn_app_utils_v3.print_mislabeled_images
CLASSES = np.array([b"non-cat", b"cat"])
X = np.random.default_rng(0).random((48, 5))
y, p = np.array([[1, 0, 1, 0, 1]]), np.array([[1.0, 1.0, 0.0, 0.0, 0.0]])


@pytest.fixture
def plt():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    with matplotlib.rc_context():
        yield pyplot
    pyplot.close("all")


def test_both_generations_draw_alike():
    assert dnn_app_utils_v2.print_mislabeled_images is draw


@pytest.mark.parametrize(
    "form", [lambda v: v, lambda v: v.ravel(), lambda v: v == 1, lambda v: v.astype(np.uint8), lambda v: v.tolist()]
)
@pytest.mark.parametrize("classes", [CLASSES, ["non-cat", "cat"]])
def test_the_wrong_ones_are_drawn_with_both_names(form, classes, plt, capsys):
    assert draw(classes, X, form(y), form(p)) is None
    (number,) = plt.get_fignums()
    figure = plt.figure(number)
    assert tuple(figure.get_size_inches()) == (40, 40)
    assert list(plt.rcParams["figure.figsize"]) == [40, 40]
    wrong = [(1, "cat", "non-cat"), (2, "non-cat", "cat"), (4, "non-cat", "cat")]
    assert len(figure.axes) == 3
    for place, (axes, (i, predicted, right)) in enumerate(zip(figure.axes, wrong, strict=True)):
        (image,) = axes.get_images()
        np.testing.assert_array_equal(image.get_array(), X[:, i].reshape(4, 4, 3))
        assert image.get_interpolation() == "nearest"
        assert axes.get_title() == f"Prediction: {predicted} \n Class: {right}"
        assert not axes.axison
        assert axes.get_subplotspec().get_geometry() == (2, 3, place, place)
    assert capsys.readouterr().out == ""


def test_nothing_wrong_draws_nothing(plt):
    draw(CLASSES, X, y, y)
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((X[:47], y, p), r"X has shape \(47, 5\); expected \(3 n\^2, m\)"),
        ((X[:0], y, p), r"X has shape \(0, 5\)"),
        ((X[:, 0], y, p), r"X has shape \(48,\)"),
        ((X, y[:, :4], p), r"y has shape \(1, 4\); expected \(1, 5\)"),
        ((X, y, p[:, :1]), r"p has shape \(1, 1\); expected \(1, 5\)"),
        ((X, 2 * y, p), "y holds labels other than 0 and 1"),
        ((X, y, p / 2), "p holds labels other than 0 and 1"),
    ],
)
def test_what_is_refused_changes_nothing(args, message, plt):
    size = list(plt.rcParams["figure.figsize"])
    with pytest.raises(ValueError, match=message):
        draw(CLASSES, *args)
    assert list(plt.rcParams["figure.figsize"]) == size
    assert plt.get_fignums() == []


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    expected = r'^print_mislabeled_images needs matplotlib: pip install "\.\[plot\]" in a clone of fastbackprop$'
    with pytest.raises(ImportError, match=expected):
        draw(CLASSES, X, y, p)
