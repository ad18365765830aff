"""Several people in one session: what they say together, and Cohen's kappa by its definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elsa_nb import cli
from elsa_nb.label import Fixed, Panel, Texts
from elsa_nb.label.agreement import Agreement, _agreement, agreements, merged
from elsa_nb.label.answers import Answer
from elsa_nb.label.session import Session


@pytest.fixture
def path(tmp_path):
    for name, labels in (
        ("ann", {"=a": 1, "b": 0, "c": 1, "e": 0}),
        ("bea", {"=a": 0, "b": 0, "c": -1, "d": 1, "e": 0}),
    ):
        session = Session(tmp_path / "s.sqlite", annotator=name)
        session.acquire()
        session.write([Answer(item, -2, label) for item, label in labels.items()])
        session.close()
    return tmp_path / "s.sqlite"


def test_what_all_said_stands_together_and_doubts_leave_the_word_to_others(path):
    session = Session(path)
    assert [(row["item"], row["label"]) for row in merged(session)] == [
        *[("=a", -1), ("b", 0), ("c", 1), ("d", 1), ("e", 0)]
    ]
    (pair,) = agreements(session)
    assert (pair.both, pair.same, pair.kappa) == (3, 2, 0)
    session.close()


def test_kappa_of_a_table_from_the_literature():
    """Cohen's kappa of 20, 5, 10 and 15 of 50: 0.40."""
    pair = _agreement("a", "b", [(1, 1)] * 20 + [(1, 0)] * 5 + [(0, 1)] * 10 + [(0, 0)] * 15)
    assert pair.kappa == pytest.approx(0.4)
    assert pair.low < 0.2 < 0.6 < pair.high


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), max_size=60))
def test_kappa_lies_in_its_interval_and_is_one_only_where_all_is_the_same(pairs):
    found = _agreement("a", "b", pairs)
    if found.kappa is None:
        assert len(set(pairs)) <= 1
        return
    assert found.low <= found.kappa + 1e-12
    assert found.kappa - 1e-12 <= found.high <= 1 + 1e-12
    assert (found.kappa > 1 - 1e-12) == (found.same == found.both)
    assert found.low < found.high, "a few answers prove nothing for certain"


def test_without_common_answers_kappa_is_not_made_up():
    assert "no item in common" in str(_agreement("a", "b", []))
    assert _agreement("a", "b", [(0, 0)] * 3) == Agreement("a", "b", 3, 3)


def test_the_command_says_it_and_writes_a_table_that_a_spreadsheet_does_not_compute(path, capsys):
    assert cli.main(["session", "compare", str(path), str(path.parent / "all.csv")]) == 0
    said = capsys.readouterr().out
    assert "ann and bea both answered 3 items, 1 differently; Cohen's kappa 0.00" in said
    assert "=a: ann positive, bea negative" in said
    lines = (path.parent / "all.csv").read_text().splitlines()
    assert lines[:2] == ["item,ann,bea,agreed,settled", "'=a,positive,negative,,"]
    assert cli.main(["session", "compare", str(path), str(path.parent / "all.csv")]) == 0  # its own, again
    (path.parent / "labels.csv").write_text("item,label\na,owl\n")
    for name, said in (("labels.csv", "is there already and does not hold what"), ("all.xlsx", "is a CSV")):
        assert cli.main(["session", "compare", str(path), str(path.parent / name)]) == 1
        assert said in capsys.readouterr().err
    assert (path.parent / "labels.csv").read_text() == "item,label\na,owl\n"
    corrected = (path.parent / "all.csv").read_text().replace("negative", "positive")
    (path.parent / "all.csv").write_text(corrected)
    assert cli.main(["session", "compare", str(path), str(path.parent / "all.csv")]) == 1
    assert "was changed since. It was left as it is. Give another name, or delete it." in capsys.readouterr().err
    assert (path.parent / "all.csv").read_text() == corrected
    assert not (path.parent / "all.xlsx").exists()
    assert cli.main(["session", "compare", str(path.parent / "none.sqlite")]) == 1


def test_a_second_look_settles_what_people_differ_on_and_second_opinions_do_not_count_in_kappa(path):
    session = Session(path, annotator="ann")
    session.acquire()
    session.write(
        [Answer("=a", -2, 0, component="seen again"), Answer("=a", 1, 1)]
    )  # what the earlier card says stands
    assert {row["item"]: (row["label"], row["settled"]) for row in merged(session)}["=a"] == (-1, 1)
    session.write([Answer("=a", 0, -2, component="seen again"), Answer("=a", 1, 1)], undone=[True])
    assert merged(session)[0]["settled"] == -1, "taken back"
    session.close()
    session = Session(path, annotator="bea")
    session.acquire()
    session.write([Answer("f", -2, 1, component="second opinion")])
    session.record([Answer("f", -2, 0)], "import", annotator="ann")
    (pair,) = agreements(session)
    assert (pair.both, pair.same, pair.doubted, pair.differed) == (3, 2, 1, 1)
    assert "Second opinions on doubtful answers, not counted in this: 1, 1 differently." in str(pair)
    session.close()


def test_the_page_of_disagreements_names_rows_and_lets_one_answer_ones_own_cards(tmp_path, path):
    ids = ["=a", "b", "c", "d", "e"]
    search = Fixed(5, [1, 0])
    panel = Panel(search, Texts(ids, ids), session=path, annotator="ann")
    sent = []
    panel.widget.send = lambda message, buffers=(): sent.append(message)
    panel.widget.hear({"kind": "compare", "nonce": "n"})
    (told,) = [message for message in sent if message["kind"] == "compared"]
    assert told["items"] == [{"item": "=a", "labels": {"ann": 1, "bea": 0}, "row": 0, "position": 1}]
    assert "kappa" in told["pairs"][0]
    assert panel.controller.may_show(0)
    assert not panel.controller.may_show(4)
    assert np.isin(0, panel.rows_answered)
    panel.close()
