"""The product gives, question by question, the log of the literal transcription in literal.py."""

from collections import Counter
from dataclasses import dataclass, replace

import literal
import numpy as np
import pytest
from backends import HERE

from elsa_nb.pool import Pool
from elsa_nb.search.contract import Component
from elsa_nb.search.elsa import ELSA, Search
from elsa_nb.search.heads.features import Features
from elsa_nb.search.heads.head import HeadConfig
from elsa_nb.search.neighbours.lists import Neighbours
from elsa_nb.search.oracle import simulate
from elsa_nb.search.readings import READINGS, arms

# On a grid some vectors are nothing but zeros, which users are told of.
pytestmark = pytest.mark.filterwarnings("ignore:.* vectors are all zero:UserWarning")
PAPER_POOLS, RELEASED_POOLS = 80, 40
# The product scores in float32. A decision closer than this says nothing about the algorithm: take another pool.
DECISIVE = 3e-6
NAMES = {Component.NN: literal.NN, Component.RANDS: literal.RANDS, Component.FINAL: literal.FINAL}
ARMS = {"ELSA": "ELSA", "No Active": "No Active", "NN": "NN", "NN.Large": "NN"}


@dataclass
class Answers:
    """An oracle that errs or shrugs at some rows, the same way for whoever asks the same questions."""

    positive: np.ndarray
    flip: float
    unsure: np.ndarray
    seed: int

    def __post_init__(self):
        self._rng = np.random.default_rng(self.seed)

    def label(self, rows):
        wrong = self._rng.random(len(rows)) < self.flip
        return np.where(self.unsure[rows], -1, self.positive[rows] ^ wrong).astype(np.int8)


@dataclass
class Case:
    """A small search problem."""

    vectors: np.ndarray
    embedding: np.ndarray
    seeds: np.ndarray
    oracle: Answers
    numbers: dict
    backend: str
    k: int


