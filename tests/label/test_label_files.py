"""Tables and lists of labels, as spreadsheets and programs of many people write them, and what is said of bad ones."""

import gzip
import io
import json
import re
import unicodedata
import zipfile
from contextlib import suppress

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import feather

from elsa_nb.errors import MissingDataError
from elsa_nb.label.export import export
from elsa_nb.label.label_files import tables
from elsa_nb.label.label_files.reader import read_examples, read_labels
from elsa_nb.label.session import Answer, Session
from elsa_nb.option_names import by_command, by_examples, by_keyword, by_page, by_reading, told_by

IDS = ["cats/Müller 1.jpg", "cats/2.jpg", "dogs/1.jpg", "dogs/2.jpg", "Ä/ö.png"]


@pytest.fixture
def read(tmp_path):
    def one(content, ids=IDS, name="labels.csv", **options):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_labels(path, ids, **options)

    return one


PLAIN = {0: 1, 2: 0}
TABLES = {
    "plain": "item,label\ncats/Müller 1.jpg,1\ndogs/1.jpg,0\n",
    "Excel in Germany": 'item;label\r\n"cats/Müller 1.jpg";WAHR\r\ndogs\\1.jpg;FALSCH\r\n'.encode("cp1252"),
    "Excel as UTF-8": "\ufeffitem;label\r\ncats/Müller 1.jpg;1\r\ndogs/1.jpg;0\r\n",
    "Excel with its separator told": "sep=;\r\nitem;label\r\ncats/Müller 1.jpg;1,0\r\ndogs/1.jpg;0,0\r\n;\r\n",
    "Excel as Unicode text": "item\tlabel\r\ncats/Müller 1.jpg\tVRAI\r\ndogs/1.jpg\tFAUX\r\n".encode("utf-16"),
    "two bytes a letter, no mark": "item\tlabel\r\ncats/Müller 1.jpg\t1\r\ndogs/1.jpg\t0\r\n".encode("utf-16-le"),
    "an old Mac": "item,label\rcats/Müller 1.jpg,yes\rdogs/1.jpg,no\r".encode("mac_roman"),
    "DOS": "item;label\r\ncats/Müller 1.jpg;1\r\ndogs/1.jpg;0\r\n".encode("cp850"),
    "LibreOffice, everything quoted": '"item"\t"label"\n"cats/Müller 1.jpg"\t"TRUE"\n"dogs/1.jpg"\t"FALSE"\n',
    "pandas with its index": ",item,label\n0,cats/Müller 1.jpg,1.0\n1,dogs/1.jpg,0.0\n2,dogs/2.jpg,\n",
    "R, write.csv": '"","item","label"\n"1","cats/Müller 1.jpg",TRUE\n"2","dogs/1.jpg",FALSE\n"3","dogs/2.jpg",NA\n',
    "R, write.table": '"item" "label"\n"1" "cats/Müller 1.jpg" TRUE\n"2" "dogs/1.jpg" FALSE\n',
    "columns aligned with spaces": "  item         label\n  dogs/1.jpg       0\n  'cats/Müller 1.jpg'  1\n".replace(
        "'", '"'
    ),
    "single quotes": "'item','label'\n'cats/Müller 1.jpg','1'\n'dogs/1.jpg','0'\n",
    "other columns and cases": "Width, File Name ,Label\n3,CATS/MÜLLER 1.JPG,Positive\n4,dogs/1.jpg,NEGATIVE\n",
    "empty cells at the end": "item,label,,\ncats/Müller 1.jpg,1,,\ndogs/1.jpg,0,,\n,,,\n",
    "short lines": "item,label,note\ncats/Müller 1.jpg,1\ndogs/1.jpg,0,old\n",
    "a line break in a cell": 'note,item,label\n"two\nlines",cats/Müller 1.jpg,1\n,dogs/1.jpg,0\n',
    "no header": "cats/Müller 1.jpg,1\ndogs/1.jpg,0\n",
    "name and label": "cats/Müller 1.jpg 1\ndogs/1.jpg 0\n",
    "JSON Lines": '{"image": "cats/Müller 1.jpg", "label": true}\n\n{"image": "dogs/1.jpg", "label": 0.0}\n',
    "JSON records": '[{"path": "cats/Müller 1.jpg", "label": "yes"}, {"path": "dogs/1.jpg", "label": "no"}]',
    "JSON columns": '{"item": {"0": "cats/Müller 1.jpg", "1": "dogs/1.jpg"}, "label": {"0": 1, "1": 0}}',
    "JSON names": '{"cats/Müller 1.jpg": 1, "dogs/1.jpg": 0}',
    "cells told to be text": 'item,label\n"=""cats/Müller 1.jpg""","=""1"""\n"=""dogs/1.jpg""",="0"\n',
    "a title above": "Labels of May\n\n# ours;;\nitem;label\ncats/Müller 1.jpg;1\ndogs/1.jpg;0\n",
    "Excel in Germany, its words": "Datei;Klasse\r\ncats/Müller 1.jpg;ja\r\ndogs/1.jpg;nein\r\n".encode("cp1252"),
    "Excel in Prague": "item;label\r\ncats/Müller 1.jpg;ano\r\ndogs/1.jpg;ne\r\n".encode("cp1250"),
    "ticks and crosses": "item,label\ncats/Müller 1.jpg,✓\ndogs/1.jpg,✗\n",
    "JSON, a record a name": '{"cats/Müller 1.jpg": {"label": 1, "by": "a"}, "dogs/1.jpg": {"label": 0, "by": "a"}}',
    "a separator told in capitals": "SEP=;\ritem;label\rcats/Müller 1.jpg;1\rdogs/1.jpg;0\r",
    "an index of names, pandas": ",width,label\ncats/Müller 1.jpg,3,1\ndogs/1.jpg,4,0\n",
    "a series, pandas": ",label\ncats/Müller 1.jpg,1\ndogs/1.jpg,0\n",
    "JSON, records of different keys": '{"cats/Müller 1.jpg": {"label": 1, "by": "a"}, "dogs/1.jpg": {"label": 0}}',
    "JSON, a table with words about it": '{"schema": {}, "data": [{"item": "cats/Müller 1.jpg", "label": 1}, '
    '{"item": "dogs/1.jpg", "label": 0}]}',
    "JSON Lines with ends of lines in texts": '{"image": "cats/Müller 1.jpg", "text": "a\u2028b\x85c", "label": 1}\n'
    '{"image": "dogs/1.jpg", "label": 0}\n',
    "numbers as calculators write them": "item;label\ncats/Müller 1.jpg;1,0E+00\ndogs/1.jpg;0.00e0\n",
    "decimal commas between commas": "item,label,by\ncats/Müller 1.jpg,1,0,ann\ndogs/1.jpg,0,00,bo\n",
    "ticks and crosses in colour": "item,label\ncats/Müller 1.jpg,✅\ndogs/1.jpg,❌\n",
    "a tick and an x": "item,label\ncats/Müller 1.jpg,✔\ufe0f\ndogs/1.jpg,X\ndogs/2.jpg,\n",
    "rings and crosses": "item,label\ncats/Müller 1.jpg,○\ndogs/1.jpg,\N{MULTIPLICATION SIGN}\n",
    "Excel in China": "item,label\r\ncats/Müller 1.jpg,是\r\ndogs/1.jpg,否\r\n",
    "spaces behind commas, and quotes": 'label, item\n1, "cats/Müller 1.jpg"\n0, "dogs/1.jpg"\n',
    "packed": gzip.compress("item,label\ncats/Müller 1.jpg,1\ndogs/1.jpg,0\n".encode()),
}


