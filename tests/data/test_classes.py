"""Classes of any values, and labels that are numbers."""

from pathlib import Path

import numpy as np
import pytest

from fastbackprop.bad_input import BadInput
from fastbackprop.data import Examples
from fastbackprop.data.classes import Classes, find_classes, number_labels


def labelled(*values):
    labels = None if not values else np.array(values)
    return Examples(Path("d.csv"), "all", np.zeros((1, len(values))), labels, None, lambda i: f"line {i + 1}")


MANY = [(0, 1, 2), ("a", "b", "c", "d"), (-1, 0.5, 7)]


@pytest.mark.parametrize("values", MANY)
def test_several_classes_are_numbered_in_their_order(values):
    examples = labelled(*values[::-1], values[0])
    classes = find_classes(examples, several=True)
    assert classes.values == values
    np.testing.assert_array_equal(classes.labels(examples), [[*range(len(values))[::-1], 0]])
    assert str(classes) == f"{', '.join(map(str, values))} are taken as 0 to {len(values) - 1}"
    with pytest.raises(BadInput, match=f"line 2 is other; expected one of the model's classes, {values[0]}, {values[1]}"):
        classes.labels(labelled(str(values[0]), "other"))


def test_one_class_is_too_few_of_several():
    with pytest.raises(BadInput, match="every label is 7"):
        find_classes(labelled(7, 7), several=True)


def test_numbers_are_labels_themselves():
    for values in ((1, 2.5, -3), ("1", "2.5", "-3")):
        np.testing.assert_array_equal(number_labels(labelled(*values)), [[1, 2.5, -3]])
    with pytest.raises(BadInput, match="line 2 is two; expected a number"):
        number_labels(labelled("1", "two"))
    with pytest.raises(BadInput, match="holds no labels"):
        number_labels(labelled())


PAIRS = [(0, 1), (1, 2), (-1, 1), (0.5, 1), ("no", "yes"), ("B", "M")]


@pytest.mark.parametrize("pair", PAIRS)
def test_the_smaller_is_0_and_the_values_are_kept(pair):
    for values in (pair, pair[::-1]):
        examples = labelled(*values, values[0])
        classes = find_classes(examples)
        assert classes.values == pair
        assert [type(value) for value in classes.values] == [type(value) for value in pair]
        np.testing.assert_array_equal(classes.labels(examples), [[float(value == pair[1]) for value in (*values, values[0])]])


def test_whole_floats_and_truths_are_whole_numbers():
    assert find_classes(labelled(1.0, 0.0)) == Classes((0, 1))
    assert find_classes(labelled(True, False)) == Classes((0, 1))


def test_numbers_as_texts_are_those_numbers_to_a_model():
    np.testing.assert_array_equal(Classes((0, 1)).labels(labelled("1", "0.0")), [[1, 0]])


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((7, 7), r"every label is 7 \(the first is line 1\); expected two classes"),
        ((0, 0, 1, 2), "line 4 is a third class; expected two, found 3: 0, 1, 2"),
        (tuple(range(10)), r"line 3 is a third class; expected two, found 10: 0, 1, 2, 3, 4, \.\.\."),
        ((), "holds no labels"),
    ],
)
def test_other_than_two_classes(values, words):
    with pytest.raises(BadInput, match=words):
        find_classes(labelled(*values))


@pytest.mark.parametrize("values", [(0, 1, 2), ("0", "1", "two")])
def test_labels_of_no_class_of_the_model(values):
    with pytest.raises(BadInput, match=f"line 3 is {values[2]}; expected one of the model's classes, 0 and 1"):
        Classes((0, 1)).labels(labelled(*values))
    with pytest.raises(BadInput, match="line 1 is 0"):
        Classes(("no", "yes")).labels(labelled(*values))
