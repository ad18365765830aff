"""Ways to begin: a sample, a name, an example, a text; and a search that begins with what was marked."""

import numpy as np
import pytest

from elsa_nb.label import Begin, Fixed, first_examples
from elsa_nb.label.cards import PASSED
from elsa_nb.pool import Pool
from elsa_nb.search.contract import QueryError
from elsa_nb.search.oracle import Truth, simulate
from elsa_nb.search.strategies.greedy_probe import GreedyProbe, ProbeConfig


def test_a_spread_sample_visits_every_corner():
    rng = np.random.default_rng(0)
    corners = np.array([[0, 0], [0, 9], [9, 0], [9, 9]])
    sizes = [970, 10, 10, 10]
    vectors = np.repeat(corners, sizes, 0) + rng.normal(size=(1000, 2)) / 10
    rows = first_examples.spread_rows(vectors.astype(np.float32), 8, rng)
    assert len(set(np.repeat(range(4), sizes)[rows])) == 4
    assert len(np.unique(rows)) == 8


def test_a_spread_sample_of_copies_has_no_row_twice():
    vectors = np.repeat(np.eye(6, dtype=np.float32), 50, 0)
    rows = first_examples.spread_rows(vectors, 20, 0)
    assert len(np.unique(rows)) == 20
    assert len(np.unique(rows[:6] // 50)) == 6  # what differs comes first
    assert rows.tolist() == first_examples.spread_rows(vectors, 20, np.random.default_rng(0)).tolist()
    with pytest.raises(ValueError, match="count = 0; allowed: a whole number, 1 or more"):
        first_examples.spread_rows(vectors, 0, 0)


def test_a_spread_sample_is_as_large_as_it_was_asked_to_be():
    vectors = np.random.default_rng(0).normal(size=(4300, 2)).astype(np.float32)
    assert len(np.unique(first_examples.spread_rows(vectors, 4200, 0))) == 4200
    assert sorted(first_examples.spread_rows(vectors[:5], 9, 0)) == [0, 1, 2, 3, 4]


def test_rows_by_name_part_and_pattern():
    ids = ["cats/a.jpg", "cats/b.jpg", "dogs/a.jpg"]
    assert first_examples.rows_named(ids, "dogs/a.jpg").tolist() == [2]
    assert first_examples.rows_named(ids, "a.jpg").tolist() == [0, 2]
    assert first_examples.rows_named(ids, "cats/*").tolist() == [0, 1]
    for name in ("DOGS/A.jpg", "./photos/dogs/a.jpg", "dogs\\a.jpg", "/archive/photos/dogs/a.jpg"):
        assert first_examples.rows_named(ids, name).tolist() == [2]
    assert first_examples.rows_named(["d/IMG_1.JPG", "d/img_2.jpg", "img/3.png"], "img_*.jpg").tolist() == [0, 1]
    assert first_examples.rows_named(["[a].jpg", "a.jpg"], "[a].jpg").tolist() == [0]
    for names in (["fox*"], ["cats/*", "fox*"]):  # what one name means is no answer for another
        with pytest.raises(ValueError, match="'fox"):
            first_examples.rows_named(ids, *names)
    with pytest.raises(ValueError, match=r"no item is called 'a\.jpg'; there are no items"):
        first_examples.rows_named([], "a.jpg")


def test_rows_like_an_image_and_like_a_text(small):
    vectors = small[0].vectors

    class Encoder:
        def encode_images(self, paths):
            return vectors[[int(path.name) for path in paths]]

        def encode_text(self, texts):
            return vectors[[7]] * 3

    assert first_examples.rows_like_images(vectors, Encoder(), ["5"], 3)[0] == 5
    assert first_examples.rows_like_text(vectors, Encoder(), "seven", 3)[0] == 7
    with pytest.raises(ValueError, match="knows no words"):
        first_examples.rows_like_text(vectors, object(), "seven", 3)
    with pytest.raises(ValueError, match="no example is given that rows could be like"):
        first_examples.rows_like(vectors, vectors[:0], 3)
    with pytest.raises(ValueError, match="encoder"):
        first_examples.rows_like(vectors, np.zeros(3), 3)


@pytest.fixture
def begin_with(small):
    """Return a function that makes a beginning over the small pool, and a list of the seeds it began to search from."""
    pool, made = small[0], []

    def make(seeds):
        made.append(seeds.tolist())
        return GreedyProbe(pool, seeds, config=ProbeConfig(budget=60), rng=0)

    return lambda samples=(), **options: (Begin(samples, make, **options), made)


def labelled(begin, positive):
    """Answer one page and return its rows."""
    rows = begin.query().rows
    begin.update(Truth(positive).label(rows))
    return rows.tolist()


def test_samples_are_shown_page_by_page_until_there_are_seeds(small, begin_with):
    positive = small[1]
    negatives, members = np.flatnonzero(~positive), np.flatnonzero(positive)
    begin, made = begin_with([negatives[:10], np.concatenate([negatives[5:12], members[:2]])], least=2, page=7)
    assert labelled(begin, positive) == negatives[:7].tolist()
    assert labelled(begin, positive) == [*negatives[7:12], *members[:2]]  # nothing is shown twice
    assert made == [members[:2].tolist()]
    log = simulate(begin, Truth(positive))
    assert len(begin.positives) > 10
    assert log.rounds.tolist() == sorted(log.rounds.tolist())
    assert begin.components == {16: "sample", 19: "earlier", 3: "probe"}


def test_one_example_is_enough_when_the_person_says_so(small, begin_with):
    positive = small[1]
    begin, made = begin_with([np.flatnonzero(positive)[:1], np.flatnonzero(~positive)[:50]], least=3, page=12)
    begin.start()
    labelled(begin, positive)
    assert made == [np.flatnonzero(positive)[:1].tolist()]
    assert not begin.looking


def test_saying_start_without_an_example_goes_on_looking(small, begin_with):
    positive = small[1]
    begin, made = begin_with([np.flatnonzero(~positive)[:12], np.flatnonzero(positive)[:1]], least=3, page=12, n=400)
    begin.start()
    labelled(begin, positive)
    assert begin.looking
    labelled(begin, positive)
    assert begin.looking  # the word was about the page before
    assert made == []


@pytest.fixture
def three_of_3000():
    """Return a pool of 3,000 in which three are of the class, who they are, and what begins a search."""
    rng = np.random.default_rng(1)
    positive = np.zeros(3000, bool)
    positive[[5, 1500, 2999]] = True
    pool = Pool.from_arrays((rng.normal(size=(3000, 6)) + 3 * positive[:, None]).astype(np.float32))
    return pool, positive, lambda seeds: GreedyProbe(pool, seeds, config=ProbeConfig(budget=600), rng=0)


def test_a_class_of_three_in_three_thousand_is_searched(three_of_3000):
    _, positive, make = three_of_3000
    begin = Begin([np.arange(100, 196)], make, least=3, n=3000)
    log = simulate(begin, Truth(positive))
    assert not begin.looking
    assert begin.positives.tolist() == [5, 1500, 2999]
    assert len(np.unique(log.rows)) == len(log.rows)


@pytest.mark.parametrize("marked", [0, 1, 2])
def test_where_nothing_is_left_to_show_the_search_begins_with_what_there_is(small, begin_with, marked):
    positive = small[1]
    samples = [np.flatnonzero(~positive)[:30], np.flatnonzero(positive)[:marked]]
    begin, made = begin_with(samples, least=3)
    while begin.looking and begin.query() is not None:
        begin.update(positive[begin._open].astype(int))
    assert made == ([np.flatnonzero(positive)[:marked].tolist()] if marked else [])


def test_a_correction_counts_before_the_search_begins(small, begin_with):
    positive = small[1]
    begin, made = begin_with([np.flatnonzero(~positive)[:24]], least=1, page=12, n=400)
    wrong = begin.query().rows
    begin.update(np.zeros(12, int))
    begin.amend(wrong[:1], [1])
    assert begin.positives.tolist() == wrong[:1].tolist()
    begin.query()
    begin.update(np.zeros(12, int))
    assert made == [wrong[:1].tolist()]


def test_many_corrections_cost_one_look_at_the_sample_not_one_each(small, begin_with):
    begin, _ = begin_with([np.arange(399, -1, -1)], least=400, page=400)
    begin.query()
    begin.update(np.zeros(400, int))
    before, labels = begin.log, np.arange(50) % 2

    class Looked(np.ndarray):
        times = 0

        def __eq__(self, other):
            Looked.times += 1
            return np.asarray(self) == other

    begin._rows = begin._rows.view(Looked)
    begin.amend([*range(100, 150), 100], [*labels, 1])  # the last word on a row counts
    expected = np.isin(begin._rows, [100, *range(101, 150, 2)])
    assert (begin.log.labels == expected).all()
    assert not before.labels.any(), "copies of the search keep theirs"
    assert Looked.times < 5


def test_what_the_search_asks_again_is_answered_from_the_sample(small):
    pool, positive = small
    searches = []

    def make(seeds):
        searches.append(GreedyProbe(pool, seeds, rng=0))
        return searches[-1]

    begin = Begin([np.arange(100)], make, least=1, page=100)
    log = simulate(begin, Truth(positive))
    assert len(np.unique(log.rows)) == len(log.rows) == 400
    told = searches[0].log
    assert set(told.rows) == set(range(400)) - set(np.flatnonzero(positive[:100]))
    assert (told.labels == positive[told.rows]).all()
    with pytest.raises(QueryError, match="no questions are open"):
        begin.update([1])


@pytest.mark.parametrize("options", [{"least": 0}, {"page": 0}])
def test_bad_sizes_are_refused(begin_with, options):
    with pytest.raises(ValueError, match="allowed: 1 or more"):
        begin_with([[1]], **options)


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        ([1, 2, 3], "each of samples = 1; give a list"),
        ([[[1, 2], [3, 4]]], r"each of samples of shape \(2, 2\); give a flat list"),
        ([[1, 99]], "row 99 is not in the pool; allowed: 0 to 39"),
        ([["a.png"]], "each of samples of type"),
        ([np.array([True, False])], r"mask; give row numbers: np\.flatnonzero"),
        ([[0.5]], "each of samples of type float64"),
    ],
)
def test_samples_that_are_no_rows_are_refused_at_once(samples, said):
    with pytest.raises(ValueError, match=said):
        Begin(samples, lambda seeds: None, n=40)


