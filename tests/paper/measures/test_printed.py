"""The printed digits are all there, unchanged, and come back as text and as numbers."""

import statistics

import pytest

from elsa_nb.errors import CorruptFileError
from elsa_nb.paper.measures import printed as module
from elsa_nb.paper.measures.printed import printed_cells, table_numbers

# Rows, and the sum of all printed digits of both metrics, added up from the paper: any mistyped digit shows.
HELD = {
    1: (12, "8"),
    2: (24, "10.4597"),
    3: (40, "10.9470"),
    4: (40, "11.6408"),
    5: (24, "577.127"),
    6: (10, "4.115"),
    7: (12, "5.324"),
    8: (6, "2.642"),
    9: (6, "2.642"),
    10: (8, "3.1382"),
    11: (10, "4.3457"),
}


def test_every_table_of_the_paper_is_held():
    assert table_numbers() == sorted(HELD)


@pytest.mark.parametrize("table", HELD)
def test_rows_and_sum_of_the_printed_digits(table):
    frame = printed_cells(table)
    rows, total = HELD[table]
    assert len(frame) == rows
    assert frame["value"].sum() == pytest.approx(float(total), abs=1e-9)
    assert (frame["table"] == str(table)).all()
    keys = [c for c in frame.columns if c not in ("printed", "value", "note")]
    assert not frame.duplicated(keys).any()


@pytest.mark.parametrize(
    ("table", "where", "printed"),
    [
        (1, {"arm": "No Active", "component": "active learning"}, "no"),
        (2, {"encoder": "vicreg", "seeds": "median", "metric": "labelling_efficiency"}, "0.1061"),
        (2, {"encoder": "barlow-twins", "seeds": "median", "metric": "labelling_efficiency"}, "0.050"),
        (2, {"encoder": "vicreg", "seeds": "50", "metric": "discovery_rate"}, "0.8768"),
        (3, {"arm": "No Active", "seeds": "1", "metric": "labelling_efficiency"}, "0.0163"),
        (3, {"arm": "NN.Large", "seeds": "50", "metric": "discovery_rate"}, "0.1176"),
        (4, {"arm": "NN.Large", "seeds": "5", "metric": "labelling_efficiency"}, "0.1900"),
        (4, {"arm": "NN", "seeds": "10", "metric": "discovery_rate"}, "0.0907"),
        (5, {"encoder": "moco-v2", "metric": "discovery_rate"}, "0.88"),
        (6, {"setting": "10", "metric": "discovery_rate"}, "0.448"),
        (7, {"setting": "0.2", "metric": "discovery_rate"}, "0.840"),
        (10, {"setting": "15", "metric": "labelling_efficiency"}, "0.0186"),
        (11, {"seeds": "1", "metric": "labelling_efficiency"}, "0.1509"),
    ],
)
def test_spot_digits(table, where, printed):
    frame = printed_cells(table)
    for column, value in where.items():
        frame = frame[frame[column] == value]
    assert frame["printed"].tolist() == [printed]


def test_names_are_the_ones_results_use():
    frames = [printed_cells(table) for table in (2, 3, 4)]
    assert {e for f in frames for e in f["encoder"]} == {"vicreg", "barlow-twins"}
    assert {a for f in frames for a in f["arm"]} == {"ELSA", "No Active", "NN", "NN.Large"}
    assert {m for f in frames for m in f["metric"]} == {"labelling_efficiency", "discovery_rate"}


def test_notes_stand_exactly_where_tables_2_3_and_4_disagree():
    key = ["encoder", "seeds", "metric"]
    once = printed_cells(2).set_index(key)
    for table in (3, 4):
        again = printed_cells(table).query("arm == 'ELSA'").set_index(key)
        both = again.join(once.add_suffix("_2"))
        differ = both["printed"] != both["printed_2"]
        assert differ.sum() == {3: 1, 4: 6}[table]
        assert (both["note"].str.contains("Table 2 prints") == differ).all()
        assert (both["note_2"].str.contains(f"Table {table} prints") == differ).all()


def test_the_printed_medians_are_not_medians_and_the_notes_say_so():
    for _, rows in printed_cells(2).groupby(["encoder", "metric"]):
        five, last = rows[rows["seeds"] != "median"], rows[rows["seeds"] == "median"].iloc[0]
        true = statistics.median(five["value"])
        assert last["value"] != true
        assert f"the third is {true:.4f}".rstrip("0") in last["note"]


@pytest.mark.parametrize("name", [2, "2", "02", "table02"])
def test_a_table_has_several_names(name):
    assert len(printed_cells(name)) == 24


@pytest.mark.parametrize("name", [0, 12, -2, "two", "", "2.0", None])
def test_an_unknown_table_is_refused_with_the_list(name):
    with pytest.raises(ValueError, match=r"the paper's tables held here: 1, 2, 3"):
        printed_cells(name)


def test_a_damaged_file_is_named(tmp_path, monkeypatch):
    (tmp_path / "table02.csv").write_text("table,printed,note\n2,0.1O61,\n")
    monkeypatch.setattr(module, "CLAIMS", tmp_path)
    with pytest.raises(CorruptFileError, match=r"table02\.csv is not a table of claims \(it holds '0\.1O61'"):
        printed_cells(2)
