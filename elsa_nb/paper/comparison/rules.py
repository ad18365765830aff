"""Rules for what the paper says of its own tables: tested by the printed digits (frame `printed`), without any search.

`verdicts` applies these rules beside those of the experiments.
"""

from elsa_nb.paper.measures.medians import IMAGENET_CLASS, IMAGENET_IMAGES
from elsa_nb.paper.measures.rules import Frames, Numbers, RuleTest, rule

OWN = ""  # they judge the paper's own numbers and nothing else


@rule("median-row", "each of its four numbers is the median of the five above it", printed=OWN)
def _median_row(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    table = frames["printed"].query("table == '2'")
    tests = []
    for (encoder, metric), rows in table.groupby(["encoder", "metric"], sort=False):
        last = rows["seeds"] == "median"
        median, printed = rows.loc[~last, "value"].median(), rows.loc[last, "value"].item()
        tests.append(RuleTest(f"{encoder}, {metric}: printed {printed:g}, the median is {median:g}", printed == median))
    return tests


@rule(
    "same-runs",
    "in each of Tables 3 and 4, every number of Table 2 stands again, but for rounding to fewer digits",
    printed=OWN,
)
def _same_runs(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    printed = frames["printed"].query("arm == 'ELSA'")
    once, again = printed.query("table == '2'"), printed.query("table in ['3', '4']")
    twice = once.merge(again, on=["encoder", "seeds", "metric"], suffixes=("", "_again"))
    differ = [_differ(*pair) for pair in zip(twice["printed"], twice["printed_again"], strict=True)]
    return [
        RuleTest(f"Table {table}: {rows['differ'].sum()} of {len(rows)} differ", not rows["differ"].any())
        for table, rows in twice.assign(differ=differ).groupby("table_again", sort=False)
    ]


def _differ(one: str, other: str) -> bool:
    """Tell whether two printed numbers differ by more than rounding to the fewer digits of the two."""
    digits = min(len(text.partition(".")[2]) for text in (one, other))
    return abs(float(one) - float(other)) > 0.5 * 10.0**-digits + 1e-9


@rule("alpha-2-table", "its rows are not those of Table 9", printed=OWN)
def _alpha_2_table(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    keys = ["setting", "metric", "printed"]
    printed = frames["printed"].groupby("table")
    eighth, ninth = (set(printed.get_group(table)[keys].itertuples(index=False, name=None)) for table in ("8", "9"))
    return [
        RuleTest(
            f"{len(eighth & ninth)} of its {len(eighth)} numbers are Table 9's at l = 25, 50, 100", eighth != ninth
        )
    ]


@rule("guessing", "images of a class as a share of the pool, to one digit of a per cent: 0.1 %", printed=OWN)
def _guessing(frames: Frames, numbers: Numbers) -> list[RuleTest]:
    share = IMAGENET_CLASS / IMAGENET_IMAGES
    return [RuleTest(f"{IMAGENET_CLASS:,} of {IMAGENET_IMAGES:,} images are {share:.3%}", round(share, 3) == 0.001)]