def test_fixed_rows_are_asked_once():
    fixed = Fixed(10, [3, 1, 2])
    log = simulate(fixed, Truth(np.arange(10) == 1))
    assert log.rows.tolist() == [3, 1, 2]
    assert fixed.positives.tolist() == [1]
    with pytest.raises(ValueError, match="no rows"):
        Fixed(10, [])


@pytest.mark.parametrize("wrong", [7, 0.5, float("nan"), "yes"])
def test_labels_other_than_the_three_are_refused_and_change_nothing(wrong):
    fixed, begin = Fixed(5, [1, 2]), Begin([[1, 2]], lambda seeds: Fixed(5, seeds))
    for strategy in (fixed, begin):
        strategy.query()
        with pytest.raises(ValueError, match=r"label .*; allowed: 1 \(positive\), 0 \(negative\), -1 \(unsure\)"):
            strategy.update([1, wrong])
        assert not len(strategy.log.rows)
        strategy.update([1, 0])
    with pytest.raises(ValueError, match="allowed: 1"):
        begin.amend([2], [wrong])


def test_three_of_three_thousand_are_found_by_looking_over_pages_and_searched(three_of_3000):
    _, positive, make = three_of_3000
    begin = Begin([np.arange(100, 196)], make, least=3, page=120, n=3000, overview=True)
    seen, pages = [], 0
    while begin.looking:
        rows = begin.query().rows
        assert begin.in_overview
        seen += rows.tolist()
        begin.update(np.where(positive[rows], 1, PASSED))
        pages += 1
    assert pages <= 25
    assert len(set(seen)) == len(seen)
    assert sorted(begin.log.rows) == begin.positives.tolist() == [5, 1500, 2999]  # nothing else has an answer
    log = simulate(begin, Truth(positive))
    assert len(np.unique(log.rows)) == len(log.rows) > 500  # the search asks what was passed


