"""Numbers in prose and what backs them: for notebooks, and for any page of Markdown with its frames.

A number is backed where it is, to the digits it is given in, a number that the page's own outputs or frames hold: as it
stands, or as per cent. A range ("0.79-0.96") is backed where its ends are the least and the largest of one measure of
one group of rows, such as an arm in a reading: among the numbers of all arms most ends would be found. What no frame
holds is listed in `prose.csv` with the reason: what is a choice or a constant as it is, what follows from results with
the function of `prose_computed` that computes it anew, so that it cannot get stale.
"""

import csv
import json
import re
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from elsa_nb.store import DATA, ROOT

STATED = Path(__file__).with_name("prose.csv")
MEASURES = ["median", "value", "printed_value", "ratio", "purity", "top1"]
GROUPS = ["encoder", "reading", "arm", "metric", "pool", "space"]  # by which ranges are told
LONGEST_FRAME = 150  # rows: among the numbers of a longer one anything would be backed
NUMBER = re.compile(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?![\w])")
# Names with a number in them, and what is code: no statements about results.
NAMES = re.compile(
    r"```.*?```|`[^`]*`|\[[^\]]*\]\([^)]*\)|https?://\S+|\(\d\)|\d+-[a-z]\S+|ImageNet-1k|Food-101|"
    r"\b(?:Tables?|Figures?|Figs?\.|sections?|Algorithms?|lines?|notebooks?|profile|Python|round|rounds|iteration|equation)"
    r" \d[\d.]*(?:(?:, | and | to |-)\d[\d.]*)*",
    re.IGNORECASE | re.DOTALL,
)
_NOTEBOOK = re.compile(r"\(\.\./\.\./notebooks/([\w-]+)\.ipynb\)")  # a page's link to it


RANGE = re.compile(r"(?<![\w.,-])(\d[\d,]*(?:\.\d+)?)-(\d[\d,]*(?:\.\d+)?)(?![\w-])( ?(?:%|points))?")


class Part(NamedTuple):
    """A piece of prose, with the numbers and the ranges that may back it."""

    text: str
    values: set[float]
    ranges: set[tuple[float, float]]


def numbers_in(text: str) -> list[tuple[str, bool]]:
    """Return the numbers of a Markdown text as they are written, those in names and code left out.

    With each: whether it is said to be per cent or points, a hundred times what a frame holds ("9 to 24 % of a class").
    """
    plain = re.sub(r"(?<=\d)-(?=\d)", " to ", NAMES.sub(" ", text))
    return [
        (found[0].rstrip(","), bool(re.match(r"(?: to [\d.]+| and [\d.]+)? ?(?:%|points)", plain[found.end() :])))
        for found in NUMBER.finditer(plain)
    ]


