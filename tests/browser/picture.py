"""`python tests/browser/picture.py`: make figures/panel.png, the README's picture, from the panel as it is now."""

import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import numpy as np  # noqa: E402
import scene  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

import conftest  # noqa: E402
from elsa_nb.label import Panel, searching  # noqa: E402
from elsa_nb.search.oracle import Truth  # noqa: E402

CHARACTER, ANSWERED, DOUBTFUL = "ç", 10, 6


def main(path: Path) -> None:
    """Label three pages, half of the next, and take its picture."""
    truth = scene.truth(CHARACTER)
    rows = np.flatnonzero(truth)
    search = searching.search_from(scene.pool())(rows[:: len(rows) // 3][:3])
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=conftest.ARGUMENTS)
        session = Path(folder) / "s.sqlite"
        panel = Panel(search, scene.images(), session, title="letters", oracle=Truth(truth))
        panel.session.remark("class", f"the letter {CHARACTER}")
        panel.play(pages=3)
        page = browser.new_page(viewport={"width": 1000, "height": 760})
        desk = conftest.BareDesk(page, panel, Path(folder)).run()
        desk.focus()
        for i, (row, _) in enumerate(desk.rows()[:ANSWERED]):
            desk.press("2" if i == DOUBTFUL else "1" if truth[row] else "0")
        desk.settle()
        page.wait_for_timeout(2000)  # the figures are sent a moment later
        desk.root.screenshot(path=path)
        browser.close()
        panel.close()


if __name__ == "__main__":
    main(HERE.parents[1] / "figures" / "panel.png")
