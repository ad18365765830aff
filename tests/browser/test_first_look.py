"""The first look: many small pictures, of which only what is wanted is marked, until the search begins."""

import os
import re
import sqlite3

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

import conftest
from elsa_nb.label import jobs
from elsa_nb.pool import Pool

N, WANTED = 300, (7, 130, 131, 250, 299)


@pytest.fixture
def panel(tmp_path):
    """Return the panel of a folder of 300 pictures of which five are wanted, as `elsa-nb label` opens it."""
    return panel_of(tmp_path, N)


def panel_of(tmp_path, count):
    """Return the panel of a folder of so many of the pictures."""
    (tmp_path / "pictures").mkdir()
    rng = np.random.default_rng(0)
    names = [f"p{row:03d}.png" for row in range(N)]
    wanted = np.isin(np.arange(N), WANTED)
    for name, is_wanted in zip(names, wanted, strict=True):
        pixels = rng.integers(60, 200, (4, 4, 3), np.uint8).repeat(24, 0).repeat(24, 1)
        if is_wanted:
            pixels[24:72, 24:72] = (230, 20, 30)
        Image.fromarray(pixels).save(tmp_path / "pictures" / name)
    vectors = (rng.normal(size=(N, 8)) + 4 * wanted[:, None]).astype(np.float32)
    for name in names[count:]:
        (tmp_path / "pictures" / name).unlink()
    Pool.from_arrays(vectors[:count], names[:count]).save(tmp_path / "pool")
    return jobs.open_panel(jobs.make_job(tmp_path / "pictures", tmp_path / "pool", tmp_path / "s.sqlite"))


def shot(desk, name):
    if folder := os.environ.get("ELSA_SHOTS"):
        desk.page.screenshot(path=f"{folder}/{name}.png")


def guide(desk):
    return desk.page.locator(".elsa-guide").inner_text()


def places(desk):
    return [i for i, (row, _) in enumerate(desk.rows()) if row in WANTED]


def test_a_first_look_at_all_there_is_ends_or_begins_the_search_and_promises_no_others(bare_desk, tmp_path):
    desk = bare_desk(panel_of(tmp_path, 61), width=1280, height=900)
    onward = desk.page.locator(".elsa-next")
    expect(onward).to_have_text("None of these: finish ⏎", timeout=conftest.PATIENCE)
    assert "These are all there are" in guide(desk)
    shot(desk, "all-shown-1")
    desk.page.locator(".elsa-card").nth(places(desk)[0]).click()
    expect(onward).to_have_text("Start the search with 1 example ⏎", timeout=conftest.PATIENCE)
    shot(desk, "all-shown-2")
    desk.focus()
    desk.press("Enter")
    desk.settle()
    expect(desk.page.locator(".elsa-head .elsa-where")).to_contain_text("round 2", timeout=conftest.PATIENCE)
    shot(desk, "all-shown-3")
    foot, why = desk.page.locator(".elsa-foot").first, desk.page.locator(".elsa-why")
    assert foot.evaluate("node => node.scrollWidth <= node.clientWidth")  # nothing of a caption is cut
    assert "round 2, score" in why.inner_text()
    assert "score 0.000" not in why.inner_text()


def test_what_is_to_stay_on_the_page_stays_beside_what_is_said_meanwhile(bare_desk, panel):
    panel.widget.remark = "570 cannot be found."
    desk = bare_desk(panel, width=1280, height=900)
    banner = desk.page.locator(".elsa-banner")
    assert banner.locator("span").inner_text() == "570 cannot be found."
    desk.focus()
    desk.press("Enter")
    desk.settle()
    assert banner.locator("span").inner_text() == "570 cannot be found."
    panel.controller.error = "The disk is full."
    panel.widget.renew()
    banner.get_by_text("The disk is full. 570 cannot be found.").wait_for(timeout=conftest.PATIENCE)
    banner.get_by_text("Dismiss", exact=True).click()
    expect(banner.locator("span")).to_have_text("The disk is full.", timeout=conftest.PATIENCE)
    panel.controller.error = ""
    panel.widget.renew()
    expect(banner).to_be_hidden(timeout=conftest.PATIENCE)


def test_what_could_not_be_stored_is_not_called_saved_and_is_over_once_it_could(bare_desk, panel):
    desk = bare_desk(panel, width=1280, height=900)
    banner, status, write = desk.page.locator(".elsa-banner"), desk.page.locator(".elsa-status"), panel.session.write

    def full(*_, **__):
        raise sqlite3.OperationalError("database or disk is full")

    panel.session.write = full
    desk.focus()
    desk.press("1")
    banner.get_by_text("database or disk is full").wait_for(timeout=conftest.PATIENCE)
    expect(status).to_have_text("not saved", timeout=conftest.PATIENCE)
    panel.session.write = write
    desk.focus()
    desk.press("1")
    expect(status).to_have_text("saved", timeout=conftest.PATIENCE)
    expect(banner).to_be_hidden(timeout=conftest.PATIENCE)
    assert [answer.label for answer in panel.session.answers("me")] == [1]