def values_in(text: str) -> set[float]:
    """Return the numbers of outputs, without signs, and without the intervals in brackets: prose is about medians."""
    plain = re.sub(r"<[^>]*>|\[[^\]]*\]", " ", text)
    return {float(found.replace(",", "")) for found in re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?(?:e-?\d+)?", plain)}


def is_backed(written: str, values: Iterable[float], *, percent: bool = False) -> bool:
    """Tell whether one of `values` is what is `written`, rounded to its digits: itself, or as `percent` of one."""
    digits = len(written.partition(".")[2])
    number = float(written.replace(",", ""))
    if not digits and number >= 1000:  # a round number of labels: 4,600
        digits = -(len(str(int(number))) - len(str(int(number)).rstrip("0")))
    half = 0.5 * 10.0**-digits + 1e-9
    return any(abs(times * value - number) <= half for value in values for times in ((1, 100) if percent else (1,)))


def unbacked(text: str, values: Iterable[float], stated: Iterable[str] = ()) -> list[str]:
    """Return the numbers of a Markdown text that neither `values` back nor `stated` names."""
    values, stated, found = list(values), set(stated), []
    for written, percent in numbers_in(text):
        if written not in stated and not is_backed(written, values, percent=percent):
            found.append(written)
    return list(dict.fromkeys(found))


def ranges_not_backed(text: str, ranges: Iterable[tuple[float, float]], stated: Iterable[str] = ()) -> list[str]:
    """Return the ranges of a Markdown text, "a-b", that are none of `ranges` and whose ends `stated` does not name."""
    ranges, stated, found = list(ranges), set(stated), []
    for low, high, unit in RANGE.findall(NAMES.sub(" ", text)):
        told = any(
            is_backed(low, [least], percent=bool(unit)) and is_backed(high, [most], percent=bool(unit))
            for least, most in ranges
        )
        if not told and not {low, high} <= stated:
            found.append(f"{low}-{high}")
    return found


def reasons() -> list[dict[str, str]]:
    """Return the rows of `prose.csv`: page, number, why, and what computes it, where it follows from results."""
    with STATED.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def stated_for(page: str) -> list[str]:
    """Return the numbers that `prose.csv` gives a reason for, on one page or on all ("*")."""
    return [row["number"] for row in reasons() if row["page"] in (page, "*")]


def printed_values() -> set[float]:
    """Return every number that the paper printed in a table."""
    return set().union(*(values_in(path.read_text(encoding="utf-8")) for path in DATA.glob("claims/table*.csv")))


def frame_values(*names: str) -> set[float]:
    """Return the numbers of exhibits' frames, `figures/<name>.csv`: their measures, if they are no long curve."""
    found: set[float] = set()
    for name in names:
        frame = pd.read_csv(ROOT / "figures" / f"{name}.csv")
        if len(frame) <= LONGEST_FRAME:
            found |= set(frame.filter(MEASURES).select_dtypes("number").abs().stack())
    return found


def frame_ranges(*names: str) -> set[tuple[float, float]]:
    """Return the least and the largest of each measure, of all rows of exhibits' frames and of every group of them.

    Frames of the same columns count as one: Tables 3 and 4 are the encoders of one comparison.
    """
    alike: dict[tuple[str, ...], list[pd.DataFrame]] = {}
    for name in dict.fromkeys(names):
        frame = pd.read_csv(ROOT / "figures" / f"{name}.csv")
        alike.setdefault(tuple(frame.columns), []).append(frame)
    return {found for frames in alike.values() for found in _ranges_of(pd.concat(frames, ignore_index=True))}


def _ranges_of(frame: pd.DataFrame) -> set[tuple[float, float]]:
    measures = frame.filter(MEASURES).select_dtypes("number").columns
    groups = [name for name in GROUPS if name in frame]
    found = set()
    for count in range(len(groups) + 1):
        for keys in combinations(groups, count):
            parts = [part for _, part in frame.groupby(list(keys))] if keys else [frame]
            found |= {(part[each].min(), part[each].max()) for part in parts for each in measures}
    return found


def parts_of_notebook(path: Path) -> list[Part]:
    """Return each piece of a notebook's prose with what may back it.

    These are what the paper printed, and the outputs and frames of the cells since the last piece that told what was
    seen, this one's own among them; for the opening all of the notebook's.
    """
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    own = [_numbers_of(cell) if cell["cell_type"] == "code" else set() for cell in cells]
    shown = [exhibits_of(cell) if cell["cell_type"] == "code" else [] for cell in cells]
    parts, since = [], 0
    for place, cell in enumerate(cells):
        if cell["cell_type"] == "markdown":
            text = "".join(cell["source"])
            near = own if place == 0 else own[since:place]
            printed = printed_values() if re.search("print|paper", text) else set()
            frames = shown if place == 0 else shown[since:place]
            parts.append(Part(text, printed.union(*near), frame_ranges(*(name for each in frames for name in each))))
            since = place if "**What we saw" in text else since
    return parts


def points_of_page(path: Path, notebooks: Sequence[Path], begins: str) -> list[Part]:
    """Return the points of a page's list under the heading `begins`, with what may back them.

    That is all that the notebooks show to which a point links; or, where it links to none, those that the words before
    the list link to; and what the paper printed.
    """
    before, *points = path.read_text(encoding="utf-8").split(begins)[1].split("\n## ")[0].split("\n- ")
    parts = []
    for text in points:
        named = _NOTEBOOK.findall(text) or _NOTEBOOK.findall(before)
        cells = [
            cell
            for notebook in notebooks
            if notebook.stem in named
            for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]
            if cell["cell_type"] == "code"
        ]
        values = printed_values().union(*(_numbers_of(cell) for cell in cells))
        parts.append(Part(text, values, frame_ranges(*(name for cell in cells for name in exhibits_of(cell)))))
    return parts


def exhibits_of(cell: dict) -> list[str]:
    """Return the names of the exhibits that a cell saves."""
    return re.findall(r'exhibits\.save_\w+\([\s\S]*?"([\w-]+)", profile', "".join(cell["source"]))


def _numbers_of(cell: dict) -> set[float]:
    """Return the numbers that a cell shows, and those of its exhibit's frame where that is no long curve."""
    found = frame_values(*exhibits_of(cell))
    for output in cell["outputs"]:
        shown = [
            output.get("text", ""),
            *(output.get("data", {}).get(kind, "") for kind in ("text/plain", "text/html")),
        ]
        found |= set().union(*(values_in("".join(text)) for text in shown if "base64" not in "".join(text)))
    return found