def test_answers_to_nothing_that_is_open_are_refused_and_change_nothing(begin_with):
    for strategy in (Fixed(5, [1, 2]), begin_with([[1, 2, 3]], least=3, page=2)[0]):
        with pytest.raises(QueryError, match="no rows are open"):
            strategy.update([1, 0])
        strategy.query()
        strategy.update([1, 0])
        with pytest.raises(QueryError, match="no rows are open"):
            strategy.update([0, 1])
        assert strategy.log.labels.tolist() == [1, 0]


def test_passed_is_an_answer_in_overviews_only(small, begin_with):
    begin, _ = begin_with([np.arange(24)], page=24)
    begin.query()
    with pytest.raises(ValueError, match="label -3; allowed"):
        begin.update(np.full(24, PASSED))


def test_rows_that_lie_far_apart_are_of_vectors_in_a_list_too_and_of_nothing_else():
    rows = [[0.0, 0.0], [9.0, 9.0], [0.1, 0.0]]
    assert sorted(first_examples.spread_rows(rows, 2, 0)) == sorted(first_examples.spread_rows(np.array(rows), 2, 0))
    with pytest.raises(ValueError, match="vectors of type Pool; give an array"):
        first_examples.spread_rows(Pool.from_arrays(np.eye(3)), 2, 0)
    with pytest.raises(ValueError, match="n = -1; allowed: a whole number, 1 or more"):
        first_examples.random_rows(-1, 2, 0)
