"""One picture goes by many paths; a name means an item only where nothing else could be meant."""

import tracemalloc
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elsa_nb.label.label_files import names as module
from elsa_nb.label.label_files.names import Names

IDS = [
    "cats/Müller 1.jpg",
    "cats/2.jpg",
    "dogs/1.jpg",
    "dogs/2.jpg",
    "007.jpg",
    "deep/cats/2.jpg",
    "twin.jpg",
    "twin.png",
]


@pytest.fixture(scope="module")
def names():
    return Names(IDS)


@pytest.mark.parametrize(
    ("name", "item"),
    [
        ("cats/2.jpg", "cats/2.jpg"),
        ("./dogs/1.jpg", "dogs/1.jpg"),
        ("D:\\ann\\photos\\dogs\\2.jpg", "dogs/2.jpg"),
        ("/media/ann/photos/dogs/2.jpg", "dogs/2.jpg"),
        ("/media/ann/photos/deep/cats/2.jpg", "deep/cats/2.jpg"),
        ("file:///x/cats/M%C3%BCller%201.jpg", "cats/Müller 1.jpg"),
        ("https://example.org/p/dogs/1.jpg?size=large", "dogs/1.jpg"),
        ("/data/local-files/?d=photos/dogs/1.jpg", "dogs/1.jpg"),
        ("https://x.org/store/dogs/1.jpg?signature=a%2Fb&d=300", "dogs/1.jpg"),
        ("/data/upload/12/0a1b2c3d-Müller_1.jpg", "cats/Müller 1.jpg"),
        ("0a1b2c3d-007.jpg", "007.jpg"),
        ("1.jpg", "dogs/1.jpg"),
        ("DOGS/1.JPG", "dogs/1.jpg"),
        ("dogs/1", "dogs/1.jpg"),
        (unicodedata.normalize("NFD", "cats/Müller 1.jpg"), "cats/Müller 1.jpg"),
    ],
)
def test_ways_to_write_a_path(names, name, item):
    assert IDS[names.find(name)] == item


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("2.jpg", "fits 3 items"),
        ("twin", "fits 2 items: 'twin.jpg' and 'twin.png'"),
        ("birds/1.jpg", "only in another folder: 'dogs/1.jpg'"),
        ("dogs/1.png", "no such item"),
        ("", "no such item"),
        ("???", "no such item"),
    ],
)
def test_what_is_not_unique_or_not_there_is_no_item(names, name, why):
    assert why in names.find(name)


def test_numbers_come_back_from_spreadsheets():
    names = Names(["007", "12", "0100"])
    assert [names.find(name) for name in ("7", "12.0", "100,0", " 7 ")] == [0, 1, 2, 0]
    assert names.find("7.5") == "no such item"


def test_cells_made_safe_for_spreadsheets_are_read_as_they_were():
    names = Names(["=a.jpg", "-b.jpg", "'=c.jpg"])
    assert [names.find(name) for name in ("'=a.jpg", "'-b.jpg", "=a.jpg", "'=c.jpg")] == [0, 1, 0, 2]


@given(st.lists(st.text("ab/\\ .%é\u0301='", min_size=1, max_size=8), min_size=1, max_size=6, unique=True))
def test_an_id_always_means_itself(ids):
    names = Names(ids)
    assert [names.find(item) for item in ids] == list(range(len(ids)))


def test_a_name_that_no_item_has_takes_little_memory():
    ids = [f"{i % 7}/a folder with a name/picture-number-{i:07d}.jpg" for i in range(3000)]
    names = Names(ids)
    tracemalloc.start()
    try:
        assert names.find("elsewhere.jpg") == "no such item"
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept / len(ids) < 600  # bytes per item: its name twice, in the two ways of looking it up


def test_items_that_share_a_file_name_are_found_without_looking_at_each(monkeypatch):
    names = Names([f"patient {i}/scan.png" for i in range(300)])
    assert names.find("/media/ann/patient 7/scan.png") == 7
    taken_apart = []
    monkeypatch.setattr(module, "_exact", lambda name: taken_apart.append(name) or tuple(name.split("/")))
    for i in range(300):
        assert names.find(f"/media/ann/patient {i}/scan.png") == i
    assert len(taken_apart) <= 600


def test_a_name_written_as_the_item_is_never_taken_apart(monkeypatch):
    names = Names(["cats/2.jpg", "Ä/ö.png"])
    monkeypatch.setattr(module, "_exact", pytest.fail)
    monkeypatch.setattr(module, "_plain", pytest.fail)
    for row, item in enumerate(names.ids):
        assert (names.find(item), names.above(item, row), names.differs(item, row)) == (row, "", "")
        assert names.may_be_one(item, item)


def test_a_name_with_a_backslash_that_looks_like_a_byte_is_found_by_itself():
    names = Names([r"scans\x5cxab12.jpg", r"caf\xe9.jpg"])
    assert names.find(r"scans\xab12.jpg") == names.find(r"scans\x5cxab12.jpg") == 0
    assert names.find(r"caf\xe9.jpg") == names.find("caf\udce9.jpg") == 1
