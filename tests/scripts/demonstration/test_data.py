"""The demo's data: real pictures are read as notebooks read them, and a folder without them is refused with a message."""

import h5py
import numpy as np
import pytest

from scripts.demonstration.data import FolderError, generated_pictures, real_pictures, table


def write(folder, name, **datasets):
    with h5py.File(folder / name, "w") as file:
        file.update(datasets)


def pictures(m, side=4):
    rng = np.random.default_rng(m)
    return rng.integers(0, 256, (m, side, side, 3), dtype=np.uint8), rng.integers(0, 2, m)


def test_real_pictures_become_scaled_columns(tmp_path):
    (x, y), (x_held_out, y_held_out) = pictures(5), pictures(3)
    write(tmp_path, "a.h5", train_set_x=x, train_set_y=y)
    write(tmp_path, "b.h5", test_set_x=x_held_out, test_set_y=y_held_out)
    problem = real_pictures(tmp_path)
    assert problem.layers_dims == [48, 20, 7, 5, 1]
    np.testing.assert_array_equal(problem.X, x.reshape(5, -1).T / 255)
    np.testing.assert_array_equal(problem.Y, y[None])
    np.testing.assert_array_equal(problem.X_held_out, x_held_out.reshape(3, -1).T / 255)
    np.testing.assert_array_equal(problem.Y_held_out, y_held_out[None])


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FolderError, match="nowhere is not a folder"):
        real_pictures(tmp_path / "nowhere")


def test_a_folder_without_pictures(tmp_path):
    with pytest.raises(FolderError, match=r"holds no \*\.h5 file"):
        real_pictures(tmp_path)


def test_a_file_that_is_not_hdf5(tmp_path):
    (tmp_path / "a.h5").write_text("no")
    with pytest.raises(FolderError, match=r"a\.h5 cannot be read as HDF5"):
        real_pictures(tmp_path)


def test_files_that_lack_a_part(tmp_path):
    x, y = pictures(5)
    write(tmp_path, "a.h5", train_set_x=x, train_set_y=y)
    with pytest.raises(FolderError, match=r"a\.h5 holds test_set_x"):
        real_pictures(tmp_path)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros(4), "one label a picture"),
        (np.zeros((5, 1)), "one label a picture"),
        (np.full(5, 2), "other than 0 and 1"),
    ],
)
def test_labels_that_do_not_fit(tmp_path, labels, message):
    x, y = pictures(5)
    write(tmp_path, "a.h5", train_set_x=x, train_set_y=labels, test_set_x=x, test_set_y=y)
    with pytest.raises(FolderError, match=message):
        real_pictures(tmp_path)


def test_pictures_of_two_sizes(tmp_path):
    (x, y), (x_held_out, y_held_out) = pictures(5), pictures(3, side=6)
    write(tmp_path, "a.h5", train_set_x=x, train_set_y=y, test_set_x=x_held_out, test_set_y=y_held_out)
    with pytest.raises(FolderError, match="48 values each, those held out 108"):
        real_pictures(tmp_path)


@pytest.mark.parametrize("make", [table, generated_pictures])
def test_made_problems_are_the_same_every_time_and_fit_their_net(make):
    problem, again = make(), make()
    for one, other in zip(problem, again, strict=True):
        np.testing.assert_array_equal(one, other)
    for X, Y in ((problem.X, problem.Y), (problem.X_held_out, problem.Y_held_out)):
        assert X.shape == (problem.layers_dims[0], Y.shape[1])
        assert Y.shape == (1, X.shape[1])
        assert set(np.unique(Y)) == {0, 1}
