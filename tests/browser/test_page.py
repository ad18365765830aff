"""The page itself: the larger view, cards that fill the window, redo, the class's name, dark and light."""

import json
import os
import sqlite3
from dataclasses import replace

import numpy as np
import pytest
import scene
from PIL import Image

import conftest
from elsa_nb.label import AuditPages, Files, Fixed, Panel
from elsa_nb.label.answers import Answer
from elsa_nb.label.session import Session
from elsa_nb.pool import Pool
from elsa_nb.search.elsa import Search
from elsa_nb.search.oracle import Truth
from elsa_nb.search.strategies.greedy_probe import GreedyProbe
from elsa_nb.search.strategies.harvest import Harvest, HarvestConfig

N = 30
FOLDER = "import scene\npanel = scene.folder(gone=())\npanel"


def colour_of(i):
    return (40 + 7 * i, 250 - 8 * i, 20 + (i * 83) % 230)


def paint_pictures(folder, n=N, size=(1600, 1200)):
    (folder / "pictures").mkdir()
    for i in range(n):
        Image.new("RGB", size, colour_of(i)).save(folder / "pictures" / f"p{i:02d}.jpg", quality=95)


def panel_of(folder):
    return scene.folder(folder / "pictures", folder / "s.sqlite", gone=())


@pytest.fixture
def desk(bare_desk, tmp_path):
    paint_pictures(tmp_path)
    desk = bare_desk(panel_of(tmp_path))
    desk.focus()
    return desk


def shot(desk, name):
    if folder := os.environ.get("ELSA_SHOTS"):
        desk.page.screenshot(path=f"{folder}/{name}.png")


LARGE = """async () => {
  const box = document.querySelector('.elsa-zoom'), img = box.querySelector('img');
  await img.decode();
  const canvas = document.createElement('canvas'); canvas.width = canvas.height = 1;
  canvas.getContext('2d').drawImage(img, img.naturalWidth / 2, img.naturalHeight / 2, 1, 1, 0, 0, 1, 1);
  const cards = document.querySelector('.elsa-panel').elsa.cards;
  return {colour: [...canvas.getContext('2d').getImageData(0, 0, 1, 1).data].slice(0, 3), width: img.naturalWidth,
    name: box.querySelector('.elsa-item').textContent, answer: box.querySelector('.elsa-answer').textContent,
    scale: Number(box.dataset.scale), cursor: cards.cursor, label: cards.labels[cards.cursor]} }"""


def large(desk):
    """Return what the larger view shows, and where the cursor is."""
    return desk.page.evaluate(LARGE)


def is_of_the_cursor(seen):
    return seen["name"] == f"p{seen['cursor']:02d}.jpg" and np.allclose(
        seen["colour"], colour_of(seen["cursor"]), atol=3
    )


def test_the_larger_view_follows_the_cursor_so_that_a_key_labels_what_is_seen(desk):
    desk.press("f")
    for key in ["ArrowRight", "1", "ArrowRight", "0", "ArrowLeft", "2", "ArrowDown", " ", "z", "End", "1", "Home", "y"]:
        desk.press(key)
        seen = large(desk)
        assert is_of_the_cursor(seen), (key, seen)
    shot(desk, "zoom")
    # F, right arrow, 1: the second card, and at no moment is another one on view
    desk.press("Escape", "Home", "f", "ArrowRight", "1")
    assert desk.state()["labels"][1] == 1
    assert is_of_the_cursor(large(desk))
    desk.page.wait_for_function("() => document.querySelector('.elsa-zoom').dataset.side === '1200'")
    assert large(desk)["width"] == 1200
    desk.check_file()


def test_enter_in_the_larger_view_makes_nothing_negative_that_was_not_on_view(desk):
    desk.press("f", "Enter", "Enter", "r", "R")
    assert set(desk.state()["labels"]) == {-2}
    assert desk.state()["cursor"] == 2
    desk.press(*["0"] * 24, "Enter")
    assert (desk.state()["cursor"], desk.state()["labels"].count(0)) == (24, 24)
    assert is_of_the_cursor(large(desk))
    desk.check_file()


