"""Answers stay with the items they are about: same names, other pictures; collections that grow and shrink."""

import base64
import json
import os
import sqlite3
import time
import unicodedata
import zlib
from contextlib import closing

import numpy as np
import pytest
from at_the_desk import answer_page
from hypothesis import example, given
from hypothesis import strategies as st

from elsa_nb.errors import CorruptFileError
from elsa_nb.label import Begin, Files, Fixed, Panel, Texts, identity
from elsa_nb.label.answers import Answer
from elsa_nb.label.controller import Controller
from elsa_nb.label.places import Places
from elsa_nb.label.remembered import packed_names, unpacked_names
from elsa_nb.label.remembered_items import check_names, names_in
from elsa_nb.label.rescue import rescue
from elsa_nb.label.session import Session
from elsa_nb.label.session_file import APPLICATION
from elsa_nb.pool import Pool
from elsa_nb.search.strategies.greedy_probe import GreedyProbe, ProbeConfig

CONFIG = ProbeConfig(budget=120, batch=12, growth=0)


class Things:
    """Items whose content is a text."""

    def __init__(self, contents, folder=""):
        self.ids, self.contents, self.folder = list(contents), list(contents.values()), folder

    def digest(self, row):
        return self.contents[row]


@pytest.fixture
def collection():
    """Return a function that makes pool, truth and items of numbered things; those of one name are always the same."""

    def make(names, salt=""):
        number = np.array([int(name) for name in names])
        positive = number % 10 == 0
        vectors = np.stack([np.random.default_rng(n).normal(size=6) for n in number]) + 3 * positive[:, None]
        ids = [f"img-{name}" for name in names]
        return Pool.from_arrays(vectors.astype(np.float32), ids), positive, Things({i: i + salt for i in ids})

    return make


@pytest.fixture
def open_panel(tmp_path, request):
    """Return a function that opens a session as `Panel` does, without its widgets."""

    def make(pool, items, begin=False, path="s.sqlite", annotator="me", samples=None, **more):
        names = [item.casefold().rpartition(" ")[2] for item in pool.ids.tolist()]
        seeds = [names.index(name) for name in ("img-0", "img-10")]
        search = GreedyProbe(pool, seeds, config=CONFIG, rng=0)
        if begin:
            options = {"page": 12, "n": len(pool)} | more
            search = Begin(samples or [seeds], lambda rows: GreedyProbe(pool, rows, config=CONFIG, rng=0), **options)
        session = Session(tmp_path / path, annotator=annotator)
        request.addfinalizer(session.close)
        ids = identity.names_of(pool.ids, items)
        controller = Controller(search, ids, session, size=12, settled=identity.settle(session, items, ids))
        request.addfinalizer(controller.close)
        return controller

    return make


def answers(controller):
    return controller.session.known()


@pytest.mark.parametrize("begin", [False, True])
def test_in_a_collection_that_grew_and_shrank_answers_stay_with_their_items(collection, open_panel, begin):
    first = collection(range(200))
    controller = open_panel(first[0], first[2], begin)
    for _ in range(3):
        answer_page(controller, first[1])
    known, finds = answers(controller), [str(first[0].ids[row]) for row in controller.finds()]
    assert len(known) >= 30
    assert len(finds) >= 3
    controller.close()
    gone = next(item for item, label in known.items() if label == 0)
    names = [n for n in (*range(500, 512), *range(200)) if f"img-{n}" != gone]  # 12 new ones before all others
    second = collection(names)
    again = open_panel(second[0], second[2], begin)
    assert "211 items now, 200 when this session was last open: 12 new, 1 gone" in again.notice
    assert "1 answer is about an item that is gone" in again.notice
    assert answers(again) == known  # nothing is lost from the file
    shown = {str(second[0].ids[row]) for row in again.finds()}
    assert shown == set(finds)
    assert again.figures()["labels"] == len(known) - 1
    for _ in range(3):
        answer_page(again, second[1])
    rows = [row for asked in again.asked for row in asked.rows]
    paid = [a for a in again.session.events() if a.kind == "answer"]
    assert len({a.item for a in paid}) == len(paid)  # nothing is asked twice
    assert begin is False or len(set(rows)) == len(rows)
    labels, truth = again.cards.labels, dict(zip(second[0].ids.tolist(), second[1].tolist(), strict=True))
    assert all(truth[item] == label for item, label in answers(again).items() if item in truth)
    again.close()
    third = open_panel(second[0], second[2], begin)
    assert (third.notice, third.cards.labels) == ("", labels)


