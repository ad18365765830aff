"""What is said of a file of labels, whatever its format: what matches nothing, contradicts itself or is not one."""

import re
import unicodedata
import zipfile

import pandas as pd
import pytest
from at_the_desk import IDS
from hypothesis import given
from hypothesis import strategies as st

from elsa_nb.errors import MissingDataError
from elsa_nb.label.answers import Answer
from elsa_nb.label.export import export
from elsa_nb.label.label_files.reader import read_examples, read_labels
from elsa_nb.label.session import Session
from elsa_nb.option_names import by_command, by_examples, by_keyword, by_page, by_reading, told_by


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(99), "neither text nor a known table"),
        (b"", "empty"),
        (b"\xef\xbb\xbf<TABLE><tr><td>item<td>label</TABLE>", "web page"),
        (b"{\\rtf1 item label}", "RTF"),
    ],
)
def test_what_is_no_text_is_called_so(read, content, sentence):
    with pytest.raises(ValueError, match=sentence):
        read(content)


def test_an_archive_is_to_be_unpacked(read, tmp_path):
    with zipfile.ZipFile(tmp_path / "labels.csv", "w") as archive:
        archive.writestr("obj.names", "cat")
    with pytest.raises(ValueError, match="unpack it"):
        read((tmp_path / "labels.csv").read_bytes())


DOORS = {
    by_keyword: "item='location'.",
    by_reading: "reading={'item': 'location'}.",
    by_command: "`--item location`.",
    by_page: "call the column 'item' in the file, or `elsa-nb labels import SESSION FILE --item location`.",
    by_examples: "call the column 'item' in the file.",
}


@pytest.mark.parametrize("door", DOORS)
def test_the_column_that_fits_all_items_is_named_for_the_door_through_which_the_file_came(read, door):
    ids = ["cam1/1.jpg", "cam2/1.jpg", "cam2/2.jpg"]
    lines = ["1.jpg,s3://x/cam1/1.jpg,1", "1.jpg,s3://x/cam2/1.jpg,0", "2.jpg,s3://x/cam2/2.jpg,0"]
    said = "f its columns 'location' holds an item in every line; to take it: " + DOORS[door]
    with told_by(door):
        assert said in str(read("filename,location,label\n" + "\n".join(lines), ids=ids))  # of the last line
        for name in ("filename", "number"):
            with pytest.raises(ValueError, match=re.escape(said)):
                read(f"{name},location,label\n" + "\n".join(lines[:2]), ids=ids)
    assert read("filename,location,label\n" + "\n".join(lines), ids=ids, item="location").rows() == [0]
    assert "f its columns" not in str(read("item,file,label\na,a,1\n", ids=["a", "b"]))


def test_a_list_of_names_says_nothing_until_it_is_told_what_it_is(read):
    text = "cats/2.jpg\ncats/Müller 1.jpg\nnone.jpg\n"
    with pytest.raises(ValueError, match="every='positive'"):
        read(text)
    found = read(text, every="positive")
    assert found.given == {None: {0: 1, 1: 1}}
    assert [name for _, name, _ in found.unmatched] == ["none.jpg"]
    with pytest.raises(ValueError, match="allowed: positive, negative, unsure"):
        read(text, every="cat")


def test_what_matches_nothing_is_counted_and_listed(read):
    found = read("item,label\ncats/2.jpg,1\n" + "".join(f"gone-{i}.jpg,1\n" for i in range(7)))
    assert len(found.unmatched) == 7
    assert "7 names are not items of the pool (line 3: 'gone-0.jpg', no such item;" in str(found)
    assert "and 2 more" in str(found)
    with pytest.raises(ValueError, match=r"none of its 1 name .*'birds/2.jpg'.*in another folder"):
        read("item,label\nbirds/2.jpg,1\n")


def test_contradictions_are_refused_naming_both_lines(read):
    with pytest.raises(ValueError, match=r"line 2 calls 'cats/2.jpg' positive and line 4 calls it negative"):
        read("item,label\ncats/2.jpg,1\ndogs/1.jpg,1\ncats/2.jpg,0\n")
    with pytest.raises(ValueError, match=r"line 2 calls 'cats/2.jpg' positive and line 3 calls 'Cats.+2.jpg' negative"):
        read("item,label\ncats/2.jpg,1\nCats\\2.jpg,0\n")
    assert read("item,label\ncats/2.jpg,1\ncats/2.jpg,1\n").given == {None: {1: 1}}


