"""Labels from a file chosen on the page: where the search goes on from, and what is said of the rest."""

import html
import tempfile

import numpy as np
import pytest
from at_the_desk import settle, wait_for

from elsa_nb import cli
from elsa_nb.label import jobs
from elsa_nb.label.answers import Answer
from elsa_nb.label.chosen_file import ChosenFile
from elsa_nb.label.session import Session
from elsa_nb.pool import Pool


@pytest.fixture
def open_panel(tmp_path):
    """Return a function that opens the panel of 200 pictures (empty files), as often as wanted."""
    (tmp_path / "pictures").mkdir()
    names = np.array([f"cat-{row}.png" for row in range(200)])
    for name in names:
        (tmp_path / "pictures" / name).write_bytes(b"")
    vectors = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    Pool.from_arrays(vectors, names).save(tmp_path / "pool")
    panels = []

    def opened():
        job = jobs.make_job(tmp_path / "pictures", tmp_path / "pool", tmp_path / "s.sqlite")
        panels.append(jobs.open_panel(job))
        return panels[-1]

    yield opened
    for panel in panels:
        panel.close()


def choose(panel, name, text, wanted=""):
    """Choose a file as a person does; return what the page says."""
    chosen = next(part for part in panel.children if isinstance(part, ChosenFile))
    chosen.wanted.value = wanted
    file = {"name": name, "type": "", "size": len(text), "content": memoryview(text.encode()), "last_modified": 0}
    chosen._on_chosen({"new": (file,)})
    return chosen.message.value


def test_imported_positives_are_seeds_and_answers_given_before_are_kept(open_panel):
    panel = open_panel()
    first = panel.controller.card(0)["item"]
    panel.controller.handle([{"op": "set", "at": 0, "v": 1}, {"op": "set", "at": 1, "v": 0}])
    said = choose(panel, "früher.csv", "image;label\ncat-3.png;ja\ncat-4.png;nein\nGONE <b>.png;ja\n")
    assert "1 positive, 1 negative" in said
    assert "früher.csv" in said
    assert "/tmp" not in said
    assert "1 not matched" in said
    assert "GONE &lt;b&gt;.png" in said
    assert panel.controller.rounds.seeds.tolist() == [3]
    assert set(panel.controller.asked[0].components) == {"earlier"}  # the answers, and the file's negative
    assert set(panel.controller.asked[1].components) <= {"line", "neighbourhood"}
    assert set(panel.controller.rounds.search.search.positives) == {int(first[4:-4]), 3}  # it begins from both
    assert panel.session.known()[first] == 1
    assert "goes on from the labels" in panel.controller.notice
    shown = {panel.controller.card(p)["item"]: label for p, label in enumerate(panel.controller.cards.labels)}
    assert all(shown[item] == label for item, label in panel.session.known().items() if item in shown)
    before = panel.controller.cards.labels
    panel.close()
    again = open_panel()
    assert (again.controller.notice, again.controller.cards.labels) == ("", before)


def test_the_page_names_no_option_that_it_does_not_take(open_panel):
    said = choose(open_panel(), "a.csv", "image,label\ncat-3.png,owl\n")
    assert "is wanted: write it into the field beside the button, and choose the file again." in said
    assert "--" not in said
    assert "positive=" not in said


def test_an_import_is_taken_back_until_something_is_answered(open_panel):
    panel = open_panel()
    panel.controller.handle([{"op": "set", "at": 0, "v": 1}])
    chosen = next(part for part in panel.children if isinstance(part, ChosenFile))

    def state():
        asked = [each.to_json() for each in panel.session.rounds()]
        return panel.controller.cards.labels, panel.session.known(), asked

    before, text = state(), "image,label\ncat-3.png,1\ncat-4.png,0\n"
    choose(panel, "a.csv", text)
    assert state() != before
    chosen.back.click()
    assert "nothing of a.csv is in the session" in chosen.message.value
    assert state() == before
    assert panel.controller.figures()["looking"] == jobs.LEAST_SEEDS
    chosen.back.click()
    choose(panel, "a.csv", text)
    panel.controller.handle([{"op": "label", "v": 1}])
    known = panel.session.known()
    chosen.back.click()
    assert "answers were given since" in chosen.message.value
    assert panel.session.known() == known


def test_a_file_with_several_classes_asks_which_and_takes_nothing_until_told(open_panel):
    panel = open_panel()
    text = "file,class\ncat-1.png,lynx\ncat-2.png,puma\ncat-5.png,lynx\n"
    assert "lynx" in choose(panel, "cats.csv", text)
    assert panel.session.known() == {}
    assert panel.controller.figures()["looking"] == jobs.LEAST_SEEDS
    assert "2 positive, 1 negative" in choose(panel, "cats.csv", text, wanted="lynx")
    assert panel.controller.rounds.seeds.tolist() == [1, 5]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("../../x.csv", ""),
        ("C:\\mine\\x.xlsx", "PK\x03\x04nonsense"),
        ("photo.jpg", "\x00\x01\x02"),
        ("", "a,b\n1,2\n"),
    ],
)
def test_what_is_no_file_of_labels_is_a_sentence_and_changes_nothing(open_panel, name, text):
    panel = open_panel()
    before = panel.controller.cards.labels
    said = choose(panel, name, text)
    assert "Nothing was taken from it" in said
    assert "/tmp" not in said
    assert panel.controller.cards.labels == before
    assert panel.session.known() == {}