@pytest.mark.parametrize("kind", TABLES)
def test_labels_are_read_whatever_wrote_them(read, kind):
    assert read(TABLES[kind]).given == {None: PLAIN}


@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_binary_tables_are_known_by_their_bytes(tmp_path, ending):
    frame = pd.DataFrame({"item": ["cats/Müller 1.jpg", "dogs/1.jpg", "dogs/2.jpg"], "label": [1.0, 0.0, float("nan")]})
    path = tmp_path / "labels.csv"
    getattr(frame, f"to_{ending}")(path)
    found = read_labels(path, IDS)
    assert found.given == {None: PLAIN}
    assert found.empty == 1


def dated(folder):
    pd.DataFrame({"item": pd.to_datetime(["2024-01-05", "2024-01-06"]), "label": [1, 0]}).to_excel(
        folder / "l.xlsx", index=False
    )
    return folder / "l.xlsx", ["2024-01-05.jpg", "2024-01-06.jpg"]


def in_parquet(folder, items, **index):
    pd.DataFrame({"image": items, "label": [1, 0]} if items else {"label": [1, 0]}, **index).to_parquet(folder / "l")
    return folder / "l", ["a.jpg", "b.jpg"]


CELLS = {
    "dates of a spreadsheet": dated,
    "records of files": lambda folder: in_parquet(
        folder, [{"bytes": b"", "path": each} for each in ("a.jpg", "b.jpg")]
    ),
    "bytes": lambda folder: in_parquet(folder, [b"a.jpg", b"b.jpg"]),
    "an index without a name": lambda folder: in_parquet(folder, None, index=["a.jpg", "b.jpg"]),
}


@pytest.mark.parametrize("kind", CELLS)
def test_items_are_cells_of_many_kinds(tmp_path, kind):
    path, ids = CELLS[kind](tmp_path)
    assert read_labels(path, ids).given == {None: {0: 1, 1: 0}}


LEFT_OUT = "other columns that may hold labels, left out: 'included'"


