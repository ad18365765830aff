"""What an estimate of the missing items rests on, why items were asked and the pace outlive a change of the folder."""

import json
from dataclasses import replace

import numpy as np
import pytest
from at_the_desk import answer_page

from elsa_nb.errors import CorruptFileError
from elsa_nb.label import identity
from elsa_nb.label.asked_before import KIND
from elsa_nb.label.controller import Controller
from elsa_nb.label.first_examples import Begin
from elsa_nb.label.jobs import Job, _kind_of
from elsa_nb.label.session import Session
from elsa_nb.pool import Pool
from elsa_nb.search.stopping.by_scores import bracket
from elsa_nb.search.strategies.greedy_probe import GreedyProbe, ProbeConfig

CONFIG = ProbeConfig(budget=10**6, batch=12, growth=0)


class Things:
    """Items whose content is their name."""

    def __init__(self, ids):
        self.ids, self.folder = ids, ""

    def digest(self, row):
        return self.ids[row]


@pytest.fixture
def opened(tmp_path, request):
    """Return a function that opens the session on numbered things, of which every tenth is wanted."""

    def make(numbers, kind="probe", begin=False, path="s.sqlite"):
        vectors = np.stack([np.random.default_rng(n).normal(size=6) + 1.5 * (n % 10 == 0) for n in numbers])
        pool = Pool.from_arrays(vectors.astype(np.float32), [f"img-{n}" for n in numbers])
        items, ids = Things(pool.ids.tolist()), pool.ids.tolist()
        rows = [ids.index(f"img-{n}") for n in (0, 10, 20)]

        def search_from(seeds):
            return GreedyProbe(pool, seeds, config=CONFIG, rng=0)

        search = Begin([rows], search_from, page=12, n=len(pool)) if begin else search_from(rows)
        session = Session(tmp_path / path)
        options = {"size": 12, "estimate": bracket, "kind": kind, "begin": None if begin else search_from}
        controller = Controller(search, ids, session, settled=identity.settle(session, items, ids), **options)
        request.addfinalizer(controller.close)
        if controller.held:
            session.remark(f"{KIND}me", json.dumps(kind))
        return controller

    return make


def work(opened, numbers, pages, **more):
    """Answer so many pages; return the figures of then."""
    controller = opened(numbers, **more)
    for _ in range(pages):
        answer_page(controller, np.array(numbers) % 10 == 0)
    figures = controller.figures()
    controller.close()
    return figures


@pytest.mark.parametrize("begin", [False, True])
def test_a_folder_that_grew_keeps_the_estimate_the_reasons_and_the_pace(opened, begin):
    before = work(opened, range(300), 9, begin=begin)
    assert before["left"]["middle"] is not None
    grown = [*range(2001, 2004), *range(300)]  # in front: rows of before mean other items now
    controller = opened(grown, begin=begin)
    after = controller.figures()
    assert after["left"]["middle"] == pytest.approx(before["left"]["middle"], abs=3)
    for end in ("low", "high"):
        assert after["left"][end] == pytest.approx(before["left"][end], rel=0.35, abs=3)
    assert "earlier" not in after["components"]
    assert {name: count[0] for name, count in after["components"].items()} == {
        name: count[0] for name, count in before["components"].items()
    }
    assert after["seconds"] == pytest.approx(before["seconds"])
    evidence = len([a for a in controller.session.events() if a["label"] >= 0])
    controller.close()

    again = opened(grown, begin=begin).figures()  # the file has it, not the process
    assert (again["left"], again["components"]) == (after["left"], after["components"])
    assert evidence >= 100


@pytest.mark.parametrize("begin", [False, True])
def test_it_may_grow_again(opened, begin):
    first = work(opened, range(300), 5, begin=begin)
    work(opened, range(303), 4, begin=begin)
    controller = opened([2005, *range(303)], begin=begin)
    figures = controller.figures()
    assert "earlier" not in figures["components"]
    assert figures["labels"] > first["labels"] and figures["left"]["middle"] is not None


@pytest.mark.parametrize(("then", "now"), [("probe", "another"), ("probe", ""), ("", ""), ("", "probe")])
def test_scores_of_another_kind_of_search_do_not_count_and_reasons_do(opened, then, now):
    before = work(opened, range(300), 9, kind=then)
    figures = work(opened, range(303), 0, kind=now)
    assert figures["left"]["middle"] is None
    assert "without a score of this search" in figures["left"]["how"]
    assert figures["components"].keys() == before["components"].keys()
    again = work(opened, range(304), 0, kind=now)  # nor do they come back when it grows under the other name
    assert again["left"]["middle"] is None


def test_scores_do_not_count_again_after_another_search_in_between(opened):
    work(opened, range(300), 9)
    work(opened, range(303), 0, kind="another")
    work(opened, range(304), 0, kind="another")
    assert work(opened, range(305), 0)["left"]["middle"] is None


@pytest.mark.parametrize("told", ["[]", '{"kind": 1, "items": {}}', '{"kind": "", "items": {"a": ["NN", "x"]}}'])
def test_a_damaged_record_is_said_to_be_damaged(opened, told, tmp_path):
    work(opened, range(300), 1)
    session = Session(tmp_path / "s.sqlite")
    session.acquire()
    session.remark("asked:me", told)
    session.close()
    with pytest.raises(CorruptFileError, match="earlier questions is not a record"):
        opened(range(300))


def pool_of(encoder, n=3):
    return Pool.from_arrays(np.eye(n, 3, dtype=np.float32) + 1, provenance={"encoder": encoder, "weights": "w"})


def test_a_kind_of_search_is_its_strategy_its_metric_and_its_encoder():
    job = Job("f", "p", "s")
    kind = _kind_of(job, pool_of("vicreg"))
    assert kind == _kind_of(job, pool_of("vicreg", 4))
    others = [(job, "dino"), (replace(job, strategy="elsa"), "vicreg"), (replace(job, metric="euclidean"), "vicreg")]
    assert all(_kind_of(each, pool_of(encoder)) != kind for each, encoder in others)
    assert _kind_of(job, Pool.from_arrays(np.eye(3, dtype=np.float32) + 1)) == ""
