"""Whatever a person does in whatever order, no search fails, each believes the answers, and a session opens again."""

import random
from collections import Counter

import numpy as np
import pytest
from at_the_desk import CONFIG, settle

from elsa_nb.label import AuditPages
from elsa_nb.label.first_examples import Begin
from elsa_nb.label.replay import amendments
from elsa_nb.search.elsa import Search
from elsa_nb.search.strategies.greedy_probe import GreedyProbe
from elsa_nb.search.strategies.harvest import Harvest

ACTS = {"set": 6, "toggle": 6, "label": 3, "row": 1, "rest": 4, "next": 8, "page": 14, "undo": 3, "redo": 2, "goto": 2}
ACTS |= {"start": 1, "conclude": 1, "look_again": 2}
KINDS = {
    "ELSA": lambda pool, seeds: Search(pool, seeds, config=CONFIG, rng=np.random.default_rng(1)),
    "Harvest": lambda pool, seeds: Harvest(pool, seeds, rng=0),
    "probe": lambda pool, seeds: GreedyProbe(pool, seeds, rng=0),
    "audit": lambda pool, seeds: AuditPages(len(pool), np.arange(100), found=10, page=24),
}


def begun(kind, pool, positive):
    """Return a fresh search: by its `kind`, which may begin with a "first look", an overview of 60 items."""
    first, _, then = kind.rpartition(": ")
    seeds = np.flatnonzero(positive)[:3]
    if not first:
        return KINDS[then](pool, seeds)
    rows = np.concatenate([np.flatnonzero(~positive)[:57], seeds])
    return Begin([rows], lambda marked: KINDS[then](pool, marked), least=3, page=60, n=len(pool), overview=True)


def events(rng, act, controller, positive):
    """Return the events of one act, at random positions with random labels."""
    cards = controller.cards
    at, label = rng.randrange(len(cards.labels)), rng.choice([-1, 0, 1])
    if act == "page":  # answered truthfully
        finds = [p for p in range(*cards.page(cards.cursor)) if positive[controller.card(p)["row"]]]
        sets = [{"op": "set", "at": p, "v": 1} for p in finds if cards.labels[p] == -2]
        return [*sets, {"op": "rest"}, {"op": "next"}]
    return [{"op": act, "at": at, "v": label, "columns": 6}]


def disbelieved(controller):
    """Return the positions whose answer the search believes to be another, of items with one card in closed rounds."""
    cards = controller.cards
    if cards.over or amendments(controller._restored):
        return []
    log = controller.rounds.search.log
    believed = dict(zip(log.rows.tolist(), log.labels.tolist(), strict=True))
    rows = [row for asked in controller.asked for row in asked.rows]
    once = {row for row, times in Counter(rows).items() if times == 1}
    blind = {
        p
        for asked, s in zip(controller.asked, cards.rounds, strict=True)
        if asked.blind
        for p in range(s, s + len(asked))
    }
    answered = (p for p in range(cards.rounds[-1]) if rows[p] in once and p not in blind and cards.labels[p] >= -1)
    return [p for p in answered if believed.get(rows[p]) != cards.labels[p]]


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2, 3))])
@pytest.mark.parametrize("kind", [*KINDS, "first look: ELSA", "first look: Harvest", "first look: probe"])
def test_random_acts_end_in_no_trouble(make_desk, small, kind, seed):
    pool, positive = small
    rng = random.Random(f"{kind} {seed}")
    controller = make_desk(begun(kind, pool, positive))
    for _ in range(100):
        (act,) = rng.choices(list(ACTS), list(ACTS.values()))
        if act in ("start", "conclude", "look_again"):
            getattr(controller, act)()
        else:
            assert controller.handle(events(rng, act, controller, positive))
        settle(controller)
        assert controller.error is None
        assert disbelieved(controller) == []
        if rng.random() < 0.03:
            labels, rounds = list(controller.cards.labels), list(controller.cards.rounds)
            controller.close()
            controller = make_desk(begun(kind, pool, positive))
            settle(controller)  # an open round that is answered whole is followed by the next
            assert controller.notice == ""
            assert controller.cards.labels[: len(labels)] == labels
            assert controller.cards.rounds[: len(rounds)] == rounds
