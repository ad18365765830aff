"""The page of `elsa-nb bench` in a window: nothing of its table is hidden at the side."""

import numpy as np
import pandas as pd
import pytest

from elsa_nb import cli


@pytest.fixture
def page_of(browser, tmp_path, monkeypatch):
    """Return a function that opens the page of a comparison of small classes in a window of some width."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    np.save("v.npy", rng.normal(size=(1200, 8)).astype(np.float32))  # nothing to find by: the widest numbers
    pd.DataFrame({"item": np.arange(48), "label": np.arange(48) % 2}).to_csv("l.csv", index=False)
    assert cli.main(["bench", "v.npy", "l.csv", "--repeats", "1"]) == 0
    pages = []

    def opened(width):
        pages.append(browser.new_page(viewport={"width": width, "height": 900}))
        pages[-1].goto((tmp_path / "v-bench.html").as_uri())
        return pages[-1]

    yield opened
    for page in pages:
        page.close()


def test_the_table_fits_into_a_window_and_can_be_moved_in_a_narrow_one(page_of):
    hidden = "() => { const d = document.querySelector('.wide'); return d.scrollWidth - d.clientWidth }"
    assert page_of(1100).evaluate(hidden) == 0
    narrow = page_of(390)
    assert narrow.evaluate(hidden) > 0
    assert narrow.evaluate("() => document.documentElement.scrollWidth") == 390
