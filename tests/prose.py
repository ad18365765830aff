"""Numbers in prose and what backs them: for notebooks, and for any page of Markdown with its frames.

A number is backed where it is, to the digits it is given in, a number that the page's own outputs or frames hold: as it
stands, or as per cent. What no frame can hold (the size of a picture, a rule of thumb) is listed in `prose.csv` with
the reason.
"""

import csv
import json
import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from elsa_nb.store import DATA, ROOT

STATED = Path(__file__).with_name("prose.csv")
MEASURES = ["median", "value", "printed_value", "ratio", "purity", "top1"]
LONGEST_FRAME = 150  # rows: among the numbers of a longer one anything would be backed
NUMBER = re.compile(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?![\w])")
# Names with a number in them, and what is code: no statements about results.
NAMES = re.compile(
    r"```.*?```|`[^`]*`|\[[^\]]*\]\([^)]*\)|https?://\S+|\(\d\)|\d+-[a-z]\S+|ImageNet-1k|Food-101|"
    r"\b(?:Tables?|Figures?|Figs?\.|sections?|Algorithms?|lines?|notebooks?|profile|Python|round|rounds|iteration|equation)"
    r" \d[\d.]*(?:(?:, | and | to |-)\d[\d.]*)*",
    re.IGNORECASE | re.DOTALL,
)


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


def stated_for(page: str) -> list[str]:
    """Return the numbers that `prose.csv` gives a reason for, on one page or on all ("*")."""
    with STATED.open(encoding="utf-8", newline="") as stream:
        return [row["number"] for row in csv.DictReader(stream) if row["page"] in (page, "*")]


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


def parts_of_notebook(path: Path) -> list[tuple[str, set[float]]]:
    """Return each piece of a notebook's prose with the numbers that may back it.

    These are what the paper printed, and the outputs and frames of the cells since the last piece that told what was
    seen, this one's own among them; for the opening all of the notebook's.
    """
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    own = [_numbers_of(cell) if cell["cell_type"] == "code" else set() for cell in cells]
    parts, since = [], 0
    for place, cell in enumerate(cells):
        if cell["cell_type"] == "markdown":
            text = "".join(cell["source"])
            near = own if place == 0 else own[since:place]
            printed = printed_values() if re.search("print|paper", text) else set()
            parts.append((text, printed.union(*near)))
            since = place if "**What we saw" in text else since
    return parts


def _numbers_of(cell: dict) -> set[float]:
    """Return the numbers that a cell shows, and those of its exhibit's frame where that is no long curve."""
    found: set[float] = set()
    for name in re.findall(r'exhibits\.save_\w+\([\s\S]*?"([\w-]+)", profile', "".join(cell["source"])):
        found |= frame_values(name)
    for output in cell["outputs"]:
        shown = [
            output.get("text", ""),
            *(output.get("data", {}).get(kind, "") for kind in ("text/plain", "text/html")),
        ]
        found |= set().union(*(values_in("".join(text)) for text in shown if "base64" not in "".join(text)))
    return found
