"""All choices of an ELSA search as one value; `ELSA` is the paper's.

`elsa.Search` takes it, sweeps vary it. What else the paper's text or the authors' released code can be read to mean is
in `readings`.
"""

from dataclasses import dataclass, field

import numpy as np

from elsa_nb.search import algorithms
from elsa_nb.search.checks import check_counts
from elsa_nb.search.heads.head import HeadConfig


@dataclass(frozen=True)
class SearchConfig:
    """All choices of a search. The defaults are the paper's ELSA; the comments give the open points of the text.

    The numbers `rounds`, `a`, `l`, `b`, `alpha_1`, `alpha_2` carry the letters of the paper's tables.
    """

    rounds: int = 10  # "epochs" in the paper
    a: int = 50  # rows asked by NN in a round
    l: int = 50  # noqa: E741 - points sampled by RandS
    b: int = 50  # rows asked by RandS at first; "increases linearly as more positive samples are discovered":
    b_slope: float = 1.0  # max(b, b_slope x positives known) ...
    b_floor: bool = True  # ... or, without the floor, b_slope x positives known from the second round on
    alpha_1: float = 1.0  # RandS samples scores above mean + alpha_1 std
    alpha_2: float = 2.0  # the final search takes scores above mean + alpha_2 std ...
    final_budget: int | None = None  # ... all of them, or the best so many
    use_rands: bool = True
    use_head: bool = True  # without: RandS samples unlabelled rows at random, and the head serves the final search only
    use_final: bool = True
    nn_per: str = "total"  # is `a` a "total" for the round (Algorithm 1) or for each "query"?
    nn_queries: str = (
        "new positives"  # of the last round (Algorithm 4), "all positives" (section 4.1), "last neighbours"
    )
    # After a round without finds NN inside ELSA and No Active goes on from all positives, which no line of Algorithm 4
    # says. NN alone "ends" there; or it "goes on", too.
    nn_alone: str = "ends"
    rands: str = "algorithm 2"  # or "appendix b", "sampled points"
    # The head learns from this round's negatives (Algorithm 4 line 9; a round without any leaves those of the round
    # before; a head trained only once, at the end, sees those of the last round), or from "all".
    negatives: str = "round"
    confidence: str = "probability"  # what mean + alpha std is taken of; or "logit"
    head: HeadConfig = field(default_factory=HeadConfig)
    final_head: HeadConfig | None = (
        None  # how an arm without the head in its rounds trains it at the end; None: as `head`
    )
    head_space: str = "search"  # the head sees the vectors searched, or the encoder's "embedding"
    zero_pass: bool = False  # one more round before the first, in which RandS draws at random
    relabel: bool = False  # only known positives are barred: negatives are asked, paid for and counted again

    def __post_init__(self):
        check_counts(self, rounds=0, a=1, l=1, b=0)
        if not 0 <= self.b_slope < np.inf:
            raise ValueError(f"b_slope = {self.b_slope!r}; allowed: 0 or more rows for each positive known")
        for name in ("alpha_1", "alpha_2"):
            if not np.isfinite(getattr(self, name)):
                raise ValueError(f"{name} = {getattr(self, name)!r}; allowed: a finite number of standard deviations")
        if self.final_budget is not None:
            check_counts(self, final_budget=1)
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
