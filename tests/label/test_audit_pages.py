"""An audit on the panel: random items nobody has seen, a statement above them, the same when opened again."""

import numpy as np
import pytest
from at_the_desk import answer_page

from elsa_nb.label import AuditPages
from elsa_nb.search.oracle import Truth, simulate


def test_an_audit_of_everything_finds_everything_and_says_so():
    positive = np.zeros(500, bool)
    positive[::25] = True
    answered = np.arange(200)
    audit = AuditPages(500, answered, found=int(positive[:200].sum()))
    assert (
        "If you overlook none: at least 2.5\N{NO-BREAK SPACE}% of the class is found, with 95\N{NO-BREAK SPACE}% "
        "confidence (8 finds, at most 300 missing)." in audit.statement
    )
    log = simulate(audit, Truth(positive))
    assert set(log.rows) == set(range(200, 500))
    assert set(log.components) == {18}
    assert audit.positives.tolist() == np.flatnonzero(positive)[8:].tolist()
    assert audit.statement == (
        "If you overlook none: all of the class is found (20 finds). "
        "Allowing for slips: nothing can be said, since that takes eight finds to show again."
    )
    audit.amend([200], [-1])  # a doubtful one may be of the class
    assert "with 95\N{NO-BREAK SPACE}% confidence" in audit.statement


def test_the_price_of_the_next_statement_falls_with_each_page_without_a_find():
    audit, prices = AuditPages(20_000, np.arange(100), found=50), []
    for _ in range(4):
        prices.append(int(audit.prices().split(" more answers")[0].split()[-1].replace(",", "")))
        audit.update(np.zeros(len(audit.query().rows), int))
    assert np.diff(prices).tolist() == [-60, -60, -60]
    assert audit.prices().startswith("Without a further find: at least 50\N{NO-BREAK SPACE}% for ")


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
    said = audit.prices().split("at least ")[1].split()  # 80 % for 1,200 more answers
    more, share = int(said[3].replace(",", "")), float(said[0])
    while more > 0:
        rows = audit.query().rows
        assert at_least(audit)[0] < share
        audit.update(np.zeros(len(rows), int))
        more -= len(rows)
    assert at_least(audit)[0] >= share


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


AGAIN = "Some pictures here are finds of yours, unmarked, to see how many you overlook."


def at_least(audit):
    """Return the two shares that a statement promises, in percent: without and with slips; 100 for all."""
    none, *slips = audit.statement.split("Allowing for slips")
    return [
        float(said.split("at least ")[1].split()[0].rstrip(";.")) if "at least " in said else 100.0
        for said in (none, *slips)
    ]


def overlooked(audit, wanted, share, rng, found):
    """Answer an audit to its end as somebody who overlooks a share of all positives; return if it promised too much."""
    too_much = False
    while (batch := audit.query()) is not None:
        audit.update((wanted[batch.rows] & (rng.random(len(batch.rows)) >= share)).astype(int))
        promised = at_least(audit)[1] / 100
        too_much |= promised > (found + len(audit.positives)) / wanted.sum() + 1e-9
    return too_much


FOUND = 60


@pytest.mark.parametrize("share", [0, 0.1, 0.3])
def test_the_statement_holds_for_a_person_who_overlooks_some(share):
    """Without finds shown again it was false in a fifth of the audits of somebody who overlooks three of ten."""
    false, audits, rng = 0, 40, np.random.default_rng(0)
    for number in range(audits):
        wanted = np.arange(500) < FOUND
        wanted[rng.choice(np.arange(100, 500), 12, replace=False)] = True
        audit = AuditPages(500, np.arange(100), FOUND, finds=np.arange(FOUND), rng=number)
        false += overlooked(audit, wanted, share, rng, FOUND)
    assert false <= 5  # of 40; at a risk of 0.05 more are as good as impossible


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_the_statement_holds_for_a_person_who_overlooks_as_many_in_the_search(share):
    """Where the audit left out the negatives of the search, it was false in most of them."""
    false, audits, rng = 0, 40, np.random.default_rng(1)
    for number in range(audits):
        wanted = np.arange(500) < FOUND
        wanted[rng.choice(np.arange(100, 500), 4, replace=False)] = True
        finds = np.flatnonzero((np.arange(500) < FOUND) & (rng.random(500) >= share))  # the search asked the first 100
        audit = AuditPages(500, finds, len(finds), finds=finds, rng=number)
        false += overlooked(audit, wanted, share, rng, len(finds))
    assert false <= 5


def test_finds_are_shown_again_a_few_on_each_page_and_say_what_is_overlooked():
    finds = np.arange(0, 100, 2)
    audit = AuditPages(2_000, np.arange(100), len(finds), finds=finds)
    assert audit.statement.endswith(AGAIN)
    shown, places, sizes, by_page = [], [], set(), set()
    while (batch := audit.query()) is not None and len(shown) < 20:
        again = np.intersect1d(batch.rows, finds)
        by_page.add(len(again))
        sizes.add(len(batch.rows))
        assert set(batch.components) == {18}  # nothing tells them from the others
        labels = np.zeros(len(batch.rows), int)
        if shown:  # on the first page that has any, all of them are overlooked; then each second one is doubtful
            labels[np.isin(batch.rows, again)] = 1
            labels[np.flatnonzero(labels)[::2]] = -1  # which counts as seen
        else:
            missed = len(again)
        places += np.flatnonzero(np.isin(batch.rows, again)).tolist()
        audit.update(labels)
        shown += again.tolist()
    assert sizes == {60}
    assert len(by_page) > 1
    assert min(places) < 20
    assert max(places) >= 40  # at random places on the page
    assert len(set(shown)) == len(shown)
    assert f"slips (you marked {len(shown) - missed} of {len(shown)} known finds): at least" in audit.statement
    assert audit.controls_shown.tolist() != sorted(audit.controls_shown)
    assert set(audit.controls_shown) == set(shown)
    assert not len(audit.positives)  # a find that was known is no find of the audit
    before = audit.statement
    audit.amend(shown[:1], [1])  # by now the person may know it
    assert audit.statement == before
    fewer = AuditPages(2_000, np.arange(100), len(finds), finds=finds, retracted=shown)
    for batch, labels in audit._answered:
        assert fewer.query().rows.tolist() == batch.rows.tolist()
        fewer.update(labels)
    assert "you marked" not in fewer.statement


