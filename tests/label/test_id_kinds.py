"""Ids that are no files mean nothing but themselves: no ending, path or query is taken off, no case is changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elsa_nb.label.label_files.names import Names
from elsa_nb.label.label_files.reader import read_labels

_DIGITS = st.integers(0, 30).map(str)
SHAPES = {
    "numbers": st.tuples(_DIGITS, st.sampled_from(["", ".25", ".5", ".75"])).map("".join),
    "versions": st.tuples(st.sampled_from(["python", "numpy"]), _DIGITS, st.sampled_from(["", ".1", ".2.3"])).map(
        lambda parts: f"{parts[0]}-{parts[1]}{parts[2]}"
    ),
    "addresses": st.tuples(
        st.sampled_from(["https://shop.org/", "http://shop.org/en/", "shop.org/"]),
        st.sampled_from(["list", "List", "view.jpg", "a#b", ""]),
        st.sampled_from(["", "?page=1", "?page=2", "?img=1.jpg", "?img=2.jpg"]),
    ).map("".join),
    "molecules": st.text("Cc=/\\()O.1l", max_size=8).map("{}=C".format),  # a slash stands beside a double bond
    "odd files": st.text("a?.#=%2", max_size=5).map("{}.jpg".format),
}


@pytest.mark.parametrize("shape", SHAPES)
@given(data=st.data())
def test_a_label_never_lands_on_another_thing_of_the_same_shape(shape, data):
    """An address of a picture may ask for a size: that is the picture, and it is told.

    Any may say how to get there (`https://`), or leave it out.
    """
    pool = data.draw(st.lists(SHAPES[shape], min_size=1, max_size=6, unique=True))
    name = data.draw(SHAPES[shape])
    names = Names(pool)
    row = names.find(name)
    if isinstance(row, int) and name.rpartition("//")[2] != pool[row].rpartition("//")[2]:
        assert ".jpg" in pool[row], (name, pool[row])
        assert "?" not in pool[row] or pool[row] in name, (name, pool[row])
        assert name.partition("?")[0].endswith(pool[row].partition("?")[0]) or names.differs(name, row)


@pytest.mark.parametrize(
    ("item", "name", "what"),
    [
        ("cats/1.jpg", "cats/1", "file ending"),
        ("cats/1.jpg", "https://a.org/cats/1.jpg?w=3", "query of the web address"),
        ("my cat.jpg", "0a1b2c3d-my_cat.jpg", "form that Label Studio gives to uploaded files"),
        ("007", "7", "way to write a number"),
    ],
)
def test_each_loose_fit_is_counted_and_told(tmp_path, item, name, what):
    (path := tmp_path / "labels.csv").write_text(f"id,label\n{name},1\nother.jpg,0\n")
    said = str(read_labels(path, [item, "other.jpg"]))
    assert f"1 name differs from the items in nothing but the {what}" in said
    assert f"(line 2: {name!r} for {item!r})" in said


@pytest.mark.parametrize(
    ("item", "name", "fits"),
    [
        ("https://a.org/1.jpg", "http://A.org/1.JPG?w=300", True),
        ("https://a.org/x/1.jpg", "x/1.jpg", True),
        ("https://a.org/1.jpg", "https://b.org/1.jpg", False),
        ("https://a.org/1.jpg", "https://a.org/x/1.jpg", False),
        ("https://a.org/x/1.jpg", "https://a.org/1.jpg", False),
        ("x/1.jpg", "https://b.org/x/1.jpg", True),
        ("1.jpg", "https://[b.org/1.jpg", True),
    ],
)
def test_of_two_web_addresses_host_and_folders_count(item, name, fits):
    assert (Names([item, "other.jpg"]).find(name) == 0) is fits


def test_letter_case_tells_molecules_apart_and_the_reason_says_so():
    assert Names(["C1CCCCC1"]).find("c1ccccc1") == "that name is here only in another letter case: 'C1CCCCC1'"


@pytest.mark.parametrize("name", ["https://doi.org/10.1000/abc", "doi.org\\10.1000\\abc", " 10.1000/abc"])
def test_a_path_without_an_ending_is_found_by_a_longer_one(name):
    assert Names(["10.1000/abc", "x"]).find(name) == 0


@pytest.mark.parametrize("named", ["{}", "{}.jpg", "frames/{}.tif", "a.b\\{}.JPG"])
def test_numbers_from_1_are_not_those_from_0(tmp_path, named):
    ids = [named.format(i) for i in range(20)]
    path = tmp_path / "labels.csv"
    path.write_text("id,label\n" + "".join(f"{i},{i % 2}\n" for i in range(1, 21)))
    with pytest.raises(ValueError, match=r"numbers from 1 to 20, .* numbered from 0 to 19.*Subtract 1.*item='row'"):
        read_labels(path, ids)
    assert read_labels(path, ids, item="row").agreed() == {i: (i + 1) % 2 for i in range(20)}
    path.write_text("id,label\n" + "".join(f"{i},{i % 2}\n" for i in range(1, 20)))
    assert read_labels(path, ids).agreed() == {i: i % 2 for i in range(1, 20)}


@pytest.mark.parametrize("named", ["{}", "{:03d}.jpg", "day {:02d}/{:03d}.png"])
@pytest.mark.parametrize("gone", [(), (5,), (1, 2, 17), (18,)])
@pytest.mark.parametrize("more", [(), ("cover.jpg",)])
def test_numbers_from_1_are_told_where_ids_are_missing_or_have_zeros_in_front(tmp_path, named, gone, more):
    ids = [*(named.format(i, i) for i in _kept(gone)), *more]
    path = tmp_path / "labels.csv"
    written = "{:03d}" if ":03d" in named else "{}"
    for numbers in (range(1, 21), (*range(4, 16), 20)):
        path.write_text("id,label\n" + "".join(f"{written.format(i)},1\n" for i in numbers))
        with pytest.raises(ValueError, match=r"numbers from 1 to 20, .* numbered from 0 to 19"):
            read_labels(path, ids)
    for numbers in (range(20), range(1, 20), (0, *range(4, 21))):
        path.write_text("id,label\n" + "".join(f"{written.format(i)},1\n" for i in numbers))
        assert {*read_labels(path, ids).agreed()} == {row for row, i in enumerate(_kept(gone)) if i in numbers}


def _kept(gone):
    return [i for i in range(20) if i not in gone]


@pytest.mark.parametrize("first", [1, 5])
def test_files_that_are_numbered_from_1_are_found_by_their_numbers(tmp_path, first):
    ids = [f"{i}.jpg" for i in range(first, first + 20)]
    (path := tmp_path / "labels.csv").write_text(
        "id,label\n" + "".join(f"{i},{i % 2}\n" for i in range(first, first + 20))
    )
    assert read_labels(path, ids).agreed() == {i: (i + first) % 2 for i in range(20)}


FOLDERS = [
    "images/{}",
    "/data/{}",
    "/media/ann/pics (1)/{}",
    "/media/c/owls/{}",
    "file:///media/ann/pics/{}",
    "D:\\pics\\owls\\{}",
    "\\\\server\\share\\pics\\{}",
]


@pytest.mark.parametrize("folders", FOLDERS)
@pytest.mark.parametrize("item", ["IMG_0001", "plate1/A03", "a94a8fe5", "DSC_1.MPO", "scan.qptiff"])
def test_an_item_is_found_behind_the_folders_that_lead_to_it(folders, item):
    assert Names(["other", item]).find(folders.format(item)) == 1


@pytest.mark.parametrize("item", ["12", "12.25", "+1", "a?d=c.png"])
def test_what_may_be_a_number_or_a_formula_is_found_behind_the_absolute_path_of_an_export(item):
    assert Names(["other", item]).find(f"/media/ann/pics/{item}") == 1
    assert Names(["other", item]).find(f"images/{item}") == "no such item"
