"""Doubtful answers seen again on the page: by keys and mouse, blind, and what the page says before and after."""

import os
import re

import numpy as np
import pytest
import scene

import conftest
from elsa_nb.label import Panel, searching
from elsa_nb.search.oracle import Flipped

CHARACTER = "ç"


@pytest.fixture
def make_panel(pool, tmp_path):
    """Return a function that opens a session of letters for somebody who errs in one of ten answers, and labels."""
    truth = scene.truth(CHARACTER)
    rows = np.flatnonzero(truth)
    make = searching.search_from(pool)

    def opened(annotator, wrong=0.1, pages=7):
        oracle = Flipped(truth, wrong, np.random.default_rng(1))
        session = tmp_path / "s.sqlite"
        panel = Panel(make(rows[::40]), scene.images(), session, annotator=annotator, oracle=oracle, title="letters")
        panel.session.remark("class", f"the letter {CHARACTER}")
        panel.play(pages=pages)
        panel.controller.doubter.wait()
        return panel

    opened.truth = truth
    return opened


def shot(desk, name):
    if folder := os.environ.get("ELSA_SHOTS"):
        desk.page.wait_for_timeout(700)  # the figures are sent a moment later
        desk.page.screenshot(path=f"{folder}/{name}.png")


def words(desk, place):
    return desk.page.locator(place).inner_text()


def wait_for_page(desk, *, blind):
    desk.page.wait_for_function(
        f"() => document.querySelector('.elsa-panel').dataset.blind === '{str(blind).lower()}'"
        " && document.querySelector('.elsa-panel').dataset.waiting === 'false'",
        timeout=conftest.PATIENCE,
    )
    desk.settle()


def test_doubtful_answers_are_offered_seen_again_without_what_was_said_and_the_page_says_what_came_out(
    bare_desk, make_panel
):
    panel, truth = make_panel("ann"), make_panel.truth
    desk = bare_desk(panel, width=1280, height=900)
    button = desk.page.locator(".elsa-again")
    button.wait_for(timeout=conftest.PATIENCE)
    assert button.inner_text().startswith("Look again at ")
    assert "You see the items without your answer" in words(desk, ".elsa-doubt")
    shot(desk, "offered-1280")
    known, rounds = panel.session.known(), len(panel.controller.asked)
    button.click()
    wait_for_page(desk, blind=True)
    assert len(panel.controller.asked) == rounds
    assert "You answered these before" in words(desk, ".elsa-guide")
    assert "seen again" in words(desk, ".elsa-head .elsa-where")
    feet = desk.page.locator(".elsa-foot").all_inner_texts()
    assert set(feet) == {"seen again"}, "no score"
    assert {label for _, label in desk.rows()} == {-2}
    assert "your nearest find" not in words(desk, ".elsa-why")
    assert desk.page.locator(".elsa-quick").first.is_visible(), "every card wants an answer"
    assert button.is_hidden()
    shot(desk, "blind-1280")
    # one by mouse, the others by key, the last is left
    cards = desk.rows()
    desk.page.locator(".elsa-card").first.locator(f".elsa-quick [data-v='{int(truth[cards[0][0]])}']").click()
    desk.settle()
    desk.press("Home", "ArrowRight")
    for row, _ in cards[1:-1]:
        desk.press("1" if truth[row] else "0")
    desk.settle()
    shot(desk, "blind-answered")
    assert "1 left as it is" in words(desk, ".elsa-next")
    desk.press("Enter")
    wait_for_page(desk, blind=False)
    ids = panel.controller.ids
    changed = sum(known[ids[row]] != truth[row] for row, _ in cards[:-1])
    assert changed > 0
    said = f"Seen again: {len(cards) - 1} answers, {changed} changed; 1 left as it was."
    desk.page.get_by_text(said).wait_for(timeout=conftest.PATIENCE)
    shot(desk, "brought-1280")
    round_of = re.compile(r"round (\d+)")  # by the search's count: a page that is seen again is not one of its rounds
    assert round_of.findall(words(desk, ".elsa-head .elsa-where")) == round_of.findall(words(desk, ".elsa-why"))
    now = panel.session.known()
    assert {item: now[item] for item in known} == known | {ids[row]: int(truth[row]) for row, _ in cards[:-1]}
    # the last one that was answered is taken back, and answered as it was
    desk.press("z")
    wait_for_page(desk, blind=True)
    before = desk.state()
    desk.check_file()
    desk.run()
    assert desk.state()["labels"] == before["labels"], "opened again it goes on where it stood"
    desk.check_file()


@pytest.mark.parametrize("dark", [False, True])
def test_a_second_opinion_can_be_read_and_fills_a_wide_window(bare_desk, make_panel, dark):
    make_panel("ann").close()
    panel = make_panel("bo", wrong=0.0, pages=1)
    desk = bare_desk(panel, width=1920, height=1080, color_scheme="dark" if dark else "light")
    desk.page.evaluate("() => { document.documentElement.style.colorScheme = 'light dark' }")  # a page that follows it
    name = "dark" if dark else "light"
    button = desk.page.locator(".elsa-again")
    button.wait_for(timeout=conftest.PATIENCE)
    assert button.inner_text().startswith("Second opinion on ")
    assert "by ann" in words(desk, ".elsa-doubt")
    shot(desk, f"second-offered-1920-{name}")
    button.click()
    wait_for_page(desk, blind=True)
    assert "Somebody else answered these" in words(desk, ".elsa-guide")
    conftest.assert_readable(desk, dark=dark)
    desk.focus()
    for row, _ in desk.rows():
        desk.press("1" if make_panel.truth[row] else "0")
    desk.settle()
    shot(desk, f"second-1920-{name}")
    grid = desk.page.locator(".elsa-grid").bounding_box()
    assert grid["y"] + grid["height"] < 1080, "all of the page is in sight"
    desk.press("Enter")
    wait_for_page(desk, blind=False)
    desk.page.get_by_text("you differ on").wait_for(timeout=conftest.PATIENCE)
    shot(desk, f"second-brought-{name}")
    desk.page.get_by_role("button", name="Compare").click()
    desk.page.locator(".elsa-differ .elsa-card").first.wait_for(timeout=conftest.PATIENCE)
    shot(desk, f"second-compare-{name}")