def test_an_example_that_was_given_is_not_counted_again_when_the_collection_grows(collection, open_panel):
    """Its answer is in the file, since it was imported, and the search begins from it."""
    pool, _, items = collection(range(200))
    controller = open_panel(pool, items)
    controller.session.record([Answer("img-0", -2, 1), Answer("img-7", -2, 0)], "import")
    controller.close()
    grown, truth, more = collection(range(220))
    again = open_panel(grown, more)
    assert "20 new, 0 gone" in again.notice
    shown = [str(grown.ids[row]) for asked in again.asked for row in asked.rows]
    assert ("img-0" in shown, shown.count("img-7")) == (False, 1)
    assert (again.figures()["positives"], again.figures()["labels"]) == (0, 1)
    for _ in range(3):
        answer_page(again, truth)
    assert "img-0" not in [str(grown.ids[row]) for asked in again.asked for row in asked.rows]


OTHERWISE = {
    "letter case": str.upper,
    "form of accents": lambda name: unicodedata.normalize("NFD", name),
    "both": lambda name: unicodedata.normalize("NFD", name.upper()),
}


@pytest.mark.parametrize("begin", [False, True])
@pytest.mark.parametrize("how", OTHERWISE)
def test_answers_go_with_items_whose_names_another_disk_wrote_otherwise(collection, open_panel, begin, how):
    pool, positive, items = collection(range(200))

    def called(change):
        names = [change(f"Größe/é {item}") for item in pool.ids]
        return Pool.from_arrays(pool.vectors, names), Things(dict(zip(names, items.contents, strict=True)))

    first, second = called(str), called(OTHERWISE[how])
    controller = open_panel(*first, begin)
    for _ in range(3):
        answer_page(controller, positive)
    known, finds = answers(controller), controller.finds()
    controller.close()
    again = open_panel(*second, begin)
    assert "0 new, 0 gone, 200 spelt differently (letter case, accents)" in again.notice
    assert answers(again) == {OTHERWISE[how](item): label for item, label in known.items()}
    assert sorted(again.finds()) == sorted(finds)
    assert again.figures()["labels"] == len(known)
    answer_page(again, positive)
    labels = again.cards.labels
    again.close()
    third = open_panel(*second, begin)
    assert (third.notice, third.cards.labels) == ("", labels)


def test_a_name_is_taken_for_no_item_that_another_name_means(tmp_path):
    place = Places(["a.jpg", "B.jpg", "c.jpg", "C.jpg"])
    assert place.of(["A.jpg", "a.jpg"]) == {"a.jpg": 0}  # as it is written
    assert place.of(["b.jpg", "b.JPG"]) == {}  # two files, of which one is here
    assert place.of(["b.jpg", "C.JPG", "d.jpg"]) == {"b.jpg": 1}  # two are here


@pytest.mark.parametrize("pages", [1, 3])
def test_a_session_begun_with_pages_of_cards_goes_on_from_its_answers(collection, open_panel, pages):
    """As an earlier version dealt them: whoever had answered cards is not led back to look for examples."""
    pool, positive, items = collection(range(100))
    before = open_panel(pool, items, begin=True, least=2 if pages == 3 else 9)
    for _ in range(pages):
        answer_page(before, positive)
    looking, known = before.figures()["looking"], answers(before)
    assert looking == (9 if pages == 1 else None)
    before.close()
    now = {"begin": True, "least": 2 if pages == 3 else 9, "overview": True, "page": 30}
    again = open_panel(pool, items, **now)
    assert "begun with pages of another kind" in again.notice
    assert (again.figures()["labels"], again.figures()["looking"]) == (len(known), looking)
    assert again.cards.overviews == [False, pages == 1]
    answer_page(again, positive)
    assert answers(again).items() > known.items()
    labels = again.cards.labels
    again.close()
    third = open_panel(pool, items, **now)
    assert (third.notice, third.cards.labels) == ("", labels)


