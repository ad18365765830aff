"""What the README shows runs as pasted, and it stays short enough to be read."""

import re

from elsa_nb.store import ROOT

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def loop_of(text):
    return re.search(r"```python\n(.*?)```", text.partition("## The loop")[2], re.DOTALL)[1]


def test_the_loop_runs_as_pasted_and_finds_the_class(capsys):
    exec(compile(loop_of(TEXT), "README.md", "exec"), {})
    found, labels = map(int, re.fullmatch(r"(\d+) found with (\d+) labels\n", capsys.readouterr().out).groups())
    assert found == 40
    assert labels < 2000


def test_it_is_short():
    assert TEXT.count("\n") < 120


def test_its_links_lead_to_files():
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert len(links) > 20
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_documentation_begins_with_the_same_loop():
    assert loop_of((ROOT / "docs" / "pages" / "index.md").read_text(encoding="utf-8")) == loop_of(TEXT)


def test_it_tells_the_same_time_as_the_page_on_reproducing():
    """The page was measured anew, and the README kept the old time."""
    pages = [ROOT / "README.md", ROOT / "docs" / "pages" / "reproduce.md"]
    told = [re.findall(r"the first took (\d+) minutes, less than (\d+)", page.read_text("utf-8")) for page in pages]
    assert len(told[0]) == 1
    assert told[0] == told[1]