def test_no_key_reaches_the_cards_behind_what_covers_them(desk):
    desk.page.set_viewport_size({"width": 640, "height": 360})
    desk.press("h", "1", "0", "2", "u", " ", "r", "R", "s", "Enter", "o", "End", "z", "f")
    assert set(desk.state()["labels"]) == {-2}
    assert desk.state()["cursor"] == 0
    desk.page.wait_for_function("() => scrollY + document.querySelector('.elsa-help').scrollTop > 50")
    desk.press("Escape", "1")
    assert desk.state()["labels"][0] == 1, "and the cards have the keys again"
    desk.page.get_by_role("button", name="Keys").click()
    desk.press("Enter", "h", "1")
    assert desk.state()["labels"][:2] == [1, 1]
    desk.check_file()


def test_magnify_and_pan(desk):
    desk.press("f")
    desk.page.wait_for_function("() => document.querySelector('.elsa-zoom').dataset.side === '1200'")
    stage = desk.page.locator(".elsa-stage")
    box = stage.bounding_box()
    assert box["width"] > 1200  # it fills the window, not the cell of the notebook
    assert box["height"] > 800
    corner = (box["x"] + 10, box["y"] + 10)
    desk.page.mouse.move(*corner)
    for _ in range(5):
        desk.page.mouse.wheel(0, -200)
    desk.page.wait_for_function("() => Number(document.querySelector('.elsa-zoom').dataset.scale) > 4")
    place = "() => { const b = document.querySelector('.elsa-stage img').getBoundingClientRect(); return [b.x, b.y] }"
    x, y = desk.page.evaluate(place)
    assert abs(x - box["x"]) < 80, "it grows about the pointer"
    assert abs(y - box["y"]) < 80
    desk.page.mouse.down()
    desk.page.mouse.move(corner[0] - 300, corner[1] - 200)
    desk.page.mouse.up()
    moved = desk.page.evaluate(place)
    assert np.allclose(np.subtract(moved, (x, y)), (-300, -200), atol=2)
    desk.press("Shift+ArrowRight")
    assert desk.page.evaluate(place)[0] < moved[0]
    # magnified, it has every pixel of the file
    desk.page.wait_for_function("() => document.querySelector('.elsa-stage img').naturalWidth === 1600")
    shot(desk, "magnified")
    desk.press("-", "-", "-", "-", "-", "-", "-", "-")
    assert large(desk)["scale"] == 1
    desk.press("+", "ArrowRight")
    assert large(desk)["scale"] == 1  # another card is seen whole first
    assert set(desk.state()["labels"]) == {-2}
    desk.press("f")
    assert desk.page.locator(".elsa-zoom").is_hidden()


def test_a_long_text_is_whole_in_the_larger_view(bare_desk, tmp_path):
    texts = ["word " * 3000 + f"last of {i}" for i in range(12)]
    desk = bare_desk(Panel(Fixed(12, range(12)), texts, session=tmp_path / "s.sqlite"))
    desk.focus()
    desk.press("f", "ArrowRight")
    desk.page.wait_for_function("() => document.querySelector('.elsa-stage').textContent.endsWith('last of 1')")
    assert desk.page.locator(".elsa-stage .elsa-text").evaluate("t => t.scrollHeight > t.clientHeight")
    shot(desk, "long-text")
    desk.press("1")
    desk.check_file()
    assert desk.answers() == {1: 1}


def test_redo_after_a_reload_too(desk):
    desk.press("1", "0", "r", "z", "z", "z", "y")
    desk.check_file()
    assert desk.answers() == {0: 1}
    desk.run()  # the page loaded again, on the same panel
    desk.focus()
    desk.press("Control+y")
    desk.check_file()
    assert desk.answers() == {0: 1, 1: 0}
    desk.press("Control+z", "Control+Shift+Z")
    desk.check_file()
    assert desk.answers() == {0: 1, 1: 0}
    assert desk.root.get_attribute("data-healed") is None


