"""What the notebooks say in words, for the report: what is claimed, what is run, and what was seen at each exhibit."""

import re
from dataclasses import dataclass
from pathlib import Path

import mistune
import nbformat

CLAIMED, RUN, SEEN = "**What the paper claims", "**What we run", "**What we saw"
_MARKDOWN = mistune.create_markdown()  # which escapes what is HTML already
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


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
            seen[waiting[-1]] = html_of(re.split(r"\n#+ ", text)[0])
            waiting = []
    return Prose(title, _paragraph(opening, CLAIMED), _paragraph(opening, RUN), seen)


def _paragraph(text: str, begins: str) -> str:
    found = [each for each in text.split("\n\n") if each.startswith(begins)]
    return html_of(found[0]) if found else ""


def html_of(text: str) -> str:
    """Return a few paragraphs of Markdown as HTML, without tables and links: the page has its own."""
    blocks = re.split(r"\n\s*\n", text.strip())
    # A table stands in the notebook; a page has no next notebook, and other notebooks are sections of it.
    kept = [block for block in blocks if not block.startswith(("|", "Next: "))]
    return _MARKDOWN(_LINK.sub(r"\1", "\n\n".join(kept))).strip()
