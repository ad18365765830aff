"""Every line of the summary, in its order, with its goal: a line not measured yet says so and is not left out.

`judge` tells whether a figure meets its goal; `WHY` has the reason for a goal that is missed, where it is known.
"""

import re

PLAIN = "the plain loop on the same 50 searches"
SIZES = (10_000, 100_000, 1_000_000)
UNCERTAINTY = ("scikit-activeml", "modAL")
RIVALS = (*UNCERTAINTY, "small-text's SEALS", "scikit-learn, greedy", "faiss + scikit-learn, ELSA")
UNLESS = "not measured"
MET, MISSED = "met", "missed"
FASTER, FLIPS = "faster", "each flip within rounding"


def rival(name: str, n: int) -> str:
    """Return the line of one rival at one size."""
    return f"beside {name}, {n:,} rows"


SWEEP = "Tables 2-4 protocol, 10,000 searches x both readings, bundled pool, all cores"
ROUND, ROUND_LARGE = "one round, 100,000 x 256", "one round, 1,281,167 x 2,048"
ROUND_HARVEST = "one round of Harvest, 100,000 x 256"
ROUND_IN_PART = f"{ROUND_HARVEST}, a hundredth looked at closely"
MANY_WHOLE = "10,000 searches of Harvest to 95 % of a class, 100,000 x 256, all cores"
MANY_IN_PART = f"{MANY_WHOLE}, a hundredth looked at closely"
LARGE_POOLS = ("1,281,167 x 2,048 prepared to 256", "10,000,000 x 256", "100,000,000 x 64")
ROUND_GPU = f"{ROUND_LARGE}, one GPU"
TABLE_3_GPU = "Table 3 protocol, 5,000 searches, 1,281,167 x 2,048, one GPU"
GRAPH = "exact neighbour graph, 100,000 x 256, k = 128"
GRAPH_SINGLE = f"{GRAPH}, as without bf16 matrix units"
GRAPH_GPU = "exact neighbour graph, 1,281,167 x 2,048, k = 128, one GPU"
LARGER = "pool larger than memory, 1,281,167 x 8,192 float16: peak resident"
GROWTH = {
    "time of a search against n": "at most 1",
    "time of a search against k": "at most 1",
    "time against searches at once": "at most 1",
    "memory against n": "at most 1",
    "memory against searches at once": "at most 1",
    "time of the exact neighbour graph against n": "at most 2: every pair is compared",
}


def harvest_in(pool: str) -> tuple[str, str, str, str, str]:
    """Return the lines of Harvest in a large pool: preparing it, a round's median and p95, memory, exactness."""
    search = f"one round of Harvest, {pool}"
    exact = f"the 200 highest rows by the line on the shortlist of their codes, {pool}"
    preparing = f"preparing {pool.replace(' prepared', '')}, once"
    return preparing, f"{search}, median", f"{search}, p95", f"memory of Harvest, {pool}", exact


# Of each large pool: preparing, a round's median, its p95, memory, exactness.
_IN_LARGE_POOLS = (
    ("at most 120 s", "", "at most 60 ms", "at most 2 GB", ""),
    ("", "", "at most 500 ms", "at most 8 GB", ""),
    ("", "", "at most 1,000 ms", "at most 10 GB", "at least 99 %"),
)

LINES = {
    SWEEP: "at most 30 min",
    f"{PLAIN}, paper reading": "at least 25 times slower",
    f"{PLAIN}, released-code reading": "at least 25 times slower",
    "logs identical to the plain loop's, paper reading": "50 of 50",
    "logs identical to the plain loop's, released-code reading": "50 of 50",
    "logs identical with scikit-learn's arithmetic, paper reading": FLIPS,
    "logs identical with torch's arithmetic, released-code reading": FLIPS,
    f"{ROUND}, median": "",
    f"{ROUND}, p95": "at most 50 ms",
    f"{ROUND_HARVEST}, median": "",
    f"{ROUND_HARVEST}, p95": "at most 10 ms",
    f"{ROUND_IN_PART}, median": "",
    f"{ROUND_IN_PART}, p95": "at most 10 ms",
    MANY_WHOLE: "at most 20 min",
    MANY_IN_PART: "at most 20 min",
    **{
        line: goal
        for pool, goals in zip(LARGE_POOLS, _IN_LARGE_POOLS, strict=True)
        for line, goal in zip(harvest_in(pool), goals, strict=True)
    },
    f"{ROUND_LARGE} float16, median": "",
    f"{ROUND_LARGE} float16, p95": "at most 1,000 ms",
    f"{ROUND_LARGE} float32, median": "",
    f"{ROUND_LARGE} float32, p95": "at most 1,000 ms",
    f"{ROUND_GPU}, p95": "at most 50 ms",
    TABLE_3_GPU: "at most 10 min",
    GRAPH: "with bf16 matrix units at most 0.6 times faiss",
    GRAPH_SINGLE: "at most 0.9 times faiss",
    GRAPH_GPU: "at most 60 s",
    LARGER: "at most 4 GB",
    **{rival(name, n): FASTER for name in RIVALS for n in SIZES},
    **{f"growth: {what}, exponent": goal for what, goal in GROWTH.items()},
    "limit: reading memory": "",
    "limit: float32 matrix product": "",
    "limit: bf16 matrix product": "",
}

# Reasons in how the search works, which hold whatever the figure is. They are shown only where the goal is missed.
WHY = {
    f"{ROUND_HARVEST}, p95": "A round compares every row of the pool with every new answer (the kernel). One round in "
    "twenty has 98 answers or more. "
    "Looking closely at a part only was made for pools in which a person would wait for that; a pool of at most "
    "131,072 rows is searched as before, answer by answer.",
    f"{ROUND_IN_PART}, p95": "Few rows are compared with the answers, but each round still trains its line anew and "
    "reads the codes of all rows.",
    MANY_WHOLE: "In these rounds, too, every row is compared with every new answer.",
}

_BOUND = re.compile(r"at (most|least) ([\d.,]+) ?([^:]*)")


def judge(goal: str, measured: str, unit: str, ratio: str) -> str:
    """Return whether a row of the summary meets its goal, `MET` or `MISSED`; "" without a goal or without a figure.

    "at most" and "at least" are about the figure, if the goal has its unit, and about the ratio if its unit begins with
    "times". `FASTER` is a ratio above 1, "50 of 50" the figure itself, and `FLIPS` a ratio such as "8 of 8".
    Raises ValueError for a goal of another form or in another unit.
    """
    if not goal or not re.match(r"[-+\d]", measured):
        return ""
    said, bound = f"{measured} {unit}".strip(), _BOUND.search(goal)
    if goal == FASTER:
        met = _number(ratio) > 1
    elif goal == FLIPS:
        met = not ratio or bool(re.match(r"(\d+) of \1\b", ratio))
    elif re.fullmatch(r"(\d+) of \1", goal):
        met = said == goal
    elif bound is None or not (bound[3].startswith("times") or said.partition(" ")[2] == bound[3]):
        raise ValueError(
            f"{said!r} cannot be judged by the goal {goal!r}; allowed: 'at most' or 'at least' a number in the unit of "
            f"the figure or in 'times', {FASTER!r}, {FLIPS!r}, and such as '50 of 50': mend benchmarks/goals.py"
        )
    else:
        figure, limit = _number(ratio if bound[3].startswith("times") else said), _number(bound[2])
        met = figure <= limit if bound[1] == "most" else figure >= limit
    return MET if met else MISSED


def _number(text: str) -> float:
    """Return the number that a text begins with, thousands parted by commas."""
    return float(text.partition(" ")[0].replace(",", ""))
