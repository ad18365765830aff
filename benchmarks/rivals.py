"""Part `rivals`: rounds per second compared with what a user would pick, on an equal task, and whether questions agree.

Every rival is written as its documentation shows it. Where two programs run the same algorithm, the rows they ask are
compared as sets, round by round; once one row differs (a rounding error suffices), the later rounds learn from
different answers, so the share of equal rows is reported, not required.
"""

import time
import warnings
from collections.abc import Callable
from functools import lru_cache, partial
from importlib.util import find_spec

import numpy as np
from sklearn.utils import check_X_y

from benchmarks import plain_loop
from benchmarks.context import Context
from benchmarks.goals import RIVALS, SIZES, rival
from benchmarks.summary import Row
from benchmarks.tasks import BATCH, CANDIDATES, ROUNDS, Ours, Task, play, regression, task
from elsa_nb.pool import Pool
from elsa_nb.search.elsa import ELSA, Search
from elsa_nb.search.neighbours.lists import Neighbours
from elsa_nb.search.oracle import Truth, simulate

TAKES = "5 minutes"
DIMENSION = {10_000: 256, 100_000: 256, 1_000_000: 64}  # a million rows of 256 would take the rivals' copies past 24 GB
# hnswlib indexes about 4,000 vectors a second on two cores: at a million rows four minutes before the first round.
NOT_AT = {("small-text's SEALS", 1_000_000): "not measured: its index takes minutes to build"}
NEEDS_HNSWLIB = ("small-text's SEALS",)
ONE_TURN = ("small-text's SEALS",)
Program = Callable[[], list[np.ndarray]]


def run(context: Context) -> list[Row]:
    """Measure every rival at every size beside ours, in turns."""
    rows = []
    for n in (2000,) if context.quick else SIZES:
        d = 16 if context.quick else DIMENSION[n]
        given = task(n, d)
        for name in RIVALS:
            line = rival(name, SIZES[0] if context.quick else n)
            if (name, n) in NOT_AT:
                rows.append(Row(line, NOT_AT[name, n]))
                continue
            if name in NEEDS_HNSWLIB and find_spec("hnswlib") is None:
                rows.append(Row(line, "not measured: hnswlib is not installed; `make bench` compiles it"))
                continue
            rows.append(_compare(context, line, given, name))
    return rows


def _compare(context: Context, line: str, given: Task, name: str) -> Row:
    """Time one rival and ours in turns: ours, theirs, theirs, ours; report the better of each.

    A rival that builds an index for minutes has one turn only.
    """
    ours, theirs = PROGRAMS[name]
    taken: dict[str, list[float]] = {"ours": [], "theirs": []}
    asked, preparing = {}, {"ours": 0.0, "theirs": 0.0}
    turns = ("ours", "theirs", "ours") if name in ONE_TURN else ("ours", "theirs", "theirs", "ours")
    for who in turns:
        program = ours if who == "ours" else theirs
        started = time.perf_counter()
        ready = program(given)
        preparing[who] = max(preparing[who], time.perf_counter() - started)
        started = time.perf_counter()
        asked[who] = ready()
        taken[who].append(time.perf_counter() - started)
    rounds = max(1, len(asked["theirs"]))
    rate = {who: rounds / min(times) for who, times in taken.items()}
    shared, total = agreement(asked["ours"], asked["theirs"])
    n, d = given.vectors.shape
    context.say(
        f"{line} (d = {d}): ours {rate['ours']:.1f}, theirs {rate['theirs']:.1f} rounds/s; "
        f"{shared:,} of {total:,} rows asked are the same"
    )
    context.limit("a round reads the pool once", 1 / rate["ours"], gigabytes=4e-9 * n * d, gigaflops=2e-9 * n * d)
    note = f"{rate['ours'] / rate['theirs']:.1f} times theirs (d = {d}); {shared:,} of {total:,} rows asked the same"
    if max(preparing.values()) > 5:
        note += f"; index before: ours {preparing['ours']:.0f} s, theirs {preparing['theirs']:.0f} s"
    return Row(line, rate["ours"], "rounds/s", note)


def agreement(ours: list[np.ndarray], theirs: list[np.ndarray]) -> tuple[int, int]:
    """Return how many of their rows we asked in the same round, and how many there are."""
    shared = sum(len(np.intersect1d(a, b)) for a, b in zip(ours, theirs, strict=False))
    return shared, sum(map(len, theirs))


def _ours(rule: str, given: Task) -> Program:
    def program() -> list[np.ndarray]:
        search = Ours(given, rule)
        return play(search.query, search.update, given)

    return program


@lru_cache(maxsize=1)
def _lists(given: Task) -> Neighbours:
    return Neighbours(given.vectors, k=CANDIDATES).build()


def _ours_seals(given: Task) -> Program:
    neighbours = _lists(given)  # the index, theirs too, is built before the clock runs

    def program() -> list[np.ndarray]:
        search = Ours(given, "uncertainty", neighbours)
        return play(search.query, search.update, given)

    return program


def _scikit_activeml(given: Task) -> Program:
    from skactiveml.classifier import SklearnClassifier
    from skactiveml.pool import UncertaintySampling
    from skactiveml.utils import MISSING_LABEL

    def program() -> list[np.ndarray]:
        labels = np.full(len(given.vectors), MISSING_LABEL)
        labels[given.start] = given.positive[given.start]
        strategy = UncertaintySampling(method="least_confident", random_state=0)
        model = SklearnClassifier(regression(), classes=[0, 1])
        query = partial(strategy.query, X=given.standardised, clf=model, batch_size=BATCH)
        last: list[np.ndarray] = []

        def ask() -> np.ndarray:
            last[:] = [query(y=labels)]
            return last[0]

        return play(ask, lambda answers: labels.__setitem__(last[0], answers), given)

    return program


