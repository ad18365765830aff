"""The table of results: every line is there, measured or not, and a part that is not run keeps what it had."""

import csv
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks import summary
from benchmarks.goals import FASTER, GRAPH, LINES, MISSED, ROUND, WHY, judge
from benchmarks.summary import Row
from elsa_nb.paper.publishing import readme_blocks

LINE = f"{ROUND}, p95"


def test_every_line_is_there_with_its_goal_measured_or_not(tmp_path):
    path = tmp_path / "summary.csv"
    summary.store(path, [Row(LINE, 41.234, "ms")], "a machine", "abc", 0.2)
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == summary.COLUMNS
    assert [row["what"] for row in rows] == list(LINES)
    assert {row["measured"] for row in rows if row["what"] != LINE} == {"not measured"}
    measured = next(row for row in rows if row["what"] == LINE)
    assert measured == {
        "what": LINE,
        "goal": "at most 50 ms",
        "measured": "41.2",
        "unit": "ms",
        "ratio": "",
        "met": "met",
        "why": "",
        "load": "0.2",
        "device": "a machine",
        "commit": "abc",
    }


def test_parts_not_run_keep_their_rows(tmp_path):
    path = tmp_path / "summary.csv"
    summary.store(path, [Row(LINE, 41.0, "ms"), Row(GRAPH, 60.0, "s", "1.0 times")], "a machine", "abc", 0.2)
    summary.store(path, [Row(LINE, 30.0, "ms")], "another", "def", 0.2)
    rows = summary.read(path)
    assert (rows[LINE]["measured"], rows[LINE]["device"], rows[LINE]["commit"]) == ("30", "another", "def")
    assert (rows[GRAPH]["measured"], rows[GRAPH]["ratio"], rows[GRAPH]["commit"]) == ("60", "1.0 times", "abc")


def test_a_line_that_is_no_line_any_more_is_dropped(tmp_path):
    path = tmp_path / "summary.csv"
    path.write_text("what,goal,measured,unit,ratio,device,commit\nan old line,,1,s,,x,y\n")
    summary.store(path, [], "a machine", "abc", 0.2)
    assert list(summary.read(path)) == list(LINES)


def test_a_measurement_without_a_line_or_in_another_unit_than_its_goal_is_refused():
    with pytest.raises(ValueError, match=r"benchmarks/goals\.py"):
        Row("one round, 7 x 7", 1.0)
    with pytest.raises(ValueError, match=r"'0.04 s' cannot be judged by the goal 'at most 50 ms'"):
        Row(LINE, 0.04, "s")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.01234, "0.0123"), (9.876, "9.88"), (99.6, "99.6"), (123.4, "123"), (45678, "45678")],
)
def test_three_digits_that_count(tmp_path, value, text):
    summary.store(tmp_path / "s.csv", [Row(LINE, value, "ms")], "m", "c", 0.2)
    assert summary.read(tmp_path / "s.csv")[LINE]["measured"] == text


def test_the_markdown_block_shows_every_line_and_where_it_was_measured(tmp_path):
    path = tmp_path / "summary.csv"
    summary.store(path, [Row(LINE, 41.234, "ms", "1|2")], "a machine, 2 cores", "abc", 0.25)
    block = readme_blocks.speed_block(path)
    lines = block.splitlines()
    assert lines[2:4] == ["| what | goal | measured | goal met | ratio | commit |", "|---|---|---|---|---|---|"]
    assert f"| {LINE} | at most 50 ms | 41.2 ms | met | 1/2 | abc |" in lines
    assert all(line.count("|") == 7 for line in lines if line.startswith("|"))
    assert 10 < sum(line.startswith("| ") for line in lines) < len(LINES)  # growth and limits stay in the file
    assert lines[-1] == "- abc: a machine, 2 cores; 0.2 programs wanted a processor before the run"
    summary.store(path, [Row(GRAPH, 60.0, "s", "1.0 times")], "a slower machine", "def", 0.0)
    assert readme_blocks.speed_block(path).endswith(
        f"{lines[-1]}\n- def: a slower machine; 0.0 programs wanted a processor before the run"
    )
    assert not block.endswith("\n")


