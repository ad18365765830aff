"""Names that lead out are refused, names that are not UTF-8 found again."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elsa_nb.pictures.opening import RefusedError, id_of_path, open_inside, path_of_id

# Whole bytes, and pieces of what an escape is written with, so that names look like escapes of others.
PIECES = st.sampled_from(
    [b"\\", b"x", b"x5c", b"5c", b"e9", b"xe9", b"\xe9", b"\xc3\xa9", b"\xc3", b"a", b"x80", b"xE9"]
)
NAMES = st.one_of(st.binary(min_size=1, max_size=12), st.lists(PIECES, min_size=1, max_size=8).map(b"".join)).filter(
    lambda name: not {0, 47} & set(name) and name not in (b".", b"..")
)


@given(st.lists(NAMES, min_size=1, max_size=6, unique=True))
def test_any_name_is_found_again_by_its_id_also_beside_names_that_look_like_it(tmp_path_factory, names):
    folder = tmp_path_factory.mktemp("names")
    beside = [os.fsencode(id_of_path(os.fsdecode(name))) for name in names]  # files that are called as others' ids
    every = {*names, *beside, *(os.fsencode(id_of_path(os.fsdecode(name))) for name in beside)}
    for name in every:
        (folder / os.fsdecode(name)).write_bytes(name)
    ids = {id_of_path(os.fsdecode(name)): name for name in every}
    assert len(ids) == len(every)
    for item, name in ids.items():
        item.encode("utf-8")
        assert os.fsencode(path_of_id(item)) == name
        with open_inside(folder, item, through_links=False) as stream:
            assert stream.read() == name


def test_ordinary_names_are_their_ids():
    for name in ("café.jpg", r"a\b.jpg", r"a\xg1.jpg", r"C\x41.jpg", "x5c.jpg", "a/b/ü.png"):
        assert id_of_path(name) == name
    assert id_of_path("caf\udce9.jpg") == r"caf\xe9.jpg"
    assert id_of_path(r"caf\xe9.jpg") == r"caf\x5cxe9.jpg"


@pytest.mark.parametrize("name", ["../a", "b/../../a", "/etc/hostname", "", "a\0", "b", r"\xe9/../../a"])
@pytest.mark.parametrize("through_links", [False, True])
def test_no_name_leads_out(tmp_path, name, through_links):
    (tmp_path / "a").write_text("secret")
    (tmp_path / "in" / "b").mkdir(parents=True)
    with pytest.raises((RefusedError, FileNotFoundError)):
        open_inside(tmp_path / "in", name, through_links=through_links).close()


def test_a_name_with_a_backslash_means_its_file_also_as_it_is_written(tmp_path):
    names = (r"scans\xab12.jpg", r"scans\xcd.jpg", "scans\udccd.jpg")
    for name in names:
        (tmp_path / name).write_bytes(os.fsencode(name))

    def read(item):
        with open_inside(tmp_path, item, through_links=False) as stream:
            return os.fsdecode(stream.read())

    assert read(r"scans\xab12.jpg") == read(r"scans\x5cxab12.jpg") == names[0]
    assert read(r"scans\x5cxcd.jpg") == names[1]
    assert read(r"scans\xcd.jpg") == names[2]  # the id of a file goes before a name like it