def test_two_files_never_become_one_item(read):
    with pytest.raises(ValueError, match=r"line 2 \('p1/a.jpg'\) and line 3 \('p2/a.jpg'\) are two files"):
        read("item,label\np1/a.jpg,1\np2/a.jpg,1\n", ids=["a.jpg"])


@pytest.mark.parametrize("name", ["dogs/a.jpg", "./dogs/a.jpg", "dogs\\\\a.jpg"])
def test_a_file_of_a_folder_that_is_not_there_is_none_of_the_pool(read, name):
    """Where the other names begin at the folder of the pool, so does this one."""
    found = read(f"item,label\nb.jpg,1\n{name},0\nc.jpg,1\n", ids=["a.jpg", "b.jpg", "c.jpg"])
    assert found.given == {None: {1: 1, 2: 1}}
    assert "that name is here only in another folder: 'a.jpg'" in str(found)
    from_above = read("item,label\ndogs/b.jpg,1\ndogs/a.jpg,0\n", ids=["a.jpg", "b.jpg"])
    assert from_above.given == {None: {0: 0, 1: 1}}


def test_as_many_names_from_above_as_at_the_folder_are_taken_and_that_is_said(read):
    found = read("item,label\ndogs/a.jpg,1\nb.jpg,0\n/x/c.jpg,1\n", ids=["a.jpg", "b.jpg", "c.jpg"])
    assert found.given == {None: {0: 1, 1: 0, 2: 1}}
    assert "begin in 2 folders (dogs 1, the folder of the items 1)" in str(found)
    found = read("item,label\np1/a.jpg,1\np2/b.jpg,0\np1/c.jpg,1\n", ids=["a.jpg", "b.jpg", "c.jpg"])
    assert "begin in 2 folders (p1 2, p2 1)" in str(found)
    assert "begin in" not in str(read("item,label\nx/p/a.jpg,1\nx/p/d/b.jpg,0\n", ids=["a.jpg", "d/b.jpg"]))


def test_names_that_differ_in_form_or_case_are_taken_and_counted(read):
    ids = ["Vögel/eule.JPG", "Vögel/ÄSCHE.jpg", "own/x.png", "OWN/x.png"]
    there = [unicodedata.normalize("NFD", ids[0]), "vögel/äsche.jpg", "own/x.png", "voegel.jpg", "Own/X.png"]
    found = read("item,label\n" + "".join(f"{name},1\n" for name in there), ids=ids)
    assert found.given == {None: {0: 1, 1: 1, 2: 1}}
    assert "1 name differs from the items in nothing but the form of accents, and was taken" in str(found)
    assert "in nothing but the letter case, and was taken for them (line 3: 'vögel/äsche.jpg' for" in str(found)
    assert "'Own/X.png', fits 2 items: 'own/x.png' and 'OWN/x.png'; write the one that is meant" in str(found)


def test_annotators_are_kept_apart(read):
    text = "item,label,annotator\ncats/2.jpg,1,ann\ncats/2.jpg,0,bob\ndogs/1.jpg,1,ann\nÄ/ö.png,0,bob\nÄ/ö.png,?,ann\n"
    found = read(text)
    assert found.given == {"ann": {1: 1, 2: 1, 4: -1}, "bob": {1: 0, 4: 0}}
    assert found.agreed() == {2: 1, 4: 0}
    assert (found.disputed, found.rows(1), found.rows(0)) == ([1], [2], [4])
    assert "ann 3, bob 2; they disagree on 1 item" in str(found)
    assert read(text, annotator="bob").given == {"bob": {1: 0, 4: 0}}
    with pytest.raises(ValueError, match="no labels by 'eve'; its annotators are 'ann', 'bob'"):
        read(text, annotator="eve")
    with pytest.raises(ValueError, match="no labels by 'eve'; it names no annotator: leave the name out"):
        read("item,label\ncats/2.jpg,1\n", annotator="eve")


