"""Figures and tables are saved with their rows, byte for byte the same each time, and indexed once."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from elsa_nb import profiles
from elsa_nb.errors import MissingDataError
from elsa_nb.paper.publishing import exhibits, html_report


@pytest.fixture
def build(tmp_path, monkeypatch):
    monkeypatch.setattr(profiles, "ROOT", tmp_path)
    monkeypatch.setattr(profiles, "FIGURES", tmp_path / "figures")
    monkeypatch.setattr(html_report.store, "ROOT", tmp_path)
    return tmp_path / "build" / "quick"


@pytest.fixture
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


def test_the_index_has_one_line_an_exhibit_in_catalogue_order(build, rows):
    exhibits.save_table(rows, "table03", "quick", rows)
    exhibits.save_figure(draw(rows), "glyphs", "quick", rows)
    exhibits.save_table(rows, "table03", "quick", rows)
    index = exhibits.read_index(build / "figures")
    assert index["name"].tolist() == ["glyphs", "table03"]
    assert index["kind"].tolist() == ["figure", "table"]
    assert index["paper_item"].tolist()[1] == "Table 3"


def test_a_name_outside_the_catalogue_is_refused(build, rows):
    with pytest.raises(ValueError, match="exhibit 'table99' is not in the catalogue"):
        exhibits.save_table(rows, "table99", "quick", rows)
    assert not build.exists()


def test_the_report_names_what_is_missing(build, rows):
    exhibits.save_table(rows, "table03", "quick", rows)
    with pytest.raises(MissingDataError, match=r"lacks glyphs, purity.*make reproduce PROFILE=quick"):
        html_report.write_report(profiles.profile("quick"))
    assert not (build / "report.html").exists()


def test_the_report_holds_every_exhibit_and_nothing_from_outside(build, rows):
    for name in exhibits.CATALOGUE:
        if name.startswith("table"):
            exhibits.save_table(rows, name, "quick", rows)
        else:
            exhibits.save_figure(draw(rows), name, "quick", rows)
    page = html_report.write_report(profiles.profile("quick")).read_text()
    for exhibit in exhibits.CATALOGUE.values():
        assert exhibit.title in page
    assert page.count("<img") == sum(not name.startswith("table") for name in exhibits.CATALOGUE)
    assert "http://" not in page
    assert "https://" not in page
