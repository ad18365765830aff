"""All choices of an ELSA search as one value; `ELSA` is the paper's.

`elsa.Search` takes it, and sweeps vary it. `readings` has the other meanings that the paper's text or the authors'
released code can be given.
"""

from dataclasses import dataclass, field

from elsa_nb.search import algorithms
from elsa_nb.search.checks import check_counts, check_kinds, check_number
from elsa_nb.search.heads.head import HeadConfig


@dataclass(frozen=True)
class SearchConfig:
    """All choices of a search; the defaults are the paper's ELSA. A field decides each point that its text leaves open.

    The numbers `rounds`, `a`, `l`, `b`, `alpha_1`, `alpha_2` are named as in the paper's tables.

    >>> from dataclasses import replace
    >>> from elsa_nb import ELSA
    >>> ELSA.a, replace(ELSA, a=100).a   # a variation is a value
    (50, 100)

    Attributes:
        rounds: Rounds before the final search ("epochs" in the paper).
        a: Rows asked by NN per round.
        l: Points sampled by RandS.
        b: Rows asked by RandS in the first round. The number "increases linearly as more positive samples are
            discovered" (section 6); the next three fields say how.
        b_slope: Rows asked by RandS for each positive known.
        b_floor: Whether RandS asks never fewer than b rows: max(b, b_slope x positives known). If not, it asks b rows
            in the first round and b_slope x positives known in each round after it.
        b_added: Whether b is added to what grows: b + b_slope x positives known. Then `b_floor` has no effect.
        alpha_1: RandS samples among the rows whose score exceeds mean + alpha_1 std.
        alpha_2: The final search asks the rows whose score exceeds mean + alpha_2 std.
        final_budget: The largest number of them that the final search asks, the highest scores first; None: all.
        use_rands: Whether RandS asks at all.
        use_head: Without the head RandS samples unlabelled rows at random, and the head serves the final search only.
        use_final: Whether there is a final search.
        nn_per: Whether `a` is per round ("total", Algorithm 1) or per "query", which is never its own neighbour then.
        nn_queries: Whose neighbours NN asks: the "new positives" of the last round (Algorithm 4), "all positives"
            (section 4.1), or the "last neighbours", positive or not.
        nn_alone: After a round without finds, NN inside ELSA and No Active goes on from all positives, though no line
            of Algorithm 4 says so. NN alone "ends" there; or it "goes on", too.
        rands: Which text RandS follows: "algorithm 2", "appendix b" or "sampled points".
        negatives: What the head learns from besides the positives: this "round"'s negatives (Algorithm 4 line 9; a
            round without any leaves those of the round before; a head trained only once, at the end, sees those of the
            last round), or "all".
        confidence: The scores whose mean + alpha std is the threshold: "probability" or "logit".
        head: How the head is built and trained.
        final_head: How an arm without the head in its rounds trains one at the end; None: as `head`.
        head_space: What the head sees: the vectors searched ("search"), or the encoder's "embedding".
        zero_pass: Whether one more round comes before the first, in which RandS draws at random.
        relabel: Whether a row may be asked again unless it is a known positive, and in the final search
            every row. Each such question costs another label.
            If not, no row is asked twice.
        nothing_barred: Whether a round may ask every row again, known positives and the queries themselves included,
            as Algorithm 1's "min >= 0" says literally; with `nn_per` "query", a query only as the neighbour of another.
    """

    rounds: int = 10
    a: int = 50
    l: int = 50  # noqa: E741 - the paper's letter
    b: int = 50
    b_slope: float = 1.0
    b_floor: bool = True
    b_added: bool = False
    alpha_1: float = 1.0
    alpha_2: float = 2.0
    final_budget: int | None = None
    use_rands: bool = True
    use_head: bool = True
    use_final: bool = True
    nn_per: str = "total"
    nn_queries: str = "new positives"
    nn_alone: str = "ends"
    rands: str = "algorithm 2"
    negatives: str = "round"
    confidence: str = "probability"
    head: HeadConfig = field(default_factory=HeadConfig)
    final_head: HeadConfig | None = None
    head_space: str = "search"
    zero_pass: bool = False
    relabel: bool = False
    nothing_barred: bool = False

    def __post_init__(self):
        check_kinds(self)
        check_counts(self, rounds=0, a=1, l=1, b=0)
        check_number("b_slope", self.b_slope, "0 or more rows for each positive known", least=0)
        for name in ("alpha_1", "alpha_2"):
            check_number(name, getattr(self, name), "a finite number of standard deviations")
        if self.final_budget is not None:
            check_counts(self, final_budget=1)
        if not isinstance(self.final_head, HeadConfig | None):
            raise ValueError(f"final_head = {self.final_head!r:.60}; allowed: a HeadConfig, or None for that of rounds")
        for name, allowed in _ALLOWED.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} = {getattr(self, name)!r}; allowed: {', '.join(map(repr, allowed))}")


_ALLOWED = {
    "nn_per": algorithms.PER,
    "nn_queries": ("new positives", "all positives", "last neighbours"),
    "nn_alone": ("ends", "goes on"),
    "rands": algorithms.RANDS,
    "negatives": ("round", "all"),
    "confidence": ("probability", "logit"),
    "head_space": ("search", "embedding"),
}

ELSA = SearchConfig()