def test_what_a_table_or_a_book_holds_beside_its_labels_is_said(read, tmp_path):
    found = read("item,label,included\ncats/2.jpg,1,0\n")
    assert (found.given, found.notes) == ({None: {1: 1}}, [LEFT_OUT])
    with pd.ExcelWriter(tmp_path / "l.xlsx") as book:
        for month, item in (("may", "cats/2.jpg"), ("june", "dogs/1.jpg")):
            pd.DataFrame({"item": [item], "label": [1]}).to_excel(book, sheet_name=month, index=False)
    found = read_labels(tmp_path / "l.xlsx", IDS)
    assert (found.given, "left out: sheet 'june'" in str(found)) == ({None: {1: 1}}, True)


def test_formulas_that_nobody_computed_are_counted(tmp_path):
    book = openpyxl.Workbook()
    for line in (["item", "label"], ["cats/2.jpg", 1], ["dogs/1.jpg", "=B2"], ["cats/Müller 1.jpg", '=IF(1,"yes","")']):
        book.active.append(line)
    book.save(tmp_path / "l.xlsx")
    found = read_labels(tmp_path / "l.xlsx", IDS)
    assert (found.given, found.empty) == ({None: {1: 1}}, 2)
    assert "2 cells hold formulas without a value, and count as empty: save the file once in Excel" in str(found)


@pytest.mark.parametrize("value", [b"<v>1</v>", b"<v></v>"])
def test_formulas_with_a_value_are_not_counted(tmp_path, value):
    """A formula that comes to an empty text has an empty value."""
    book = openpyxl.Workbook()
    for line in (["item", "label"], ["cats/2.jpg", 1], ["dogs/1.jpg", "=B2"]):
        book.active.append(line)
    book.save(tmp_path / "m.xlsx")
    computed = rb'<c r="B3" t="str"><f>B2</f>' + value + rb"</c>"
    with zipfile.ZipFile(tmp_path / "m.xlsx") as made, zipfile.ZipFile(tmp_path / "l.xlsx", "w") as out:
        for name in made.namelist():
            out.writestr(name, re.sub(rb'<c r="B3".*?</c>', computed, made.read(name)))
    assert "without a value" not in str(read_labels(tmp_path / "l.xlsx", IDS))


@pytest.mark.parametrize("name", ["[3] a.jpg", "{b}.jpg", "#1.jpg", "# 2.jpg"])
@pytest.mark.parametrize(
    ("text", "every"), [("c.jpg{s}\n{n}{s}\n", "positive"), ("{n}\nc.jpg\n", "positive"), ("{n},1\nc.jpg,1\n", None)]
)
def test_names_may_begin_like_json_and_like_remarks(read, name, text, every):
    assert read(text.format(n=name, s=""), ids=[name, "c.jpg"], every=every).given == {None: {0: 1, 1: 1}}


def test_the_name_of_the_only_column_is_no_item(read):
    assert read("# ours\nFilename\ncats/2.jpg\n".removeprefix("# ours\n"), every="positive").unmatched == []


def test_a_spreadsheet_file(tmp_path):
    frame = pd.DataFrame({"item": ["cats/Müller 1.jpg", "dogs/1.jpg"], "label": [True, False]})
    with pd.ExcelWriter(tmp_path / "labels.xlsx") as book:
        pd.DataFrame({"about": ["these labels"]}).to_excel(book, sheet_name="notes", index=False)
        frame.to_excel(book, sheet_name="labels", index=False)
    assert read_labels(tmp_path / "labels.xlsx", IDS).given == {None: PLAIN}