def test_the_class_gets_a_name_that_exports_have(desk):
    name = desk.page.locator(".elsa-class input")
    name.click()
    desk.page.keyboard.type("11 sea hares & <b>")
    desk.press("Enter")
    desk.press("1")
    desk.check_file()
    assert desk.answers() == {0: 1}, "what is typed as a name is no answer"
    base = sqlite3.connect(f"file:{desk.folder / 's.sqlite'}?mode=ro", uri=True)
    assert base.execute("SELECT value FROM meta WHERE key = 'class'").fetchone() == ("11 sea hares & <b>",)
    base.close()
    path = desk.panel.export(desk.folder / "out.json", kind="coco")
    categories = json.loads(path.read_text())["categories"]
    assert "11 sea hares & <b>" in [category["name"] for category in categories]
    desk.run()
    assert name.input_value() == "11 sea hares & <b>"


def fill_of(desk):
    """Where the cards end, by the window: (share of its width, share of its height), and cards a row."""
    return desk.page.evaluate(
        "() => { const g = document.querySelector('.elsa-grid').getBoundingClientRect();"
        " const across = Number(document.querySelector('.elsa-panel').dataset.across);"
        " return [g.width / innerWidth, g.bottom / innerHeight, across] }"
    )


def test_cards_fill_a_wide_window_and_can_be_made_larger(bare_desk, tmp_path):
    paint_pictures(tmp_path)
    desk = bare_desk(panel_of(tmp_path), width=1920, height=1080)
    desk.focus()
    _, bottom, across = fill_of(desk)
    shot(desk, "wide")
    assert 0.55 < bottom <= 1, "all of the page in sight, and no half of the window empty"
    desk.press("+")
    assert fill_of(desk)[2] < across
    while fill_of(desk)[2] > 3:
        desk.press("+")
    desk.page.wait_for_function(
        "() => [...document.querySelectorAll('.elsa-card')].slice(0, 6)"
        ".every(c => c.querySelector('img').naturalWidth === 512)"
    )  # sharp at that size
    shot(desk, "larger")
    desk.run()
    assert fill_of(desk)[2] <= 3, "as large as it was left"
    desk.focus()
    for _ in range(12):
        desk.press("-")
    assert fill_of(desk)[2] >= across
    assert set(desk.state()["labels"]) == {-2}


@pytest.mark.parametrize("width", [700, 900, 1100, 1920])
def test_a_click_in_the_middle_of_a_card_is_no_click_on_its_small_buttons(bare_desk, tmp_path, width):
    paint_pictures(tmp_path, size=(60, 60))
    desk = bare_desk(panel_of(tmp_path), width=width)
    card = desk.page.locator(".elsa-card").nth(2)
    card.click()
    desk.settle()
    assert desk.state()["labels"][2] == 1
    box = card.bounding_box()
    for button in card.locator(".elsa-quick button").all():
        inside = button.bounding_box()
        assert box["x"] <= inside["x"] <= inside["x"] + inside["width"] <= box["x"] + box["width"]
    card.get_by_role("button", name="unsure").click()
    desk.settle()
    assert desk.state()["labels"][2] == -1


def test_a_card_that_cannot_be_shown_is_tried_again_in_both_views(bare_desk, tmp_path):
    paint_pictures(tmp_path, n=4, size=(60, 60))
    broken = tmp_path / "pictures" / "p01.jpg"
    whole = broken.read_bytes()
    broken.write_bytes(whole[:40])
    desk = bare_desk(panel_of(tmp_path))
    desk.focus()
    desk.press("f", "ArrowRight")
    assert "no readable image" in desk.page.locator(".elsa-stage").inner_text()
    shot(desk, "cannot-be-shown")
    desk.press("f")
    onward = desk.page.locator(".elsa-next")
    assert onward.inner_text() == "3 left: negative, 1 not shown: unsure, next page ⏎"
    desk.press("Enter")
    desk.settle()
    assert desk.state()["labels"] == [0, -1, 0, 0]
    broken.write_bytes(whole)
    desk.page.locator(".elsa-retry").click()
    desk.page.wait_for_function("() => document.querySelectorAll('.elsa-card')[1].dataset.kind === 'image'")
    desk.press("Home", "f", "ArrowRight")
    desk.page.wait_for_function("() => document.querySelector('.elsa-stage img')")
    assert is_of_the_cursor(large(desk))


