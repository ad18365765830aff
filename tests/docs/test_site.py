"""The site builds without a warning, and its pages open no connection to anywhere."""

import logging
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

from elsa_nb.store import ROOT

pytestmark = pytest.mark.slow
FETCHED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "video": "src"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the site; strict, so that a warning of its own raises."""
    folder = tmp_path_factory.mktemp("site")
    logging.getLogger("mkdocs").setLevel(logging.WARNING)
    build(load_config(str(ROOT / "docs" / "mkdocs.yml"), site_dir=str(folder)))
    return folder


class Addresses(HTMLParser):
    """Collects what a browser fetches for a page by itself; links that a person may follow are none of it."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag in FETCHED and attributes.get("rel") not in ("canonical", "prev", "next"):
            self.found.append(attributes.get(FETCHED[tag]) or "")


def test_no_page_fetches_anything_from_elsewhere(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 35
    for page in pages:
        parser, html = Addresses(), page.read_text(encoding="utf-8")
        parser.feed(html)
        assert 'class="mermaid"' not in html, f"{page.name}: for a diagram the theme would load a script from elsewhere"
        assert [address for address in parser.found if re.match(r"(?:https?:)?//", address)] == [], page.name
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(\s*[\"']?(?:https?:)?//|@import", sheet.read_text(encoding="utf-8")), sheet.name


def test_every_notebook_is_a_page_with_its_pictures(site):
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        html = (site / "notebooks" / f"{path.stem}.html").read_text(encoding="utf-8")
        pictures = re.findall(rf'src="({path.stem}-files/[^"]+)"', html)
        assert all((site / "notebooks" / name).is_file() for name in pictures)
        assert len(pictures) >= path.read_text(encoding="utf-8").count('"image/png"')


def test_the_pages_of_the_api_show_examples_as_code(site):
    html = (site / "api" / "label.html").read_text(encoding="utf-8")
    assert "label_folder" in html
    assert "<blockquote>" not in html


def test_a_warning_ends_the_build(tmp_path):
    """A link that leads nowhere is one; where warnings are kept quiet, mkdocs does not count them either."""
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "index.md").write_text("[nowhere](nowhere.md)")
    told = (ROOT / "docs" / "mkdocs.yml").read_text(encoding="utf-8").partition("\nhooks:")[0]
    (tmp_path / "mkdocs.yml").write_text(
        told.replace("extra_css: [look.css]", "") + "\nvalidation: {links: {not_found: warn}}\n"
    )
    command = re.search(r"\bmkdocs build .*", (ROOT / "Makefile").read_text(encoding="utf-8"))[0].replace(
        "docs/mkdocs.yml", "mkdocs.yml"
    )
    done = subprocess.run([sys.executable, "-m", *command.split()], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "nowhere.md" in done.stderr
