"""Doubtful answers are found, asked again within the share, decided by two of three, and corrected in the search."""

import numpy as np
import pytest

from elsa_nb.pool import Pool
from elsa_nb.search.contract import NEGATIVE, POSITIVE, UNSURE, Batch, Ledger, Log, QueryError
from elsa_nb.search.heads.logistic import logistic_regression
from elsa_nb.search.heads.prepared_rows import PreparedRows
from elsa_nb.search.oracle import Flipped, Truth, simulate
from elsa_nb.search.recheck import RECHECK, Rechecked, contradictions
from elsa_nb.search.strategies.greedy_probe import GreedyProbe, ProbeConfig

N = 1500
CLASS = np.arange(N) % 15 == 0


@pytest.fixture(scope="module")
def pool():
    rng = np.random.default_rng(0)
    return Pool.from_arrays((rng.normal(size=(N, 12)) + 1.5 * CLASS[:, None]).astype(np.float32))


@pytest.fixture(scope="module")
def prepared(pool):
    return PreparedRows.of(pool.vectors)


def search(pool, budget=200):
    return GreedyProbe(pool, np.flatnonzero(CLASS)[:3], config=ProbeConfig(budget=budget), rng=0)


def test_a_contradiction_is_the_log_odds_of_a_fit_without_the_answer(prepared):
    rows = np.arange(90)
    x, y = prepared.take(rows), CLASS[rows] ^ (rows % 31 == 7)
    said = contradictions(x, y, l2=1.0)
    for i in (0, 7, 30, 38, 50):
        others = rows != i
        weights, bias = logistic_regression(x[others], y[others], 1.0, costs=np.ones(89))
        exact = x[i] @ weights + bias
        assert said[i] == pytest.approx(-exact if y[i] else exact, abs=0.1)


def test_wrong_answers_are_contradicted_most(prepared):
    rows, wrong = np.arange(300), np.zeros(300, bool)
    wrong[[15, 90, 100, 101, 200, 222]] = True
    said = contradictions(prepared.take(rows), CLASS[rows] ^ wrong, prepared.take(np.arange(300, 500)))
    assert wrong[np.argsort(-said)[:10]].sum() >= 5


def test_without_both_answers_nothing_is_contradicted(prepared):
    assert not contradictions(prepared.take(np.arange(4)), np.ones(4, bool)).any()
    with pytest.raises(ValueError, match="3 answers for 4 vectors"):
        contradictions(prepared.take(np.arange(4)), np.ones(3, bool))


def test_who_never_errs_is_asked_the_same_and_at_most_the_share_again(pool, prepared):
    plain = simulate(search(pool), Truth(CLASS))
    again = Rechecked(search(pool), prepared, share=0.1, rng=0)
    log = simulate(again, Truth(CLASS))
    asked = log.components == RECHECK
    np.testing.assert_array_equal(log.rows[~asked], plain.rows)
    assert 0 < asked.sum() <= 0.1 * len(plain.rows)
    assert again.changed == 0
    np.testing.assert_array_equal(again.positives, again.search.positives)


def test_asking_again_mends_most_of_what_flips_spoil(pool, prepared):
    def false(one):
        answered = np.unique(one.log.rows)
        return np.mean(np.isin(answered, one.positives) != CLASS[answered])

    plain, again = search(pool), Rechecked(search(pool), prepared, share=0.2, rng=0)
    for one in (plain, again):
        simulate(one, Flipped(CLASS, 0.15, np.random.default_rng(5)))
    assert false(again) < 0.6 * false(plain)
    assert again.changed > 0
    assert len(again.log.rows) > len(plain.log.rows)  # each question is a label


class Scripted:
    """Asks a few rows once and keeps the corrections it gets."""

    def __init__(self, rows):
        self.positives, self.left, self.amended = np.array([0]), rows, []

    def query(self):
        rows, self.left = self.left, self.left[:0]
        return Batch(rows, np.zeros(len(rows), np.int8), 0) if len(rows) else None

    def update(self, labels):
        self.labels = labels

    @property
    def log(self):
        rows = np.arange(len(getattr(self, "labels", ())))
        return Log(rows, *[np.zeros(len(rows), np.int8)] * 3)

    def amend(self, rows, labels):
        self.amended += list(zip(list(rows), list(labels), strict=True))


@pytest.mark.parametrize(
    ("votes", "amended"),
    [
        ([NEGATIVE], []),  # confirmed
        ([POSITIVE, POSITIVE], [POSITIVE]),
        ([POSITIVE, NEGATIVE], []),
        ([POSITIVE, UNSURE], [UNSURE]),
        ([UNSURE], []),
    ],
)
def test_two_of_three_answers_win(prepared, votes, amended):
    members, others = np.flatnonzero(CLASS)[1:20], np.flatnonzero(~CLASS)[:60]
    doubted = members[4]
    scripted = Scripted(np.concatenate([members, others]))
    again = Rechecked(scripted, prepared, share=1 / len(scripted.left), rng=0)
    batch = again.query()
    again.update(np.where(batch.rows == doubted, NEGATIVE, CLASS[batch.rows]))
    for vote in votes:
        batch = again.query()
        assert batch.rows.tolist() == [doubted]
        assert batch.components.tolist() == [RECHECK]
        again.update([vote])
    assert again.query() is None  # settled: not asked a fourth time
    assert scripted.amended == [(doubted, label) for label in amended]
    assert again.log.labels[-len(votes) :].tolist() == votes