@pytest.mark.parametrize("overview", [False, True])
def test_a_session_opened_with_other_vectors_goes_on_from_its_answers(collection, open_panel, overview):
    """They choose other pictures for the first page: whoever had found some is not led back to look for examples."""
    pool, positive, items = collection(range(200))
    how = {"begin": True, "overview": overview, "page": 24}
    before = open_panel(pool, items, samples=[range(40)], **how)
    for _ in range(3):
        answer_page(before, positive)
    known, finds = answers(before), before.finds()
    assert len(finds) > 3
    before.close()
    other = Pool.from_arrays(pool.vectors[:, ::-1] * np.float32(2), pool.ids)
    again = open_panel(other, items, samples=[range(100, 160)], **how)
    assert "by other vectors" in again.notice
    assert (answers(again), sorted(again.finds())) == (known, sorted(finds))
    assert again.figures()["looking"] is None
    answer_page(again, positive)
    assert answers(again).items() > known.items()
    labels = again.cards.labels
    again.close()
    third = open_panel(other, items, samples=[range(100, 160)], **how)
    assert (third.notice, third.cards.labels) == ("", labels)


def test_what_was_found_in_a_first_look_stays_on_view_when_examples_come_from_a_file(collection, open_panel):
    pool, positive, items = collection(range(200))
    before = open_panel(pool, items, begin=True, overview=True, samples=[range(20, 60)], page=24)
    for _ in range(3):
        answer_page(before, positive)
    known, finds = answers(before), before.finds()
    before.close()
    again = open_panel(pool, items)  # from two examples that no answer was about
    assert "examples from a file" in again.notice
    assert (answers(again), sorted(again.finds())) == (known, sorted(set(finds) - {0, 10}))
    answer_page(again, positive)
    labels = again.cards.labels
    again.close()
    third = open_panel(pool, items)
    assert (third.notice, third.cards.labels) == ("", labels)


def test_a_first_page_without_an_answer_gives_way_to_another(collection, open_panel):
    pool, _, items = collection(range(200))
    open_panel(pool, items, begin=True, overview=True).close()
    again = open_panel(pool, items, begin=True, overview=True, samples=[range(100, 160)])
    assert (again.notice, again.asked[0].rows) == ("", list(range(100, 112)))


def test_the_users_own_search_goes_along_in_a_grown_collection(collection, open_panel, tmp_path):
    first, second = collection(range(100)), collection(range(150))
    controller = open_panel(first[0], first[2])
    answer_page(controller, first[1])
    controller.close()
    search = GreedyProbe(second[0], ["img-0"], config=CONFIG, rng=0)
    session = Session(tmp_path / "s.sqlite")
    settled = identity.settle(session, second[2], second[0].ids)
    again = Controller(search, second[0].ids, session, size=12, settled=settled)
    answer_page(again, second[1])
    assert len(search.log.rows)
    assert search.log.rows.tolist() == again.rounds.search.search.log.rows.tolist()
    again.close()


def test_two_folders_with_the_same_names_never_share_a_session(collection, open_panel):
    pool, positive, items = collection(range(100))
    items.folder = "p1/images"
    controller = open_panel(pool, items)
    answer_page(controller, positive)
    before = answers(controller)
    controller.close()
    other = collection(range(100), salt=" of another camera")
    with pytest.raises(ValueError, match=r"s.sqlite holds answers about other items \(p1/images\): 'img-0' is"):
        open_panel(other[0], other[2])
    with pytest.raises(ValueError, match="other items"):
        open_panel(other[0], other[2], annotator="somebody else")
    grown = collection(range(200), salt=" of another camera")
    with pytest.raises(ValueError, match="other items"):
        open_panel(grown[0], grown[2])
    again = open_panel(pool, items)
    assert answers(again) == before
    assert again.notice == ""


def test_a_collection_of_other_names_is_another(collection, open_panel, tmp_path):
    pool, positive, items = collection(range(100))
    controller = open_panel(pool, items)
    answer_page(controller, positive)
    controller.close()
    rng = np.random.default_rng(0)
    other = Pool.from_arrays(rng.normal(size=(100, 6)).astype(np.float32), ["img-0", "img-10", *map(str, range(98))])
    things = Things({str(name): f"{name}!" for name in other.ids})
    with pytest.raises(ValueError, match="other items"):
        open_panel(other, things)
    strange = collection(range(1000, 1100))
    session = Session(tmp_path / "s.sqlite")
    with pytest.raises(
        ValueError, match=r"'img-0' is not here.*a folder in front.* import NEW.sqlite .*s.sqlite --pool"
    ):
        identity.settle(session, strange[2], strange[0].ids)
    session.close()


