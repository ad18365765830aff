"""The ids of a pool and the items of its labels come from the same cells of one table, or the pool says why not."""

import itertools
import re
import zipfile
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

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


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("readers")


def saved_as(folder, frame, ending):
    path = folder / f"x.{ending}"
    if ending == "csv":
        frame.to_csv(path, index=False)
    elif ending == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_json(path, orient="records", lines=True)
    return path


CURE = r"to take another, call it item in the file, or give its values, one per row \(ids="


@settings(max_examples=15, deadline=None)
@given(
    names=st.permutations(["id", "url", "e0", "e1", "label"]),
    address=st.sampled_from(["uri", "URL", "media"]),
    written=st.sampled_from(["id", "ID", " Id"]),
    ids=st.lists(st.integers(0, 9999), min_size=3, max_size=3, unique=True),
    ending=st.sampled_from(["csv", "parquet", "jsonl"]),
)
def test_beside_an_id_an_address_names_no_items(folder, names, address, written, ids, ending):
    pages = [f"https://p.org/{number}.html" for number in (7, 3, 5)]
    values = {"id": ids, "url": pages, "e0": [0.5, 1, 2], "e1": [1, 2.5, 3], "label": ["owl", "elk", "elk"]}
    frame = pd.DataFrame({name: values[name] for name in names}).rename(columns={"url": address, "id": written})
    told = list(map(str, ids))
    pool = Pool.from_file(path := saved_as(folder, frame, ending))
    assert pool.ids.tolist() == told
    column = written if ending != "csv" else written.strip()
    said = rf"ids from the column '{column}'; '{address}' may hold them, too: {CURE}"
    assert re.search(said, "; ".join(pool.provenance["made_from"]["taken"]))
    assert read_ids(path) == told
    found = read_labels(path, told, positive="owl")
    assert found.agreed() == {0: 1, 1: 0, 2: 0}
    # Of a pool whose ids are the pages; some of the numbers would fit its items, too.
    of_pages = read_labels(path, [*pages[::-1], "https://p.org/1.html"], positive="owl")
    assert of_pages.agreed() == {0: 0, 1: 0, 2: 1}
    assert f"items from '{address}'" in of_pages.kind


@settings(max_examples=15, deadline=None)
@given(
    ids=st.permutations([2, 1, 0, 9]),
    prefix=st.sampled_from(["", "x", "0"]),
    page=st.sampled_from(["https://p.org/{}.jpg", "https://p.org/obs/{}", "https://p.org/{}.html"]),
    address=st.sampled_from(["uri", "url", "media"]),
)
@example(ids=[2, 1, 0, 9], prefix="", page="https://p.org/{}.jpg", address="url")
def test_numbers_never_reach_items_whose_addresses_end_like_them(folder, ids, prefix, page, address):
    pages = [page.format(number) for number in range(3)]
    urls = [*pages, page.format(9)]
    rows = [f"{prefix}{number},{url},{int(not row)}" for row, (number, url) in enumerate(zip(ids, urls, strict=True))]
    (path := folder / "x.csv").write_text("\n".join([f"id,{address},label", *rows]))
    of_pages = read_labels(path, pages)  # one address is not in the pool
    assert of_pages.agreed() == {0: 1, 1: 0, 2: 0}
    assert f"items from '{address}'" in of_pages.kind
    of_numbers = read_labels(path, list(map(str, range(10))) if prefix != "x" else ["x0", "x1", "x2", "x9"])
    assert "items from 'id'" in of_numbers.kind
    assert len(of_numbers.agreed()) == 4


@settings(max_examples=15, deadline=None)
@given(
    names=st.lists(st.sampled_from(ITEM), min_size=2, max_size=4, unique=True),
    ending=st.sampled_from(["csv", "parquet", "npz"]),
)
@example(names=["file", "item"], ending="npz")
def test_the_column_taken_and_the_others_that_may_hold_ids_are_told(folder, names, ending):
    columns = {name: [f"{name}-{row}" for row in (2, 0, 1)] for name in names}
    if ending == "npz":
        path = folder / "x.npz"
        with zipfile.ZipFile(path, "w") as archive:  # numpy.savez takes no array called file
            for name, values in {"vectors": np.eye(3), **columns}.items():
                with archive.open(f"{name}.npy", "w") as stream:
                    np.lib.format.write_array(stream, np.asarray(values))
    else:
        path = saved_as(folder, pd.DataFrame({**columns, "e0": [0.5, 1, 2]}), ending)
    pool = Pool.from_file(path)
    taken = next(name for name in names if pool.ids.tolist() == columns[name])
    said = "; ".join(pool.provenance["made_from"]["taken"])
    others = ", ".join(repr(name) for name in names if name != taken)
    if taken != "item":  # of which the user said what it is
        assert re.search(rf"ids from .*'{taken}'; {others} may hold them, too: {CURE}", said)
        columns["item"] = columns.pop(names[-1])  # the cure
        path = saved_as(folder, pd.DataFrame({**columns, "e0": [0.5, 1, 2]}), "csv")
        assert Pool.from_file(path).ids.tolist() == columns["item"]


def test_a_file_of_ids_tells_its_column_and_how_to_take_another(tmp_path, capsys):
    np.save(tmp_path / "v.npy", np.eye(3))
    (tmp_path / "names.csv").write_text("name,id\na,7\nb,8\nc,5\n")
    assert (
        cli.main(["pool", "make", *map(str, (tmp_path / "v.npy", tmp_path / "p", "--ids", tmp_path / "names.csv"))])
        == 0
    )
    said = r"ids from the column 'name'; 'id' may hold them, too: .* one per row \(`--ids \.\.\.`\) \(names.csv\)"
    assert re.search(said, capsys.readouterr().out)


def test_lines_that_are_sentences_are_no_table(tmp_path):
    lines = ["Image, sound and film", "A history of tea", "On rivers, lakes, file by file"]
    (path := tmp_path / "titles.txt").write_text("\n".join(lines))
    assert read_ids(path) == lines


def test_vectors_of_samples_that_repeat_are_numbered_and_it_is_said(tmp_path):
    (path := tmp_path / "genes.csv").write_text("sample,gene1,gene2\ns1,1,2\ns1,3,4\ns2,5,6\n")
    pool = Pool.from_file(path)
    assert pool.ids.tolist() == ["0", "1", "2"]
    assert "sample" in " ".join(pool.provenance["made_from"]["taken"])
