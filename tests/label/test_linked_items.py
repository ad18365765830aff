"""Items that are links themselves, as git-annex and DVC keep them, go out and come back by their names."""

import os

import pytest

from elsa_nb.label.answers import Answer
from elsa_nb.label.export import export
from elsa_nb.label.export_kinds import KINDS
from elsa_nb.label.label_files.reader import read_labels
from elsa_nb.label.session import Session

ITEMS = [
    "ann/pic0.jpg",
    "ann/pic1.jpg",
    "ann/deep/pic0.jpg",
    "camA/pic0.jpg",
    "linked/pic2.jpg",
    "caf\\xe9.jpg",
    "a.jpg",
]


@pytest.fixture
def images(tmp_path):
    """Pictures in a store, by the checksum of their content; two names of one content, and a folder that is a link."""
    images, store = tmp_path / "images", tmp_path / "store"
    store.mkdir()
    (tmp_path / "elsewhere").mkdir()
    for folder in ("ann/deep", "camA"):
        (images / folder).mkdir(parents=True)
    (images / "linked").symlink_to(tmp_path / "elsewhere")
    for i, item in enumerate(ITEMS[:-1]):
        held = store / f"SHA256-{i // 2}.jpg"  # one content has two names
        held.write_bytes(b"%d" % (i // 2))
        place = images / os.fsdecode(item.encode().replace(b"\\xe9", b"\xe9"))
        place.symlink_to(os.path.relpath(held, place.parent.resolve()))
    (images / ITEMS[-1]).symlink_to("ann/pic0.jpg")  # one item leads to another
    return images


@pytest.mark.parametrize("named", ["images", "another name of it"])
@pytest.mark.parametrize("kind", ["links", "fiftyone", "label-studio", "coco", "csv", "parquet"])
def test_items_that_are_links_come_back_from_every_export(tmp_path, images, kind, named):
    folder = images
    if named != "images":
        folder = tmp_path / named
        folder.symlink_to(images)
    session = Session(tmp_path / "s.sqlite")
    session.acquire()
    session.write([Answer(item, -2, int(i != 1), position=i, row=i) for i, item in enumerate(ITEMS)])
    options = {"images": folder} if "images" in KINDS[kind].options else {}
    path = export(session, tmp_path / "out", kind, **options)
    session.close()
    found = read_labels(path, ITEMS, **({"positive": "target"} if kind in ("fiftyone", "coco") else {}))
    assert {row for row, label in next(iter(found.given.values())).items() if label == 1} == {0, 2, 3, 4, 5, 6}


def test_copies_of_items_that_are_links_are_files(tmp_path, images):
    session = Session(tmp_path / "s.sqlite")
    session.acquire()
    session.write([Answer(item, -2, 1, position=i, row=i) for i, item in enumerate(ITEMS)])
    copies = export(session, tmp_path / "out", "copies", images=images)
    session.close()
    assert sorted(path.read_bytes() for path in copies.iterdir()) == sorted([b"0", b"0", b"1", b"1", b"2", b"2", b"0"])
    assert not any(path.is_symlink() for path in copies.iterdir())


def test_a_folder_per_class_may_hold_links_to_items_that_are_links(tmp_path, images):
    for i, item in enumerate(ITEMS[:5]):
        place = tmp_path / "sorted" / ("cat" if i % 2 else "dog") / f"{i}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(os.path.relpath(images / item, place.parent))
    found = read_labels(tmp_path / "sorted", ITEMS, positive="cat")
    assert found.given == {None: {0: 0, 1: 1, 2: 0, 3: 1, 4: 0}}


def test_links_in_a_circle_and_to_nothing_are_no_items(tmp_path, images):
    circle = tmp_path / "picked"
    circle.mkdir()
    (circle / "one").symlink_to("two")
    (circle / "two").symlink_to("one")
    (circle / "00001-pic1.jpg").symlink_to(images / "ann/pic1.jpg")
    found = read_labels(circle, ITEMS)
    assert found.given == {None: {1: 1}}
