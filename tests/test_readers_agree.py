"""The ids of a pool and the items of its labels come from the same cells of one table, or the pool says why not."""

import itertools
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from elsa_nb import cli
from elsa_nb.column_names import ITEM
from elsa_nb.label.label_files.reader import read_labels
from elsa_nb.pool import Pool
from elsa_nb.vector_files import read_ids

FILES = ["owls/a.jpg", "b.jpg", "c-1.jpg"]
NUMBERS = ["00123", "00124", "01250"]
SEPARATORS = (",", ";", "\t", "|")


def both(tmp_path, content, ids, name="names.csv", encoding="utf-8"):
    """Return the ids that a pool takes from a table, and its rows that the labels of the same table are of."""
    path = tmp_path / name
    path.write_bytes(content.encode(encoding))
    return read_ids(path), sorted(read_labels(path, ids).agreed())


def table(header, ids, separator=",", quoted="{}", beside=(1, 0, 1)):
    """Return a table of labels and, in its last column, ids."""
    rows = [header, *([str(label), item] for label, item in zip(beside, ids, strict=True))]
    return "".join(separator.join(map(quoted.format, row)) + "\n" for row in rows)


@pytest.mark.parametrize("name", ITEM)
@pytest.mark.parametrize("written", [str, str.upper, lambda name: f" {name.replace('_', ' ')}"])
def test_a_known_name_of_a_column_is_known_to_both(tmp_path, name, written):
    text = table(["label", written(name)], FILES, ";", beside=("yes", "no", "unsure"))
    assert both(tmp_path, text, FILES) == (FILES, [0, 1, 2])


@pytest.mark.parametrize("pair", [*itertools.pairwise(ITEM)], ids="-".join)
def test_of_two_known_names_both_take_the_same(tmp_path, pair):
    (tmp_path / "names.csv").write_text(f"label,{pair[1]},{pair[0]}\n1,x1,y1\n0,x2,y2\n")
    assert read_ids(tmp_path / "names.csv") == ["y1", "y2"]
    found = read_labels(tmp_path / "names.csv", ["y1", "y2", "x1", "x2"])
    assert found.agreed() == {0: 1, 1: 0}


@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("quoted", ["{}", '"{}"', "'{}'", '="{}"', '"=""{}"""'])
@pytest.mark.parametrize("ids", [FILES, NUMBERS, ["NA", "null", "true"], ["1e5", "2e5", "0x1"]])
def test_separators_and_what_is_around_cells(tmp_path, separator, quoted, ids):
    assert both(tmp_path, table(["label", "item"], ids, separator, quoted), ids) == (ids, [0, 1, 2])


@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("quoted", ['"{}"', "'{}'"])
def test_a_separator_inside_quotation_marks_parts_nothing(tmp_path, separator, quoted):
    ids = [name.replace(".", separator) for name in FILES]
    assert both(tmp_path, table(["label", "item"], ids, separator, quoted), ids) == (ids, [0, 1, 2])


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize(
    "above", ["sep={}\n", '"sep={}"\n', "\nsep={}\n", "Birds of 2024\n", "Birds of 2024{}\n\n", "\n\n", "# by hand\n"]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_what_stands_above_the_header(tmp_path, separator, above, encoding):
    text = above.format(separator) + table(["label", "item"], FILES, separator)
    assert both(tmp_path, text, FILES, encoding=encoding) == (FILES, [0, 1, 2])


@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize(
    ("header", "row"),
    [
        (["label", "item"], "{n}{s}{label}{s}{item}"),  # R does not name the column of row numbers
        (["", "label", "item"], "{n}{s}{label}{s}{item}"),
        (["", "label"], "{item}{s}{label}"),
        (["label"], "{item}{s}{label}"),
        (["score", "label", "item"], "{n},5{s}{label}{s}{item}"),
        (["label", "item", ""], "{label}{s}{item}{s}"),
        (["label", "item"], "\n{label}{s}{item}\n"),
        (["item", "label", "text"], '{item}{s}{label}{s}"two\nlines"'),
    ],
)
def test_indexes_decimal_commas_and_blank_lines(tmp_path, separator, header, row):
    if separator == "," and "{n},5" in row:
        row = row.replace("{n},5", '"{n},5"')
    rows = [row.format(n=n, s=separator, label=n % 2, item=item) for n, item in enumerate(FILES, 1)]
    text = "\n".join([separator.join(header), *rows, ""])
    assert both(tmp_path, text, FILES) == (FILES, [0, 1, 2])


@pytest.mark.parametrize("end", ["\r\n", "\r"])
@pytest.mark.parametrize("name", ["names.csv", "names.tsv", "names.txt", "names.tab"])
def test_ends_of_lines_and_of_names(tmp_path, end, name):
    text = table(["label", "Bild"], FILES, "\t").replace("\n", end)
    assert both(tmp_path, text, FILES, name) == (FILES, [0, 1, 2])


def test_cells_that_our_own_files_mark_are_read_back(tmp_path):
    ids = ["=a.jpg", "-b.jpg", "'+c.jpg"]
    text = table(["label", "item"], [f"'{item}" for item in ids])
    assert both(tmp_path, text, ids) == (ids, [0, 1, 2])


@pytest.mark.parametrize("values", [[{"bytes": None, "path": name} for name in FILES], None])
def test_records_and_days_in_parquet(tmp_path, values):
    days = ["2024-01-01", "2024-01-02", "2024-02-29"]
    frame = pd.DataFrame({"label": [1, 0, 1], "image": values or list(map(datetime.fromisoformat, days))})
    frame.to_parquet(tmp_path / "names.parquet")
    ids = FILES if values else days
    assert read_ids(tmp_path / "names.parquet") == ids
    assert sorted(read_labels(tmp_path / "names.parquet", ids).agreed()) == [0, 1, 2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "klasse;wort\nowl;a\nfox;b\nsnipe;c\n",
            "each of its columns 'klasse', 'wort' may hold the ids; in its first line, call the one that does item",
        ),
        ("a.jpg;owl\nb.jpg;fox\nc.jpg;snipe\n", "each of its columns 0, 1 may hold"),
        ("item;klasse;Item\na;1;b\nb;2;c\nc;3;d\n", "two columns 'item' and 'Item', which differ; rename"),
        ("item;klasse;item\na;x;b\nb;y;c\nc;z;d\n", "'item.0', 'klasse', 'item.1' may hold"),
        ("score\n1\n2\n3\n", "no column of ids"),
    ],
)
def test_a_column_that_only_may_hold_ids_is_refused_beside_another(tmp_path, text, said):
    (tmp_path / "names.csv").write_text(text)
    with pytest.raises(ValueError, match=said):
        read_ids(tmp_path / "names.csv")


