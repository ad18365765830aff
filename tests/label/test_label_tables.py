"""Labels in tables of text, as spreadsheets and programs of many people write them."""

import gzip
import io
import json
import re

import pytest
from at_the_desk import IDS, PLAIN
from hypothesis import given
from hypothesis import strategies as st

from elsa_nb.label.label_files import tables
from elsa_nb.label.label_files.reader import read_labels

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


@pytest.mark.parametrize("name", ["[3] a.jpg", "{b}.jpg", "#1.jpg", "# 2.jpg"])
@pytest.mark.parametrize(
    ("text", "every"), [("c.jpg{s}\n{n}{s}\n", "positive"), ("{n}\nc.jpg\n", "positive"), ("{n},1\nc.jpg,1\n", None)]
)
def test_names_may_begin_like_json_and_like_remarks(read, name, text, every):
    assert read(text.format(n=name, s=""), ids=[name, "c.jpg"], every=every).given == {None: {0: 1, 1: 1}}


def test_the_name_of_the_only_column_is_no_item(read):
    assert read("# ours\nFilename\ncats/2.jpg\n".removeprefix("# ours\n"), every="positive").unmatched == []


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


def test_a_row_a_box_makes_an_image_of_several_classes(read):
    text = "filename,width,class,xmin,ymin,xmax,ymax\ncats/2.jpg,9,cat,0,0,1,1\ncats/2.jpg,9,dog,0,0,1,1\n"
    assert read(f"{text}dogs/1.jpg,9,dog,0,0,1,1\n", positive="cat").given == {None: {1: 1, 2: 0}}


def test_columns_of_other_names_are_named(read):
    text = "Stück;Wertung\ncats/2.jpg;ja\ndogs/1.jpg;nein\n"
    with pytest.raises(ValueError, match=r"'Stück', 'Wertung'.*item='Stück'"):
        read(text)
    assert read(text, item="Stück", label="Wertung").given == {None: {1: 1, 2: 0}}
    with pytest.raises(ValueError, match="no column 'Bild'"):
        read(text, item="Bild")


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
