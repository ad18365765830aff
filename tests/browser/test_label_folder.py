"""A folder of one's own, from its pictures to the panel: one line in JupyterLab, one command under Voila."""

import os

import numpy as np
from PIL import Image

N = 40
BEGIN = "import os\nos.environ['ELSA_ROOT'] = os.getcwd()"


def pictures(folder):
    """Write 40 small pictures, every fifth of them a red disc; return which."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    y, x = np.mgrid[-48:48, -48:48]
    red = np.arange(N) % 5 == 0
    for row in range(N):
        pixels = rng.integers(0, 256, (12, 12, 3), np.uint8).repeat(8, 0).repeat(8, 1)
        if red[row]:
            pixels[y**2 + x**2 < 1600] = (220, 20, 30)
        Image.fromarray(pixels).save(folder / f"p{row:02d}.png")
    return red


def test_one_line_of_a_notebook_embeds_a_folder_and_shows_it(open_desk):
    red = pictures(open_desk.folder / "pictures")
    desk = open_desk(BEGIN, "import elsa_nb\nelsa_nb.label_folder('pictures', session='s.sqlite')")
    words = desk.page.locator(".jp-OutputArea-output").all_inner_texts()
    assert any("It is supervised" in text for text in words)
    for _ in range(6):
        for i, (row, label) in enumerate(desk.rows()):
            if red[row] and label != 1:
                desk.page.locator(".elsa-card").nth(i).click()
        desk.page.locator(".elsa-next").click()
        desk.settle()
        if desk.state()["over"]:
            break
    assert desk.state()["labels"].count(1) == red.sum()
    desk.check_file()
    shots = os.environ.get("ELSA_SHOTS", str(open_desk.folder))
    desk.page.screenshot(path=f"{shots}/own-folder.png")
    again = open_desk(BEGIN, "import elsa_nb\nelsa_nb.label_folder('pictures', session='s.sqlite')", name="again.ipynb")
    assert again.state()["labels"] == desk.state()["labels"]
    assert any("are here: 40 images" in t for t in again.page.locator(".jp-OutputArea-output").all_inner_texts())
