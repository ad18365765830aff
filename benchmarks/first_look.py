"""What a person does before the search itself runs, in a folder of 3,000 photographs with 60, 12 or 3 of them wanted.

    ELSA_DATA=... python -m benchmarks.first_look

The folder is that of `own_folder`. Ten dishes are wanted in turn, thinned to the share asked for, four times over. A
simulated person looks at page after page of the panel's own beginning (`label.Begin`), marks every photograph of the
dish, and goes on until the search asks its first question. An *act* is a click or a key: a mark, Enter for the next
page, S to start. `results/first_look.csv` has one row per beginning: acts, photographs looked at, answers stored, and
examples that the search begins with. Ways to begin:

- `pages of 24`: the former way, spread first, then at random; what is not marked becomes negative;
- `overview of 60, 120, 200`: whole pages of small pictures, spread or at random; what is not marked has no answer;
- each until three examples are marked (`at 3`), or from the first page that holds one (`at 1`).
"""

import itertools
import zlib
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.own_folder import REPEATS, in_the_folder
from elsa_nb.label.cards import PASSED
from elsa_nb.label.first_examples import Begin, spread_rows
from elsa_nb.label.fixed_rows import Fixed
from elsa_nb.label.jobs import SAMPLE_ITEMS
from elsa_nb.pool import Pool

WANTED, LEAST = (60, 12, 3), 3
WAYS = [("pages of 24", "spread", 24)]
WAYS += [(f"overview of {page}", order, page) for page in (60, 120, 200) for order in ("spread", "random")]


def begun(begin: Begin, positive: np.ndarray, *, enough: int) -> dict[str, int]:
    """Return what a person did who marks all that is wanted on each page, and starts with `enough` examples."""
    acts = seen = answers = 0
    while begin.looking and (batch := begin.query()) is not None:
        wanted = positive[batch.rows]
        overview, marked = begin.in_overview, len(begin.positives) + int(wanted.sum())
        if marked >= enough:
            begin.start()
        begin.update(np.where(wanted, 1, PASSED if overview else 0))
        acts += int(wanted.sum()) + 1  # the marks, and Enter or S
        seen += len(batch.rows)
        answers += int(wanted.sum()) if overview else len(batch.rows)
    return {"acts": acts, "looked_at": seen, "answers": answers, "examples": len(begin.positives)}


def beginnings(pool: Pool, names: np.ndarray, dishes: list[str]) -> pd.DataFrame:
    """Return one row per beginning."""
    n, rows = pool.n, []
    first = {"spread": [spread_rows(pool.vectors, SAMPLE_ITEMS, np.random.default_rng(0))], "random": []}
    for dish, wanted, repeat in itertools.product(dishes, WANTED, range(REPEATS)):
        rng = np.random.default_rng([zlib.crc32(dish.encode()), wanted, repeat])
        positive = np.zeros(n, bool)
        positive[rng.choice(np.flatnonzero(names == dish), wanted, replace=False)] = True
        order = rng.permutation(n)  # another folder of the same photographs each time
        for (way, samples, page), enough in itertools.product(WAYS, (LEAST, 1)):
            begin = Begin(
                [*first[samples], order], lambda seeds: Fixed(n, seeds), least=LEAST, page=page, overview=page > 24
            )
            told = begun(begin, positive, enough=enough)
            told |= {"way": way, "first": samples, "start": f"at {enough}", "dish": dish, "repeat": repeat}
            rows.append({"wanted": wanted} | told)
    keys = ["way", "first", "start", "wanted", "dish", "repeat", "acts", "looked_at", "answers", "examples"]
    return pd.DataFrame(rows)[keys]


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return medians and 90 % quantiles of each way."""
    by = frame.groupby(["wanted", "way", "first", "start"], sort=False)
    told: dict[str, Any] = {}
    for column in ("acts", "looked_at", "answers"):
        told[column] = by[column].median()
        told[f"{column}_p90"] = by[column].quantile(0.9)
    told["most_acts"] = by["acts"].max()
    return pd.DataFrame(told).reset_index()


def main() -> None:
    """Embed, begin, store and print."""
    in_the_folder("first_look", beginnings, table)


if __name__ == "__main__":
    main()
