"""One HTML page with every table and figure of a profile, beside what the paper printed: `elsa-nb report`."""

import base64
import html
import os
from pathlib import Path

import pandas as pd

from elsa_nb import store
from elsa_nb.errors import MissingDataError
from elsa_nb.paper.publishing.exhibits import CATALOGUE, read_index
from elsa_nb.profiles import PROFILES, Profile

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
h1, h2, h3 { line-height: 1.2 } h2 { margin-top: 3rem; border-bottom: 1px solid #ddd }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums }
table, pre { display: block; overflow-x: auto } .item { color: #666; font-weight: normal }
th, td { padding: .2rem .6rem; border-bottom: 1px solid #eee; text-align: right; white-space: nowrap }
.verdicts td { white-space: normal; text-align: left }
th { text-align: left } img { max-width: 100% } a { color: #0072B2 } .from { color: #666; font-size: 13px }
"""


def write_report(profile: Profile) -> Path:
    """Write the report of `profile` to `build/<profile>/report.html`, self-contained, and return its path.

    For other profiles than `full` the committed results of `full` follow in a second part. Raises MissingDataError
    that lists the exhibits missing for this profile.
    """
    index = read_index(profile.figures)
    missing = [name for name in CATALOGUE if name not in set(index["name"])]
    if missing:
        raise MissingDataError(
            f"the report of profile {profile.name!r} lacks {', '.join(missing)} (looked in {profile.figures}). "
            f"`make reproduce PROFILE={profile.name}` makes them."
        )
    parts = [f"<h1>ELSA, reproduced: profile {profile.name}</h1>", f"<p>{html.escape(profile.about.capitalize())}.</p>"]
    parts += _section(profile, index)
    full = PROFILES["full"]
    if profile != full and len(read_index(full.figures)):
        parts.append("<h1>The committed results of profile full</h1>")
        parts.append(
            f"<p>{html.escape(full.about.capitalize())}. Not computed just now: made by <code>make full</code>.</p>"
        )
        parts += _section(full, read_index(full.figures))
    page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>ELSA: {profile.name}</title>'
    page += f"<style>{_STYLE}</style>\n"
    path = profile.build / "report.html"
    store.write_atomically(path, (page + "\n".join(parts) + "</html>\n").encode())
    return path


def _section(profile: Profile, index: pd.DataFrame) -> list[str]:
    parts = []
    for notebook, rows in index.groupby("notebook", sort=False):
        parts.append(f"<h2>{html.escape(notebook)}</h2>")
        for row in rows.itertuples():
            parts.append(f'<h3>{html.escape(row.title)} <span class="item">{html.escape(row.paper_item)}</span></h3>')
            parts.append(_exhibit(profile.figures, row.name, row.kind, row.title))
            source = f"Its rows: <code>{os.path.relpath(profile.figures, store.ROOT)}/{row.name}.csv</code>."
            sweep = f" Searches: <code>data/results/{row.sweep}-{profile.name}.parquet</code>." if row.sweep else ""
            parts.append(f'<p class="from">{source}{sweep}</p>')
    return parts


def _exhibit(folder: Path, name: str, kind: str, title: str) -> str:
    if kind == "table":
        return f'<div class="{name}">{(folder / f"{name}.html").read_text(encoding="utf-8")}</div>'
    picture = base64.b64encode((folder / f"{name}.png").read_bytes()).decode()
    return f'<img alt="{html.escape(title)}" src="data:image/png;base64,{picture}">'