def test_a_first_look_by_mouse_and_keys_makes_nothing_negative_and_leads_into_the_search(bare_desk, panel):
    desk = bare_desk(panel, width=1280, height=900)
    assert len(desk.rows()) == jobs.OVERVIEW
    assert "The search begins with 3 examples" in guide(desk)
    page = desk.page.locator(".elsa-grid").bounding_box()
    assert page["y"] + page["height"] < 900, "all of the page is in sight"
    shot(desk, "first-look-1280")
    desk.focus()
    desk.press("Enter")
    desk.settle()
    assert "begin from them: Import labels below, or start again with --like" in guide(desk)
    desk.page.locator(".elsa-figures", has_text="only looked at").wait_for(timeout=conftest.PATIENCE)  # a moment later
    shot(desk, "first-look-none")
    desk.press("z")
    desk.settle()
    while not (found := places(desk)):  # an empty page is one key
        desk.press("Enter")
        desk.settle()
    # a mark by mouse and taken back; one by keyboard, seen in the larger view
    desk.page.locator(".elsa-card").nth(found[0]).click()
    desk.page.locator(".elsa-card").nth(found[0]).click()
    desk.press("f")
    desk.page.wait_for_function("() => document.querySelector('.elsa-zoom').dataset.side === '1200'")
    desk.press("1", "Escape")
    desk.settle()
    assert "1 example marked" in guide(desk)
    assert desk.page.locator(".elsa-start").inner_text() == "Start the search with 1 example"
    for at in found[1:]:
        desk.page.locator(".elsa-card").nth(at).click()
    shot(desk, "first-look-marked")
    desk.press("s")
    desk.settle()
    cards = desk.state()
    assert set(cards["labels"][: cards["rounds"][-1]]) == {-3, 1}
    assert {a.label for a in panel.session.answers()} == {1}, "what was left has no answer"
    assert "the rest of the page counts as a no" in guide(desk)
    assert desk.page.locator(".elsa-start").is_hidden()
    counted = re.compile(f" · {len(found)} answer{'s' if len(found) > 1 else ''}$")  # what was left is none
    expect(desk.page.locator(".elsa-head .elsa-where")).to_have_text(counted, timeout=conftest.PATIENCE)
    assert len(desk.rows()) < jobs.OVERVIEW, "the pages of the search"
    assert {row for row, _ in desk.rows()} & set(WANTED) or len(found) == len(WANTED)
    desk.page.keyboard.press("z")  # and back in the first look
    desk.settle()
    assert len(desk.rows()) == jobs.OVERVIEW
    desk.check_file()
    before = desk.state()
    desk.run()
    assert desk.state()["labels"] == before["labels"]


def test_a_picture_of_the_first_look_shows_what_was_answered_since_and_a_click_corrects_that(bare_desk, panel):
    desk = bare_desk(panel, width=1280, height=900)
    desk.focus()
    while not (found := places(desk)):
        desk.press("Enter")
        desk.settle()
    for at in found:
        desk.page.locator(".elsa-card").nth(at).click()
    desk.press("s")
    desk.settle()
    later = panel.controller.cards.later
    while not later or not set(later.values()) & set(range(panel.controller.cards.rounds[-1])):
        desk.press("Enter")
        desk.settle()
    first, second = next(pair for pair in later.items() if pair[1] < panel.controller.cards.rounds[-1])
    item, before = panel.controller.card(first)["item"], panel.controller.cards.labels[second]

    def shown():
        start, _ = panel.controller.cards.page(first)
        desk.root.evaluate("(root, at) => root.elsa.dispatch([{op: 'goto', at}])", first)
        desk.settle()
        return desk.rows()[first - start][1]

    assert shown() == before == panel.session.known()[item]
    looked = sum(panel.controller.cards.overviews)
    where = desk.page.locator(".elsa-head .elsa-where")
    expect(where).to_contain_text(f"of {looked} · {looked * jobs.OVERVIEW} shown so far", timeout=conftest.PATIENCE)
    assert "What was answered since shows that answer" in guide(desk)
    card = desk.page.locator(".elsa-card").nth(first - panel.controller.cards.page(first)[0])
    for label in (1 - before, before):
        card.click()
        desk.settle()
        assert shown() == label == panel.session.known()[item]
    desk.press("z")
    desk.settle()
    assert shown() == 1 - before == panel.session.known()[item]
    desk.press("z")
    desk.settle()
    assert shown() == before == panel.session.known()[item]


@pytest.mark.parametrize("dark", [False, True])
def test_a_first_look_can_be_read_and_fills_a_wide_window(bare_desk, panel, dark):
    desk = bare_desk(panel, width=1920, height=1080, color_scheme="dark" if dark else "light")
    desk.page.evaluate("() => { document.documentElement.style.colorScheme = 'light dark' }")  # a page that follows it
    desk.focus()
    for at in places(desk) or [0]:
        desk.page.locator(".elsa-card").nth(at).click()
    desk.settle()
    shot(desk, f"first-look-1920-{'dark' if dark else 'light'}")
    conftest.assert_readable(desk, dark=dark)
    page = desk.page.locator(".elsa-grid").bounding_box()
    assert 0.55 * 1080 < page["y"] + page["height"] < 1080
    assert page["width"] > 0.6 * 1920
