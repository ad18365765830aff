"""Algorithm 4 as an object: what it refuses, what each choice changes, and where it ends."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elsa_nb.pool import Pool
from elsa_nb.search import algorithms
from elsa_nb.search.config import ELSA, SearchConfig
from elsa_nb.search.contract import NEGATIVE, POSITIVE, UNSURE, Batch, Component, Ledger, QueryError
from elsa_nb.search.elsa import Search
from elsa_nb.search.heads import head as heads
from elsa_nb.search.heads.features import Features
from elsa_nb.search.heads.head import HeadConfig
from elsa_nb.search.neighbours import bounds
from elsa_nb.search.neighbours.lists import Neighbours
from elsa_nb.search.oracle import Flipped, Truth, simulate
from elsa_nb.search.readings import READINGS, RELEASED_CODE, arms
from elsa_nb.search.strategies.greedy_probe import GreedyProbe

N = 240


def search(pool, seeds, config=ELSA, seed=0, **more):
    if config.head_space == "embedding":
        more = {"features": Features(pool.vectors)} | more
    return Search(pool, seeds, config=config, rng=np.random.default_rng(seed), **more)


SMALL = replace(ELSA, rounds=4, a=8, l=6, b=5)
SMALL_RELEASED = replace(
    RELEASED_CODE,
    rounds=4,
    a=8,
    l=6,
    b=5,
    head=replace(RELEASED_CODE.head, steps=5),
    final_head=replace(RELEASED_CODE.final_head, steps=5),
)


def answers(strategy, oracle):
    """Drive a search and return its batches."""
    batches = []
    while (batch := strategy.query()) is not None:
        batches.append(batch)
        strategy.update(oracle.label(batch.rows))
    return batches


# ---- bad input


@pytest.mark.parametrize(
    ("seeds", "match"),
    [
        ([], "no seeds given; a search needs at least one known positive, by row number or by id"),
        (np.empty(0, np.int64), "no seeds given"),
        ([4, 9, 4], "seeds: row 4 is given 2 times; give each row once"),
        ([7, 3, 3, 7, 7], "seeds: row 3 is given 2 times"),
        ([3, 240], "seeds: row 240 is not in the pool; allowed: 0 to 239"),
        ([3, -1], "seeds: row -1 is not in the pool; allowed: 0 to 239"),
        ([2**40], f"seeds: row {2**40} is not in the pool"),
        ([3.0, 4.0], "seeds of type float64; give whole row numbers"),
        (["3", "x"], "seeds: 'x' is not an id of this pool, whose ids are 0, .* 239; give ids as in pool.ids, or row"),
        (["3", "3"], "seeds: row 3 is given 2 times"),
        ([[3, 4]], r"seeds of shape \(1, 2\); give a flat list"),
    ],
)
def test_bad_seeds_are_refused_with_the_cure(pool, seeds, match):
    with pytest.raises(ValueError, match=match):
        search(pool, seeds)


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int32, np.uint64])
def test_seeds_of_any_whole_type_will_do(pool, positive, dtype):
    few = np.flatnonzero(positive)[:1] % 100
    log = simulate(search(pool, few.astype(dtype), SMALL), Truth(positive))
    np.testing.assert_array_equal(log.rows, simulate(search(pool, few.tolist(), SMALL), Truth(positive)).rows)


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        ([], r"labels of shape \(0,\) for 4 questions; give one label per row, in its order"),
        ([1, 0, 1], r"labels of shape \(3,\) for 4 questions"),
        ([1, 0, 1, 0, 1], r"labels of shape \(5,\) for 4 questions"),
        ([[1], [0], [1], [0]], r"labels of shape \(4, 1\) for 4 questions"),
        (1, r"labels of shape \(\) for 4 questions"),
        ([1, 0, 2, 0], r"label 2; allowed: 1 \(positive\), 0 \(negative\), -1 \(unsure\)"),
        ([1, 0, -2, 0], "label -2; allowed"),
        ([1, 0, 0.5, 0], "label 0.5; allowed"),
        ([1, 0, float("nan"), 0], "label nan; allowed"),
        ([1, 0, None, 0], "label None; allowed"),
        (["yes", "no", "no", "no"], "label 'yes'; allowed"),
        ([256, 0, 0, 0], "label 256; allowed"),
    ],
)
def test_bad_labels_are_refused_with_the_cure(pool, seeds, labels, match):
    strategy = search(pool, seeds, replace(SMALL, a=4, use_rands=False))
    strategy.query()
    with pytest.raises(ValueError, match=match):
        strategy.update(labels)
    assert len(strategy.log.rows) == 0
    strategy.update([1, 0, -1, 0])
    assert strategy.log.labels.tolist() == [1, 0, -1, 0]


def test_a_batch_cannot_be_reordered_under_the_search(pool, seeds):
    batch = search(pool, seeds, SMALL).query()
    for array in (batch.rows, batch.components):
        with pytest.raises(ValueError, match="read-only"):
            array.sort()


@pytest.mark.parametrize("labels", [[True, False, True, False], np.array([1.0, 0.0, 1.0, 0.0]), (1, 0, 1, 0)])
def test_booleans_and_whole_floats_are_labels(pool, seeds, labels):
    strategy = search(pool, seeds, replace(SMALL, a=4, use_rands=False))
    strategy.query()
    strategy.update(labels)
    assert strategy.log.labels.tolist() == [1, 0, 1, 0]
    assert strategy.log.labels.dtype == np.int8


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"rounds": -1}, "rounds = -1; allowed: a whole number, 0 or more"),
        ({"rounds": 2.5}, "rounds = 2.5; allowed: a whole number"),
        ({"a": 0}, "a = 0; allowed: a whole number, 1 or more"),
        ({"a": 50.0}, "a = 50.0"),
        ({"l": 0}, "l = 0"),
        ({"b": -5}, "b = -5"),
        ({"b": "50"}, "b = '50'"),
        ({"b_slope": -1.0}, "b_slope = -1.0; allowed: 0 or more"),
        ({"b_slope": float("nan")}, "b_slope = nan"),
        ({"b_slope": float("inf")}, "b_slope = inf"),
        ({"alpha_1": float("nan")}, "alpha_1 = nan; allowed: a finite number of standard deviations"),
        ({"alpha_2": float("inf")}, "alpha_2 = inf"),
        ({"final_budget": 0}, "final_budget = 0; allowed: a whole number, 1 or more"),
        ({"final_budget": 2.5}, "final_budget = 2.5"),
        ({"nn_per": "seed"}, "nn_per = 'seed'; allowed: 'total', 'query'"),
        ({"nn_queries": "all"}, "nn_queries = 'all'; allowed: 'new positives', 'all positives', 'last neighbours'"),
        ({"rands": "b"}, "rands = 'b'; allowed: 'algorithm 2', 'appendix b', 'sampled points'"),
        ({"negatives": "last"}, "negatives = 'last'; allowed: 'round', 'all'"),
        ({"confidence": "odds"}, "confidence = 'odds'; allowed: 'probability', 'logit'"),
        ({"head_space": "image"}, "head_space = 'image'; allowed: 'search', 'embedding'"),
    ],
)
def test_bad_settings_name_the_value_and_what_is_allowed(settings, match):
    with pytest.raises(ValueError, match=match):
        replace(ELSA, **settings)


def test_numpy_numbers_are_settings_too():
    assert replace(ELSA, a=np.int64(7), alpha_1=np.float32(0.5)).a == 7


def test_an_embedding_head_needs_the_embedding(pool, seeds):
    with pytest.raises(ValueError, match="pass features=Features"):
        Search(pool, seeds, config=SMALL_RELEASED, rng=np.random.default_rng(0))


def test_neighbours_and_features_of_another_pool_are_refused(pool, seeds):
    other = pool.vectors[:100]
    with pytest.raises(ValueError, match="neighbours of 100 rows for a pool of 240"):
        search(pool, seeds, neighbours=Neighbours(other))
    with pytest.raises(ValueError, match="features of 100 rows for a pool of 240"):
        search(pool, seeds, features=Features(other))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 9), n=st.integers(2, 300), dtype=st.sampled_from(["f2", "f4"]))
def test_what_was_made_of_other_vectors_than_the_pools_is_refused(seed, n, dtype):
    """Of as many rows: of another encoder, in another order, or (of neighbours) of other lengths."""
    rng = np.random.default_rng(seed)
    pool = Pool.from_arrays(rng.normal(size=(n, 4)).astype(dtype))
    lengths = rng.uniform(0.5, 2, (n, 1)).astype(dtype)
    for name, make, others in (
        ("neighbours", Neighbours, [lengths * pool.vectors]),
        ("neighbours", lambda vectors: bounds.Sketch(vectors, progress=False), [lengths * pool.vectors]),
    ):
        Search(pool, [0], rng=0, **{name: make(pool.vectors.astype(np.float32))})
        for other in (rng.normal(size=(n, 4)).astype(dtype), pool.vectors[::-1], *others):
            with pytest.raises(ValueError, match=rf"{name} made of another pool .*; make them from the same pool: "):
                Search(pool, [0], rng=0, **{name: make(other)})
    for other in (lengths * pool.vectors, rng.normal(size=(n, 4))):  # features may be of another space
        GreedyProbe(pool, [0], rng=0, features=Features(other.astype(np.float32)))


def test_scores_are_refused_before_there_is_a_head(pool, seeds):
    with pytest.raises(QueryError, match="the head is not trained yet"):
        search(pool, seeds).scores()


# ---- the arms and readings


def test_the_defaults_are_the_papers_numbers():
    told = {name: getattr(ELSA, name) for name in ("rounds", "a", "l", "b", "alpha_1", "alpha_2", "final_budget")}
    assert told == {"rounds": 10, "a": 50, "l": 50, "b": 50, "alpha_1": 1, "alpha_2": 2, "final_budget": None}
    assert ELSA == SearchConfig() == READINGS["paper"]["ELSA"]


def test_the_arms_have_the_components_of_table_1():
    """NN, random sampler, active learning, final search."""
    for of in READINGS.values():
        parts = {arm: (config.use_rands, config.use_head, config.use_final) for arm, config in of.items()}
        assert parts == {
            "ELSA": (True, True, True),
            "No Active": (True, False, True),
            "NN": (False, False, False),
            "NN.Large": (False, False, False),
        }
        assert [config.a for config in of.values()] == [50, 50, 50, 100]


def test_an_arm_differs_from_elsa_in_its_components_only():
    changed = replace(ELSA, rounds=3, alpha_1=0.2, rands="appendix b")
    switches = {"use_rands", "use_head", "use_final", "a"}
    for config in arms(changed).values():
        for f in fields(SearchConfig):
            assert f.name in switches or getattr(config, f.name) == getattr(changed, f.name)


def test_each_arm_asks_through_its_components_only(pool, positive, seeds):
    for reading in (SMALL, SMALL_RELEASED):
        for arm, config in arms(reading).items():
            log = simulate(search(pool, seeds, config), Truth(positive))
            used = {Component(c) for c in log.components}
            assert used <= ({Component.NN} if arm.startswith("NN") else set(Component) - {Component.PROBE})
            assert Component.NN in used


def test_no_active_never_looks_at_a_head_before_the_end(pool, positive, seeds, monkeypatch):
    looked = []
    scored = Search._scored
    monkeypatch.setattr(Search, "_scored", lambda self: looked.append(self._goes_on()) or scored(self))
    simulate(search(pool, seeds, arms(SMALL)["No Active"]), Truth(positive))
    assert looked == [False]


def test_a_round_of_neighbours_alone_reads_no_scores(pool, positive, seeds):
    one = search(pool, seeds, replace(SMALL, use_rands=False, rounds=2))
    for _ in range(2):
        assert one.head_to_score() is None
        one.update(Truth(positive).label(one.query().rows))
    assert one.scores().std() > 0
    assert one.head_to_score() is not None  # of the final search


@pytest.mark.parametrize(("of_rounds", "at_the_end"), [("logistic", "linear-sgd"), ("linear-sgd", "logistic")])
def test_a_search_with_a_head_in_its_rounds_trains_no_other_at_the_end(pool, positive, seeds, of_rounds, at_the_end):
    config = replace(SMALL, use_rands=False, head=HeadConfig(kind=of_rounds), final_head=HeadConfig(kind=at_the_end))
    one, plain = search(pool, seeds, config), search(pool, seeds, replace(config, final_head=None))
    assert one.draws_randomness == plain.draws_randomness == (of_rounds != "logistic")
    assert simulate(one, Truth(positive)).rows.tolist() == simulate(plain, Truth(positive)).rows.tolist()


def test_a_search_concluded_early_asks_its_final_questions_next(pool, positive, seeds):
    oracle = Truth(positive)
    config = replace(SMALL, alpha_2=0.0)
    early, short = search(pool, seeds, config), search(pool, seeds, replace(config, rounds=2))
    for _ in range(2):
        early.update(oracle.label(early.query().rows))
    assert early.may_conclude
    early.conclude()
    batch = early.query()
    assert set(batch.components) == {Component.FINAL}
    assert batch.rows.tolist() == answers(short, oracle)[2].rows.tolist()  # as if there had never been more rounds
    early.update(oracle.label(batch.rows))
    assert early.query() is None
    assert not early.may_conclude
    assert not search(pool, seeds, arms(SMALL)["NN"]).may_conclude


# ---- the rounds


def test_the_first_round_asks_the_seeds_neighbours_then_random_ones(pool, seeds):
    strategy = search(pool, seeds, SMALL)
    batch = strategy.query()
    nearest, _ = Neighbours(pool.vectors).nearest_to_any(seeds, 8, ~np.isin(np.arange(N), seeds))
    assert batch.rows[:8].tolist() == nearest.tolist()
    assert batch.components.tolist() == [Component.NN] * 8 + [Component.RANDS] * (len(batch.rows) - 8)
    assert batch.round == 0
    assert len(strategy.log.rows) == 0


def test_a_row_both_parts_propose_counts_as_a_neighbour(pool, seeds):
    batch = search(pool, seeds, replace(SMALL, a=200, b=100, l=100)).query()
    assert len(set(batch.rows)) == len(batch.rows)
    assert (batch.components[:200] == Component.NN).all()


@pytest.mark.parametrize("queries", ["new positives", "all positives"])
def test_the_next_round_starts_from_the_positives_chosen(pool, positive, seeds, queries):
    strategy = search(pool, seeds, replace(SMALL, nn_queries=queries))
    batch = strategy.query()
    strategy.update(positive[batch.rows].astype(int))
    new = batch.rows[positive[batch.rows]]
    assert len(new)
    start = new if queries == "new positives" else np.union1d(new, seeds)
    allowed = ~np.isin(np.arange(N), np.union1d(batch.rows, seeds))
    expected, _ = Neighbours(pool.vectors).nearest_to_any(start, 8, allowed)
    assert strategy.query().rows[:8].tolist() == expected.tolist()


def test_a_round_without_new_positives_ends_nn_and_sends_elsa_back_to_all(pool, seeds):
    nearest = arms(SMALL)["NN"]
    cases = ((replace(SMALL, use_final=False), True), (nearest, False), (replace(nearest, nn_alone="goes on"), True))
    for config, goes_on in cases:
        strategy = search(pool, seeds, config)
        batch = strategy.query()
        strategy.update(np.zeros(len(batch.rows), int))
        following = strategy.query()
        assert (following is not None) == goes_on
        if goes_on:
            allowed = ~np.isin(np.arange(N), np.union1d(batch.rows, seeds))
            expected, _ = Neighbours(pool.vectors).nearest_to_any(seeds, 8, allowed)
            assert following.rows[:8].tolist() == expected.tolist()


def test_unsure_answers_stop_nn_like_negative_ones(pool, seeds):
    strategy = search(pool, seeds, arms(SMALL)["NN"])
    strategy.update(np.full(len(strategy.query().rows), UNSURE))
    assert strategy.query() is None


def test_b_grows_with_the_positives_known(pool, positive, seeds):
    def sizes(**settings):
        strategy = search(pool, seeds, replace(SMALL, a=10, use_head=False, use_final=False, **settings))
        found = []
        for batch in answers(strategy, Truth(np.ones(N, bool))):
            found.append(int((batch.components == Component.RANDS).sum()))
        return found

    # Everything is positive: 2 seeds, then 10 + b more each round; rows found by both parts make b smaller.
    grown = sizes(b=5, l=50)
    assert grown[0] <= 5
    assert 12 <= grown[1] <= 17
    assert grown[2] > grown[1]
    assert max(sizes(b=5, b_slope=0.0)) == 5
    assert sizes(b=7, b_slope=1.0, b_floor=False)[0] == 7  # the floor counts in the first round
    assert max(sizes(b=7, b_slope=0.0, b_floor=False)[1:]) == 0
    assert sizes(b=7, b_slope=2.0, b_added=True)[0] == 7 + 2 * 2


def test_where_nothing_is_barred_the_seeds_are_the_first_that_nn_asks_and_pays_for(pool, positive, seeds):
    strategy = search(pool, seeds, replace(arms(SMALL)["NN"], nothing_barred=True, a=6))
    first, *later = answers(strategy, Truth(positive))
    assert set(seeds.tolist()) <= set(first.rows.tolist())
    found = set(first.rows[positive[first.rows]].tolist())
    assert found & set(later[0].rows.tolist())
    assert len(strategy.log.rows) == sum(len(batch.rows) for batch in [first, *later])


def test_the_head_sees_this_rounds_negatives_or_all(pool, positive, seeds, monkeypatch):
    taught = []
    train = heads.train
    monkeypatch.setattr(
        heads,
        "train",
        lambda f, plus, minus, *rest: taught.append((plus, minus)) or train(f, plus, minus, *rest),
    )
    for which in ("round", "all"):
        del taught[:]
        batches = answers(search(pool, seeds, replace(SMALL, negatives=which)), Truth(positive))
        known, past = set(seeds.tolist()), set()
        for batch, (plus, minus) in zip(batches, taught, strict=False):
            now = set(batch.rows[~positive[batch.rows]].tolist())
            known |= set(batch.rows[positive[batch.rows]].tolist())
            past |= now
            assert set(plus.tolist()) == known
            assert now
            assert set(minus.tolist()) == (now if which == "round" else past)
        assert len(taught) == SMALL.rounds  # after each round, not after the final search


def test_a_round_without_negatives_learns_from_those_before(pool, positive, seeds):
    strategy = search(pool, seeds, SMALL)
    strategy.update(positive[strategy.query().rows].astype(int))
    before = strategy.scores()
    strategy.update(np.ones(len(strategy.query().rows), int))
    assert not np.array_equal(strategy.scores(), before)


def test_logits_and_probabilities_rank_alike_but_cut_differently(pool, positive, seeds):
    plain, logit = (search(pool, seeds, replace(SMALL, confidence=c)) for c in ("probability", "logit"))
    for strategy in (plain, logit):
        strategy.update(positive[strategy.query().rows].astype(int))
    np.testing.assert_allclose(plain.scores(), 1 / (1 + np.exp(-logit._confidences())))
    assert (plain.scores() == logit.scores()).all(), "whoever is shown them, they are probabilities"
    assert ((plain.scores() > 0) & (plain.scores() < 1)).all()


# ---- the final search


def test_the_final_search_asks_what_lies_above_mean_and_two_std(pool, positive, seeds):
    strategy = search(pool, seeds, SMALL)
    *rounds, final = answers(strategy, Truth(positive))
    assert (final.components == Component.FINAL).all()
    assert final.round == len(rounds) == SMALL.rounds
    scores = strategy.scores()
    asked = np.concatenate([seeds, *(batch.rows for batch in rounds)])
    above = np.setdiff1d(np.flatnonzero(scores > scores.mean() + 2 * scores.std()), asked)
    assert sorted(final.rows) == above.tolist()
    assert (np.diff(scores[final.rows]) <= 0).all()


def test_a_budget_keeps_the_best_of_the_final_search(pool, positive, seeds):
    config = replace(SMALL, alpha_2=0.0)
    whole = answers(search(pool, seeds, config), Truth(positive))[-1]
    few = answers(search(pool, seeds, replace(config, final_budget=4)), Truth(positive))[-1]
    assert len(whole.rows) > 4
    assert few.rows.tolist() == whole.rows[:4].tolist()


def test_no_final_search_where_both_classes_were_never_seen(pool, seeds):
    for answer, config in ((POSITIVE, SMALL), (UNSURE, SMALL), (POSITIVE, arms(SMALL)["No Active"])):
        batches = answers(search(pool, seeds, config), Truth(np.ones(N, bool)) if answer == POSITIVE else AllUnsure())
        asked = np.concatenate([batch.components for batch in batches])
        assert len(asked)
        assert Component.FINAL not in asked


class AllUnsure:
    """Shrug at everything."""

    def label(self, rows):
        return np.full(len(rows), UNSURE)


@pytest.mark.parametrize("arm", ["ELSA", "No Active", "NN"])
def test_no_rounds_ask_nothing(pool, seeds, arm):
    strategy = search(pool, seeds, arms(replace(SMALL, rounds=0))[arm])
    assert strategy.query() is None
    assert strategy.query() is None


def test_everything_positive_in_the_first_round(pool, seeds):
    strategy = search(pool, seeds, replace(SMALL, a=400))
    log = simulate(strategy, Truth(np.ones(N, bool)))
    assert sorted([*log.rows, *seeds]) == list(range(N))
    assert (log.rounds == 0).all()
    assert strategy.positives.tolist() == list(range(N))


# ---- the released code


def test_the_zero_pass_returns_the_seeds_first(pool, positive, seeds):
    batch = search(pool, seeds, SMALL_RELEASED).query()
    assert batch.rows[:2].tolist() == sorted(seeds)
    assert (batch.components == Component.NN).sum() == 8
    assert (batch.components == Component.RANDS).sum() <= 5


def test_it_labels_in_one_round_more(pool, positive, seeds):
    log = simulate(search(pool, seeds, replace(SMALL_RELEASED, use_final=False)), Truth(positive))
    assert log.rounds.max() == 4  # 0 to 4: the zero pass and four rounds


def test_a_zero_pass_of_seeds_only_is_no_dead_end(pool, positive):
    """With as many seeds as `a`, the zero pass asks nothing but the seeds; the released code went on from there."""
    seeds = np.flatnonzero(positive)[:8]
    log = simulate(search(pool, seeds, arms(SMALL_RELEASED)["NN"]), Truth(positive))
    assert sorted(log.rows[log.rounds == 0]) == sorted(seeds)
    assert log.rounds.max() > 0


def test_earlier_negatives_come_back_and_are_paid_for_again(pool, positive, seeds):
    config = arms(SMALL_RELEASED)["NN"]
    log = simulate(search(pool, seeds, config), Truth(positive))
    second = log.rows[log.rounds == 1]
    negatives = log.rows[(log.rounds == 0) & (log.labels == NEGATIVE)]
    assert len(negatives)
    assert second[: len(negatives)].tolist() == sorted(negatives)  # at distance 0, as queries
    assert not set(second) & set(log.rows[(log.rounds == 0) & (log.labels == POSITIVE)])


def test_nn_stops_after_a_round_that_finds_nothing(pool, positive, seeds):
    log = simulate(search(pool, seeds, arms(replace(SMALL_RELEASED, rounds=40))["NN"]), Truth(positive))
    last = log.rounds.max()
    assert last < 40
    assert (log.labels[log.rounds == last] == NEGATIVE).all()
    for number in range(last):
        assert (log.labels[log.rounds == number] == POSITIVE).any()


def test_below_four_positives_there_is_no_head(pool, positive, seeds):
    nothing = Truth(positive & np.isin(np.arange(N), seeds))
    strategy = search(pool, seeds, SMALL_RELEASED)
    assert (simulate(strategy, nothing).components != Component.FINAL).all()
    with pytest.raises(QueryError):
        strategy.scores()


def test_random_draws_are_of_unlabelled_rows(pool, positive, seeds, monkeypatch):
    drawn = []
    random_search = algorithms.random_search
    monkeypatch.setattr(
        algorithms,
        "random_search",
        lambda nn, likely, *rest, **more: drawn.append(likely) or random_search(nn, likely, *rest, **more),
    )
    strategy = search(pool, seeds, arms(SMALL_RELEASED)["No Active"])
    labelled = set(seeds.tolist())
    while (batch := strategy.query()) is not None:
        if (batch.components != Component.FINAL).all():
            assert not labelled & set(drawn[-1].tolist())
        labelled |= set(batch.rows.tolist())
        strategy.update(positive[batch.rows].astype(int))


def test_the_final_search_counts_what_was_labelled_before(pool, positive, seeds):
    *rounds, final = answers(search(pool, seeds, replace(SMALL_RELEASED, alpha_2=-50.0)), Truth(positive))
    assert len(rounds) == 5
    assert sorted(final.rows) == list(range(N))


def test_a_known_positive_survives_a_contrary_answer(pool, positive, seeds):
    strategy = search(pool, seeds, SMALL_RELEASED)
    simulate(strategy, Flipped(positive, 1.0, np.random.default_rng(0)))
    assert set(seeds) <= set(strategy.positives)
    strategy = search(pool, seeds, SMALL_RELEASED)
    simulate(strategy, AllUnsure())
    assert set(seeds) <= set(strategy.positives)


def test_the_head_of_the_released_code_sees_the_embedding(pool, positive, seeds):
    rng = np.random.default_rng(5)
    one, other = (Features(rng.normal(size=(N, 4))) for _ in range(2))
    logs = [simulate(search(pool, seeds, SMALL_RELEASED, features=f), Truth(positive)) for f in (one, one, other)]
    np.testing.assert_array_equal(logs[0].rows, logs[1].rows)
    assert not np.array_equal(logs[0].rows, logs[2].rows)


# ---- the ledger


def test_the_ledger_tells_positives_negatives_and_the_rest():
    ledger = Ledger(6, [2])
    assert ledger.positives.tolist() == [2]
    assert ledger.unasked.tolist() == [True, True, False, True, True, True]
    ledger.ask(Batch(np.array([5, 0, 1]), np.zeros(3, np.int8), 0))
    ledger.answer([POSITIVE, NEGATIVE, UNSURE])
    assert ledger.positives.tolist() == [2, 5]
    assert ledger.negatives.tolist() == [0]
    assert ledger.unasked.tolist() == [False, False, False, True, True, False]


@pytest.mark.parametrize("kind", ["logistic", "linear-sgd", "mlp"])
def test_a_good_oracle_beats_chance_with_every_head(pool, positive, seeds, kind):
    """The rare class is 8 % of the pool; a search that asks a third of it finds most of the class."""
    config = replace(SMALL, head=HeadConfig(kind, learning_rate=0.02), final_budget=20)
    log = simulate(search(pool, seeds, config), Truth(positive))
    found = positive[log.rows].sum() / (positive.sum() - 2)
    assert len(log.rows) < N / 2
    assert found > 1.5 * len(log.rows) / N


# ---- corrections


def test_a_corrected_answer_counts_from_the_next_training_on(pool, positive, seeds):
    """A search whose wrong answers are put right before they are used goes on like one that never got them."""
    right, wrong = search(pool, seeds, SMALL), search(pool, seeds, SMALL)
    rows = right.query().rows
    np.testing.assert_array_equal(wrong.query().rows, rows)
    labels = positive[rows].astype(int)
    right.update(labels)
    wrong.update(np.where(np.arange(len(rows)) % 3 == 0, 1 - labels, labels))
    wrong.amend(rows, labels)
    np.testing.assert_array_equal(wrong.positives, right.positives)
    np.testing.assert_array_equal(wrong.log.labels, labels)
    # The next NN starts from the right queries; RandS still samples by the head of the round before.
    ours, theirs = wrong.query(), right.query()
    np.testing.assert_array_equal(
        ours.rows[ours.components == Component.NN], theirs.rows[theirs.components == Component.NN]
    )
    wrong.update(positive[ours.rows].astype(int))
    assert np.isfinite(wrong.scores()).all()


@pytest.mark.parametrize("settings", [{}, {"nn_queries": "all positives"}, {"negatives": "all"}])
def test_a_correction_counts_before_and_after_the_open_questions_are_answered(pool, positive, seeds, settings):
    """The panel amends first and then updates: the queries and the end are those of the other order."""
    early, late = (search(pool, seeds, replace(SMALL, use_head=False, **settings)) for _ in range(2))
    for one in (early, late):
        asked = one.query().rows
        wrong = asked[positive[asked]][:3]
        one.update(positive[asked].astype(int) * ~np.isin(asked, wrong))
        batch = one.query()
        if one is early:
            one.amend(wrong, [1] * 3)
        one.update(np.zeros(len(batch.rows), int))
        if one is late:
            one.amend(wrong, [1] * 3)
        assert np.isin(wrong, one._queries).all()
        assert not one._stuck
    np.testing.assert_array_equal(early.query().rows, late.query().rows)


@pytest.mark.parametrize("labels", [[1], [1, -1], [-1, 1]])
def test_nn_alone_goes_on_where_its_dry_round_was_an_error(pool, positive, seeds, labels):
    one = search(pool, seeds, replace(arms(SMALL)["NN"]))
    asked = one.query().rows
    one.update(np.zeros(len(asked), int))
    one.amend(asked[positive[asked]][: len(labels)], labels)
    assert one.query() is not None


def interrupted(*args):
    raise KeyboardInterrupt


def test_a_search_interrupted_in_its_training_goes_on_as_if_it_had_not_been(pool, positive, seeds, monkeypatch):
    whole = simulate(search(pool, seeds, SMALL), Truth(positive))
    one = search(pool, seeds, SMALL)
    for _ in range(SMALL.rounds):
        labels = positive[one.query().rows].astype(int)
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(heads, "train", interrupted)
            one.update(labels)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(algorithms, "final_search", interrupted)
        one.query()
    assert one.may_conclude
    for mine, other in zip(simulate(one, Truth(positive)), whole, strict=True):
        np.testing.assert_array_equal(mine, other)


def test_a_seed_can_be_taken_back_and_a_search_without_positives_ends_in_no_error(pool, positive, seeds):
    one = search(pool, seeds, SMALL)
    one.update(np.zeros(len(one.query().rows), int))
    one.amend(seeds, [0, -1])
    assert len(one.positives) == 0
    while (batch := one.query()) is not None:
        one.update(np.zeros(len(batch.rows), int))


@pytest.mark.parametrize(
    ("rows", "labels", "match"),
    [
        ([5000], [1], "row 5000 is not in the pool"),
        ([0, 0], [1, 1], "given 2 times"),
        ("seed", [7], r"label 7; allowed: 1 \(positive\), 0 \(negative\), -1 \(unsure\)"),
        ("seed", [1, 0], r"labels of shape \(2,\) for 1 questions"),
        ("never", [1], "has no answer to correct"),
    ],
)
def test_corrections_that_make_no_sense_change_nothing(pool, seeds, rows, labels, match):
    one = search(pool, seeds, SMALL)
    asked = one.query().rows
    one.update(np.zeros(len(asked), int))
    never = np.setdiff1d(np.arange(N), np.append(asked, seeds))
    rows = {"seed": seeds[:1], "never": never[:1]}.get(rows, rows) if isinstance(rows, str) else rows
    before = one.positives, one.log
    with pytest.raises(ValueError, match=match):
        one.amend(rows, labels)
    np.testing.assert_array_equal(one.positives, before[0])
    np.testing.assert_array_equal(one.log.labels, before[1].labels)


def test_a_large_pool_is_searched_by_bounds_with_the_same_log(pool, positive, seeds, monkeypatch):
    plain = simulate(search(pool, seeds, SMALL), Truth(positive))
    monkeypatch.setattr(bounds, "_LARGE", 10)
    bounded = search(pool, seeds, SMALL)
    assert isinstance(bounded._neighbours, bounds.Sketch)
    for mine, other in zip(simulate(bounded, Truth(positive)), plain, strict=True):
        np.testing.assert_array_equal(mine, other)


def test_no_configuration_is_the_papers_as_in_other_strategies():
    pool = Pool.from_arrays(np.random.default_rng(0).normal(size=(50, 3)))
    asked = [Search(pool, [0], config=config, rng=0).query().rows for config in (None, ELSA)]
    assert np.array_equal(*asked)
