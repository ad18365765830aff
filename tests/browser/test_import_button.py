"""Earlier labels from a file that is chosen in the browser."""

import os

import numpy as np
from PIL import Image

import conftest
from elsa_nb.pool import Pool

N = 60
FITS = """field => {
    const pen = document.createElement("canvas").getContext("2d"), style = getComputedStyle(field);
    pen.font = style.font;
    const room = field.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return pen.measureText(field.placeholder).width <= room;
}"""
PANEL = """from pathlib import Path
from elsa_nb.label import jobs
panel = jobs.open_panel(jobs.make_job(Path("pictures"), Path("pool"), Path("s.sqlite")))
panel"""


def test_a_file_is_chosen_and_the_search_begins_from_its_positives(open_desk):
    folder = open_desk.folder
    (folder / "pictures").mkdir()
    names = [f"p{row:02d}.png" for row in range(N)]
    for row, name in enumerate(names):
        Image.new("RGB", (60, 60), (4 * row, 100, 200)).save(folder / "pictures" / name)
    Pool.from_arrays(np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32), names).save(folder / "pool")
    (folder / "earlier.csv").write_text("image;label\np05.png;1\np07.png;1\np09.png;0\nelsewhere.png;1\n")
    desk = open_desk(PANEL)
    assert len(desk.rows()) == N  # the first look
    words = desk.page.get_by_placeholder("class you are looking for, if the file has several")
    assert words.evaluate(FITS)
    with desk.page.expect_file_chooser() as chooser:
        desk.page.get_by_role("button", name="Import labels").click()
    chooser.value.set_files(folder / "earlier.csv")
    desk.page.get_by_text("2 positive, 1 negative").wait_for(timeout=conftest.PATIENCE)
    desk.page.wait_for_function("() => document.querySelector('.elsa-panel').dataset.overview === 'false'")
    desk.settle()  # before the click: the page above changes its height as the search begins, and what is clicked moves
    desk.page.get_by_text("1 not matched").click()
    desk.page.get_by_text("elsewhere.png").last.wait_for(timeout=conftest.PATIENCE)
    assert desk.evaluate("panel.controller.rounds.seeds.tolist()") == [5, 7]
    assert "You are looking for more of these" in desk.page.locator(".elsa-seeds").inner_text()
    assert "goes on from the labels of the file" in desk.page.locator(".elsa-banner").inner_text()
    desk.page.get_by_role("button", name="Take the import back").click()
    desk.page.get_by_text("Taken back").wait_for(timeout=conftest.PATIENCE)
    desk.page.wait_for_function("() => document.querySelector('.elsa-panel').dataset.overview === 'true'")
    desk.settle()
    assert len(desk.rows()) == N
    with desk.page.expect_file_chooser() as chooser:
        desk.page.get_by_role("button", name="Import labels").click()
    chooser.value.set_files(folder / "earlier.csv")
    desk.page.wait_for_function("() => document.querySelector('.elsa-panel').dataset.overview === 'false'")
    desk.settle()
    desk.focus()
    desk.press("1")
    desk.settle()
    assert desk.evaluate("len(panel.session.known())") == 4
    desk.page.screenshot(path=os.environ.get("ELSA_SHOTS", str(folder)) + "/import.png")