def _modal(given: Task) -> Program:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from modAL.models import ActiveLearner, learners
        from modAL.uncertainty import uncertainty_sampling
    # modAL 0.4.2 calls scikit-learn by the name an argument had before 1.6, which 1.8 took away.
    learners.check_X_y = lambda *data, force_all_finite, **more: check_X_y(
        *data, ensure_all_finite=force_all_finite, **more
    )

    def program() -> list[np.ndarray]:
        left = np.setdiff1d(np.arange(len(given.vectors)), given.start)
        learner = ActiveLearner(
            regression(), uncertainty_sampling, given.standardised[given.start], given.positive[given.start].astype(int)
        )
        last: list[np.ndarray] = []

        def ask() -> np.ndarray:
            last[:] = [learner.query(given.standardised[left], n_instances=BATCH)[0]]
            return left[last[0]]

        def teach(answers: np.ndarray) -> None:
            nonlocal left
            learner.teach(given.standardised[left[last[0]]], answers)
            left = np.delete(left, last[0])

        return play(ask, teach, given)

    return program


def _small_text(given: Task) -> Program:
    from small_text import SEALS, LeastConfidence, PoolBasedActiveLearner, SklearnClassifierFactory, SklearnDataset
    from small_text.classifiers.classification import SklearnClassifier

    class WithVectors(SklearnClassifier):
        """SEALS asks the classifier for embeddings; here they are the features."""

        def embed(self, dataset: SklearnDataset, pbar: object = None) -> np.ndarray:
            return dataset.x

    class Factory(SklearnClassifierFactory):
        def new(self) -> WithVectors:
            return WithVectors(regression(), self.num_classes)

    dataset = SklearnDataset(given.standardised, np.zeros(len(given.vectors), int), target_labels=np.array([0, 1]))
    strategy = SEALS(
        LeastConfidence(), k=CANDIDATES, hnsw_kwargs={"space": "l2", "ef": 2 * CANDIDATES}, normalize=False
    )
    learner = PoolBasedActiveLearner(Factory(regression(), 2), strategy, dataset)
    learner.initialize_data(given.start, given.positive[given.start].astype(int))
    unlabelled = np.setdiff1d(np.arange(len(given.vectors)), given.start)
    strategy.get_subset_indices(learner.classifier, dataset, unlabelled, given.start)  # builds the index

    def program() -> list[np.ndarray]:
        return play(
            lambda: learner.query(num_samples=BATCH), lambda answers: learner.update(answers.astype(int)), given
        )

    return program


def _by_hand(given: Task) -> Program:
    """Score everything by the regression, ask the most likely: what one writes in an afternoon."""

    def program() -> list[np.ndarray]:
        known, answers = given.start, given.positive[given.start].astype(int)

        def ask() -> np.ndarray:
            model = regression().fit(given.standardised[known], answers)
            scores = model.decision_function(given.standardised)
            scores[known] = -np.inf
            return np.argsort(-scores, kind="stable")[:BATCH]

        def teach(labels: np.ndarray) -> None:
            nonlocal known, answers
            known, answers = np.concatenate([known, asked[-1]]), np.concatenate([answers, labels])

        asked: list[np.ndarray] = []

        def remembered() -> np.ndarray:
            asked.append(ask())
            return asked[-1]

        return play(remembered, teach, given)

    return program


def _elsa(given: Task) -> Program:
    neighbours = Neighbours(given.vectors)
    neighbours.exact(given.seeds, 1)
    pool = Pool.from_arrays(given.vectors)

    def program() -> list[np.ndarray]:
        rng = np.random.default_rng(0)
        search = Search(pool, given.seeds, config=ELSA, rng=rng, neighbours=neighbours, features=given.features)
        log = simulate(search, Truth(given.positive))
        return [log.rows[log.rounds == step] for step in range(ROUNDS + 1)]

    return program


def _faiss_elsa(given: Task) -> Program:
    """Run ELSA written by hand: faiss for the neighbours, scikit-learn for the head."""
    import faiss

    class FaissPool(plain_loop.PlainPool):
        def __post_init__(self):
            super().__post_init__()
            self.index = faiss.IndexFlatL2(self.vectors.shape[1])
            self.index.add(self.vectors)

        def nearest(self, queries: np.ndarray, count: int, allowed: np.ndarray, *, own: float) -> np.ndarray:
            """Ask for enough neighbours of each query that enough are left when the labelled ones are taken out."""
            count = min(count, int(allowed.sum()))
            if not len(queries) or not count:
                return np.empty(0, np.int64)
            barred = len(allowed) - int(allowed.sum())
            found = self.index.search(self.vectors[queries], min(len(allowed), count + barred + 1))[1]
            rows = np.unique(found)
            rows = rows[allowed[rows]]
            return rows[np.lexsort((rows, self.measured(rows, queries, own=own)))][:count]

    pool = FaissPool(given.vectors)

    def program() -> list[np.ndarray]:
        rng = np.random.default_rng(0)
        log = plain_loop.search(pool, given.seeds, Truth(given.positive), rng, ELSA, plain_loop.scikit_learn).log
        return [log.rows[log.rounds == step] for step in range(ROUNDS + 1)]

    return program


PROGRAMS = {
    "scikit-activeml": (partial(_ours, "uncertainty"), _scikit_activeml),
    "modAL": (partial(_ours, "uncertainty"), _modal),
    "small-text's SEALS": (_ours_seals, _small_text),
    "scikit-learn, greedy": (partial(_ours, "greedy"), _by_hand),
    "faiss + scikit-learn, ELSA": (_elsa, _faiss_elsa),
}