def test_whatever_part_of_a_spreadsheet_file_is_damaged_a_sentence_says_so(read):
    """Parts that are missing, cut off, or hold other attributes and values than a spreadsheet's."""
    book = io.BytesIO()
    pd.DataFrame({"item": ["cats/2.jpg"], "label": [1], "on": pd.to_datetime(["2024-01-05"])}).to_excel(book)
    with zipfile.ZipFile(book) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for name, content in parts.items():
        for damaged in (None, content[: len(content) // 2], *_other_words(content)):
            changed = io.BytesIO()
            with zipfile.ZipFile(changed, "w") as archive:
                for each, old in (parts | {name: damaged}).items():
                    if old is not None:
                        archive.writestr(each, old)
            with suppress(ValueError):
                assert read(changed.getvalue()).given


def _other_words(content):
    words = re.findall(rb'(?<=[ "])\w+(?==")|(?<==")[^"]+(?=")|(?<=>)[^<]+(?=<)', content)
    for word in words[:: max(1, len(words) // 6)]:
        yield from (content.replace(word, other, 1) for other in (b"zzz", b"-1"))


@pytest.mark.parametrize("package", ["openpyxl", "python-calamine"])
@pytest.mark.parametrize(
    "why", ["Missing optional dependency '{}'", "Pandas requires version '3.1.5' or newer of '{}'"]
)
def test_a_spreadsheet_file_names_the_package_that_reads_it(read, monkeypatch, package, why):
    def absent(*_, **__):
        raise ImportError(why.format(package))

    monkeypatch.setattr(pd, "read_excel", absent)
    with pytest.raises(ValueError, match=f"pip install --upgrade {package}"):  # one too old is installed already
        read(b"\xd0\xcf\x11\xe0", name="x.xls")


@given(
    labels=st.dictionaries(st.sampled_from(IDS), st.sampled_from([0, 1, -1]), min_size=1),
    separator=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252", "cp850", "mac_roman"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoted=st.booleans(),
)
def test_any_separator_encoding_line_end_and_quoting(tmp_path_factory, labels, separator, encoding, end, quoted):
    cell = '"{}"'.format if quoted else str
    lines = [("note", "item", "label"), *(("x, y" * quoted, i, n) for i, n in labels.items())]
    path = tmp_path_factory.mktemp("csv") / "x.csv"
    path.write_bytes("".join(separator.join(map(cell, line)) + end for line in lines).encode(encoding))
    assert read_labels(path, IDS).given == {None: {IDS.index(i): n for i, n in labels.items()}}


def test_empty_cells_are_no_labels_and_are_counted(read):
    assert read("item,label\ncats/2.jpg,\N{MINUS SIGN}1\n").given == {None: {1: -1}}
    found = read("item,label\ncats/2.jpg,1\ndogs/1.jpg,\ndogs/2.jpg,NaN\nÄ/ö.png,#NV\n")
    assert (found.given, found.empty) == ({None: {1: 1}}, 3)
    assert "3 lines have no label" in str(found)


@pytest.mark.parametrize("mark", ["x", "X", " x ", "[x]", "\N{MULTIPLICATION SIGN}", "☒"])
def test_a_column_of_crosses_marks_what_is_meant(read, mark):
    found = read(f"item,label\ncats/2.jpg,{mark}\ndogs/1.jpg,\ndogs/2.jpg,{mark}\nÄ/ö.png,☐\n")
    assert (found.given, found.empty) == ({None: {1: 1, 3: 1}}, 2)
    assert "was read as the mark of a positive; what has no mark has no label" in str(found)
    with pytest.raises(ValueError, match="is not an answer"):  # beside answers nobody knows what it means
        read(f"item,label\ncats/2.jpg,{mark}\ndogs/1.jpg,0\n")
    assert read(f"item,label\ncats/2.jpg,{mark}\ndogs/1.jpg,0\n", positive="0").given == {None: {1: 0, 2: 1}}


@pytest.mark.parametrize(
    "text",
    [
        'item,label,note\ncats/2.jpg,1,"dark\ndogs/1.jpg,0,"a ""dog"""\ndogs/2.jpg,0,"x, y"\n',  # never closed
        'note;item;label\n";cats/2.jpg;1\nx;dogs/1.jpg;0\n";dogs/2.jpg;0\n',  # ditto marks
        'item,label\r\ncats/2.jpg,1\r\ndogs/1.jpg,"\r\ndogs/2.jpg,"\r\n',
    ],
)
def test_no_line_is_lost_inside_a_cell_of_the_line_above(read, text):
    with pytest.raises(ValueError, match=r"line [23]: a quotation mark .* over the line of 'dogs/[12].jpg'; close it"):
        read(text, positive="1")


def test_a_text_of_several_lines_may_name_items(read):
    text = 'item,label,note\ncats/2.jpg,1,"as in\ndogs/1.jpg"\ndogs/1.jpg,0,"dark, and\nas cats/2.jpg, blurred"\n'
    assert read(text).given == {None: {1: 1, 2: 0}}


def test_a_table_whose_lines_end_in_an_address_is_no_list(read):
    head = "id,url,image_url,sound_url,scientific_name\n"
    lines = [f"{i},https://x.org/{i},https://x.org/{name}?7,,Bubo\n" for i, name in enumerate(IDS[1:4])]
    lines = [*lines[:2], lines[2].replace(",,Bubo", "?7,,")]
    with pytest.raises(ValueError, match=r"items from 'image_url', without a column of labels .*'scientific_name'"):
        read(head + "".join(lines))
    assert len(read(head + "".join(lines), positive="bubo", label="scientific_name").rows(1)) == 2


def test_a_class_in_another_column_is_looked_for_where_the_labels_were_read(read):
    text = "filename,class,common_name\ncats/2.jpg,Aves,owl\ndogs/1.jpg,Aves,kite\n"
    with pytest.raises(ValueError, match=r"labels from 'class'; its labels are Aves \(2\). Where another .*label='"):
        read(text, positive="owl")
    assert read(text, positive="owl", label="common_name").given == {None: {1: 1, 2: 0}}


@pytest.mark.parametrize(("yes", "no"), [("present", "absent"), ("Presence", "ABSENCE"), ("detected", "undetected")])
def test_what_surveys_write_is_an_answer(read, yes, no):
    assert read(f"item,label\ncats/2.jpg,{yes}\ndogs/1.jpg,{no}\n").given == {None: {1: 1, 2: 0}}


def test_numbers_and_row_names_are_not_taken_for_decimals(read):
    ids = ["7", "9"]
    assert read('"item","label"\n"1","9",0\n"2","7",0\n', ids=ids).given == {None: {0: 0, 1: 0}}
    with pytest.raises(ValueError, match=r"'1\.5E\+00' is not an answer"):
        read("item,label\n7,1.5E+00\n", ids=ids)


def test_asreview_writes_minus_one_where_there_is_no_label(read):
    text = "record_id,title,included\n0,aa,1\n1,bb,0\n2,cc,-1\n3,dd,\n"
    assert read(text, ids=list("0123")).given == {None: {0: 1, 1: 0}}
    assert read(text.replace("included", "label"), ids=list("0123")).given == {None: {0: 1, 1: 0, 2: -1}}


def test_a_semicolon_table_with_commas_in_its_texts(read):
    found = read('abstract;id;label_included\nA, b, and c: d.;cats/2.jpg;1\n"e; f";dogs/1.jpg;0\n')
    assert found.given == {None: {1: 1, 2: 0}}


def test_classes_need_the_name_of_the_one_that_is_wanted(read):
    text = "filename,class\ncats/2.jpg,Cat\ndogs/1.jpg,dog\ndogs/2.jpg,fox\nÄ/ö.png,\n"
    with pytest.raises(
        ValueError, match=r"line 2: .*'Cat' is not an answer; it was .*'class'; its labels are Cat \(1\), dog \(1\)"
    ):
        read(text)
    assert read(text, positive="cat").given == {None: {1: 1, 2: 0, 3: 0}}
    assert read(text, positive=["cat", "fox"]).given == {None: {1: 1, 2: 0, 3: 1}}
    assert read(text, positive="cat", negative="dog", unsure="fox").given == {None: {1: 1, 2: 0, 3: -1}}
    with pytest.raises(ValueError, match=r"no label of the file is 'catt' \(given as positive\)"):
        read(text, positive="catt")
    with pytest.raises(ValueError, match="line 4: the label 'fox' was not named"):
        read(text, positive="cat", negative="dog")


@pytest.mark.parametrize("between", [";", "|", ", "])
def test_a_cell_may_hold_several_classes(read, between):
    cells = ["cat", f"tree{between}Cat", "tree", f"tree{between}fox"]
    text = "filename\tclass\n" + "".join(f"{i}\t{cell}\n" for i, cell in zip(IDS, cells, strict=False))
    found = read(text, positive="cat")
    assert found.given == {None: {0: 1, 1: 1, 2: 0, 3: 0}}
    assert f"taken apart at '{between[0]}'" in str(found)
    assert "taken apart" not in str(read(text, positive=f"tree{between}fox"))


@pytest.mark.parametrize("cell", ["['tree', 'Cat']", '["cat"]', "['cat',]"])
def test_a_cell_may_hold_a_list_that_a_program_wrote(read, cell):
    quoted = cell.replace('"', '""')
    found = read(f'image,classes\n{IDS[0]},"{quoted}"\n{IDS[1]},"[\'tree\']"\n{IDS[2]},[]\n', positive="cat")
    assert found.given == {None: {0: 1, 1: 0}}


def test_a_class_that_a_person_rejected_is_not_taken_for_the_item_s_class(read):
    """Prodigy proposes one, and writes what was said beside it."""
    rows = zip(IDS, ("accept", "reject", "ignore"), strict=False)
    text = "".join(json.dumps({"image": i, "label": "cat", "answer": said}) + "\n" for i, said in rows)
    with pytest.raises(ValueError, match=r"its column 'answer' rejects some of what is in 'label'.*label='answer'"):
        read(text, positive="cat")
    assert read(text, label="answer").given == {None: {0: 1, 1: 0, 2: -1}}


def test_a_first_line_that_is_a_row_is_told_from_a_header(read):
    for text in ("dogs/1.jpg,1,2020\ncats/2.jpg,0,2021\n", "owl,dogs/1.jpg\nfox,cats/2.jpg\n"):
        with pytest.raises(ValueError, match=r"first line holds the item 'dogs/1\.jpg' and no names of columns"):
            read(text)


def test_names_a_line_may_stand_in_quotation_marks(read):
    assert read('"cats/2.jpg"\n"dogs/1.jpg"\n', every="positive").given == {None: {1: 1, 2: 1}}


def test_merged_cells_count_for_all_their_rows(tmp_path):
    book = openpyxl.Workbook()
    for cells in (
        ["Labels of May"],
        ["item", "label"],
        *([i, n] for i, n in zip(IDS, (1, None, 0, None), strict=False)),
    ):
        book.active.append(cells)
    for merged in ("A1:B1", "B3:B4", "B5:B9", "D1:D9"):
        book.active.merge_cells(merged)
    book.save(tmp_path / "l.xlsx")
    assert read_labels(tmp_path / "l.xlsx", IDS).given == {None: {0: 1, 1: 1, 2: 0, 3: 0}}


def test_a_column_a_class(read):
    text = "image,cat,dog\ncats/2.jpg,1,0\ndogs/1.jpg,0,1\ndogs/2.jpg,,1\n"
    assert read(text, positive="cat").given == {None: {1: 1, 2: 0}}
    assert read(text, positive=["Dog"]).given == {None: {1: 0, 2: 1, 3: 1}}
    with pytest.raises(ValueError, match="Name the column of labels"):
        read(text, positive="owl")
    for flaw in ("perhaps", "0.93"):  # what is wrong in the column is told of the column
        with pytest.raises(ValueError, match=f"in its column 'cat': line 2: the label '{flaw}' is not an answer"):
            read(text.replace("jpg,1", f"jpg,{flaw}"), positive="cat")
    with pytest.raises(ValueError, match=r"without a column of labels \(its columns are 'image', 'cat', 'dog'\)"):
        read(text, positive=3)


def test_a_spreadsheet_may_have_a_title_above_its_header(tmp_path):
    cells = [["Labels of May", None], [None, None], ["item", "label"], ["cats/2.jpg", 1], ["dogs/1.jpg", 0]]
    pd.DataFrame(cells).to_excel(tmp_path / "l.xlsx", header=False, index=False, startcol=1)
    assert read_labels(tmp_path / "l.xlsx", IDS).given == {None: {1: 1, 2: 0}}


def test_a_row_a_box_makes_an_image_of_several_classes(read):
    text = "filename,width,class,xmin,ymin,xmax,ymax\ncats/2.jpg,9,cat,0,0,1,1\ncats/2.jpg,9,dog,0,0,1,1\n"
    assert read(f"{text}dogs/1.jpg,9,dog,0,0,1,1\n", positive="cat").given == {None: {1: 1, 2: 0}}


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


def test_columns_of_other_names_are_named(read):
    text = "Stück;Wertung\ncats/2.jpg;ja\ndogs/1.jpg;nein\n"
    with pytest.raises(ValueError, match=r"'Stück', 'Wertung'.*item='Stück'"):
        read(text)
    assert read(text, item="Stück", label="Wertung").given == {None: {1: 1, 2: 0}}
    with pytest.raises(ValueError, match="no column 'Bild'"):
        read(text, item="Bild")


def test_rows_in_the_order_of_the_pool(read):
    assert read("text,label\nfoo,1\nbar,0\n", ids=["a", "b"], item="row").given == {None: {0: 1, 1: 0}}
    with pytest.raises(ValueError, match=r"there are 2 rows .* and 5 items"):
        read("text,label\nfoo,1\nbar,0\n", item="row")


def test_a_label_a_line_in_the_order_of_the_pool_needs_no_header(read):
    for text in ("1\n0\n1\n", "Wertung\n1\n0\n1\n"):
        assert read(text, ids=["a", "b", "c"], item="row").given == {None: {0: 1, 1: 0, 2: 1}}
    with pytest.raises(ValueError, match=r"there are 2 rows .* and 3 items"):  # one too few under a name
        read("Wertung\n1\n0\n", ids=["a", "b", "c"], item="row")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("head", ["", "\ufeff", "label\n", "Art\n", "\ufeff'Art'\n"])
def test_what_parts_a_table_parts_no_line_of_labels(read, head, end):
    """Blanks, commas and semicolons stand in the names of classes, and who has no label has an empty line."""
    lines = ["red fox", "Eule, groß", '"fox; red, old"', "", "red fox", "日本 の狐", ""]
    lines = [line.replace('"', "'") for line in lines] if "'" in head else lines
    text = (head + "\n".join(lines) + "\n").replace("\n", end)
    ids = list("abcdefg")
    if not head.strip("\ufeff"):
        assert read(text, ids=ids, item="row", positive="red fox").given == {None: {0: 1, 1: 0, 2: 0, 4: 1, 5: 0}}
        assert read(text + end, ids=ids, item="row", positive="red fox").rows() == [0, 4]  # a line that is no item
    for sought in ("Eule, groß", "fox; red, old", "日本 の狐"):
        found = read(text, ids=ids, item="row", positive=sought)
        assert found.rows() == [lines.index(next(line for line in lines if sought in line))]
        assert found.empty == 2
    if head == "Art\n":
        assert read(text, ids=ids, item="row", label="Art", positive="red fox").rows() == [0, 4]


def test_labels_a_line_may_be_numbers_and_begin_with_none(read):
    found = read("\n2\n1\n2,0\n1\n", ids=list("abcde"), item="row", positive="2")
    assert found.given == {None: {1: 1, 2: 0, 3: 1, 4: 0}}
    assert read("label\n\n0\n", ids=list("ab"), item="row").given == {None: {1: 0}}
    assert read('"label"\n"1","yes"\n"2","no"\n', ids=list("ab"), item="row").given == {None: {0: 1, 1: 0}}  # R
    records = '{"label": 1}\n{"label": 0}\n{"label": 1}\n'
    assert read(records, ids=list("abc"), item="row").given == {None: {0: 1, 1: 0, 2: 1}}
    with pytest.raises(ValueError, match="there are 3 rows in it and 2 items"):
        read(records, ids=list("ab"), item="row")


def test_a_first_line_that_was_taken_for_a_name_is_shown_with_its_cure(read):
    text = "red fox\nowl\nowl\n"
    with pytest.raises(ValueError, match=r"the first line, 'red fox', was taken for .* items\. .*above it: label"):
        read(text, ids=list("abc"), item="row", positive="owl")
    assert read("label\n" + text, ids=list("abc"), item="row", positive="owl").rows() == [1, 2]
    with pytest.raises(ValueError, match=r"has 4 lines, and the pool has 3 items\. Its first line, 'owl', is a label"):
        read("owl\nfox\nfox\nowl\n", ids=list("abc"), item="row", positive="owl")
    assert read("label\nfox\nfox\nowl\n", ids=list("abc"), item="row", positive="owl").rows() == [2]


def test_a_sheet_of_one_column_needs_no_header_either(tmp_path):
    for cells in (["owl, old", "fox", "owl, old"], ["kind", "owl, old", "fox", "owl, old"]):
        pd.DataFrame(cells).to_excel(tmp_path / "l.xlsx", index=False, header=False)
        found = read_labels(tmp_path / "l.xlsx", list("abc"), item="row", positive="fox")
        assert found.given == {None: {0: 0, 1: 1, 2: 0}}
    pd.DataFrame(["kind", "owl", "fox"]).to_excel(tmp_path / "l.xlsx", index=False, header=False)
    with pytest.raises(ValueError, match="the first row, 'kind', was taken for the names of columns"):
        read_labels(tmp_path / "l.xlsx", list("abc"), item="row", positive="fox")


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
        (as_file(np.array(["a", None, 1], object)), "an array of object"),
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
    '{"cats/2.jpg": 1,': "its JSON is broken",
    '{"image": "cats/2.jpg", "label": 1}\n{"image"\n': "its JSON is broken.*delimiter",
    '{"type": "FeatureCollection", "features": []}': "kind that is not known .*'type', 'features'",
    "[" * 100_000: "nested too deeply",
    '[["cats/2.jpg", 1]]': "a list that begins with",
    '{"cats/2.jpg": 1, "dogs/1.jpg": 0, "cats/2.jpg": 0}': "'cats/2.jpg' twice in one object, as '1' and '0'; keep",
    '{"item": "cats/2.jpg", "label": 1}\n{"item": "dogs/1.jpg", "label": 1, "label": 0}\n': "line 2: .*'label' twice",
    "item,label,Label\ncats/2.jpg,1,1\ndogs/1.jpg,1,0\n": "two columns 'label', which differ .line 3: '1' and '0'",
    "<html><body></body></html>": "it is a web page",
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR": "neither text nor a known table file",
    b"PAR1xxxx": "Parquet",
    b"\x1f\x8bxxxx": "broken .gz file",
    b"PK\x03\x04xxxx": "spreadsheet file",
}


@pytest.mark.parametrize("content", REFUSED)
def test_nothing_is_ever_read_as_nothing(read, content):
    """Whatever holds no label says so with its path and the reason; it never counts as a file of 0 labels."""
    with pytest.raises(ValueError, match=f"(?s)labels.csv.*: .*{REFUSED[content]}.*Nothing was taken from it"):
        read(content)


def test_a_packed_file_that_is_too_large_is_refused_and_not_cut(read, monkeypatch):
    content = f"item,label\n{IDS[0]},1\n{IDS[1]},0\n".encode()
    monkeypatch.setattr(tables, "UNPACKED_MOST", len(content))
    assert read(gzip.compress(content)).given == {None: {0: 1, 1: 0}}
    with pytest.raises(ValueError, match=r"labels\.csv: it is a \.gz file of more than .* in several files"):
        read(gzip.compress(content + b"\n"))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingDataError, match=r"gone\.csv is not here"):
        read_labels(tmp_path / "gone.csv", IDS)


@given(st.binary(max_size=60))
def test_no_bytes_make_it_raise_anything_but_a_sentence(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "bytes.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"bytes\.csv: "):
        read_labels(path, IDS)


def packed(kind):
    frame, stream = pd.DataFrame({"item": IDS * 40, "label": [1, 0, 1, 0, 1] * 40}), io.BytesIO()
    columns = {name: frame[name].to_numpy(str if name == "item" else int) for name in frame}
    write = {
        "parquet": frame.to_parquet,
        "feather": frame.to_feather,
        "xlsx": frame.to_excel,
        "npz": lambda stream: np.savez_compressed(stream, **columns),
    }[kind]
    write(stream)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["parquet", "feather", "xlsx", "npz"])
def test_a_packed_table_that_is_damaged_anywhere_is_read_or_one_sentence(read, kind):
    """Libraries say of damaged bytes whatever they like, and of some an OSError of the system that none was."""
    whole, refused = packed(kind), 0
    for place in range(4, len(whole), len(whole) // 60):
        broken = bytearray(whole)
        broken[place : place + 5] = bytes(255 - byte for byte in broken[place : place + 5])
        try:
            read(bytes(broken), name=f"labels.{kind}")
        except ValueError as error:
            refused += 1
            assert f"labels.{kind}: " in str(error)
            assert "\n" not in str(error)
    assert refused > 5


def test_a_table_of_arrow_whose_texts_lie_outside_it_is_refused(read):
    """Its library reads them all the same: it ends the process, or hands out whatever lies in memory there."""
    stream, items = io.BytesIO(), [name.replace("/", "-") for name in IDS]
    table = pa.table({"item": pa.array(items, pa.string()), "label": [1] * len(items)})
    feather.write_feather(table, stream, compression="uncompressed")
    places = np.cumsum([0, *(len(name.encode()) for name in items)]).astype("<i4")
    whole = stream.getvalue()
    assert whole.count(places.tobytes()) == 1
    for at in range(1, len(places)):
        far = places.copy()
        far[at] = 1 << 30
        with pytest.raises(ValueError, match=r"labels\.feather: it is damaged.* offset"):
            read(whole.replace(places.tobytes(), far.tobytes()), name="labels.feather")


TRAPS = ["cam1/IMG_0001.JPG", "cam2/north/IMG_0001.JPG", "IMG_0001.JPG"]
TIMELAPSE = (
    "RootFolder,File,RelativePath,DateTime,Species\n2024,IMG_0001.JPG,cam1,x,fox\n2024,IMG_0001.JPG,cam2\\north,x,owl\n"
)


@pytest.mark.parametrize(
    "content",
    [
        TIMELAPSE,
        TIMELAPSE.replace("File,RelativePath", "FileName,Directory").replace(",cam", ",D:\\\\2024\\\\cam"),  # camtrapR
        TIMELAPSE.replace("RelativePath", "path")
        .replace(",x", "/IMG_0001.JPG,x")
        .replace("DateTime/IMG_0001.JPG", "Date"),
    ],
)
def test_a_file_and_its_folder_in_two_columns_are_one_item(read, content):
    """Camera traps begin to count anew in each folder: by the file alone, two pictures had one label or none."""
    file = read(content, TRAPS, positive="owl")
    assert file.given == {None: {0: 0, 1: 1}}
    assert re.search("items from '(RelativePath|Directory|path)' and 'File(Name)?', joined", file.kind)


def test_a_folder_that_leads_nowhere_is_left_out_with_a_word(read):
    file = read("File,Folder,label\n1.jpg,Site A,1\n2.jpg,,0\n", ["1.jpg", "2.jpg"])
    assert file.given == {None: {0: 1, 1: 0}}  # a folder of items is a part of any path that leads to it
    file = read("File,Folder,label\n1.jpg,Site A,1\n2.jpg,,0\n", ["x/1.jpg", "x/2.jpg"])
    assert file.given == {None: {0: 1, 1: 0}}
    assert file.notes == ["its column 'Folder' leads to no item here and was left out"]
    assert read("File,Folder,label\nx/1.jpg,y,1\n", ["x/1.jpg", "y/1.jpg"]).given == {None: {0: 1}}  # a path


# What each kind of file heeds of the options that say how it is read: anything else is refused.
HEEDED = {
    "table.csv": "item label encoding",
    "table.parquet": "item label",
    "list.txt": "every",
    "coco.json": "encoding",
    "fiftyone.json": "encoding",
    "label-studio.json": "item label encoding",
    "session.sqlite": "",
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


@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_cells_beyond_the_header_are_told(read, separator):
    cells = [["cat", "tree"], ["cat"], ["dog", "", "x"], ["dog", "", ""]]
    text = f"filename{separator}class\n" + "".join(
        separator.join([name, *more]) + "\n" for name, more in zip(IDS, cells, strict=False)
    )
    said = str(read(text, positive="cat"))
    assert "2 rows have cells beyond the last column with a name (line 2: 'tree'), left out" in said
    assert "cells beyond" not in str(read(text.replace("class", f"class{separator}more{separator}yet"), positive="cat"))


def test_a_text_is_cut_into_lines_once_however_many_cells_have_several(read, monkeypatch):
    cut = []

    class Counted(io.StringIO):
        def __init__(self, *arguments, **options):
            cut.append(1)
            super().__init__(*arguments, **options)

    monkeypatch.setattr(tables.io, "StringIO", Counted)
    ids = [f"{i}.jpg" for i in range(40)]
    text = "item,abstract,label\n" + "".join(f'{i},"Owls.\nFoxes.",{row % 2}\n' for row, i in enumerate(ids))
    assert read(text, ids=ids).given[None] == {row: row % 2 for row in range(40)}
    assert len(cut) < 10