def test_after_the_collection_grew_nothing_is_shown_that_has_an_answer(collection, open_panel):
    pool, positive, items = collection(range(100))
    controller = open_panel(pool, items)
    for _ in range(3):
        answer_page(controller, positive)
    controller.close()
    pool, positive, items = collection(range(110))
    again = open_panel(pool, items)
    known = again.session.known()
    carried, *later = again.asked
    assert {str(pool.ids[row]) for row in carried.rows} <= set(known)
    for _ in range(3):
        assert not {str(pool.ids[row]) for row in again.asked[-1].rows} & set(known)
        answer_page(again, positive)
        known = {item: label for item, label in again.session.known().items() if item not in later}
        later = [str(pool.ids[row]) for row in again.asked[-1].rows]


def test_a_picture_or_two_may_be_edited(collection, open_panel):
    pool, positive, items = collection(range(100))
    controller = open_panel(pool, items)
    answer_page(controller, positive)
    labels = controller.cards.labels
    controller.close()
    items.contents[0] = items.contents[99] = "retouched"
    assert open_panel(pool, items).cards.labels == labels


def test_an_answered_file_that_was_replaced_under_its_name_is_told(collection, open_panel, tmp_path):
    pool, positive, things = collection(range(100))
    for item in things.ids:
        (tmp_path / item).write_text(item)
    items = Files(tmp_path, pool)
    controller = open_panel(pool, items)
    answer_page(controller, positive)
    rows, later = controller.asked[0].rows, time.time() + 60
    unasked = next(row for row in range(100) if row not in rows)
    controller.close()
    for row in (unasked, rows[3]):
        (tmp_path / things.ids[row]).write_text("another picture")
        os.utime(tmp_path / things.ids[row], (later, later))
    again = open_panel(pool, items)
    told = f"1 file was overwritten after you answered it, and its answer was kept: {things.ids[rows[3]]}."
    assert told in again.notice
    again.close()
    for item in things.ids:  # a copy of the folder: nothing is another picture, as far as is known
        os.utime(tmp_path / item, (later, later))
    copied = open_panel(pool, items)
    assert "overwritten" not in copied.notice
    copied.close()


def test_each_annotator_of_a_grown_collection_keeps_their_own(collection, open_panel):
    first, second = collection(range(100)), collection(range(130))
    known = {}
    for name in ("ann", "bob"):
        controller = open_panel(first[0], first[2], annotator=name)
        answer_page(controller, first[1] if name == "ann" else ~first[1])
        known[name] = answers(controller)
        controller.close()
    for name in ("ann", "bob"):
        again = open_panel(second[0], second[2], annotator=name)
        assert "30 new, 0 gone" in again.notice
        assert answers(again) == known[name]
        again.close()


# --- names


@given(ids=st.lists(st.text(st.sampled_from("a\n\r\x85é\udce9\0 "), max_size=4), min_size=1, max_size=6, unique=True))
@example(ids=["a\nb", "c"])
def test_a_session_keeps_any_names_or_none(tmp_path_factory, ids):
    session = Session(tmp_path_factory.mktemp("s") / "s.sqlite")
    session.acquire()
    identity.remember(session, identity.settle(session, Things({item: item for item in ids}), ids), ids)
    assert names_in(session) == (None if "\0" in "".join(ids) else ids)
    session.close()


def test_names_that_an_earlier_version_cut_are_not_used(tmp_path):
    session = Session(tmp_path / "s.sqlite")
    session.acquire()
    cut = base64.b85encode(zlib.compress(b"a\nb\nc")).decode()
    session.remark("about:me", json.dumps({"names": cut, "n": 2}))
    assert names_in(session) is None
    session.close()


@pytest.mark.parametrize("told", ['["a"]', '{"contents": []}', '{"names": 3}', '{"n": "2"}'])
def test_what_a_session_remembers_of_its_items_may_be_damaged(tmp_path, told):
    session = Session(tmp_path / "s.sqlite")
    session.acquire()
    session.remark("about:me", told)
    for look in (lambda: names_in(session), lambda: identity.settle(session, Things({"a": "x"}), ["a"])):
        with pytest.raises(CorruptFileError, match=r"s\.sqlite is damaged .*session rescue"):
            look()
    session.close()


@pytest.mark.parametrize(
    "told", ["5", "[]", "{}", '{"items": ["a"]}', '{"items": "a", "after": 0}', '{"items": ["b"], "after": 0}']
)
def test_what_a_session_remembers_of_carried_answers_may_be_damaged(tmp_path, told):
    session, items = Session(tmp_path / "s.sqlite"), Things({"a": "x"})
    session.acquire()
    identity.remember(session, identity.settle(session, items, items.ids), items.ids)
    session.remark("carried:me", told)
    with pytest.raises(CorruptFileError, match=r"s\.sqlite is damaged .*session rescue"):
        identity.settle(session, items, items.ids)
    session.close()


