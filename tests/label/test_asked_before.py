"""What an estimate of the missing items rests on, why items were asked and the pace outlive a change of the folder."""

import shutil
import sqlite3
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from at_the_desk import answer_page

from elsa_nb.errors import CorruptFileError
from elsa_nb.label import identity
from elsa_nb.label.controller import Controller
from elsa_nb.label.first_examples import Begin
from elsa_nb.label.items import Texts
from elsa_nb.label.jobs import Job, _kind_of
from elsa_nb.label.panel import Panel
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

    def make(numbers, kind="probe", begin=False, path="s.sqlite", overview=False, plain=False):
        vectors = np.stack([np.random.default_rng(n).normal(size=6) + 1.5 * (n % 10 == 0) for n in numbers])
        pool = Pool.from_arrays(vectors.astype(np.float32), [f"img-{n}" for n in numbers])
        items, ids = Things(pool.ids.tolist()), pool.ids.tolist()
        rows = [ids.index(f"img-{n}") for n in (0, 10, 20)]

        def search_from(seeds):
            return GreedyProbe(pool, seeds, config=CONFIG, rng=0)

        begin = begin or overview
        looking = {"page": 60 if overview else 12, "n": len(pool), "overview": overview, "least": 3}
        search = Begin([rows], search_from, **looking) if begin else search_from(rows)
        session = Session(tmp_path / path)
        options = {"size": 12, "estimate": bracket, "kind": kind, "begin": None if begin or plain else search_from}
        controller = Controller(search, ids, session, settled=identity.settle(session, items, ids), **options)
        request.addfinalizer(controller.close)
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
    assert after["components"] == before["components"]
    assert after["seconds"] == pytest.approx(before["seconds"])
    assert "3 items are new" in after["left"]["how"]
    while (after := controller.figures())["left"]["middle"] is None:
        assert after["labels"] <= before["labels"] + 3
        answer_page(controller, np.array(grown) % 10 == 0)
    assert after["left"]["middle"] == pytest.approx(before["left"]["middle"], abs=3)
    for end in ("low", "high"):
        assert after["left"][end] == pytest.approx(before["left"][end], rel=0.35, abs=3)
    evidence = len([a for a in controller.session.events() if a.label >= 0])
    controller.close()

    again = opened(grown, begin=begin).figures()  # the file has it, not the process
    assert (again["left"], again["components"]) == (after["left"], after["components"])
    assert evidence >= 100


def test_what_was_passed_in_the_first_look_and_answered_later_keeps_the_reason_of_its_answer(opened):
    before = work(opened, range(300), 12, overview=True)
    assert before["components"]["sample"][0] < 60 and before["left"]["middle"] is not None
    after = work(opened, range(303), 0, overview=True)
    assert after["components"] == before["components"]


@pytest.mark.parametrize("rich", [60, 200])
def test_the_range_is_held_back_until_answers_since_the_folder_grew_are_enough_and_holds_then(opened, rich):
    assert work(opened, range(300), 9)["left"]["middle"] is not None
    grown = [*range(300), *range(1001, 1240), *range(5000, 5000 + 10 * rich, 10)]
    work(opened, grown[:400], 0)  # in two steps, and nothing is answered between them
    controller, positive = opened(grown), np.array(grown) % 10 == 0
    assert f"{len(grown) - 300} items are new" in controller.figures()["left"]["how"]
    assert controller.figures()["left"]["advice"] == ""
    said = 0
    for _ in range(12 + rich // 12):
        answer_page(controller, positive)
        figures = controller.figures()
        if (left := figures["left"])["middle"] is not None:
            said += 1
            assert positive.sum() - 3 - figures["positives"] <= left["high"]
        else:
            assert not said and ("30 answers from now on" in left["how"] or "are finds" in left["how"])
    assert said


def panel_of(tmp_path, numbers, **options):
    vectors = np.stack([np.random.default_rng(n).normal(size=6) + 1.5 * (n % 10 == 0) for n in numbers])
    ids = [f"img-{n}" for n in numbers]
    pool = Pool.from_arrays(vectors.astype(np.float32), ids)
    search = GreedyProbe(pool, [ids.index(f"img-{n}") for n in (0, 10, 20)], config=CONFIG, rng=0)
    return Panel(search, Texts(ids, ids), tmp_path / "s.sqlite", page=12, **options)


def test_a_panel_that_says_its_kind_of_search_keeps_the_estimate(tmp_path):
    panel = panel_of(tmp_path, range(300), kind="mine")
    for _ in range(9):
        answer_page(panel.controller, np.arange(300) % 10 == 0)
    assert panel.figures["left"]["middle"] is not None
    panel.close()
    panel = panel_of(tmp_path, range(303), kind="mine")
    assert "without a score of this search" not in panel.figures["left"]["how"]
    panel.close()


@pytest.mark.parametrize("begin", [False, True])
def test_it_may_grow_again(opened, begin):
    first = work(opened, range(300), 5, begin=begin)
    work(opened, range(303), 4, begin=begin)
    controller = opened([2005, *range(303)], begin=begin)
    for _ in range(2):
        answer_page(controller, np.array([2005, *range(303)]) % 10 == 0)
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


class Dying(sqlite3.Connection):
    """A connection of a process that is killed after so many statements that write."""

    left = 0

    def execute(self, statement, *values):
        writes = statement.startswith(("INSERT", "UPDATE", "DELETE", "COMMIT"))
        if writes and not self.left:
            raise KeyboardInterrupt
        self.left -= writes
        return super().execute(statement, *values)


@pytest.mark.parametrize("how", [{"plain": True}, {"begin": True}, {}])
def test_a_session_opens_again_with_all_answers_after_a_crash_at_any_moment_of_its_opening(
    opened, monkeypatch, tmp_path, how
):
    work(opened, range(300), 4, **how)
    fewer, made, crashes = [n for n in range(300) if n not in (30, 77, 130)], [], 0
    answers = {f"img-{n}" for n in fewer} & Session(tmp_path / "s.sqlite", to_read=True).known().keys()

    def connect(*args, **options):
        made.append(sqlite3.connect(*args, **options, factory=Dying))
        made[-1].left = crashes
        return made[-1]

    opens = False
    while not opens:
        path = f"{crashes}.sqlite"
        shutil.copyfile(tmp_path / "s.sqlite", tmp_path / path)
        with monkeypatch.context() as patch:
            patch.setattr("elsa_nb.label.session_file.sqlite3", SimpleNamespace(**vars(sqlite3) | {"connect": connect}))
            try:
                survivor = opened(fewer, **how, path=path)
                opens, made[-1].left = True, -1
                survivor.close()
            except KeyboardInterrupt:
                crashes += 1
                made[-1].close()  # what was not committed is gone, as with the process
        again = opened(fewer, **how, path=path)
        assert {again.ids[row] for row in again.carried} == answers <= again.session.known().keys()
        again.close()
    assert crashes > 8