REFUSED = {
    "": "it is empty",
    " \n\n": "it is empty",
    "item,label\n": "has no lines",
    "item,label\ncats/2.jpg,\n": "none of its 1 line about items here has a label",
    "item,label\ncats/2.jpg,peut-être\n": "line 2: the label 'peut-être' is not an answer.*encoding='cp1251'",
    'item,label\n"cats/2.jpg,1\ndogs/1.jpg,0\n': "line 2: a quotation mark is opened there and never closed",
    "foo,bar,baz\n1,2,3\n": "'foo', 'bar', 'baz'",
    "filename,width\ncats/2.jpg,4\n": "without a column of labels.*label='",
    "TY  - GEN\nTI  - x\nER  -\n": "RIS file; export it as CSV",
    '{"cats/2.jpg": 1,': "its JSON is broken.*cut off does: copy it again",
    '{"image": "cats/2.jpg", "label": 1}\n{"image"\n': "its JSON is broken.*delimiter.*: copy it again",
    '{"type": "FeatureCollection", "features": []}': "kind that is not known .*'type', 'features'",
    "[" * 100_000: "nested too deeply",
    '[["cats/2.jpg", 1]]': "a list that begins with",
    '{"cats/2.jpg": 1, "dogs/1.jpg": 0, "cats/2.jpg": 0}': "'cats/2.jpg' twice in one object, as '1' and '0'; keep",
    '{"item": "cats/2.jpg", "label": 1}\n{"item": "dogs/1.jpg", "label": 1, "label": 0}\n': "line 2: .*'label' twice",
    "item,label,Label\ncats/2.jpg,1,1\ndogs/1.jpg,1,0\n": "two columns 'label', which differ .line 3: '1' and '0'",
    "<html><body></body></html>": "it is a web page",
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR": "neither text nor a known table file",
    b"PAR1xxxx": "Parquet",
    b"\x1f\x8bxxxx": "broken .gz file.*; copy or pack it again",
    "<annotations><image></annotations>": "its XML is broken.*; mend what stands there, or export it again",
    b"PK\x03\x04xxxx": "spreadsheet file",
}


@pytest.mark.parametrize("content", REFUSED)
def test_nothing_is_ever_read_as_nothing(read, content):
    """Whatever holds no label says so with its path and the reason; it never counts as a file of 0 labels."""
    with pytest.raises(ValueError, match=f"(?s)labels.csv.*: .*{REFUSED[content]}.*Nothing was taken from it"):
        read(content)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingDataError, match=r"gone\.csv is not here"):
        read_labels(tmp_path / "gone.csv", IDS)


@given(st.binary(max_size=60))
def test_no_bytes_make_it_raise_anything_but_a_sentence(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "bytes.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"bytes\.csv: "):
        read_labels(path, ["a name that few bytes do not spell by chance.jpg"])


# What each kind of file heeds of the options that say how it is read: anything else is refused.
HEEDED = {
    "table.csv": "item label encoding",
    "table.parquet": "item label",
    "list.txt": "every",
    "coco.json": "encoding",
    "fiftyone.json": "encoding",
    "label-studio.json": "item label encoding",
    "session.sqlite": "item",
    "voc.xml": "",
    "a-folder-a-class": "",
}
OPTIONS = {"item": "item", "label": "label", "every": "positive", "encoding": "utf-8"}


@pytest.mark.parametrize("name", HEEDED)
def test_an_option_that_has_no_effect_on_a_kind_of_file_is_refused(tmp_path, name):
    path = tmp_path / name
    session = Session(tmp_path / "session.sqlite")
    session.record([Answer("a.png", -2, 1), Answer("b.png", -2, 0)], "import")
    if name.startswith(("coco", "fiftyone", "label-studio")):
        export(session, path, name.removesuffix(".json"))
    session.close()
    table = pd.DataFrame({"item": ["a.png", "b.png"], "label": ["positive", "negative"]})
    if name == "table.csv":
        table.to_csv(path, index=False)
    elif name == "table.parquet":
        table.to_parquet(path)
    elif name == "list.txt":
        path.write_text("a.png\n")
    elif name == "voc.xml":
        path.write_text("<annotation><filename>a.png</filename><object><name>cat</name></object></annotation>")
    elif name == "a-folder-a-class":
        (path / "cat").mkdir(parents=True)
        (path / "cat" / "a.png").touch()
    told = {"positive": "cat"} if name in ("voc.xml", "a-folder-a-class") else {}
    ids = ["a.png", "b.png"]
    for option, value in OPTIONS.items():
        if name == "list.txt" and option != "every":
            continue  # a table then, which has no such column
        given = told | {option: "label" if name.startswith("label-studio") and option == "label" else value}
        given |= {"item": "image"} if name.startswith("label-studio") and option == "item" else {}
        if option in HEEDED[name].split():
            assert read_labels(path, ids, **given).rows() == [0]
        else:
            with pytest.raises(
                ValueError, match=rf"it was read as .*, where {option}='.*' has no effect; leave it out"
            ):
                read_labels(path, ids, **given)
    if name not in ("voc.xml", "a-folder-a-class"):
        assert read_examples(path, ids).rows() == [0]
