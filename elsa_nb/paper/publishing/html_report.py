"""One HTML page with every table and figure of a profile, in the words of the notebooks: `elsa-nb report`."""

import base64
import html
import os
import re
from pathlib import Path

import nbformat
import pandas as pd

from elsa_nb import store
from elsa_nb.errors import MissingDataError
from elsa_nb.paper.comparison.verdicts import OWN_NUMBERS, overview
from elsa_nb.paper.publishing.exhibits import CATALOGUE, read_index
from elsa_nb.paper.publishing.prose import html_of, prose_of
from elsa_nb.profiles import PROFILES, Profile

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
p, li { max-width: 50rem } h1, h2, h3 { line-height: 1.2 } h2 { margin-top: 3rem; border-bottom: 1px solid #ddd }
table { border-collapse: collapse; font-size: 12px; line-height: 1.35; font-variant-numeric: tabular-nums }
.wide { overflow-x: auto } .item { color: #666; font-weight: normal }
nav ul { columns: 2; column-gap: 3rem; padding-left: 1.2rem } nav li { break-inside: avoid }
th, td { padding: .2rem .5rem; border-bottom: 1px solid #eee; text-align: left; vertical-align: top }
img { max-width: 100% } a { color: #0072B2 } .from { color: #666; font-size: 13px }
details { margin: .4rem 0; font-size: 14px } summary { cursor: pointer }
summary em { color: #555; font-style: normal } .holds { color: #00694b } .fails { color: #a33b00 } .open { color: #666 }
@page { size: A4 landscape; margin: 12mm }
@media print {
  .from { font-size: 9px } body { font-size: 11px; margin: 0; max-width: none; padding: 0 } .wide { overflow: visible }
  table { font-size: 8px; width: auto; max-width: 100% } th, td { padding: 1px 3px; overflow-wrap: anywhere }
  thead th { overflow-wrap: normal } h2, h3 { break-after: avoid } img, tr { break-inside: avoid }
  img { max-height: 165mm } details::details-content { content-visibility: visible; block-size: auto }
}
"""
_LONG = 50  # rows: a longer table is folded, for what follows it would be pages away
_TOGETHER = re.compile(r"(\[[-+.,\d]+,) ([-+.,\d]+\])|(≈) (?=\d)")  # [0.70, 0.86] and ≈ 8,655: no line ends within
_COLOUR = {"holds": "holds", "does not hold": "fails"}


def write_report(profile: Profile) -> Path:
    """Write the report of `profile` to `build/<profile>/report.html`, self-contained, and return its path.

    For other profiles than `full` the committed results of `full` follow in a second part, with what was seen in them.
    Raises MissingDataError that lists the exhibits missing for this profile.
    """
    index = read_index(profile.figures)
    missing = [name for name in CATALOGUE if name not in set(index["name"])]
    if missing:
        raise MissingDataError(
            f"the report of profile {profile.name!r} lacks {', '.join(missing)} (looked in {profile.figures}). "
            f"`make reproduce PROFILE={profile.name}` makes them."
        )
    full = PROFILES["full"]
    parts = [f"<h1>ELSA, reproduced: profile {profile.name}</h1>", f"<p>{html.escape(profile.about.capitalize())}.</p>"]
    two = profile != full and len(read_index(full.figures)) > 0
    parts += [_contents(profile, index, two), _how_to_read()]
    parts += _section(profile, index)
    if two:
        parts.append(f'<h1 id="{full.name}">The committed results of profile full</h1>')
        parts.append(
            f"<p>{html.escape(full.about.capitalize())}. Not computed just now: made by <code>make full</code>.</p>"
        )
        parts += _section(full, read_index(full.figures))
    page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>ELSA: {profile.name}</title>'
    page += f"<style>{_STYLE}</style>\n"
    path = profile.build / "report.html"
    store.write_atomically(path, (page + "\n".join(parts) + "</html>\n").encode())
    return path


def _contents(profile: Profile, index: pd.DataFrame, two: bool) -> str:
    entries = []
    for notebook, rows in index.groupby("notebook", sort=False):
        items = dict.fromkeys(rows["paper_item"])
        title = html.escape(prose_of(store.NOTEBOOKS / f"{notebook}.ipynb").title)
        shown = f'<span class="item">{html.escape(", ".join(items))}</span>'
        entries.append(f'<li><a href="#{profile.name}-{notebook}">{title}</a> {shown}</li>')
    if two:
        entries.append('<li><a href="#full">The same for the committed results of profile full</a></li>')
    return f"<nav><h2>Contents</h2><ul>{''.join(entries)}</ul></nav>"


def _how_to_read() -> str:
    """Return the beginning of notebook 99: the two readings, the spread, and what may be compared."""
    last = sorted(store.NOTEBOOKS.glob("[0-9][0-9]-*.ipynb"))[-1]
    opening = nbformat.read(last, as_version=4).cells[0].source
    return f"<h2>How to read it</h2>\n{html_of(opening.partition(chr(10))[2])}"


def _section(profile: Profile, index: pd.DataFrame) -> list[str]:
    """Return the exhibits of a profile by notebook: claimed, run, shown and, where its results are committed, seen."""
    parts = []
    for notebook, rows in index.groupby("notebook", sort=False):
        words = prose_of(store.NOTEBOOKS / f"{notebook}.ipynb")
        parts.append(f'<h2 id="{profile.name}-{notebook}">{html.escape(words.title)}</h2>')
        parts += [words.claimed, words.run]
        for row in rows.itertuples():
            parts.append(f'<h3>{html.escape(row.title)} <span class="item">{html.escape(row.paper_item)}</span></h3>')
            parts.append(_exhibit(profile.figures, row.name, row.kind, row.title))
            if profile.name == "full":  # the words are about these numbers
                parts.append(words.seen.get(row.name, ""))
            source = f"Its rows: <code>{os.path.relpath(profile.figures, store.ROOT)}/{row.name}.csv</code>."
            sweep = f" Searches: <code>data/results/{row.sweep}-{profile.name}.parquet</code>." if row.sweep else ""
            parts.append(f'<p class="from">{source}{sweep} Notebook {notebook}.</p>')
    return parts


def _exhibit(folder: Path, name: str, kind: str, title: str) -> str:
    if name == "verdicts":
        return _verdicts(folder / f"{name}.csv")
    if kind == "table":
        table = _TOGETHER.sub(r"\1\3&nbsp;\2", (folder / f"{name}.html").read_text(encoding="utf-8"))
        shown = f'<div class="wide {name}">{table}</div>'
        rows = table.partition("</thead>")[2].count("<tr")
        return shown if rows <= _LONG else f"<details><summary>Show its {rows} rows</summary>{shown}</details>"
    picture = base64.b64encode((folder / f"{name}.png").read_bytes()).decode()
    return f'<img alt="{html.escape(title)}" src="data:image/png;base64,{picture}">'


def _verdicts(path: Path) -> str:
    """Return one line per claim with its verdicts; a click shows the rule and every number that they rest on."""
    judged = pd.read_csv(path, keep_default_na=False)
    if not {"id", "verdict", "numbers", "rule"} <= set(judged):
        raise MissingDataError(f"{path} holds no verdicts: run notebook 99 in this profile")
    shown = overview(judged)
    lines = []
    for (claim, where, sentence), words in shown.iterrows():
        given = "; ".join(
            f'{html.escape(column)}: <strong class="{_COLOUR.get(word, "open")}">{word}</strong>'
            for column, word in words.items()
            if word and not (column == OWN_NUMBERS and word == "not testable here")
        )
        rows = judged[judged["id"] == claim]
        rule = f"<p>Rule: {html.escape(rows['rule'].iloc[0])}.</p>" if rows["rule"].iloc[0] else ""
        told = "".join(
            f"<li>{html.escape(row.reading)}: {html.escape(row.numbers)}"
            + (f". <em>{html.escape(row.said)}</em>" if row.said else "")
            + "</li>"
            for row in rows.itertuples()
        )
        lines.append(
            f"<details><summary>{html.escape(sentence)} <em>({html.escape(where)})</em><br>{given}</summary>"
            f"{rule}<ul>{told}</ul></details>"
        )
    return f'<div class="verdicts">{"".join(lines)}</div>'