@pytest.mark.parametrize("name", ["a\\b & <c>.csv", "früher/x.csv", "s.sqlite"])
def test_the_page_calls_a_file_by_its_name_alone(open_panel, tmp_path, monkeypatch, name):
    """Also where the folder of temporary files is written otherwise in a sentence, as those of Windows are."""
    (folder := tmp_path / "a & b \\ c").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    panel = open_panel()
    own = html.escape(name.replace("\\", "/").rpartition("/")[2])
    for text in ("image,label\ncat-3.png,perhaps\n", "image,label\ncat-3.png,1\n", "SQLite format 3\x00"):
        said = choose(panel, name, text)
        assert said.startswith(f"{own}: ")
        assert "a &amp; b" not in said


def test_who_looks_on_is_told_where_to_import(open_panel):
    panel = open_panel()
    panel.controller.held = False
    assert "import the labels there" in choose(panel, "x.csv", "image,label\ncat-3.png,1\n")
    assert panel.session.known() == {}


def begun_from(panel):
    """Return the rows that the search proper began with."""
    return set(panel.controller.rounds.search.search.positives.tolist())


def finds_of(panel, count):
    """Answer the open page but its last card: its first are positive; return the rows of these."""
    cards, start = panel.controller.cards, panel.controller.cards.cursor
    rows = [panel.controller.card(position)["row"] for position in range(start, len(cards.labels))]
    panel.controller.handle([{"op": "set", "at": start + i, "v": int(i < count)} for i in range(len(rows) - 1)])
    settle(panel.controller)
    return set(rows[:count])


@pytest.mark.parametrize("door", ["page", "command"])
def test_a_second_file_lets_the_search_begin_from_all_that_is_found_by_now(open_panel, tmp_path, door):
    panel = open_panel()
    choose(panel, "a.csv", "image,label\ncat-3.png,1\n")
    found = finds_of(panel, 2)
    known = panel.session.known()
    text = "image,label\ncat-7.png,1\ncat-8.png,0\n"
    if door == "page":
        choose(panel, "b.csv", text)
    else:
        panel.close()
        (tmp_path / "b.csv").write_text(text)
        assert cli.main(["labels", "import", str(tmp_path / "s.sqlite"), str(tmp_path / "b.csv")]) == 0
        panel = open_panel()
        assert "from fewer examples: more came from a file or audit since" in panel.controller.notice
    assert begun_from(panel) == found | {3, 7}
    assert panel.session.known() == known | {"cat-7.png": 1, "cat-8.png": 0}
    assert set(panel.controller.finds()) == found
    panel.controller.handle([{"op": "set", "at": panel.controller.cards.labels.index(1), "v": 0}])  # one was none
    labels = panel.controller.cards.labels
    panel.close()
    again = open_panel()
    assert (again.controller.notice, again.controller.cards.labels) == ("", labels)


def test_where_the_field_names_another_class_the_refusal_says_that_it_can_be_emptied(open_panel):
    panel = open_panel()
    table = "image,label\ncat-3.png,cat\ncat-4.png,dog\n"
    said = choose(panel, "a.csv", table, wanted="owl")
    assert "The field beside the button asks for the class &#x27;owl&#x27;: change or empty it." in said
    assert "The field beside the button asks" not in choose(panel, "a.csv", table)


def test_an_imported_label_that_was_changed_and_undone_is_on_its_card_when_opened_again(open_panel, tmp_path):
    """The card was open, and Enter would have answered anew what the file had said."""
    panel = open_panel()
    choose(panel, "a.csv", "image,label\ncat-3.png,1\n")
    settle(panel.controller)
    item = panel.controller.card(len(panel.controller.cards.labels) - 1)["item"]
    panel.close()
    session = Session(tmp_path / "s.sqlite")
    session.record([Answer(item, -2, -1)], "import")
    session.close()
    panel = open_panel()
    cards = panel.controller.cards
    position = next(p for p in range(len(cards.labels)) if panel.controller.card(p)["item"] == item)
    assert cards.labels[position] == -1
    panel.controller.handle([{"op": "set", "at": position, "v": 1}])
    panel.controller.handle([{"op": "undo"}])
    panel.close()
    panel = open_panel()
    at = next(p for p in range(len(panel.controller.cards.labels)) if panel.controller.card(p)["item"] == item)
    assert panel.controller.cards.labels[at] == -1 == panel.session.known()[item]


def test_a_second_import_is_taken_back_to_where_the_first_had_led(open_panel):
    panel = open_panel()
    choose(panel, "a.csv", "image,label\ncat-3.png,1\n")
    finds_of(panel, 2)

    def state():
        settle(panel.controller)
        told = [each.to_json() for each in panel.session.rounds()]
        return panel.controller.cards.labels, panel.session.known(), told, panel.controller.carried.tolist()

    before = state()
    choose(panel, "b.csv", "image,label\ncat-7.png,1\ncat-8.png,0\n")
    assert state() != before
    next(part for part in panel.children if isinstance(part, ChosenFile)).back.click()
    assert state() == before
    panel.close()
    panel = open_panel()
    assert panel.controller.notice == ""
    assert panel.controller.rounds.seeds.tolist() == [3]
    assert (panel.session.known(), panel.controller.carried.tolist()) == (before[1], before[3])


def test_a_page_that_was_answered_to_its_end_is_followed_by_another_after_an_import_is_taken_back(open_panel):
    panel = open_panel()
    choose(panel, "a.csv", "image,label\ncat-3.png,1\n")
    end = len(panel.controller.cards.labels)
    panel.controller.handle([{"op": "set", "at": position, "v": 0} for position in range(end)])
    choose(panel, "b.csv", "image,label\ncat-7.png,1\n")
    next(part for part in panel.children if isinstance(part, ChosenFile)).back.click()
    wait_for(lambda: len(panel.controller.cards.labels) > end)  # nobody waits for what is not being computed
    assert panel.controller.cards.open