def draw_case(number: int) -> Case:
    rng = np.random.default_rng((8, number))
    n, d, clusters = int(rng.integers(20, 201)), int(rng.integers(2, 9)), int(rng.integers(2, 7))
    centres = rng.normal(size=(clusters, d)) * rng.uniform(0.5, 4)
    member = rng.integers(clusters, size=n)
    vectors = centres[member] + rng.normal(size=(n, d)) * rng.uniform(0.3, 1.5)
    kind = number % 4
    if kind == 1:  # duplicated vectors
        copies = rng.choice(n, size=n // 4, replace=False)
        vectors[copies] = vectors[rng.integers(n, size=len(copies))]
    elif kind == 2:  # a grid: many equal distances
        vectors = np.round(vectors)
    elif kind == 3:  # far from the origin, where float32 arithmetic is coarse
        vectors += rng.normal(size=d) * 30
    positive = (member < max(1, clusters // 3)) ^ (rng.random(n) < 0.05)
    seeds = np.unique(rng.integers(n, size=rng.integers(1, 6)))
    positive[seeds] = True
    trouble = rng.integers(5)
    answers = Answers(
        positive,
        flip=0.15 if trouble == 0 else 0.0,
        unsure=rng.random(n) < (0.1 if trouble == 1 else 0.0),
        seed=number,
    )
    numbers = {
        "rounds": int(rng.integers(0, 11)),
        "a": int(rng.integers(1, 9)),
        "l": int(rng.integers(1, 9)),
        "b": int(rng.integers(0, 9)),
        "alpha_1": float(rng.choice([0.2, 0.5, 1.0, 1.5])),
        "alpha_2": float(rng.choice([0.5, 1.0, 2.0])),
    }
    embedding = vectors @ rng.normal(size=(d, d + 2)) + rng.normal(size=(n, d + 2))
    backend = HERE[int(rng.integers(len(HERE)))]
    stored = [v.astype(np.float16 if kind == 1 else np.float32) for v in (vectors, embedding)]
    return Case(*stored, rng.permutation(seeds), answers, numbers, backend, int(rng.integers(1, 60)))


def product_log(case, config, seed, features=None):
    pool = Pool.from_arrays(case.vectors)
    neighbours = Neighbours(pool.vectors, backend=case.backend, k=case.k)
    if case.k % 2:
        neighbours.build(progress=False)
    rng = np.random.default_rng(seed)
    search = Search(pool, case.seeds, config=config, rng=rng, neighbours=neighbours, features=features)
    rows, labels, components, rounds = simulate(search, replace(case.oracle))
    names = [NAMES[Component(c)] for c in components]
    return list(zip(rows.tolist(), names, rounds.tolist(), labels.tolist(), strict=True)), rng


def literal_run(transcription, case, arm, seed, **more):
    rng = np.random.default_rng(seed)
    numbers = case.numbers | ({"a": 2 * case.numbers["a"]} if arm == "NN.Large" else {})
    oracle = replace(case.oracle)
    return transcription(case.vectors, case.seeds.tolist(), oracle, rng, arm=ARMS[arm], **numbers, **more), rng


def compare(pools, one_case):
    """Compare on as many decisive pools as asked for; return the logs, and how many pools were passed over."""
    number, logs, passed_over = 0, [], 0
    while len(logs) < pools:
        expected, got, margin, same_draws = one_case(number)
        number += 1
        if margin < DECISIVE:
            passed_over += 1
            continue
        if got != expected:
            at = next((i for i, (g, e) in enumerate(zip(got, expected, strict=False)) if g != e), None)
            at = min(len(got), len(expected)) if at is None else at
            pytest.fail(
                f"case {number - 1}, question {at} as (row, component, round, label): the product asks "
                f"{got[at : at + 4]} and the transcription {expected[at : at + 4]} ({len(got)}, {len(expected)} in all)"
            )
        assert same_draws, f"case {number - 1}: the Generators were left in different states"
        logs.append(got)
    return logs, passed_over


@pytest.mark.parametrize("arm", ARMS)
def test_paper_reading_asks_what_the_pseudocode_asks(arm):
    def one_case(number):
        case = draw_case(4 * number + list(ARMS).index(arm))
        head = HeadConfig(l2=float(10.0 ** (number % 3 - 1)))
        run, expected_rng = literal_run(literal.paper, case, arm, number, l2=head.l2)
        config = arms(replace(ELSA, head=head, **case.numbers))[arm]
        got, rng = product_log(case, config, number)
        return run.log, got, run.margin, rng.bit_generator.state == expected_rng.bit_generator.state

    logs, passed_over = compare(PAPER_POOLS, one_case)
    assert passed_over <= PAPER_POOLS // 10
    sources = Counter(source for log in logs for _, source, _, _ in log)
    assert set(sources) == ({literal.NN} if arm.startswith("NN") else {literal.NN, literal.RANDS, literal.FINAL})
    assert max(round_number for log in logs for _, _, round_number, _ in log) >= (5 if arm.startswith("NN") else 9)


@pytest.mark.parametrize("arm", ARMS)
def test_released_code_reading_asks_what_the_facts_say(arm):
    def one_case(number):
        case = draw_case(4 * number + list(ARMS).index(arm))
        # Every eighth pool trains as long as the released code did; the others save time.
        steps, final_steps = (100, 1000) if number % 8 == 0 else (12, 30)
        run, expected_rng = literal_run(
            literal.released_code, case, arm, number, embedding=case.embedding, steps=steps, final_steps=final_steps
        )
        released = READINGS["released-code"]["ELSA"]
        config = arms(
            replace(
                released,
                head=replace(released.head, steps=steps),
                final_head=replace(released.final_head, steps=final_steps),
                **case.numbers,
            )
        )[arm]
        got, rng = product_log(case, config, number, Features(case.embedding))
        return run.log, got, run.margin, rng.bit_generator.state == expected_rng.bit_generator.state

    logs, passed_over = compare(RELEASED_POOLS, one_case)
    assert passed_over <= RELEASED_POOLS // 10
    repeated = sum(len(log) != len({row for row, *_ in log}) for log in logs)
    assert repeated > RELEASED_POOLS // 2  # relabelling is what this reading is about


def test_the_released_steps_are_the_configured_ones():
    released = READINGS["released-code"]["ELSA"]
    assert (released.head.steps, released.final_head.steps) == (100, 1000)
    assert (released.head.learning_rate, released.head.weight_decay) == (5e-4, 0.05)
    assert released.final_head.learning_rate == 5e-4
