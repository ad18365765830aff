"""Labels in NumPy arrays, one per item."""

import io

import numpy as np
import pytest


def as_file(*arrays, **named):
    stream = io.BytesIO()
    np.savez(stream, **named) if named else np.save(stream, *arrays)
    return stream.getvalue()


@pytest.mark.parametrize(
    "labels",
    [
        np.array([1, 0, 1]),
        np.array([[True], [False], [True]]),
        np.array([1.0, 0.0, 1.0], np.float16),
        np.array(["yes", "no", "yes"]),
        np.array([b"yes", b"no", b"yes"]),
        np.array([1, 0, 1], ">i2"),
    ],
    ids=str,
)
def test_an_array_has_a_label_an_item_in_their_order(read, labels):
    ids, wanted = ["a", "b", "c"], {None: {0: 1, 1: 0, 2: 1}}
    assert read(as_file(labels), ids=ids).given == wanted
    vectors = np.ones((3, 4))
    assert read(as_file(X=vectors, y=labels), ids=ids).given == wanted  # what is no label an item is left out
    for name in ("image", "filenames", "ids", "names", "of"):  # an order of its own, which is not the pool's
        arrays = {"X": vectors, "y": labels[::-1], name: np.array([f"{i}.jpg" for i in ids[::-1]])}
        assert read(as_file(**arrays), ids=[f"{i}.jpg" for i in ids], label="y").given == wanted


@pytest.mark.parametrize("name", ["y", "outcome"])
def test_the_one_array_beside_the_names_is_the_labels(read, name):
    ids = ["a.jpg", "b.jpg", "c.jpg"]
    arrays = {"X": np.ones((3, 4)), "ids": np.array(ids[::-1]), name: np.array([1, 1, 0])}
    assert read(as_file(**arrays), ids=ids).given == {None: {0: 0, 1: 1, 2: 1}}


def test_of_an_array_nothing_is_no_label(read):
    assert read(as_file(np.array([1, np.nan, 0])), ids=["a", "b", "c"]).given == {None: {0: 1, 2: 0}}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (as_file(np.ones((3, 4))), r"shape \(3, 4\); labels are one number or text per item"),
        (as_file(np.array(5)), r"shape \(\)"),
        (
            as_file(X=np.ones((3, 4))),
            r"none of its arrays has one label per item, \(n,\): 'X', an array of shape \(3, 4\)",
        ),
        (as_file(np.array(["a", None, 1], object)), r"an array of object.*as text: astype\(str\)"),
        (
            as_file(labels=np.array([1, 0, 1]), of=np.array(["b", "a", "c"], object)),
            r"holds 'of', an array of object.*astype\(str\)",
        ),
        (as_file(np.array([(1, 2.0)] * 3, [("a", int), ("b", float)])), "an array of"),
        (as_file(np.array([1, 0])), "there are 2 rows .* and 3 items"),
        (as_file(y=np.array([1, 0, 1]), split=np.array([1, 0])), r"different lengths: \{'y': 3, 'split': 2\}"),
        (as_file(y=np.array([1, 0, 1]), split=np.array([1, 0, 1])), "'y', 'split'"),
        (as_file(np.array(["ja", "nein", "ja"]))[:-2] + b"\xff\x7f", "damaged: row 3 is not text"),
        (as_file(np.array([1, 0, 1]))[:-1], "cut off: 23 bytes of an array of 24"),
        (as_file(np.array([1, 0, 1])).replace(b"(3,), }", b"(3e9),}"), "shape is not valid"),
    ],
)
def test_arrays_that_are_no_labels_are_one_sentence(read, content, said):
    with pytest.raises(ValueError, match=said):
        read(content, ids=["a", "b", "c"])


def test_an_array_that_says_it_is_huge_takes_no_memory(read):
    huge = as_file(np.array([1, 0, 1])).replace(b"(3,), }          ", b"(3000000000,), } ")
    with pytest.raises(ValueError, match="22,888 MB"):
        read(huge, ids=["a", "b", "c"])
