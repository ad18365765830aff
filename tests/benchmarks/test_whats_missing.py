"""What is recorded of a search, and what is read off: estimates at shares of the class, stops, and both summaries."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import judged_estimates as judged
from benchmarks import whats_missing
from benchmarks.recorded_searches import alone, evidence, place, record, records
from elsa_nb.pool import Pool
from elsa_nb.search.oracle import Truth
from elsa_nb.search.stopping import by_scores
from elsa_nb.search.stopping.by_scores import bracket
from elsa_nb.search.stopping.remaining import Evidence, scale_of
from elsa_nb.search.strategies.greedy_probe import GreedyProbe, ProbeConfig


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Record a search of 80 in 4,000, and return a fresh one like it, the class and the record's folder."""
    folder, rng = tmp_path_factory.mktemp("records"), np.random.default_rng(0)
    positive = np.arange(4000) % 50 == 0
    pool = Pool.from_arrays((rng.normal(size=(4000, 8)) + 1.4 * positive[:, None]).astype(np.float32))

    def search():
        return GreedyProbe(pool, np.flatnonzero(positive)[:3], config=ProbeConfig(budget=400), rng=0)

    about = {"pool": "glyphs-x", "half": "held-out", "strategy": "Greedy probe", "target": "a", "repeat": 0}
    beside = alone(search(), positive, 200)
    record(search(), positive, place(folder, "glyphs-x", "Greedy probe", "a", 0), beside, **about)
    return search, positive, folder


def test_a_record_tells_an_estimator_what_the_search_would_have_told_it(recorded):
    search, positive, folder = recorded
    (of,) = records(folder)
    live = search()
    for t in range(10):
        batch = live.query()
        scores = live.scores()
        free = np.ones(len(positive), bool)
        free[live.positives] = free[live.log.rows] = False
        if t == 9:
            here = bracket(evidence(of, t))
            same = Evidence(scores[free], scale_of(scores), live.log.labels, of["standard"][: len(live.log.rows)], 3)
            assert here.middle == pytest.approx(bracket(same).middle, rel=0.02)
            assert len(evidence(of, t).scores) == np.count_nonzero(free)
        live.update(Truth(positive).label(batch.rows))


def test_a_record_tells_who_found_what_after_as_many_answers_each(recorded):
    (of,) = records(recorded[2])
    t = int(np.searchsorted(of["answered"], 120))
    caught = evidence(of, t).caught
    assert caught.shape == (2, of["labels"][: of["answered"][t]].sum())
    assert caught.all()  # the other proposer was its twin
    assert evidence({name: value for name, value in of.items() if "beside" not in name}, t).caught is None


def test_kept_rows_are_a_part_of_a_pool():
    task = whats_missing.Task("a", "b", 100, 5, 1, (10, 10), rows=100)
    rows = whats_missing.kept(task, 600)
    assert len(set(rows)) == 100 and rows.max() < 600
    assert whats_missing.kept(task, 60).tolist() == list(range(60))


def test_estimates_are_read_off_at_shares_and_rules_stop_where_they_say(recorded):
    (of,) = records(recorded[2])
    said = pd.DataFrame(judged.estimates(of))
    assert (said.found >= said.share * 80).all()
    assert (said.found <= (said.share + judged.LATE) * 80).all()
    stops = pd.DataFrame(judged.stops(of)).set_index("rule")
    assert set(stops.index) == {*judged.RULES, judged.AUDITED}
    assert stops.labels_knowing.nunique() == 1
    assert stops.labels[judged.AUDITED] > stops.labels["target 0.9"]
    assert not stops.fired["budget 500"]  # the search ended before


def test_summaries_count_who_spoke_who_held_and_who_came_near():
    common = {"pool": "p", "half": "held-out", "strategy": "s", "repeat": 0, "class_size": 100, "share": 0.8}
    rows = [(10.0, 20.0, 40.0), (21.0, 60.0, 90.0), (None, None, None)]
    frame = pd.DataFrame(
        common | {"target": str(i), "estimator": "e", "found": 80, "low": low, "middle": middle, "high": high}
        for i, (low, middle, high) in enumerate(rows)
    )
    (row,) = judged.summary_of_estimates(judged.beside_truth(frame), ["estimator", *judged.GROUP]).to_dict("records")
    assert (row["searches"], row["spoke"], row["held"], row["within_20"]) == (3, 2, 0.5, 0.5)
    stops = pd.DataFrame(
        common
        | {"target": str(i), "rule": "r", "fired": i < 2, "labels": labels, "discovery": at, "labels_knowing": know}
        for i, (labels, at, know) in enumerate([(150, 0.95, 100), (50, 0.5, 100), (90, 0.9, 0)])
    )
    (row,) = judged.summary_of_stops(stops, ["rule", *judged.GROUP]).to_dict("records")
    assert row["ends_at_85_or_more"] == row["reaches_90"] == row["fired"] == pytest.approx(2 / 3)
    assert (row["right_when_fired"], row["ratio"]) == (0.5, 1.0)


def test_the_constants_in_use_are_those_of_what_they_were_fitted_on():
    assert judged.fitted(pd.read_csv(whats_missing.RESULTS / judged.SUMS)) == by_scores.FITTED


def test_a_quantile_line_has_its_share_of_the_points_below_it():
    x = np.random.default_rng(0).uniform(-3, 0, 400)
    y = 1 + 0.5 * x + np.random.default_rng(1).normal(size=400)
    for q in (0.1, 0.5, 0.9):
        intercept, slope = judged.quantile_line(x, y, q, np.ones(400))
        assert np.mean(y < intercept + slope * x) == pytest.approx(q, abs=0.02)
