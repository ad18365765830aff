"""What the notebooks say in words, for the report: what is claimed, what is run, and what was seen at each exhibit.

Only their headings, bold, italics, code, lists and links are understood: enough for our own notebooks.
"""

import html
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat

CLAIMED, RUN, SEEN = "**What the paper claims", "**What we run", "**What we saw"
_INLINE = (
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
    (re.compile(r"\*\*(.+?)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"\*([^*\n]+)\*"), r"<em>\1</em>"),
    (re.compile(r"\[([^\]]+)\]\([^)]+\)"), r"\1"),  # other notebooks are sections of the same page
)


@dataclass(frozen=True)
class Prose:
    """A notebook's words as HTML: its title, the paragraphs of its beginning, and what was seen, by exhibit."""

    title: str
    claimed: str
    run: str
    seen: dict[str, str]


def prose_of(path: Path) -> Prose:
    """Return the words of the notebook at `path`; empty text where it has no such paragraph."""
    cells = nbformat.read(path, as_version=4).cells
    opening = cells[0].source
    title = opening.partition("\n")[0].lstrip("# ")
    seen, waiting = {}, []
    for cell in cells[1:]:
        if cell.cell_type == "code":
            waiting += re.findall(r'exhibits\.save_\w+\([\s\S]*?"([\w-]+)", profile', cell.source)
        elif SEEN in cell.source and waiting:
            text = cell.source[cell.source.index(SEEN) :]
            seen[waiting[-1]] = as_html(re.split(r"\n#+ ", text)[0])
            waiting = []
    return Prose(title, _paragraph(opening, CLAIMED), _paragraph(opening, RUN), seen)


def _paragraph(text: str, begins: str) -> str:
    found = [each for each in text.split("\n\n") if each.startswith(begins)]
    return as_html(found[0]) if found else ""


def as_html(text: str) -> str:
    """Return a few paragraphs of Markdown as HTML."""
    parts = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = _inline(block).split("\n")
        if all(line.startswith(("- ", "  ")) for line in lines):
            items = re.split(r"(?:^|\n)- ", "\n".join(lines))[1:]
            parts.append("<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>")
        elif lines[0].startswith(("|", "Next: ")):
            continue  # a table stands in the notebook; a page has no next notebook
        else:
            parts.append(f"<p>{' '.join(lines)}</p>")
    return "\n".join(parts)


def _inline(text: str) -> str:
    shown = html.escape(text, quote=False)
    for pattern, by in _INLINE:
        shown = pattern.sub(by, shown)
    return shown
