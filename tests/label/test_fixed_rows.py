"""Rows that are asked once, and an earlier state of a collection: what is put right counts in the strategy, too."""

import numpy as np
import pytest

from elsa_nb.label import Fixed
from elsa_nb.label.carried_on import carry_on
from elsa_nb.search.strategies.greedy_probe import GreedyProbe


def test_a_corrected_answer_counts_in_the_log_and_the_finds():
    fixed = Fixed(10, [3, 1, 2])
    fixed.query()
    with pytest.raises(ValueError, match="row 1 has no answer to correct"):
        fixed.amend([1], [1])
    fixed.update([1, 0, 0])
    fixed.amend([1, 3], [1, -1])
    assert fixed.log.labels.tolist() == [-1, 1, 0]
    assert fixed.positives.tolist() == [1]
    for rows, labels, said in (([5], [1], "row 5 has no answer"), ([1], [7], "label 7; allowed"), ([1], [1, 0], "one")):
        with pytest.raises(ValueError, match=said):
            fixed.amend(rows, labels)
    assert fixed.log.labels.tolist() == [-1, 1, 0]


def carried(small, labels):
    """Return a search of which `labels` {row: label} were answered about an earlier state of the collection."""
    pool, positive = small
    search = carry_on(GreedyProbe(pool, np.flatnonzero(positive)[:3], rng=0), np.array([*labels]))
    search.query()
    search.update([*labels.values()])
    return search


def test_a_corrected_answer_of_an_earlier_state_counts_in_the_log_and_the_finds(small):
    wanted, other = np.flatnonzero(small[1])[-1], np.flatnonzero(~small[1])[-1]
    search = carried(small, {wanted: 0, other: 1})
    search.amend([wanted, other], [1, 0])
    assert search.log.labels.tolist() == [1, 0]
    assert (wanted in search.positives, other in search.positives) == (True, False)


def test_a_corrected_answer_of_an_earlier_state_counts_while_the_search_asks_its_item(small):
    asked = carried(small, {399: 0}).query().rows
    search = carried(small, {asked[0]: 1, asked[1]: 0})
    rows = search.query().rows
    assert not set(asked[:2]) & set(rows), "they have an answer"
    search.amend(asked[:2], [0, 1])
    search.update(np.zeros(len(rows), int))
    after = dict(zip(search.search.log.rows, search.search.log.labels, strict=True))
    assert (after[asked[0]], after[asked[1]]) == (0, 1)
    assert (asked[0] in search.positives, asked[1] in search.positives) == (False, True)
    assert len(search.log.rows) == len(set(search.log.rows.tolist())) == 2 + len(rows)


def test_what_was_answered_about_an_earlier_state_is_not_asked_again(small):
    """Somebody who marked a whole page changed answers that were settled."""
    row = carried(small, {399: 0}).query().rows[0]
    search = carried(small, {row: 1})
    while (batch := search.query()) is not None and len(search.log.rows) < 120:
        assert row not in batch.rows
        search.update(np.zeros(len(batch.rows), int))
    assert row in search.positives