@pytest.mark.parametrize("vote", [NEGATIVE, POSITIVE])
def test_a_correction_reaches_the_search_and_settles_the_answer(prepared, vote):
    members, others = np.flatnonzero(CLASS)[1:20], np.flatnonzero(~CLASS)[:60]
    scripted = Scripted(np.concatenate([members, others]))
    again = Rechecked(scripted, prepared, share=2 / len(scripted.left), rng=0)
    rows = again.query().rows
    again.update(np.where(np.isin(rows, members[4:6]), NEGATIVE, CLASS[rows]))
    first, second = again.query().rows
    assert {first, second} == set(members[4:6])
    again.amend([first], [POSITIVE])
    again.update([vote, POSITIVE])  # the vote on what was corrected does not count; the other one is a tie
    again.amend([second], [POSITIVE])
    assert again.query() is None
    assert scripted.amended == [(first, POSITIVE), (second, POSITIVE)]
    assert again.answers[[first, second]].tolist() == [POSITIVE] * 2
    assert not np.isin([first, second], again.doubtful(N)).any()


def test_what_the_search_took_before_it_was_interrupted_is_not_asked_of_it_again(pool, prepared, monkeypatch):
    again = Rechecked(search(pool), prepared, rng=0)
    labels = CLASS[again.query().rows].astype(int)

    def fails(self, *args):
        raise MemoryError

    with monkeypatch.context() as patch, pytest.raises(MemoryError):
        patch.setattr(Ledger, "answer", fails)
        again.update(labels)  # not taken: it waits for its answers
    update = GreedyProbe.update
    with monkeypatch.context() as patch, pytest.raises(MemoryError):
        patch.setattr(GreedyProbe, "update", lambda *given: (update(*given), fails(again)))
        again.update(labels)
    again.query()  # taken
    assert len(again.log.rows) == len(again.search.log.rows) == len(labels)


def test_a_notebook_shows_what_was_asked_again_in_a_line(pool, prepared):
    again = Rechecked(search(pool), prepared, rng=0)
    assert repr(again) == (
        "<Rechecked GreedyProbe in 1,500 rows: 0 labels, 0 of them asked again, 0 answers changed, "
        "3 positives (3 of them seeds)>"
    )
    log = simulate(again, Flipped(CLASS, 0.1, 0))
    asked_again, found = np.count_nonzero(log.components == RECHECK), len(again.positives)
    assert asked_again and again.changed
    assert f"{len(log.rows)} labels, {asked_again} of them asked again, {again.changed} answers changed" in repr(again)
    assert f"{found} positives (3 of them seeds)>" in repr(again)


def test_questions_asked_again_are_answered_before_any_others_come(pool, prepared):
    again, oracle = Rechecked(search(pool), prepared, share=0.2, rng=0), Flipped(CLASS, 0.15, np.random.default_rng(5))
    while RECHECK not in (batch := again.query()).components:
        again.update(oracle.label(batch.rows))
    with pytest.raises(QueryError, match=f"answer the {len(batch.rows)} open questions"):
        again.query()
    again.update(CLASS[batch.rows].astype(int))
    assert again.log.rows[-len(batch.rows) :].tolist() == batch.rows.tolist()


def test_calls_out_of_turn_and_bad_arguments_are_refused(pool, prepared):
    again = Rechecked(search(pool), prepared, rng=0)
    with pytest.raises(QueryError, match="no questions are open"):
        again.update([1])
    batch = again.query()
    with pytest.raises(QueryError, match="answer the 10 open questions"):
        again.query()
    with pytest.raises(ValueError, match="label 5"):
        again.update([5] * len(batch.rows))
    with pytest.raises(ValueError, match=r"share = 1.5; allowed: 0 \(never"):
        Rechecked(search(pool), prepared, share=1.5, rng=0)
    with pytest.raises(ValueError, match=r"object has no amend\(\)"):
        Rechecked(object(), prepared, rng=0)
    with pytest.raises(ValueError, match="search is the class GreedyProbe; begin one"):
        Rechecked(GreedyProbe, prepared, rng=0)
    with pytest.raises(ValueError, match="prepared_rows = None; give PreparedRows"):
        Rechecked(search(pool), None, rng=0)
    with pytest.raises(ValueError, match="prepared_rows of type ndarray; give"):
        Rechecked(search(pool), pool.vectors, rng=0)
    with pytest.raises(ValueError, match="prepared_rows of 90 rows for a pool of 1500"):
        Rechecked(search(pool), PreparedRows.of(pool.vectors[:90]), rng=0)
    under_way = search(pool)
    under_way.update(CLASS[under_way.query().rows].astype(int))
    with pytest.raises(ValueError, match="has asked 10 rows already"):
        Rechecked(under_way, prepared, rng=0)
    with pytest.raises(ValueError, match=r"answers of type int64 .*labels == 1"):  # -1 counted as positive
        contradictions(prepared.take(np.arange(3)), [1, 0, -1])
    for wrong, told in (
        ({"vectors": None}, "vectors of type NoneType"),
        ({"weak": 3}, "weak of type int"),
        ({"l2": float("nan")}, "l2 = nan; allowed: more than 0, and finite"),
    ):
        with pytest.raises(ValueError, match=told):
            contradictions(**{"vectors": prepared.take(np.arange(3)), "positive": [True, False, True]} | wrong)
