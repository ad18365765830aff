"""The plain loop asks what the package asks, answer by answer, in every arm of both readings."""

import numpy as np
import pytest

from benchmarks import cases, plain_loop, protocol
from elsa_nb.search.contract import Log
from elsa_nb.search.oracle import Truth, simulate


@pytest.fixture(scope="module")
def ground():
    return cases.synthetic()


@pytest.mark.slow
@pytest.mark.parametrize("reading", ["paper", "released-code"])
def test_logs_are_those_of_the_package(ground, reading):
    settings = [s for s in ground.settings if s.reading == reading]
    runs = protocol._plain(ground, settings, plain_loop.SameArithmetic(ground.features[reading]))
    components = set()
    for setting, (seconds, outcome) in runs.items():
        log = simulate(ground.search(setting), Truth(ground.positive(setting)))
        assert plain_loop.first_difference(log, outcome.log) is None, setting
        assert seconds > 0
        components |= set(outcome.log.components.tolist())
    assert components == {0, 1, 2}


def test_the_heads_of_other_libraries_score_alike(ground):
    for setting in (s for s in ground.settings if s.arm == "ELSA" and s.seeds == 5):
        features, config = ground.features[setting.reading], setting.config.head
        positive = np.flatnonzero(ground.positive(setting))[:20]
        negative = np.flatnonzero(~ground.positive(setting))[:50]
        pool = plain_loop.PlainPool(ground.pool.vectors)
        scores = [
            fit(pool, positive, negative, config, np.random.default_rng(0), None)[0]
            for fit in (plain_loop.scikit_learn, plain_loop.SameArithmetic(features))
        ]
        np.testing.assert_allclose(*scores, atol=2e-5)


def test_the_first_difference_is_found():
    def log(rows, labels):
        return Log(np.array(rows), np.array(labels), np.zeros(len(rows)), np.zeros(len(rows)))

    assert plain_loop.first_difference(log([1, 2], [0, 1]), log([1, 2], [0, 1])) is None
    assert plain_loop.first_difference(log([1, 2], [0, 1]), log([1, 2], [0, 0])) == 1
    assert plain_loop.first_difference(log([3, 2], [0, 1]), log([1, 2], [0, 1])) == 0
    assert plain_loop.first_difference(log([1, 2, 3], [0, 1, 0]), log([1, 2], [0, 1])) == 2


def test_a_parting_is_traced_to_its_cause(ground):
    setting = next(s for s in ground.settings if s.arm == "ELSA" and s.reading == "paper")
    log = simulate(ground.search(setting), Truth(ground.positive(setting)))
    swapped = log.rows.copy()
    swapped[[0, 1]] = swapped[[1, 0]]
    same_rows = plain_loop.Outcome(log._replace(rows=swapped), {})
    assert "in another order in round 0" in protocol._parting(ground, setting, same_rows)
    other = log.rows.copy()
    other[-1] = next(row for row in range(len(ground.pool.vectors)) if row not in set(log.rows.tolist()))
    last = int(log.rounds[-1])
    assert "within rounding" in protocol._parting(
        ground, setting, plain_loop.Outcome(log._replace(rows=other), {last: 1e-7})
    )
    assert "not explained" in protocol._parting(
        ground, setting, plain_loop.Outcome(log._replace(rows=other), {last: 1e-2})
    )
