"""An audit on the panel: random items nobody has seen, a statement above them, the same when opened again."""

import numpy as np
import pytest

from conftest import answer_page
from elsa_nb.label import AuditPages
from elsa_nb.search.oracle import Truth, simulate


def test_an_audit_of_everything_finds_everything_and_says_so():
    positive = np.zeros(500, bool)
    positive[::25] = True
    answered = np.arange(200)
    audit = AuditPages(500, answered, found=int(positive[:200].sum()))
    assert (
        "At least 2.5 % of the class is found, with 95 % confidence: 8 finds, at most 300 missing." in audit.statement
    )
    log = simulate(audit, Truth(positive))
    assert set(log.rows) == set(range(200, 500))
    assert set(log.components) == {18}
    assert audit.positives.tolist() == np.flatnonzero(positive)[8:].tolist()
    assert audit.statement == "Every item has an answer: all of the class is found."
    audit.amend([200], [-1])  # a doubtful one may be of the class
    assert "with 95 % confidence" in audit.statement


def test_the_price_of_the_next_statement_falls_with_each_page_without_a_find():
    audit, prices = AuditPages(20_000, np.arange(100), found=50), []
    for _ in range(4):
        prices.append(int(audit.statement.split(". ")[1].split(" more")[0].replace(",", "")))
        audit.update(np.zeros(len(audit.query().rows), int))
    assert np.diff(prices).tolist() == [-60, -60, -60]
    assert audit.statement.endswith("more answers without a find would make it at least 50 %.")


def test_on_the_panel_it_is_dealt_in_pages_and_opens_again_where_it_was(make_desk, small):
    def begin():
        return AuditPages(400, np.arange(100), found=10, page=12)

    controller = make_desk(begin())
    before = controller.figures()["statement"]
    for _ in range(3):
        answer_page(controller, small[1])
    after, labels = controller.figures()["statement"], controller.cards.labels
    assert after != before
    assert {controller.card(p)["component"] for p in range(len(labels))} == {"audit"}
    controller.close()
    again = make_desk(begin())
    assert (again.figures()["statement"], again.cards.labels) == (after, labels)


def test_what_is_promised_for_more_answers_holds_where_some_were_unsure():
    audit = AuditPages(3_000, np.arange(100), found=60)
    first = np.zeros(60, int)
    first[:6] = -1
    audit.query()
    audit.update(first)
    said = audit.statement
    more, share = int(said.split(" more")[0].split()[-1].replace(",", "")), float(said.split()[-2])
    while more > 0:
        rows = audit.query().rows
        assert float(audit.statement.split()[2]) < share
        audit.update(np.zeros(len(rows), int))
        more -= len(rows)
    assert float(audit.statement.split()[2]) >= share


@pytest.mark.parametrize("page_is_open", [False, True])
def test_a_corrected_answer_counts_in_the_statement_as_if_it_had_been_right_at_once(page_is_open):
    answers = np.random.default_rng(2).integers(-1, 2, (3, 20))
    wrong = answers.copy()
    wrong[0, :5], wrong[1, 7] = 1 - np.abs(answers[0, :5]), 0
    right, amended = (AuditPages(300, np.arange(100), found=10, page=20) for _ in range(2))
    for audit, given in ((right, answers), (amended, wrong)):
        for labels in given:
            audit.query()
            audit.update(labels)
        if page_is_open:
            audit.query()
    rows = right.log.rows
    amended.amend([*rows[:5], rows[27]], [*answers[0, :5], answers[1, 7]])
    with pytest.raises(ValueError, match="row 0 has no answer to correct; allowed: rows that this audit has asked"):
        amended.amend([rows[0], 0], [1, 1])
    for audit in (right, amended):
        if not page_is_open:
            audit.query()
        audit.update(answers[0])
    assert amended.statement == right.statement
    assert [*map(np.ndarray.tolist, amended.log)] == [*map(np.ndarray.tolist, right.log)]


def test_a_find_that_is_put_right_pages_later_on_the_panel_is_a_find_of_the_audit(make_desk, small):
    controller = make_desk(AuditPages(400, np.arange(100), found=10, page=12))
    for _ in range(2):
        answer_page(controller, small[1])
    at = controller.cards.labels.index(0)
    row, found = controller.card(at)["row"], set(controller.rounds.search.positives)
    assert row not in found
    assert controller.handle([{"op": "set", "at": at, "v": 1}])
    while len(controller.asked) < 4:  # the page gone back to comes first
        answer_page(controller, small[1])
    assert set(controller.rounds.search.positives) >= found | {row}


@pytest.mark.parametrize(
    ("answered", "said"),
    [
        ([0, 7], "answered: row 7 is not in the pool; allowed: 0 to 4"),
        ([-1], "answered: row -1 is not in the pool"),
        (["a.jpg"], "answered of type <U5; give whole row numbers"),
    ],
)
def test_answered_rows_of_another_pool_are_refused(answered, said):
    """They were left out without a word, and what was answered in truth was audited."""
    with pytest.raises(ValueError, match=said):
        AuditPages(5, answered, found=1)
    assert sorted(AuditPages(5, [0, 3, 3], found=1).query().rows) == [1, 2, 4]  # seeds may be asked again


def test_with_nothing_left_there_is_nothing_to_audit():
    with pytest.raises(ValueError, match="all 3 items are answered"):
        AuditPages(3, [0, 1, 2], found=1)
