"""Labels in Excel files: sheets, formulas, merged cells, titles; and what is said of damaged ones."""

import io
import re
import zipfile
from contextlib import suppress

import openpyxl
import pandas as pd
import pytest
from at_the_desk import IDS, PLAIN

from elsa_nb.label.label_files.reader import read_labels

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


def test_a_spreadsheet_may_have_a_title_above_its_header(tmp_path):
    cells = [["Labels of May", None], [None, None], ["item", "label"], ["cats/2.jpg", 1], ["dogs/1.jpg", 0]]
    pd.DataFrame(cells).to_excel(tmp_path / "l.xlsx", header=False, index=False, startcol=1)
    assert read_labels(tmp_path / "l.xlsx", IDS).given == {None: {1: 1, 2: 0}}