def test_of_too_few_finds_none_is_shown_again_and_the_statement_says_what_it_rests_on():
    for finds in ((), np.arange(7)):
        audit = AuditPages(300, np.arange(100), 7, finds=finds)
        assert "Allowing for slips: nothing can be said, since that takes eight finds" in audit.statement
        assert set(simulate(audit, Truth(np.zeros(300, bool))).rows) == set(range(100, 300))


def test_three_prices_are_told_in_answers_and_minutes_and_what_cannot_be_promised():
    audit = AuditPages(10_000, np.arange(500), 100, finds=np.arange(100))
    told = audit.prices(2.0)
    told = told.replace("\N{NO-BREAK SPACE}", " ")
    shares = [float(part.split(" % for")[0].split()[-1]) for part in told.split(",") if " % for" in part]
    assert shares == [50, 80, 90]
    assert told.count(" minutes)") == 3
    assert "minutes" not in audit.prices()
    answers = int(told.split(" more answers (")[0].split()[-1])
    given = 0
    while given < answers:
        assert at_least(audit)[1] < 50
        batch = audit.query()
        audit.update((batch.rows < 100).astype(int))  # sees all finds shown again
        given += len(batch.rows)
    assert at_least(audit)[1] >= 50
    few = AuditPages(1_000, np.arange(100), 8, finds=np.arange(8))
    assert "cannot be promised here." in few.prices()


def test_an_audit_of_the_best_rows_promises_nothing_about_the_others():
    best = np.arange(100, 300)
    audit = AuditPages(1_000, np.arange(120), 10, among=best)
    assert "of the class among your finds and these 180 items is found" in audit.statement
    assert audit.statement.endswith("Of 700 other items it says nothing.")
    assert set(simulate(audit, Truth(np.zeros(1_000, bool))).rows) == set(range(120, 300))
    assert "all of the class among your finds and these 180 items is found" in audit.statement
    assert audit.statement.endswith("Of 700 other items it says nothing.")


def test_finds_that_nobody_has_answered_are_refused():
    with pytest.raises(ValueError, match="row 5 is among finds and not among answered"):
        AuditPages(10, [0, 1], found=1, finds=[5])


@pytest.mark.parametrize(("found", "size"), [(20, 60), (45, 60), (200, 12), (200, 5)])
def test_known_finds_come_on_early_pages_and_on_late_ones_and_their_number_varies(found, size):
    """Of few finds the first pages had all, and attention that fell later was not measured; by twelve, each had one."""
    audit, counts = AuditPages(3_000, np.arange(found), found, finds=np.arange(found), page=size), []
    while (batch := audit.query()) is not None:
        counts.append(int((batch.rows < found).sum()))
        audit.update((batch.rows < found).astype(int))
    assert sum(counts) == len(audit.control_items) == len(set(audit.control_items.tolist()))
    assert sum(counts[len(counts) // 2 :]) >= 3
    assert sum(counts[: len(counts) // 2]) > sum(counts[len(counts) // 2 :])
    assert len(set(counts)) > 1
    assert max(counts) < size


def test_prices_count_the_finds_that_are_shown_again_on_the_way_but_no_retracted_ones():
    audits = [AuditPages(2_000, np.arange(60), 60, finds=np.arange(60), retracted=gone) for gone in ((), range(40))]
    prices = []
    for audit in audits:
        price = int(audit.prices().split(" more answers")[0].split()[-1].replace(",", ""))
        given = 0
        while given < price:
            assert at_least(audit)[1] < 50
            batch = audit.query()
            audit.update((batch.rows < 60).astype(int))
            given += len(batch.rows)
        assert at_least(audit)[1] >= 50
        prices.append(price)
    assert prices[0] <= prices[1]


def test_no_find_is_told_to_come_again_once_nothing_comes_and_the_page_tells_known_marks_from_new_ones():
    audit = AuditPages(400, np.arange(10), 10, finds=np.arange(10))
    assert audit.last_page == ""
    while (batch := audit.query()) is not None:
        assert set(batch.rows.tolist()) <= set(audit.not_new.tolist())
        more = len(audit.control_items) > len(audit.controls_shown)
        assert (AGAIN in audit.statement) == more
        known = int((batch.rows < 10).sum())
        audit.update(((batch.rows < 10) | (batch.rows == 200)).astype(int))
        assert audit.last_page == f"{known + (200 in batch.rows)} marked: {known} known, {int(200 in batch.rows)} new"
    assert AGAIN not in audit.statement
    assert (
        "all of the class is found (11 finds). Allowing for slips (you marked 10 of 10 known finds): at least"
        in audit.statement
    )
    assert audit.statement.endswith("; 10 finds are too few to show that you overlook less.")
