"""`elsa-nb bench`: one command from vectors and labels to a page, which goes on where it was interrupted."""

import html
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from elsa_nb import cli
from elsa_nb.bench import arms, comparison, page
from elsa_nb.locks import Lock
from elsa_nb.pool import Pool
from elsa_nb.search.strategies.harvest import Harvest
from elsa_nb.search.strategies.registry import strategies


@pytest.fixture
def given(tmp_path, monkeypatch):
    """Four classes of 30 in 600 vectors, and the rest; the labels in a table with two columns."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    of = np.concatenate([np.repeat(np.arange(4), 30), np.full(480, 4)])
    centres = np.vstack([4 * np.eye(4, 8), np.zeros(8)])
    np.save("v.npy", (centres[of] + rng.normal(size=(600, 8))).astype(np.float32))
    names = np.array(["a", "b", "c", "d <i>", None], object)[of]
    pd.DataFrame({"item": np.arange(600), "label": names}).dropna().to_csv("l.csv", index=False)
    return ["bench", "v.npy", "l.csv", "--budget", "60", "--repeats", "1", "--strategy", "harvest"]


def with_budget(command, labels):
    return [
        str(labels) if before == "--budget" else word for before, word in zip(["", *command], command, strict=False)
    ]


def test_one_command_makes_a_page_that_needs_no_other_file(given, capsys, tmp_path):
    assert cli.main([*given, "--strategy", "greedy-probe", "--strategy", "nn.large"]) == 0
    made = (tmp_path / "v-bench.html").read_text()
    assert not re.search(r'(src|href)="', made)
    bare = "480 items have no class in l.csv and count as not of any: where nobody looked at them"
    for said in (
        "600 vectors of 8 values; 4 of 4 classes",
        bare,
        "Harvest",
        "Greedy probe",
        "NN.Large",
        "Random order",
    ):
        assert said in made
    assert made.count("<polyline") == 4
    assert re.search(r"(Harvest|Greedy probe|NN.Large)", capsys.readouterr().out.splitlines()[-2])  # the advice
    advised = re.search(r"([\d.]+) labels per find \(median\)", made)[1]
    assert f"<td>{advised}<br>" in made  # what is advised is what the table says
    rows = pd.read_csv("v-bench.csv")
    assert len(rows) == 4 * 3
    assert set(rows.target) == {"a", "b", "c", "d <i>"}


def test_names_that_are_not_utf_8_are_told_escaped(given, tmp_path):
    vectors, labels = (os.fsdecode(name) for name in (b"v\xe9.npy", b"l\xe9.csv"))
    Path("v.npy").rename(vectors)
    Path("l.csv").rename(labels)
    command = ["bench", vectors, labels, *given[3:], "--out", "page.html"]
    assert cli.main(command) == 0
    assert r"<code>elsa-nb bench 'v\xe9.npy' 'l\xe9.csv'" in html.unescape((tmp_path / "page.html").read_text())
    assert cli.main(command) == 0  # the same page, which is its own
    assert cli.main([each for each in command if each not in ("--out", "page.html")]) == 0
    assert cli.main([each for each in command if each not in ("--out", "page.html")]) == 0


def test_classes_that_are_too_small_or_too_large_are_counted(given, capsys):
    labels = pd.read_csv("l.csv")
    labels.loc[labels.label == "a", "label"] = "b"  # of 60: as many as the budget, and as a tenth of the pool
    labels.loc[labels.index[-5:], "label"] = "rare"
    labels.to_csv("l.csv", index=False)
    assert cli.main([*given, "--largest", "40"]) == 0
    out = capsys.readouterr().out
    assert "2 of 4 classes, of 25 to 30 members" in out
    assert "Not compared: 1 class of fewer than 20 members (--smallest)." in out
    assert "Not compared: 1 class of more than 40 members (--largest)." in out


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        (1, "1 class is too few to tell Harvest from NN, which needs 2.00 times the labels here; give 6 or more."),
        (5, "5 classes are too few to tell Harvest from NN"),
        (6, r"Use Harvest: the next best, NN, needs 2.00 times the labels \[2.00, 2.00\]"),
    ],
)
def test_an_interval_over_few_classes_decides_nothing(classes, said):
    """One over a single class is a point, whatever chance made of it."""
    rows = [
        {"pool": "p", "half": "", "seeds": 1, "budget": 500, "target": f"c{i}", "repeat": repeat, "class_size": 20}
        | {"arm": arm, "rounds": 3, "seconds": 0.1, "discovery": np.linspace(0, 1, 5)}
        | {f"labels_{share}": factor * share for share in (50, 80, 90, 95)}
        | {f"found_in_{spent}": 0.5 for spent in (200, 500, 1000)}
        for i in range(classes)
        for repeat in (0, 1)
        for arm, factor in (("NN", 2), ("Harvest", 1))
    ]
    assert re.match(said, page.advice(pd.DataFrame(rows), 80))


def _searches(labels):
    """Return searches for six classes of 20 in 1,000, with so many labels of each arm at half of the class."""
    return pd.DataFrame(
        [
            {"pool": "p", "half": "", "seeds": 1, "budget": 900, "target": f"c{i}", "repeat": 0, "class_size": 20}
            | {"arm": arm, "labels_50": spent + i, "labels_80": 0, "labels_90": 0, "labels_95": 0}
            | {f"found_in_{k}": 0.5 for k in (200, 500, 1000)}
            for i in range(6)
            for arm, spent in labels.items()
        ]
    )


def test_random_order_is_measured_as_the_searchers_are():
    """Labels a find, not labels a member: to half of a class those are half as many."""
    weak = "little better than random order"
    assert weak not in page.advice(_searches({"Harvest": 200, "NN": 300, comparison.RANDOM: 477}), 50)
    assert weak in page.advice(_searches({"Harvest": 400, "NN": 450, comparison.RANDOM: 477}), 50)
    assert weak in page.advice(_searches({"Harvest": 400, comparison.RANDOM: 477}), 50)


def test_an_interval_that_is_shown_as_beginning_at_one_tells_nothing_apart():
    said = page.advice(_searches({"Harvest": 1000, "NN": 1002}).assign(budget=10_000), 50)
    assert said.startswith("Harvest or NN: on these classes the two cannot be told apart, NN needs 1.00 times")


def test_the_page_says_that_more_than_nine_tenths_are_not_counted(given, tmp_path):
    """Beside its own curve, which ends at 95 %, "90%" was the share found in 200 labels."""
    assert cli.main([*with_budget(given, 200), "--classes", "1"]) == 0
    made = (tmp_path / "v-bench.html").read_text()
    assert "<td>90%</td>" in made
    assert "In 200: the share found in 200 labels, 90 % at most." in made


def test_over_one_class_there_is_no_interval(given, tmp_path):
    assert cli.main([*given, "--classes", "1"]) == 0
    made = (tmp_path / "v-bench.html").read_text()
    assert "Medians over 1 search per arm. " in made
    assert "<small>" not in made
    assert "intervals" not in made
    assert cli.main([*given, "--classes", "2"]) == 0
    made = (tmp_path / "v-bench.html").read_text()
    assert "Medians over 2 searches per arm, with bootstrap intervals" in made
    assert re.search(r"<td>[\d.]+<br><small>\[[\d.]+, [\d.]+\]</small></td>", made)


def test_the_page_says_how_the_vectors_are_prepared_for_each_searcher(given, tmp_path):
    assert set(arms.arm_preparations()) == set(arms.known_arms())
    assert cli.main([*given, "--strategy", "greedy-probe", "--strategy", "nn.large", "--classes", "1"]) == 0
    made = (tmp_path / "v-bench.html").read_text()
    assert "Harvest, prepared rows (each column standardised, at most 256 principal axes" in made
    assert "Greedy probe, vectors brought to length 1, l2 = 100; NN.Large, vectors as they are." in made
    assert "ELSA" not in made.partition("What each searcher works on")[2].partition("</p>")[0]


def test_searches_that_are_there_are_not_run_again(given, monkeypatch):
    assert cli.main(given) == 0
    before = pd.read_csv("v-bench.csv")

    def refuse(*_, **__):
        raise AssertionError("searched again")

    monkeypatch.setattr(comparison, "search_once", refuse)
    assert cli.main(given) == 0
    assert pd.read_csv("v-bench.csv").equals(before)


def test_classes_that_a_spreadsheet_would_compute_are_marked_and_not_searched_again(given, capsys, tmp_path):
    labels = pd.read_csv("l.csv")
    odd = {"a": '=HYPERLINK("x")', "b": "-2", "c": "@SUM(A1)", "d <i>": "'=mine"}
    labels.assign(label=labels.label.map(odd)).to_csv("l.csv", index=False)
    assert cli.main(given) == 0
    kept = pd.read_csv("v-bench.csv", dtype=str)
    assert set(kept.target) == {f"'{name}" for name in odd.values()}
    made = (tmp_path / "v-bench.html").read_text()
    assert cli.main(given) == 0
    assert "4 of 4 searches are in v-bench.csv already" in capsys.readouterr().out
    assert pd.read_csv("v-bench.csv", dtype=str).equals(kept)
    assert (tmp_path / "v-bench.html").read_text() == made


def test_two_comparisons_do_not_write_one_file_at_once(given, capsys, tmp_path):
    with Lock(".v-bench.csv.lock", "The comparison v-bench.csv").acquire():
        assert cli.main(given) == 1
    assert "The comparison v-bench.csv is being written by process " in capsys.readouterr().err
    assert cli.main(given) == 0
    assert not list(tmp_path.glob(".*lock*"))


def test_a_strategy_whose_version_was_raised_is_searched_anew(given, monkeypatch, capsys):
    """Who mends a strategy of her own compares what it does now, not what it did."""
    assert cli.main(given) == 0
    table = pd.read_csv("v-bench.csv", dtype={"version": str})
    table.drop(columns="version").to_csv("v-bench.csv", index=False)  # as it was stored before there was the column
    assert cli.main(given) == 0
    assert "4 of 4 searches are in v-bench.csv already: they are not run again." in capsys.readouterr().out
    monkeypatch.setattr(Harvest, "version", 2)
    assert cli.main(given) == 0
    assert "already" not in capsys.readouterr().out
    versions = pd.read_csv("v-bench.csv", dtype={"version": str})["version"].tolist()
    assert versions == ["1.1"] * 4 + ["1.2"] * 4


def test_another_table_in_the_place_of_the_searches_is_not_to_be_deleted(given, capsys):
    pd.DataFrame({"mine": [1]}).to_csv("v-bench.csv", index=False)
    assert cli.main(given) == 1
    said = capsys.readouterr().err
    assert "Give the page another name (--out); or, if the file is from an earlier comparison, delete it." in said
    assert Path("v-bench.csv").read_text() == "mine\n1\n"


def test_corrected_labels_are_searched_for_anew(given):
    assert cli.main(given) == 0
    table = pd.read_csv("l.csv")
    table.assign(item=table["item"] + 300).to_csv("l.csv", index=False)
    before = pd.read_csv("v-bench.csv")
    assert cli.main(given) == 0
    rows = pd.read_csv("v-bench.csv")
    assert len(rows) == 2 * len(before)
    assert rows["labels_50"][:4].tolist() != rows["labels_50"][4:].tolist()


def test_a_pool_whose_checksum_looks_like_a_number_is_known_again(given, monkeypatch):
    monkeypatch.setattr(Pool, "sha256", "1234567e12345678" * 4)
    assert cli.main(given) == 0
    before = Path("v-bench.csv").read_bytes()
    assert cli.main(given) == 0
    assert Path("v-bench.csv").read_bytes() == before


def test_what_most_searches_do_not_reach_has_no_figure(given, capsys, tmp_path):
    """Of vectors that say nothing: thirty labels find no 15 of 30."""
    np.save("v.npy", np.random.default_rng(1).normal(size=(600, 8)).astype(np.float32))
    assert cli.main(with_budget(given, 30)) == 0
    assert "With 30 labels no searcher reaches 50 % of a class" in capsys.readouterr().out
    made = (tmp_path / "v-bench.html").read_text()
    assert re.findall(r"<td>Harvest</td>((?:<td>- \(4\)</td>){4})", made)
    assert "In 200" not in made


def test_the_encoding_of_the_vectors_is_an_option_of_its_own(given, capsys):
    """What the note of a guess names can be given, and the labels are read in theirs."""
    names = [f"été {i}.jpg" for i in range(600)]
    table = pd.DataFrame(np.load("v.npy").round(3), columns=[f"v{i}" for i in range(8)])
    table.insert(0, "item", names)
    table["--encoding"] = "a column of words"
    table.to_csv("v.csv", index=False, encoding="cp1250")
    labels = pd.read_csv("l.csv")
    labels.assign(item=[names[i] for i in labels.item]).to_csv("l.csv", index=False, encoding="utf-8")
    command = ["bench", "v.csv", *given[2:]]
    assert cli.main(command) == 0
    said = capsys.readouterr().out
    assert "if names look wrong, give their encoding: `--vectors-encoding ...`" in said
    assert "columns left out: --encoding." in said  # what is not an option is not renamed
    assert cli.main([*command, "--vectors-encoding", "cp1250"]) == 0
    said = capsys.readouterr().out
    assert "names look wrong" not in said
    assert "name no item" not in said
    assert "--vectors-encoding cp1250" in Path("v-bench.html").read_text()


def test_a_pool_needs_no_word_on_how_a_file_is_read(given, capsys):
    Pool.from_file("v.npy").save("pool")
    assert cli.main(["bench", "pool", *given[2:], "--key", "x"]) == 1
    assert "--key counts only where VECTORS is a file, not a pool; leave it out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--strategy", "oracle"], "strategy 'oracle' is not known; allowed: harvest, greedy-probe"),
        (["--smallest", "200"], "no class can have at least 200 members and at most 60: the 4 classes have 30 of them"),
        (["--smallest", "40"], "no class has 40 to 60 members: the 4 classes have 30 of them"),
        (["--seeds", "0"], "seeds = 0; allowed: a whole number, 1 or more"),
        (["--largest", "61"], "largest = 61 is more than budget = 60: a search cannot find so many; raise budget or"),
        (["--largest", "0"], "largest = 0; allowed: a whole number, 1 or more"),
        (["--label", "kind"], "no column 'kind'"),
        (["--item", "label"], "none of its 120 lines names an item: such as 'a', where the pool has '0'"),
        (["--encoding", "utf-16"], "it is not in the encoding 'utf-16'"),
        (["--vectors-encoding", "cp1250"], "v.npy is not text, and so has no encoding; leave out 'cp1250'"),
        (["--out", "page.txt"], "ends in .html"),
        (["--out", "l.html"], "--out l.html would keep its searches in l.csv, your labels; give the page another name"),
    ],
)
def test_what_cannot_be_done_is_said_and_leaves_nothing(given, more, said, capsys, tmp_path):
    assert cli.main([*given, *more]) == 1
    assert said in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["l.csv", "v.npy"]


def test_a_page_is_not_replaced_by_that_of_other_vectors_nor_is_another_file(given, capsys, tmp_path):
    assert cli.main(given) == 0
    (tmp_path / "other").mkdir()
    np.save("other/v.npy", np.load("v.npy") + 1)
    before = Path("v-bench.html").read_bytes()
    command = ["bench", "other/v.npy", *given[2:]]
    assert cli.main(command) == 1
    assert (
        "v-bench.html is the page of v.npy; give that of other/v.npy another name with --out" in capsys.readouterr().err
    )
    assert Path("v-bench.html").read_bytes() == before
    assert cli.main([*command, "--out", "v-bench.html"]) == 0  # who names it means it
    assert "bench other/v.npy" in Path("v-bench.html").read_text()
    Path("mine.html").write_text("<p>mine</p>")
    Path("folder.html").mkdir()
    Path("kept.csv").mkdir()
    for name, said in (
        ("mine.html", "is no page of a comparison"),
        ("folder.html", "is a folder; give the name of a"),
        ("kept.html", "kept.csv is a folder, and the searches of kept.html are kept under that name"),
    ):
        assert cli.main([*command, "--out", name]) == 1
        assert said in capsys.readouterr().err
    assert Path("mine.html").read_text() == "<p>mine</p>"


def test_a_page_that_somebody_changed_stays_and_what_was_written_beside_searches_is_kept(given, capsys, monkeypatch):
    assert cli.main(given) == 0
    page, kept = Path("v-bench.html"), Path("v-bench.csv")
    first, *others = kept.read_text().splitlines()
    kept.write_text("\n".join([f"{first},remark", *(f"{line},mine" for line in others)]) + "\n")
    assert cli.main([*given, "--seeds", "2"]) == 0  # its own page, again
    lines = kept.read_text().splitlines()
    assert lines[0].endswith(",remark")
    assert sum(line.endswith(",mine") for line in lines) == len(others)
    page.write_text(page.read_text().replace("</html>", "<p>my notes</p></html>"))
    before = page.read_bytes()
    capsys.readouterr()
    monkeypatch.setattr(
        "elsa_nb.bench.comparison.compare", lambda *_, **__: pytest.fail("it was searched all the same")
    )
    assert cli.main(given) == 1
    assert "v-bench.html is there already and does not hold what an export wrote there" in capsys.readouterr().err
    assert page.read_bytes() == before


@pytest.mark.parametrize("cut", [5, 40, 150])
def test_searches_that_were_cut_off_are_told_with_the_line(given, capsys, cut):
    assert cli.main(given) == 0
    kept = Path("v-bench.csv")
    kept.write_bytes(kept.read_bytes()[:-cut])
    before = kept.read_bytes()
    assert cli.main(given) == 1
    assert "v-bench.csv is not the searches of a comparison (its line 5 is not whole)" in capsys.readouterr().err
    assert kept.read_bytes() == before


def test_a_curve_ends_where_searches_end():
    frame = pd.DataFrame({"arm": ["A", "A", "B"], "discovery": ["0.5 1.0", "0.5 0.97", "0.2 0.6"]})
    assert {arm: line.round(3).tolist() for arm, line in comparison.curves(frame).items()} == {
        "A": [0.5, 0.95],
        "B": [0.2, 0.6],
    }


def test_the_page_says_what_was_odd_about_vectors_and_labels(given, capsys):
    vectors = np.load("v.npy")
    vectors[500] = 0
    np.save("v.npy", vectors)
    Path("l.csv").write_text(Path("l.csv").read_text() + "9999,a\n")
    assert cli.main(given) == 0
    printed, made = capsys.readouterr().out, Path("v-bench.html").read_text()
    for said in ("1 of 600 vectors is all zero", "1 line of l.csv names no item of the pool"):
        assert said in printed
        assert said in made


def test_an_item_may_be_of_several_classes_and_labels_may_stand_in_the_order_of_the_vectors(tmp_path):
    from elsa_nb.label.label_files.classes import read_classes

    table = tmp_path / "t.csv"
    table.write_text("path,tag\nx/1.jpg,red\nx/1.jpg,small\n2.jpg,red\nnowhere.jpg,red\n")
    classes, unmatched, notes = read_classes(table, ["x/1.jpg", "x/2.jpg"])
    assert {name: rows.tolist() for name, rows in classes.items()} == {"red": [0, 1], "small": [0]}
    assert (unmatched, notes[1:]) == (["nowhere.jpg"], [])
    table.write_text("path,tag\na/x/1.jpg,red\nb/x/2.jpg,red\n")
    assert "begin in 2 folders (a 1, b 1)" in read_classes(table, ["x/1.jpg", "x/2.jpg"])[2][1]
    table.write_text("kind\nred\nblue\n")
    classes, *_ = read_classes(table, ["x/1.jpg", "x/2.jpg"], item="row", label="kind")
    assert {name: rows.tolist() for name, rows in classes.items()} == {"blue": [1], "red": [0]}
    table.write_text("kind\nred\nn/a\n")
    assert set(read_classes(table, ["x/1.jpg", "x/2.jpg"], item="row", label="kind")[0]) == {"red"}
    with pytest.raises(ValueError, match=r"no item of the pool a class.*where the pool has no items"):
        read_classes(table, [])


def classes_in(path, ids, **options):
    from elsa_nb.label.label_files.classes import read_classes

    classes, _, notes = read_classes(path, ids, **options)
    assert notes[0].startswith("labels were read as ")
    return {name: "".join(ids[row] for row in rows) for name, rows in classes.items()}, notes[1:]


@pytest.mark.parametrize("between", [";", "|", ", ", " ; "])
@pytest.mark.parametrize("table", ["item\tlabel\n", "\ufeffitem;label\r\n", "item,label\n"])
def test_a_cell_of_several_classes_is_taken_apart_as_an_import_does(tmp_path, between, table):
    from elsa_nb.label.label_files.reader import read_labels

    separator, path, ids = re.search(r"[\t;,]", table)[0], tmp_path / "l.csv", list("abcdef")
    for cells, meant in (
        (["owl", "owl_even", "fox", "fox_even", "7", "Ñandú_7"], {"owl": "ab", "even": "bd", "fox": "cd", "7": "ef"}),
        (["owl_day", "owl_night", "fox_day", "owl_day", "owl", ""], {"owl": "abde", "day": "acd", "fox": "c"}),
    ):
        lines = (f'{i}{separator}"{cell.replace("_", between)}"\n' for i, cell in zip(ids, cells, strict=True))
        path.write_text(table + "".join(lines))
        found, notes = classes_in(path, ids)
        assert meant.items() <= found.items()
        assert notes == [f"cells with several labels were taken apart at {between.strip()!r}"]
        for name, items in meant.items():
            imported = read_labels(path, ids, positive=name)
            assert "".join(ids[row] for row in imported.rows()) == items
            if any(between.strip() in cell.replace("_", between) and name in cell for cell in cells):
                assert f"{notes[0][1:]}." in str(imported)


def test_a_class_whose_name_has_such_a_sign_is_one(tmp_path):
    path, ids = tmp_path / "l.csv", list("abcd")
    for names in (
        ["Leo (Linnaeus, 1758)", "Felis (Linnaeus, 1758)", "Felis (Linnaeus, 1758)", "owl"],
        ["Smith, Jane", "Smith, John", "Smith, John", "Doe"],
        ["a;b", "b;a", "c|d", "e"],  # nothing says that they are several
        ["1,0", "1", "2,0", "n/a;3"],
        ["1", "1,5", "2", "2,5"],
        ["0,0", "1,0", "2,0", "1,0"],
        ["Smith, John", "Smith, Jane", "Doe, John", "Doe, Jane"],
        ["Paris, France", "Lyon, France", "Paris, Texas", "Austin, Texas"],
        ["maillot", "maillot, tank suit", "tench, Tinca tinca", "bulbul, bird"],  # some of ImageNet's
        [";", "n/a;owl", "n/a", "fox"],
    ):
        pd.DataFrame({"item": ids, "label": names}).to_csv(path, index=False)
        found, notes = classes_in(path, ids)
        assert set(found) == set(names) - {"n/a"}
        assert not [note for note in notes if "apart" in note]
    for name in ("owl", "owl; night"):  # a folder is a class, whatever it is called
        (tmp_path / "sorted" / name).mkdir(parents=True)
        (tmp_path / "sorted" / name / f"{name[-1]}.jpg").touch()
    assert classes_in(tmp_path / "sorted", ["l.jpg", "t.jpg"])[0] == {"owl": "l.jpg", "owl; night": "t.jpg"}


@pytest.mark.parametrize("between", [";", " | "])
def test_what_is_part_of_several_cells_is_a_class_unless_a_comma_parts_them(tmp_path, between):
    path, ids = tmp_path / "l.csv", list("abc")
    for mark, classes in ((between, {"owl": "ab", "day": "ac", "night": "b", "fox": "c"}), (", ", None)):
        names = [mark.join(pair) for pair in (("owl", "day"), ("owl", "night"), ("fox", "day"))]
        pd.DataFrame({"item": ids, "label": names}).to_csv(path, index=False)
        assert classes_in(path, ids)[0] == (classes or dict(zip(names, ids, strict=True)))


def test_numbers_with_a_decimal_comma_are_no_two_answers(tmp_path):
    from elsa_nb.label.label_files.reader import read_labels

    (tmp_path / "l.csv").write_text("item;label\na;0,0\nb;1,0\nc;2,0\nd;1,0\n")
    assert read_labels(tmp_path / "l.csv", list("abcd"), positive="1,0").rows() == [1, 3]


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        ("label\n3,owl\n7,owl\n9,fox\n12,fox\n40,owl\n", {"owl": "abe", "fox": "cd"}),  # R's names of some rows
        ("label\nr1;owl\nr2;owl\nr3;fox\nr4;fox\nr5;owl\n", {"owl": "abe", "fox": "cd"}),
        ("0\n1\n1\n2\n0\n0\n", {"0": "de", "1": "ab", "2": "c"}),  # pandas, of a column without a name
    ],
)
def test_labels_in_order_as_other_programs_write_them(tmp_path, text, classes):
    (tmp_path / "l.csv").write_text(text)
    assert classes_in(tmp_path / "l.csv", list("abcde"), item="row")[0] == classes


def test_labels_beside_the_numbers_of_their_vectors_are_understood(given, capsys):
    labels = pd.read_csv("l.csv").rename(columns={"item": "row", "label": "class"})
    labels.to_csv("l.csv", index=False)
    assert cli.main(given) == 0
    assert "4 of 4 classes, of 30 members" in (said := capsys.readouterr().out)
    assert "Its column 'row' was taken for the numbers of the items, from 0." in said
    labels.assign(row=labels.row + 481).to_csv("l.csv", index=False)  # as far as 600, counted from 1
    assert cli.main(given) == 1
    assert "would count the 600 items from 0 to 599, but says '600'" in capsys.readouterr().err
    Path("ids.txt").write_text("\n".join(f"x{i}.jpg" for i in range(600)))
    labels.to_csv("l.csv", index=False)
    for more in ([], ["--item", "row"]):  # which would not take the order of the rows either: there is a column row
        assert cli.main([*given, "--ids", "ids.txt", *more]) == 1
        said = capsys.readouterr().err
        assert "its column 'row' numbers rows, and the items have names: '0' (line 2) would be 'x0.jpg'" in said
        assert "take out the column 'row' and say so: `--item row`" in said
    pd.DataFrame({"class": np.resize(["a", "b", "c"], 600)}).to_csv("l.csv", index=False)
    assert cli.main([*given, "--ids", "ids.txt", "--item", "row", "--largest", "60"]) == 1  # the cure: it is read
    assert "no class has 20 to 60 members: the 3 classes have 200 of them" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["Row", "row number", "row_id", "ROW-INDEX"])
@pytest.mark.parametrize("label", ["label", "class", "target"])
def test_numbers_of_rows_are_items_only_where_they_mean_the_items_of_their_names(tmp_path, name, label):
    path, ids = tmp_path / "l.csv", ["10", "11", "2", "0"]
    text = f"{name},{label}\n3,0\n2,1\n1,0\n"
    path.write_text(text)
    assert classes_in(path, list("0123"))[0] == {"0": "13", "1": "2"}  # and not the list of the items 0 and 1
    assert classes_in(path, ["0.jpg", "1.jpg", "2.jpg", "3.jpg"])[0] == {"0": "1.jpg3.jpg", "1": "2.jpg"}
    with pytest.raises(ValueError, match=r"numbers rows, and the items have names: '3' \(line 2\) would be '0'"):
        classes_in(path, ids)
    path.write_text(f"{name},photo,{label}\n0,p.jpg,owl\n1,q.jpg,fox\n")
    with pytest.raises(ValueError, match=r"of its columns 'photo' holds an item in every line"):
        classes_in(path, ["p.jpg", "q.jpg"])
    path.write_text(f",{name},{label}\np.jpg,0,owl\nq.jpg,1,fox\n")
    assert classes_in(path, ["q.jpg", "p.jpg"])[0] == {"owl": "p.jpg", "fox": "q.jpg"}  # pandas' names of rows


def test_labels_a_line_stand_in_the_order_of_the_vectors(given, capsys):
    names = ["red fox", "snowy owl", "fox, old", "a;b"]
    Path("l.txt").write_text("\n".join(names[i % 4] if i < 120 else "" for i in range(600)) + "\n")
    Path("ids.txt").write_text("\n".join(f"{i}.jpg" for i in range(600)))
    assert cli.main(["bench", "v.npy", "l.txt", *given[3:], "--item", "row", "--ids", "ids.txt", "--classes", "1"]) == 0
    out = capsys.readouterr().out
    assert "1 of 4 classes, of 30 members" in out
    assert "480 items have no class" in out


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"l/0.jpg": ""}, "folder of files. Sort them into folders in it, one per class, or give a table"),
        (
            {"l/owl/a.jpg": ""},
            "none of its 1 file names an item: such as 'a.jpg', where the pool has '0'. The",
        ),
        ({"l": "0\n1\n"}, "list of names, such as '0', where the pool has '0'. It says nothing about them"),
        ({"l": "item,kind\n0,owl\n"}, "its columns are 'item', 'kind'). Name the column of classes: --label NAME"),
        ({"l": "item,owl,fox\n0,1,0\n1,0,1\n"}, "A table with one column per class is not read here: write a line for"),
        ({"l": "item,label\na,owl\n"}, "where the pool has '0'. Name the column of items (--item NAME; --item row"),
        ({"l": "item,label\n0,\n1,-\n"}, "what it says of 2 items here is not a class. Where another column or field"),
    ],
)
def test_labels_that_give_no_class_are_cured_by_what_their_kind_has(given, files, said, capsys):
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    assert cli.main(["bench", "v.npy", "l", *given[3:]]) == 1
    err = capsys.readouterr().err
    assert said in err
    assert ("column" in err) == (not Path("l").is_dir())


def test_what_leaves_classes_out_is_the_option_that_was_given(given, capsys):
    labels = pd.read_csv("l.csv")
    labels.loc[labels.index[-5:], "label"] = "rare"
    labels.to_csv("l.csv", index=False)
    assert cli.main([*given, "--seeds", "26"]) == 0
    said = capsys.readouterr().out
    assert "2 classes of fewer than 27 members (--seeds: one is to be found beside them)." in said
    assert "--smallest" not in said


def test_a_class_has_one_name_however_its_file_writes_it(tmp_path):
    from elsa_nb.label.label_files.classes import read_classes

    table, ids = tmp_path / "l.parquet", ["a", "b", "c", "d"]
    for numbers in ([1, 2, 2, 1], [1.0, 2.0, 2.0, None]):
        pd.DataFrame({"item": ids, "label": numbers}).to_parquet(table)
        assert list(read_classes(table, ids)[0]) == ["1", "2"]
    pd.DataFrame({"item": ids, "label": ["\u00e9", "e\u0301", "Owl", "owl"]}).to_parquet(table)
    classes, _, notes = read_classes(table, ids)
    assert {name: rows.tolist() for name, rows in classes.items()} == {"\u00e9": [0, 1], "Owl": [2], "owl": [3]}
    assert notes[1:] == ["the classes 'Owl' and 'owl' are two here: if they are one, mend its spelling"]


def _colours(*arms):
    drawn = page.draw({arm: np.linspace(0, 1, 3) for arm in arms}, np.array([1, 10, 100]))
    return dict(zip(arms, re.findall(r'<polyline [^>]*stroke="(#\w+)"', drawn), strict=True))


def test_a_strategy_has_its_colour_in_whatever_company():
    alone, last = _colours("Harvest"), _colours("NN.Large", "ELSA", comparison.RANDOM, "Greedy probe", "Harvest")
    assert alone["Harvest"] == last["Harvest"] == Harvest.colour
    assert {arm: last[arm] for arm in ("ELSA", "Greedy probe")} == {
        arm: strategies()[arm].colour for arm in ("ELSA", "Greedy probe")
    }
    assert len(set(last.values())) == len(last)


def test_two_strategies_of_one_colour_are_told_apart(monkeypatch):
    twin = type("Twin", (), {"colour": Harvest.colour})
    monkeypatch.setattr(page, "strategies", lambda: {"Harvest": Harvest, "Twin": twin})
    colours = _colours("Harvest", "Twin", "another", comparison.RANDOM)
    assert colours["Harvest"] == Harvest.colour
    assert len(set(colours.values())) == 4


def test_an_interval_has_the_decimals_of_its_median(given, tmp_path):
    assert cli.main(given) == 0
    cells = re.findall(r"<td>([\d.]+)<br><small>\[([\d.]+), ([\d.]+)\]", (tmp_path / "v-bench.html").read_text())
    assert cells
    assert {len(number.partition(".")[2]) for cell in cells for number in cell} == {2}


def test_where_half_of_the_searches_do_not_get_there_a_dash_stands():
    row = {"searches": 4, "unreached_80": 2, "unreached_50": 1}
    assert page._seldom(row, 80)
    assert not page._seldom(row, 50)


def _reaching(labels, reached):
    """Return `_searches` to half of each class, of which each arm reaches 80 % in the first so many of six."""
    frame = _searches(labels)
    there = frame["target"].str[1:].astype(int) < frame["arm"].map(reached)
    return frame.assign(labels_80=(2 * frame["labels_50"]).where(there, 0))


@pytest.mark.parametrize(("reached", "share"), [((3, 3), 50), ((4, 0), 80), ((0, 4), 80), ((3, 2), 50), ((6, 6), 80)])
def test_no_share_is_judged_at_that_only_half_of_the_searches_reach(reached, share):
    frame = _reaching({"Harvest": 100, "NN": 120}, dict(zip(("Harvest", "NN"), reached, strict=True)))
    assert page.judged_at(frame) == share
    assert "no searcher reaches" not in page.advice(frame, share)
    assert "no searcher reaches" in page.advice(frame, 90)


def test_an_arm_that_seldom_gets_there_is_not_the_best():
    """With so few labels where it does get there, its mean is less than that of an arm that always does."""
    frame = _reaching({"Harvest": 2, "NN": 400}, {"Harvest": 3, "NN": 6})
    assert page.best_arm(frame, 50) == "Harvest"
    assert page.best_arm(frame, page.judged_at(frame)) == "NN"
    assert "no searcher reaches" not in page.advice(frame, 80)