def test_a_goal_that_is_missed_is_told_above_the_table_until_it_is_met(tmp_path):
    path, explained = tmp_path / "summary.csv", next(iter(WHY))
    hidden = next(line for line in LINES if line.startswith("growth"))
    goals = sum(bool(goal) for goal in LINES.values())
    rows = [Row(explained, 1e6, "ms"), Row(hidden, "1.20", "", "of four"), Row(LINE, 50.0, "ms")]
    summary.store(path, rows, "a machine", "abc", 0.2)
    told = readme_blocks.speed_block(path).partition("| what")[0]
    assert told.startswith(f"{goals} goals: 1 met, 2 missed, {goals - 3} not measured.")
    assert f"- {explained}: 1000000 ms. Goal: {LINES[explained]}. {WHY[explained]}\n" in told
    assert f"- {hidden}: 1.20; of four. Goal: {LINES[hidden]}.\n" in told
    summary.store(path, [Row(explained, 0.1, "ms"), Row(hidden, "0.90")], "a machine", "abc", 0.2)
    assert readme_blocks.speed_block(path).startswith(f"{goals} goals: 3 met, 0 missed, {goals - 3} not measured.\n\n|")
    assert WHY[explained] not in readme_blocks.speed_block(path)


@pytest.mark.parametrize(
    ("goal", "measured", "unit", "ratio", "said"),
    [
        ("at most 10 ms", "10", "ms", "", "met"),
        ("at most 10 ms", "10.1", "ms", "", "missed"),
        ("at most 1,000 ms", "990", "ms", "", "met"),
        ("at least 99 %", "98.99 %", "", "", "missed"),
        ("at least 25 times slower", "0.9", "s a search", "24.9 times slower", "missed"),
        ("with some units at most 0.6 times faiss", "900", "s", "0.49 times faiss's 28 s", "met"),
        ("at most 1", "-0.24", "", "16: 0.1", "met"),
        (FASTER, "92", "rounds/s", "1,000.5 times theirs", "met"),
        (FASTER, "92", "rounds/s", "1.0 times theirs", "missed"),
        ("50 of 50", "49 of 50", "", "", "missed"),
        ("each flip within rounding", "42 of 50", "", "7 of 8 flips within rounding", "missed"),
        ("each flip within rounding", "50 of 50", "", "", "met"),
        ("at most 10 ms", "not measured: no GPU", "", "", ""),
        ("at most 10 ms", "failed: no memory", "", "", ""),
        ("", "10", "ms", "", ""),
    ],
)
def test_a_goal_is_met_missed_or_open(goal, measured, unit, ratio, said):
    assert judge(goal, measured, unit, ratio) == said


@pytest.mark.parametrize("goal", ["as fast as can be", "at most 10 ms"])
def test_a_goal_that_nobody_could_judge_is_refused(goal):
    with pytest.raises(ValueError, match=r"'3 s' cannot be judged by the goal"):
        judge(goal, "3", "s", "")


def test_the_stored_summary_is_judged_by_the_goals_as_they_are():
    for what, row in summary.read(summary.RESULTS / "summary.csv").items():
        met = judge(LINES[what], row["measured"], row["unit"], row["ratio"])
        assert (row["goal"], row["met"]) == (LINES[what], met)
        assert row["why"] == (WHY.get(what, "") if met == MISSED else "")


def test_without_results_the_block_says_what_makes_them(tmp_path):
    with pytest.raises(FileNotFoundError, match="make bench"):
        readme_blocks.speed_block(tmp_path / "summary.csv")


def test_rows_of_two_runs_at_once_are_both_kept(tmp_path):
    path, lines = tmp_path / "summary.csv", [line for line, goal in LINES.items() if not goal][:8]
    with ThreadPoolExecutor(8) as runs:
        list(runs.map(lambda line: summary.store(path, [Row(line, 1.0)], "a machine", "abc", 0.2), lines))
    assert {line: row["measured"] for line, row in summary.read(path).items() if line in lines} == dict.fromkeys(
        lines, "1"
    )