def test_a_kernel_that_does_not_answer_is_said_to_be_gone(desk):
    desk.press("1")
    desk.settle()
    heard, desk.panel.widget.hear = desk.panel.widget.hear, lambda content: None
    desk.press("1")
    banner = desk.page.locator(".elsa-banner")
    banner.wait_for()
    assert "reload the page" in banner.inner_text()
    shot(desk, "gone")
    desk.panel.widget.hear = heard  # it was only busy
    banner.wait_for(state="hidden")
    desk.check_file()
    assert desk.answers() == {0: 1, 1: 1}


def test_several_people_are_compared_and_contrast_changes_the_screen_alone(bare_desk, tmp_path):
    paint_pictures(tmp_path, size=(96, 96))
    for who, labels in (("ann", [1, 0, 1, 0]), ("bob", [1, 1, 1, 0])):
        session = Session(tmp_path / "s.sqlite", annotator=who)
        session.record([Answer(f"p{i:02d}.jpg", -2, v, row=i) for i, v in enumerate(labels)], "import")
        session.close()
    names = [f"p{i:02d}.jpg" for i in range(N)]
    items = Files(tmp_path / "pictures", names)
    desk = bare_desk(Panel(Fixed(N, range(N)), items, tmp_path / "s.sqlite", annotator="ann"))
    desk.page.get_by_role("button", name="Compare").click()
    compare = desk.page.locator(".elsa-compare")
    compare.locator("img").wait_for(timeout=conftest.PATIENCE)
    assert "both answered 4 items, 1 differently" in compare.inner_text()
    assert compare.locator(".elsa-card").get_attribute("title") == "p01.jpg"
    compare.get_by_role("button", name="✓").click()
    compare.get_by_text("They differ nowhere").wait_for(timeout=conftest.PATIENCE)
    assert desk.panel.session.known()["p01.jpg"] == 1
    desk.press("Escape")
    compare.wait_for(state="hidden", timeout=conftest.PATIENCE)
    desk.page.locator(".elsa-stretch").select_option("inverted")
    style = "() => getComputedStyle(document.querySelector('.elsa-card img')).filter"
    assert desk.page.evaluate(style) == "invert(1)"


def test_the_final_search_comes_when_it_is_wanted(bare_desk, tmp_path):
    rng = np.random.default_rng(5)
    positive = np.arange(200) % 10 == 0
    vectors = (rng.normal(size=(200, 8)) + 1.5 * positive[:, None]).astype(np.float32)
    config = replace(scene.CONFIG, a=10, l=5, b=5, rounds=50)
    search = Search(Pool.from_arrays(vectors), np.flatnonzero(positive)[:3], config=config, rng=0)
    panel = Panel(search, [f"text {row}" for row in range(200)], session=tmp_path / "s.sqlite", page=12)
    desk = bare_desk(panel)
    button = desk.page.get_by_role("button", name="Final search")
    assert button.inner_text() == "Final search after this round"
    desk.focus()
    desk.press("1", "Enter")
    desk.settle()
    button.click()
    desk.settle()
    assert len(desk.state()["rounds"]) == 2
    assert {card["component"] for card in map(panel.controller.card, range(15, len(desk.state()["labels"])))} == {
        "final"
    }
    button.wait_for(state="hidden")
    desk.press("z")  # and taken back: the round is open again, the rounds after it, too
    button.wait_for()
    desk.press("Enter")
    desk.settle()
    assert panel.controller.card(16)["component"] == "NN"
    desk.check_file()


