"""The page that `elsa-nb bench` writes: one self-contained HTML file, curves included."""

import html
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from elsa_nb.bench.arms import arm_preparations
from elsa_nb.bench.comparison import RANDOM, Plan, curves
from elsa_nb.counts import count_of
from elsa_nb.overheads import MISSED, MOST_COUNTED, SPENT, overheads, summary
from elsa_nb.pictures.opening import escaped
from elsa_nb.search.strategies.registry import strategies
from elsa_nb.written_files import write_export

ANOTHER_PAGE = "Give another name with --out, or move that page away."  # where one was changed since it was written
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
h1, h2 { line-height: 1.2 } .said { font-size: 1.15rem; border-left: 4px solid #009E73; padding-left: .8rem }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .4rem; border-bottom: 1px solid #ddd; text-align: right; vertical-align: top }
th { vertical-align: bottom } td { white-space: nowrap } small { color: #555 }
th:first-child, td:first-child { text-align: left } .small { color: #555; font-size: 13px } svg { max-width: 100% }
.wide { overflow-x: auto }
"""
_FITS = '<meta name="viewport" content="width=device-width">'
_GREY = "#999999"  # of random order
# For arms without a colour of their own, or with that of another arm; the first is NN.Large's elsewhere.
_SPARE_COLOURS = ("#CC79A7", "#009E73", "#56B4E9", "#E69F00", "#D55E00", "#0072B2", "#000000")
_SHOWN = (50, 80, 90, 95)  # shares of a class, in percent
_FEWEST = 6  # classes: with five, one arm needs fewer labels in all of them in one case of sixteen by chance alone
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 760, 420, 60, 170, 15, 45


def page_command(path: Path) -> list[str]:
    """Return the command that made the page `path`; none where it is missing or not the page of a comparison."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    found = re.search(r"Made by <code>(elsa-nb bench .*?)</code>", text)
    return shlex.split(html.unescape(found[1])) if found else []


def write_page(
    path: Path, frame: pd.DataFrame, plan: Plan, about: str, commands: str, remarks: Sequence[str] = ()
) -> str:
    """Write the page of a comparison, `frame` as of `comparison.compare`; return its sentence on what to use.

    `about` says what was searched, `commands` how the page was made, `remarks` what was odd about vectors and labels;
    all are text. Raises ValueError, writing nothing, for a file that is there and does not hold what was written by
    this before.
    """
    share = judged_at(frame)
    said = advice(frame, share)
    table = summary(frame, base=best_arm(frame, share))
    told = f" In {SPENT[0]}: the share found in {SPENT[0]} labels, {100 * MOST_COUNTED:g} % at most."
    in_spent = "" if plan.budget < SPENT[0] else told
    one = frame["target"].nunique() == 1  # over one class there is no interval
    few = " With so few classes, intervals over them say little." if _few(frame) and not one else ""
    searches = count_of(len(frame.drop_duplicates(["target", "repeat"])), "search", "searches")
    intervals = "" if one else ", with bootstrap intervals of 95 % over classes"
    seconds = frame["seconds"].div(frame["rounds"]).groupby(frame["arm"]).median()
    parts = [
        "<h1>Which searcher for these vectors</h1>",
        f"<p>{html.escape(about)}</p>",
        *(f'<p class="small">{html.escape(remark)}</p>' for remark in remarks),
        f'<p class="said">{html.escape(said)}</p>',
        "<h2>What is found for how many labels</h2>",
        draw(curves(frame), plan.points()),
        '<p class="small">The share of the class that is found, the mean over all searches. A search ends when 95 % '
        "are found, and counts as staying there.</p>",
        "<h2>Labels per find</h2>",
        _table(table, seconds, frame),
        '<p class="small">Labels / finds when that share of a class is found, seeds counted; 1 is the minimum. '
        f"Medians over {searches} per arm{intervals}. A search that does not get that far in {plan.budget:,} labels "
        f"counts {MISSED} times as many there; their number follows the value, and a dash stands where half or "
        "more did not. Fewer and more: in how many classes an arm needs fewer or more labels than "
        f"{html.escape(best_arm(frame, share))} to {share} %."
        f"{in_spent} Random order is computed, not searched.{few}</p>",
        f'<p class="small">What each searcher works on: {html.escape(_prepared(frame))}.</p>',
        f'<p class="small">Made by <code>{html.escape(commands)}</code></p>',
    ]
    head = (
        f'<!doctype html><html lang="en"><meta charset="utf-8">{_FITS}<title>Which searcher for these vectors</title>'
    )
    # Files may have been named in bytes that are not UTF-8.
    data = escaped(f"{head}<style>{_STYLE}</style>\n{chr(10).join(parts)}</html>\n").encode()
    write_export(path, data, cure=ANOTHER_PAGE)
    return said


def _prepared(frame: pd.DataFrame) -> str:
    """Return how the vectors are prepared for the arms of a comparison, those of the same preparation together."""
    told = arm_preparations()
    arms: dict[str, list[str]] = {}
    for arm in frame["arm"].unique():
        if arm in told:
            arms.setdefault(told[arm], []).append(arm)
    return "; ".join(f"{' and '.join(names)}, {preparation}" for preparation, names in arms.items())


def judged_at(frame: pd.DataFrame) -> int:
    """Return the largest of 50, 80 and 90 percent that an arm reaches in more than half of its searches; else 50."""
    return next((share for share in (90, 80) if not _seldom_by_arm(frame, share).all()), 50)


def best_arm(frame: pd.DataFrame, share: int) -> str:
    """Return the arm whose overhead at a share, in percent, is the least: geometric mean over classes.

    Of those that reach it in more than half of their searches, where there are any.
    """
    return _means(frame, share).index[0]


def advice(frame: pd.DataFrame, share: int) -> str:
    """Return in a sentence or two which arm to use, and whether the next best can be told from it."""
    means = _means(frame, share)
    best, *others = means.index
    table = summary(frame, base=best).set_index("arm")
    if _seldom(table.loc[best], share):
        return (
            f"With {frame['budget'].max():,} labels no searcher reaches {share} % of a class in most of its searches; "
            f"allow more (--budget) to tell them apart."
        )
    spends = f"{table.loc[best, f'overhead_{share}']:.2f} labels per find (median)"
    chance = frame.loc[(frame["arm"] == RANDOM) & (frame[f"labels_{share}"] > 0)]
    at_random = float(overheads(chance, share / 100).median()) if len(chance) else np.inf
    weak = " That is little better than random order: other vectors would help more than another searcher."
    weak = weak if means[best] > 0.7 * at_random else ""
    if not others:
        return f"{best} spends {spends} to {share} % of a class; nothing else was compared.{weak}"
    row = table.loc[others[0]]
    ratio, low, high = (row[f"ratio_{part}{share}"] for part in ("", "low_", "high_"))
    numbers = f"{ratio:.2f} times the labels [{low:.2f}, {high:.2f}]"
    ends = f" To {share} % of a class {best} spends {spends}.{weak}"
    if few := _few(frame):
        return (
            f"{few} too few to tell {best} from {others[0]}, which needs {ratio:.2f} times the labels here; "
            f"give {_FEWEST} or more.{ends}"
        )
    if round(low, 2) > 1:  # rounded as shown: an interval that begins at 1.00 does not tell them apart
        return f"Use {best}: the next best, {others[0]}, needs {numbers}.{ends}"
    return f"{best} or {others[0]}: on these classes the two cannot be told apart, {others[0]} needs {numbers}.{ends}"


def _seldom(row: Mapping[str, Any] | pd.Series, share: int) -> bool:
    """Whether half or more searches of an arm, a row of `summary`, do not reach a share: a median then says little."""
    return bool(2 * row[f"unreached_{share}"] >= row["searches"])


def _seldom_by_arm(frame: pd.DataFrame, share: int) -> pd.Series:
    """Return `_seldom` of each arm except random order."""
    searched = frame[frame["arm"] != RANDOM]
    return (searched[f"labels_{share}"] == 0).groupby(searched["arm"]).mean() >= 0.5


def _few(frame: pd.DataFrame) -> str:
    """Return how many classes were searched for, as "2 classes are", where they are too few; else nothing."""
    counted = frame["target"].nunique()
    return (
        "" if counted >= _FEWEST else f"{counted} class{'' if counted == 1 else 'es'} {'is' if counted == 1 else 'are'}"
    )


def _means(frame: pd.DataFrame, share: int) -> pd.Series:
    """Return the geometric mean overhead of each arm except random order, the least first; last, who seldom gets there.

    The mean of an arm that seldom gets there is mostly what a miss counts.
    """
    searched = frame[frame["arm"] != RANDOM]
    logs = np.log(overheads(searched, share / 100))
    by_class = logs.groupby([searched["arm"], searched["target"]], sort=False).mean()
    means = np.exp(by_class.groupby(level=0, sort=False).mean()).sort_values(kind="stable")
    return means.loc[_seldom_by_arm(frame, share)[means.index].sort_values(kind="stable").index]


def draw(lines: Mapping[str, np.ndarray], points: np.ndarray) -> str:
    """Return an SVG of discovery (k,) of each arm against labels `points` (k,), which grow geometrically."""
    inner = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    most = np.log(points[-1])

    def x(labels: float) -> float:
        return _LEFT + inner[0] * np.log(labels) / most

    def y(share: float) -> float:
        return _TOP + inner[1] * (1 - share)

    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" role="img" aria-label="discovery against labels">'
    ]
    grey = 'stroke="#ddd"'
    for share in (0, 0.25, 0.5, 0.75, 1):
        parts.append(f'<line x1="{_LEFT}" x2="{_LEFT + inner[0]}" y1="{y(share):.1f}" y2="{y(share):.1f}" {grey}/>')
        parts.append(
            f'<text x="{_LEFT - 8}" y="{y(share) + 4:.1f}" text-anchor="end" font-size="12">{share:.0%}</text>'
        )
    for labels in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000):
        if labels <= points[-1]:
            parts.append(f'<line y1="{_TOP}" y2="{_TOP + inner[1]}" x1="{x(labels):.1f}" x2="{x(labels):.1f}" {grey}/>')
            at = f'x="{x(labels):.1f}" y="{_HEIGHT - _BOTTOM + 18}"'
            parts.append(f'<text {at} text-anchor="middle" font-size="12">{labels:,}</text>')
    parts.append(
        f'<text x="{_LEFT + inner[0] / 2}" y="{_HEIGHT - 6}" text-anchor="middle" font-size="13">labels</text>'
    )
    ends = sorted(((float(line[-1]), arm) for arm, line in lines.items()), reverse=True)
    below = float("-inf")
    heights = {}
    for share, arm in ends:  # names at the lines' ends, no two overlapping
        below = max(y(share) + 4, below + 15)
        heights[arm] = below
    colours = _colours_of(list(lines))
    for arm, line in lines.items():
        colour = colours[arm]
        path = " ".join(f"{x(p):.1f},{y(share):.1f}" for p, share in zip(points, line, strict=True))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        at = f'x="{_LEFT + inner[0] + 8}" y="{heights[arm]:.1f}" fill="{colour}"'
        parts.append(f'<text {at} font-size="13">{html.escape(arm)}</text>')
    return "".join([*parts, "</svg>"])


def _colours_of(arms: Sequence[str]) -> dict[str, str]:
    """Return the colour of each arm: where possible the one that its strategy declares, as in every figure."""
    declared = {name: kind.colour for name, kind in strategies().items() if name in arms}
    taken, colours = {_GREY}, {RANDOM: _GREY}
    for arm in arms:
        if arm in declared and declared[arm].lower() not in taken:
            colours[arm] = declared[arm]
            taken.add(declared[arm].lower())
    spare = [colour for colour in _SPARE_COLOURS if colour.lower() not in taken] or list(_SPARE_COLOURS)
    others = [arm for arm in arms if arm not in colours]
    return colours | {arm: spare[number % len(spare)] for number, arm in enumerate(others)}


def _table(table: pd.DataFrame, seconds: pd.Series, frame: pd.DataFrame) -> str:
    share, several = judged_at(frame), frame["target"].nunique() > 1
    spent = [k for k in SPENT if k <= frame["budget"].max()]
    heads = ["", *(f"to {each} %" for each in _SHOWN), "fewer, more", *(f"in {k}" for k in spent), "s per round"]
    rows = [f"<tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>"]
    for row in table.set_index("arm").to_dict("index").items():
        arm, values = row
        cells = [html.escape(arm)]
        for each in _SHOWN:
            missed = values[f"unreached_{each}"]
            spent_a_find = "-" if (seldom := _seldom(values, each)) else f"{values[f'overhead_{each}']:.2f}"
            interval = f"<br><small>[{values[f'low_{each}']:.2f}, {values[f'high_{each}']:.2f}]</small>"
            told = f"{spent_a_find} ({missed:.0f})" if missed else spent_a_find
            cells.append(told if seldom or not several else told + interval)
        cells.append(f"{values[f'fewer_{share}']:.0f}, {values[f'more_{share}']:.0f}")
        cells += [f"{values[f'found_in_{k}']:.0%}" for k in spent]
        cells.append("" if np.isnan(seconds[arm]) else f"{seconds[arm]:.3f}")
        rows.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    return f'<div class="wide" tabindex="0"><table>{"".join(rows)}</table></div>'