@pytest.mark.parametrize(
    ("text", "ids", "said"),
    [
        ("wort\na\nb\nc\n", "a to c", "ids from the column 'wort', the only one that may hold them"),
        ("wort;n\na;1\nb;2\nc;3\n", "a to c", "ids from the column 'wort', the only one that may hold them"),
        ("klasse;wort\nowl;a\nowl;b\nfox;c\n", "a to c", "ids from the column 'wort', the only one"),
        ("a.jpg\nb.jpg\nc.jpg\n", "a.jpg to c.jpg", "it has no header"),
        ("a.jpg,owl\nb.jpg,owl\nc.jpg,fox\n", "a.jpg to c.jpg", "it has no header"),
        ('item,label\n"a.jpg,1\nb.jpg,0\nc.jpg,1\n', '"a.jpg to c.jpg', "quotation marks are taken for letters"),
    ],
)
def test_what_was_guessed_is_said(tmp_path, capsys, monkeypatch, text, ids, said):
    monkeypatch.chdir(tmp_path)
    np.save("v.npy", np.eye(3, dtype=np.float32))
    (tmp_path / "names.csv").write_text(text)
    cli.main(["pool", "make", "v.npy", "p1", "--ids", "names.csv"])
    out = capsys.readouterr().out
    assert said in out
    assert f"ids {ids}: --pool p1" in out


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("name", ITEM)
def test_tables_of_vectors_know_the_same_names(tmp_path, ending, name):
    frame = pd.DataFrame({"klasse": ["owl", "fox", "snipe"], name: FILES, "e0": [0.5, 1, 2], "e1": [1, 2.5, 3]})
    path = tmp_path / f"v.{ending}"
    frame.to_csv(path, index=False) if ending == "csv" else frame.to_parquet(path)
    assert Pool.from_file(path).ids.tolist() == FILES


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("barcode,sample,cell_type\nACG-1,s1,T\nACG-2,s1,B\nACG-3,s2,T\n", ["ACG-1", "ACG-2", "ACG-3"]),
        ("id,sample\n11,s1\n12,s1\n13,s2\n", ["11", "12", "13"]),
        ("id,media,species\n11,m,owl\n12,m,owl\n13,n,elk\n", ["11", "12", "13"]),
        ("gbifID,species,media\n11,owl,m\n12,owl,m\n13,elk,n\n", ["11", "12", "13"]),
        ("id,url,species\n11,https://p/1.jpg,owl\n12,,owl\n13,https://p/3.jpg,elk\n", ["11", "12", "13"]),
    ],
)
def test_a_known_column_that_repeats_or_has_gaps_gives_way_to_one_that_tells_the_rows_apart(tmp_path, text, ids):
    (path := tmp_path / "names.csv").write_text(text)
    assert read_ids(path) == ids


def test_lines_that_are_sentences_are_no_table(tmp_path):
    lines = ["Image, sound and film", "A history of tea", "On rivers, lakes, file by file"]
    (path := tmp_path / "titles.txt").write_text("\n".join(lines))
    assert read_ids(path) == lines


def test_vectors_of_samples_that_repeat_are_numbered_and_it_is_said(tmp_path):
    (path := tmp_path / "genes.csv").write_text("sample,gene1,gene2\ns1,1,2\ns1,3,4\ns2,5,6\n")
    pool = Pool.from_file(path)
    assert pool.ids.tolist() == ["0", "1", "2"]
    assert "sample" in " ".join(pool.provenance["made_from"]["taken"])
