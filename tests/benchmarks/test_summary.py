"""The table of results: every line is there, measured or not, and a part that is not run keeps what it had."""

import csv
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks import summary
from benchmarks.goals import GRAPH, LINES, ROUND
from benchmarks.summary import Row
from elsa_nb.paper.publishing import readme_blocks

LINE = f"{ROUND}, p95"


def test_every_line_is_there_with_its_goal_measured_or_not(tmp_path):
    path = tmp_path / "summary.csv"
    summary.store(path, [Row(LINE, 41.234, "ms")], "a machine", "abc")
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == summary.COLUMNS == ("what", "goal", "measured", "unit", "ratio", "device", "commit")
    assert [row["what"] for row in rows] == list(LINES)
    assert {row["measured"] for row in rows if row["what"] != LINE} == {"not measured"}
    measured = next(row for row in rows if row["what"] == LINE)
    assert measured == {
        "what": LINE,
        "goal": "at most 50 ms",
        "measured": "41.2",
        "unit": "ms",
        "ratio": "",
        "device": "a machine",
        "commit": "abc",
    }


def test_parts_not_run_keep_their_rows(tmp_path):
    path = tmp_path / "summary.csv"
    summary.store(path, [Row(LINE, 41.0, "ms"), Row(GRAPH, 60.0, "s", "1.0 times")], "a machine", "abc")
    summary.store(path, [Row(LINE, 30.0, "ms")], "another", "def")
    rows = summary.read(path)
    assert (rows[LINE]["measured"], rows[LINE]["device"], rows[LINE]["commit"]) == ("30", "another", "def")
    assert (rows[GRAPH]["measured"], rows[GRAPH]["ratio"], rows[GRAPH]["commit"]) == ("60", "1.0 times", "abc")


def test_a_line_that_is_no_line_any_more_is_dropped(tmp_path):
    path = tmp_path / "summary.csv"
    path.write_text("what,goal,measured,unit,ratio,device,commit\nan old line,,1,s,,x,y\n")
    summary.store(path, [], "a machine", "abc")
    assert list(summary.read(path)) == list(LINES)


def test_a_measurement_without_a_line_is_refused():
    with pytest.raises(ValueError, match=r"benchmarks/goals\.py"):
        Row("one round, 7 x 7", 1.0)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.01234, "0.0123"), (9.876, "9.88"), (99.6, "99.6"), (123.4, "123"), (45678, "45678")],
)
def test_three_digits_that_count(tmp_path, value, text):
    summary.store(tmp_path / "s.csv", [Row(LINE, value)], "m", "c")
    assert summary.read(tmp_path / "s.csv")[LINE]["measured"] == text


def test_the_markdown_block_shows_every_line_and_where_it_was_measured(tmp_path):
    path = tmp_path / "summary.csv"
    summary.store(path, [Row(LINE, 41.234, "ms", "1|2")], "a machine, 2 cores", "abc")
    block = readme_blocks.speed_block(path)
    lines = block.splitlines()
    assert lines[:2] == ["| what | goal | measured | ratio |", "|---|---|---|---|"]
    assert f"| {LINE} | at most 50 ms | 41.2 ms | 1/2 |" in lines
    assert all(line.count("|") == 5 for line in lines if line.startswith("|"))
    assert 10 < sum(line.startswith("| ") for line in lines) < len(LINES)  # growth and limits stay in the file
    assert lines[-1] == "Measured on: a machine, 2 cores at commit abc."
    assert not block.endswith("\n")


def test_without_results_the_block_says_what_makes_them(tmp_path):
    with pytest.raises(FileNotFoundError, match="make bench"):
        readme_blocks.speed_block(tmp_path / "summary.csv")


def test_rows_of_two_runs_at_once_are_both_kept(tmp_path):
    path, lines = tmp_path / "summary.csv", list(LINES)[:8]
    with ThreadPoolExecutor(8) as runs:
        list(runs.map(lambda line: summary.store(path, [Row(line, 1.0)], "a machine", "abc"), lines))
    assert {line: row["measured"] for line, row in summary.read(path).items() if line in lines} == dict.fromkeys(
        lines, "1"
    )