def show_everything(desk):
    """Bring all words of the page on screen: every answer, what is not there, the keys."""
    desk.press("1", "0", "2", "ArrowLeft")
    desk.settle()
    desk.page.locator(".elsa-card").nth(4).hover()


@pytest.mark.parametrize("dark", [False, True])
def test_everything_can_be_read_in_jupyterlab(open_desk, dark):
    paint_pictures(open_desk.folder, n=20, size=(60, 60))
    desk = open_desk(FOLDER)
    if dark:
        desk.page.evaluate(
            "() => window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})"
        )
        desk.page.wait_for_function("() => document.body.dataset.jpThemeLight === 'false'")
    desk.focus()
    show_everything(desk)
    shot(desk, f"lab-{'dark' if dark else 'light'}")
    conftest.assert_readable(desk, dark=dark)
    desk.press("h")
    conftest.assert_readable(desk, dark=dark)
    desk.press("h", "f")
    conftest.assert_readable(desk, dark=dark)
    shot(desk, f"lab-zoom-{'dark' if dark else 'light'}")


def test_the_panel_says_how_many_are_missing_what_it_cannot_know_and_what_going_on_costs(bare_desk, tmp_path):
    rng = np.random.default_rng(5)
    positive = np.arange(3000) % 50 == 0
    vectors = (rng.normal(size=(3000, 8)) + 1.5 * positive[:, None]).astype(np.float32)
    search = GreedyProbe(Pool.from_arrays(vectors), np.flatnonzero(positive)[:3], rng=0)
    texts = [f"text {row}" for row in range(3000)]
    oracle = Truth(positive)
    panel = Panel(search, texts, session=tmp_path / "s.sqlite", page=24, target=0.6, oracle=oracle)
    desk = bare_desk(panel)
    note = desk.page.get_by_role("note").first  # below it may stand one about doubtful answers
    assert "cannot be told before 30 answers" in note.inner_text()
    while "You may stop" not in panel.figures["left"]["advice"]:
        panel.play(pages=1)
    note.get_by_text("You may stop").wait_for()
    said = note.inner_text()
    assert "It cannot know of a group that looks unlike all finds." in said
    assert "Going on: " in said
    assert "--audit" in said
    left = panel.figures["left"]
    range_ = f"{round(left['low'])} to {round(left['high'])}"
    desk.page.get_by_text(range_, exact=True).wait_for()
    desk.page.locator(".elsa-figures").scroll_into_view_if_needed()
    shot(desk, "missing")
    desk.page.get_by_role("button", name="Next").click()  # it is advice: the work goes on
    assert not desk.state()["over"]


def test_the_end_of_a_budget_is_not_called_the_end_of_the_items(bare_desk, tmp_path):
    pool = Pool.from_arrays(np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32))
    search = Harvest(pool, [0], config=HarvestConfig(budget=12), rng=0)
    panel = Panel(search, [f"text {row}" for row in range(40)], tmp_path / "s.sqlite")
    desk = bare_desk(panel)
    for _ in range(2):
        desk.page.locator(".elsa-next").click()
        desk.settle()
    guide = desk.page.locator(".elsa-guide")
    guide.get_by_text("The search has ended: 0 found with 12 answers, and 27 items not asked about.").wait_for()
    assert "Nothing is left to ask" not in guide.inner_text()


def test_an_audit_that_is_done_asks_for_nothing_more(bare_desk, tmp_path):
    panel = Panel(AuditPages(20, np.arange(8), found=3), [f"text {row}" for row in range(20)], tmp_path / "s.sqlite")
    desk = bare_desk(panel)
    guide = desk.page.locator(".elsa-guide")
    assert "Mark those of the class" in guide.inner_text()
    desk.page.locator(".elsa-next").click()
    desk.settle()
    guide.get_by_text("to show again. Nothing is left to ask.").wait_for()
    assert "Mark those" not in guide.inner_text()