def test_the_pool_names_its_rows_unless_it_has_only_numbers():
    texts = Things({"0": "a", "1": "b", "2": "c"})
    files = Things({"x.png": "a", "y.png": "b", "z.png": "c"})
    assert identity.names_of(["doc-0", "doc-1", "doc-2"], texts) == ["doc-0", "doc-1", "doc-2"]
    assert identity.names_of(["0", "1", "2"], files) == files.ids
    assert identity.names_of(None, files) == files.ids
    assert identity.names_of(files.ids, files) == files.ids
    with pytest.raises(ValueError, match="3 images or texts for a pool of 2 rows; give one per row"):
        identity.names_of(["a", "b"], files)
    with pytest.raises(ValueError, match=r"row 1 is 'q.png' in the pool and 'y.png' among the images"):
        identity.names_of(["x.png", "q.png", "z.png"], files)


# --- files that are no sessions


def test_another_programs_database_is_left_alone(tmp_path):
    path = tmp_path / "photos.sqlite"
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("CREATE TABLE meta (key TEXT)")
        base.execute("CREATE TABLE photos (id INTEGER)")
    before = path.read_bytes()
    with pytest.raises(CorruptFileError, match=r"photos.sqlite is a database of another program, which is left alone"):
        Session(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["photos.sqlite"]


def test_a_database_with_another_programs_mark_is_left_alone(tmp_path):
    path = tmp_path / "map.gpkg"
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("PRAGMA application_id = 1196444487")
    before = path.read_bytes()
    with pytest.raises(CorruptFileError, match="another program"):
        Session(path)
    assert path.read_bytes() == before


def test_a_session_carries_our_mark_and_an_older_one_gets_it(tmp_path):
    for _ in range(2):
        Session(tmp_path / "s.sqlite").close()
        with closing(sqlite3.connect(tmp_path / "s.sqlite")) as base, base:
            assert base.execute("PRAGMA application_id").fetchone()[0] == APPLICATION
            base.execute("PRAGMA application_id = 0")


@pytest.mark.parametrize("kind", ["folder", "below a file"])
def test_a_place_that_cannot_be_written_is_named_in_one_sentence(tmp_path, kind):
    (tmp_path / "file").write_text("x")
    path = tmp_path if kind == "folder" else tmp_path / "file" / "s.sqlite"
    with pytest.raises(ValueError, match=r"is a folder; give|cannot be written \(.*\)\. Give a session file"):
        Session(path)


@pytest.mark.parametrize("ids", [["a", "b"], ["a\nb", "c"], ["a\n"], ["", "a"]])
def test_names_of_several_lines_are_remembered_as_they_are(ids):
    assert unpacked_names(packed_names(ids)) == ids


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "J\udce9", "a\0b", None])
def test_a_name_that_is_none_is_no_annotator(tmp_path, name):
    with pytest.raises(ValueError, match="give a name of 1 to 200 characters"):
        Session(tmp_path / "s.sqlite", annotator=name)
    assert not list(tmp_path.iterdir())


def test_a_rescued_session_opens_with_its_pool_after_the_collection_grew_and_items_were_renamed(
    collection, open_panel, tmp_path
):
    pool, positive, items = collection(range(100))
    others = Things({item.replace("img", "IMG"): items.contents[row] for row, item in enumerate(items.ids)})
    grown, truth, more = collection([200, 201, *range(100)])
    more = Things({item.replace("img", "IMG"): more.contents[row] for row, item in enumerate(more.ids)})
    for vectors, known, things in ((pool, positive, items), (pool, positive, others), (grown, truth, more)):
        panel = open_panel(Pool.from_arrays(vectors.vectors, things.ids), things)
        answer_page(panel, known)
        answered = answers(panel)
        panel.close()
    rescue(tmp_path / "s.sqlite")
    again = open_panel(Pool.from_arrays(grown.vectors, more.ids), more, path="s-rescued.sqlite")
    assert answers(again) == answered
    assert set(answered) <= set(more.ids)


def test_a_session_about_other_items_is_refused_beside_a_pool_without_any(tmp_path):
    panel = Panel(Fixed(2, range(2)), Texts(["a", "b"]), tmp_path / "s.sqlite", page=12)
    panel.controller.handle([{"op": "set", "at": 0, "v": 1}])
    with pytest.raises(ValueError, match="not in the pool, which has no items"):
        check_names(panel.session, [])
    panel.close()
