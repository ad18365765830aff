"""Figures and tables are saved with their rows, byte for byte the same each time, and indexed once."""

import html
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from elsa_nb import profiles, store
from elsa_nb.errors import MissingDataError
from elsa_nb.paper.comparison import verdicts
from elsa_nb.paper.comparison.tables import Results
from elsa_nb.paper.publishing import exhibits, html_report, prose


def put_below(folder, monkeypatch):
    monkeypatch.setattr(profiles, "ROOT", folder)
    monkeypatch.setattr(profiles, "FIGURES", folder / "figures")
    monkeypatch.setattr(html_report.store, "ROOT", folder)
    return folder / "build" / "quick"


@pytest.fixture
def build(tmp_path, monkeypatch):
    return put_below(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def rows():
    return pd.DataFrame({"x": [1, 2], "y": [0.1, 0.123456789]})


def draw(rows):
    figure, ax = plt.subplots()
    ax.plot(rows["x"], rows["y"])
    plt.close(figure)
    return figure


def test_a_figure_is_saved_three_ways_and_repeats_to_the_byte(build, rows):
    exhibits.save_figure(draw(rows), "equal-budget", "quick", rows)
    folder = build / "figures"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(before) == {"equal-budget.png", "equal-budget.svg", "equal-budget.csv", "index.csv"}
    exhibits.save_figure(draw(rows), "equal-budget", "quick", rows)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_notebook_shows_every_figure_and_not_the_first_alone():
    """A figure drawn in `rc_context` was the first to load the backend, and took the interactive mode away with it."""
    lines = [
        "from IPython.core.interactiveshell import InteractiveShell",
        "InteractiveShell.instance()",
        "import matplotlib.pyplot as plt",
        "import elsa_nb.paper.publishing.exhibits",
        "with plt.rc_context({'font.size': 9}):",
        "    plt.subplots()",
        "print(plt.isinteractive())",
    ]
    inline = os.environ | {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], env=inline, capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"


def test_the_index_has_one_line_an_exhibit_in_catalogue_order(build, rows):
    exhibits.save_table(rows, "table03", "quick", rows)
    exhibits.save_figure(draw(rows), "glyphs", "quick", rows)
    exhibits.save_table(rows, "table03", "quick", rows)
    index = exhibits.read_index(build / "figures")
    assert index["name"].tolist() == ["glyphs", "table03"]
    assert index["kind"].tolist() == ["figure", "table"]
    assert index["paper_item"].tolist()[1] == "Table 3"


def test_notebooks_at_once_lose_no_line_of_the_index_and_say_nothing_of_waiting(build, rows, capsys):
    names = [name for name in exhibits.CATALOGUE if name.startswith("table")]
    with ThreadPoolExecutor(len(names)) as threads:
        list(threads.map(lambda name: exhibits.save_table(rows, name, "quick", rows), names))
    assert exhibits.read_index(build / "figures")["name"].tolist() == names
    assert not list((build / "figures").glob(".*"))
    assert capsys.readouterr().out == ""


def test_a_name_outside_the_catalogue_is_refused(build, rows):
    with pytest.raises(ValueError, match="exhibit 'table99' is not in the catalogue"):
        exhibits.save_table(rows, "table99", "quick", rows)
    assert not build.exists()


@pytest.mark.parametrize(
    ("index", "kept"), [(None, False), ([7, 3], False), (["a", "b"], True), (pd.Index([7, 3], name="n"), True)]
)
def test_a_published_table_has_no_row_numbers_and_no_holes_in_words(build, index, kept):
    table = pd.DataFrame({"labels": [None, 12.5], "count": pd.array([None, 4], "Int64")}, index=index)
    exhibits.save_table(table.rename_axis(columns="pool"), "table03", "quick", table)
    shown = (build / "figures/table03.html").read_text()
    assert ("<th>" in shown.partition("<tbody>")[2]) == kept
    assert "NaN" not in shown
    assert "NA" not in shown
    assert shown.count("<td></td>") == 2


def test_the_report_names_what_is_missing(build, rows):
    exhibits.save_table(rows, "table03", "quick", rows)
    with pytest.raises(MissingDataError, match=r"lacks glyphs, purity.*make reproduce PROFILE=quick"):
        html_report.write_report(profiles.profile("quick"))
    assert not (build / "report.html").exists()


LENGTHS = {"table03": 50, "table04": 51}  # rows: the longest table that is shown at once, and one that is not


@pytest.fixture(scope="module")
def report(tmp_path_factory, rows):
    """Write the report once for all."""
    judged = verdicts.verdicts(Results("quick", {}, {}, {}))
    spot = plt.figure(figsize=(0.1, 0.1))  # nothing is drawn: there are a hundred of them
    plt.close(spot)
    with pytest.MonkeyPatch.context() as patch:
        put_below(tmp_path_factory.mktemp("report"), patch)
        for name in exhibits.CATALOGUE:
            if name == "verdicts":
                exhibits.save_table(verdicts.overview(judged), name, "quick", judged)
            elif name in LENGTHS:
                numbers = pd.DataFrame({"number": "0.78 [-0.70, +0.86]"}, index=range(LENGTHS[name]))
                exhibits.save_table(numbers, name, "quick", numbers)
            elif name.startswith("table"):
                exhibits.save_table(rows, name, "quick", rows)
            else:
                exhibits.save_figure(spot, name, "quick", rows)
        return html_report.write_report(profiles.profile("quick")).read_text()


def test_the_report_holds_every_exhibit_and_nothing_from_outside(report):
    for exhibit in exhibits.CATALOGUE.values():
        assert html.escape(exhibit.title) in report
    drawn = [name for name in exhibits.CATALOGUE if not name.startswith("table") and name != "verdicts"]
    assert report.count("<img") == len(drawn)
    assert "http://" not in report
    assert "https://" not in report


def test_the_report_reads_as_a_document(report):
    """Contents that lead somewhere, the two readings, what is claimed and run, and every verdict with its evidence."""
    links = re.findall(r'href="#([^"]+)"', report)
    assert len(links) == len({exhibit.notebook for exhibit in exhibits.CATALOGUE.values()})
    assert all(f'id="{link}"' in report for link in links)
    assert "<strong>Two readings.</strong>" in report
    assert report.count("<strong>What the paper claims") >= 8
    claims = verdicts.list_claims()
    assert report.count("<details>") == len(claims) + 1
    assert report.count("<summary>Show its 51 rows</summary>") == 1
    assert report.count("<td>0.78 [-0.70,&nbsp;+0.86]</td>") == sum(LENGTHS.values())
    assert all(html.escape(sentence) in report for sentence in claims["sentence"])
    assert "Table 2 contradicts the abstract" in report


def test_what_was_seen_is_told_at_its_exhibit():
    path = store.NOTEBOOKS / "07-hyperparameters.ipynb"
    words = prose.prose_of(path)
    assert words.title.startswith("Tables 6-9 and Figure 7")
    assert words.seen["fig07-radius"].startswith("<p><strong>What we saw.</strong> In <code>paper</code>")
    assert "##" not in "".join(words.seen.values())


def test_markdown_of_notebooks_becomes_html():
    text = "*It* **is** `a < b`, see [there](x.ipynb).\n\n- one\n  line\n- two"
    shown = prose.html_of(text)
    assert shown.startswith("<p><em>It</em> <strong>is</strong> <code>a &lt; b</code>, see there.</p>")
    assert shown.endswith("<ul>\n<li>one\nline</li>\n<li>two</li>\n</ul>")
    assert prose.html_of("| a |\n|---|\n\nNext: [b](b.ipynb)\n\nword") == "<p>word</p>"
