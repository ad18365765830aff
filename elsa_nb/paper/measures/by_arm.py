"""Tables with one row per arm and number of seeds (Tables 2, 3 and 4): medians, intervals and the printed value.

Notebooks 03 and 09 start at `arms_beside_paper`: a long table with one row per cell (encoder, arm, seeds, reading,
metric, median, low, high, printed). `lay_out_by_arm` makes the paper's layout of it. The printed numbers join here and
nowhere earlier.
"""

import pandas as pd

from elsa_nb.paper.measures.medians import (
    ENCODER_TITLES,
    METRIC_TITLES,
    METRICS,
    cell_text,
    implied_labels,
    median_over_seeds,
    medians,
)
from elsa_nb.paper.measures.printed import printed_cells
from elsa_nb.search.readings import READINGS


def arms_beside_paper(runs: pd.DataFrame, table: int) -> pd.DataFrame:
    """Return Table 2, 3 or 4 in long form: every printed cell with our median of both readings and its interval.

    Only the numbers of seeds that were run appear. The row `median` of Table 2 is the median over its own rows, as
    its name says (the printed one is not: paper notes 16). Labels the paper spent are not printed but implied:
    discovery rate x 1300 / labelling efficiency.
    """
    if table not in (2, 3, 4):
        raise ValueError(f"table {table!r}; allowed: 2, 3, 4")
    printed = printed_cells(table)[["encoder", "arm", "seeds", "metric", "printed", "value", "note"]]
    ours = medians(runs).astype({"seeds": str})
    if table == 2:
        ours = pd.concat([ours, median_over_seeds(ours).drop(columns=["searches", "rows"])])
    printed = pd.concat([printed, implied_labels(printed, ["encoder", "arm", "seeds"])])
    keys = ["encoder", "arm", "seeds", "metric"]
    return printed.merge(ours, on=keys, how="inner", validate="one_to_many")


def lay_out_by_arm(long: pd.DataFrame) -> pd.DataFrame:
    """Lay a long table out for reading: a row per (encoder, arm, seeds); per metric both readings and the paper."""
    cells = {}
    for row in long.itertuples():
        line = (ENCODER_TITLES[row.encoder], row.arm, row.seeds)
        title = METRIC_TITLES[row.metric]
        text = cell_text(row).replace(", ", ",\N{NO-BREAK SPACE}")  # narrow columns break before an interval, not in it
        cells.setdefault((title, f"here, {row.reading}"), {})[line] = text
        cells.setdefault((title, "the paper"), {})[line] = row.printed
    order = [
        (METRIC_TITLES[metric], column)
        for metric in METRICS
        for column in (*(f"here, {reading}" for reading in READINGS), "the paper")
    ]
    frame = pd.DataFrame({column: cells[column] for column in order if column in cells})
    frame.index = pd.MultiIndex.from_tuples(frame.index, names=["encoder", "arm", "seeds"])
    return frame.loc[list(dict.fromkeys(zip(*_lines(long), strict=True)))]


def _lines(long: pd.DataFrame) -> tuple[list[str], list[str], list[str]]:
    return [ENCODER_TITLES[e] for e in long["encoder"]], list(long["arm"]), list(long["seeds"])
