"""What mkdocs does besides: the committed notebooks become pages, and the figures that pages show are copied.

Links of the pages lead to files of the repository, where people read them, too; the site has its own copies of these.
"""

import re
from pathlib import Path

import nbformat
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from nbconvert import MarkdownExporter

ROOT = Path(__file__).resolve().parent.parent
FIGURES = ("one-search.png", "panel.png")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of notebooks, with their stored pictures, and the figures; nothing is written outside the site."""
    exporter = MarkdownExporter()
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        text, resources = exporter.from_notebook_node(notebook, {"output_files_dir": f"{path.stem}-files"})
        for name, data in resources["outputs"].items():
            files.append(File.generated(config, f"notebooks/{name}", content=data))
        files.append(File.generated(config, f"notebooks/{path.stem}.md", content=page(text, path.name)))
    for name in FIGURES:
        files.append(File.generated(config, f"figures/{name}", abs_src_path=str(ROOT / "figures" / name)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return the text of a page, its links to notebooks and figures leading to those of the site."""
    if page.file.generated_by:
        return markdown
    markdown = re.sub(r"\]\(\.\./\.\./((?:\.\./)*notebooks/[\w-]+)\.ipynb\)", r"](\1.md)", markdown)
    return re.sub(r"\]\(\.\./\.\./((?:\.\./)*figures/[^)]+)\)", r"](\1)", markdown)


def page(text: str, name: str) -> str:
    """Return the markdown of a notebook as a page: links lead to pages, and a line says where it comes from.

    Cells of tables that hold sentences are marked, so that the style lets them break.
    """
    text = re.sub(r"<td>(?=[^<]{40})", '<td class="words">', text)
    text = re.sub(r"(?<=\n)(    \S[^\n]*\n)(?:[ \t]*\n){2,}(?=    \S)", r"\1", text)  # what was printed in pieces
    text = re.sub(r"\]\((\d\d-[\w-]+)\.ipynb\)", r"](\1.md)", text)
    title, _, rest = text.lstrip().partition("\n")
    told = f"*`notebooks/{name}` as it is committed, executed in profile `full`.*"
    return f"{title}\n\n{told}\n\n{rest}"
