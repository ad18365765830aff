"""How many are missing, on the panel: told from the answers as they were asked, reopened too, and never of a sample."""

import numpy as np
import pytest
from at_the_desk import answer_page, settle

from elsa_nb.label import Begin, Fixed
from elsa_nb.label.controller import Controller
from elsa_nb.label.searching import search_from
from elsa_nb.label.session import Session
from elsa_nb.pool import Pool
from elsa_nb.search.stopping.by_scores import bracket
from elsa_nb.search.strategies.greedy_probe import GreedyProbe


def probe(small, seeds=None):
    pool, positive = small
    return GreedyProbe(pool, np.flatnonzero(positive)[:3] if seeds is None else seeds, rng=np.random.default_rng(0))


def label_until_told(controller, positive):
    while (left := controller.figures()["left"])["middle"] is None:
        said = left["how"]
        answer_page(controller, positive)
    return said, left


def test_the_bracket_comes_with_the_answers_and_is_the_same_when_reopened(make_desk, small):
    controller = make_desk(probe(small), estimate=bracket, target=0.9)
    assert controller.figures()["left"]["how"] == "How many are missing cannot be told before 30 answers in the search."
    before, left = label_until_told(controller, small[1])
    assert "cannot be told" in before
    missing = 40 - 3 - len(controller.finds())
    assert left["low"] <= missing <= np.ceil(left["high"])
    assert "Going on" in left["advice"]
    controller.close()
    again = make_desk(probe(small), estimate=bracket, target=0.9)
    assert {end: again.figures()["left"][end] for end in ("low", "middle", "high")} == {
        end: left[end] for end in ("low", "middle", "high")
    }


def test_answers_that_do_not_count_are_not_waited_for_in_silence(make_desk, small):
    controller = make_desk(probe(small), estimate=bracket)
    while len(controller.session.known()) < 30:
        first, end = controller.cards.page(controller.cards.cursor)
        unsure = [{"op": "set", "at": at, "v": -1} for at in range(first, end)]
        assert controller.handle([*unsure, {"op": "next"}])
        settle(controller)
    figures = controller.figures()
    assert figures["unsure"] == figures["labels"] >= 30
    assert f"before 30 answers in the search ({figures['unsure']} others do not count" in figures["left"]["how"]


def test_after_the_target_it_says_that_one_may_stop_and_goes_on(make_desk, small):
    controller = make_desk(probe(small), estimate=bracket, target=0.5)
    while "You may stop" not in (controller.figures()["left"]["advice"] or ""):
        answer_page(controller, small[1])
    assert not controller.cards.over
    assert controller.cards.open


def test_nothing_is_said_without_scores_without_a_search_and_without_an_estimator(make_desk, small):
    begin = Begin([np.arange(48)], lambda seeds: probe(small, seeds), n=400)
    for name, search, estimate in (
        ("fixed", Fixed(400, np.arange(48)), bracket),
        ("sample", begin, bracket),
        ("none", probe(small), None),
    ):
        assert make_desk(search, path=f"{name}.sqlite", estimate=estimate).figures()["left"] is None


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("name", ["harvest", "greedy-probe", "elsa"])
def test_where_every_item_has_an_answer_nothing_is_left_to_guess(tmp_path, n, name):
    """A search that met no negative has no scores; that is not what a person wants to hear in the end."""
    pool = Pool.from_arrays(np.random.default_rng(0).normal(size=(n, 4)).astype(np.float32))
    session = Session(tmp_path / "s.sqlite", code="test")
    controller = Controller(search_from(pool, name)([0]), pool.ids, session, estimate=bracket)
    for _ in range(n):
        if not controller.cards.over:
            answer_page(controller, np.ones(n, bool))
    assert controller.cards.over
    assert "Every item has an answer" in controller.figures()["left"]["how"]
    controller.close()
