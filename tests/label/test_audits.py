"""An audit and the search it is of: answers reach both sides, and a collection that has changed gets another audit."""

import json

import numpy as np
import pytest

from elsa_nb import Pool
from elsa_nb.label import AuditPages, Panel, Texts, jobs
from elsa_nb.label.audits import audit_files, audited, take_audits
from elsa_nb.label.cards import OPEN
from elsa_nb.label.session import Answer, Session
from elsa_nb.search.contract import UNSURE
from elsa_nb.search.oracle import Truth

NAMES = [f"owl-{row:03d}.png" for row in range(300)]
WANTED = np.arange(300) % 10 == 0


def make_place(folder, names=NAMES):
    (folder / "pictures").mkdir(exist_ok=True)
    for name in names:
        (folder / "pictures" / name).write_bytes(b"")
    vectors = np.random.default_rng(0).normal(size=(len(names), 4)).astype(np.float32)
    Pool.from_arrays(vectors, names).save(folder / "pool")
    return folder


@pytest.fixture
def place(tmp_path):
    session = Session(make_place(tmp_path) / "s.sqlite")
    session.record([Answer(NAMES[row], OPEN, int(WANTED[row])) for row in range(100)], "answer")
    session.close()
    return tmp_path


def opened(place, **options):
    made = jobs.make_job(place / "pictures", place / "pool", place / "s.sqlite", **options)
    return made, jobs.open_panel(made)


def answer_pages(panel, pages, positive=WANTED):
    panel.oracle = Truth(positive)
    panel.play(pages=pages)
    panel.close()


def labels_in(path):
    session = Session(path, to_read=True)
    try:
        return session.known()
    finally:
        session.close()


def give(path, labels):
    session = Session(path)
    session.record([Answer(name, session.known().get(name, OPEN), label) for name, label in labels.items()], "answer")
    session.close()


def at_least(panel):
    return float(panel.figures["statement"].split()[2]) / 100


def asked_by(panel):
    return [NAMES[row] for asked in panel.controller.asked for row in asked.rows]


def test_what_the_audit_found_the_search_begins_from(place, capsys):
    _, audit = opened(place, audit=True)
    asked = asked_by(audit)
    answer_pages(audit, 1)
    finds = [name for name in asked if WANTED[NAMES.index(name)]]
    _, search = opened(place)
    assert f"Taken from the audit s-audit.sqlite: 60 answers, {len(finds)} finds." in capsys.readouterr().out
    assert {NAMES[row] for row in search.controller.rounds.seeds} == set(finds)
    assert not {NAMES[row] for row in search.controller.asked[-1].rows} & set(asked)
    search.close()
    assert labels_in(place / "s.sqlite").items() >= {name: int(WANTED[NAMES.index(name)]) for name in asked}.items()
    opened(place)[1].close()
    assert "Taken" not in capsys.readouterr().out


def test_what_the_search_finds_meanwhile_counts_in_the_audit_and_is_not_asked_again(place):
    _, audit = opened(place, audit=True)
    shown = asked_by(audit)
    answer_pages(audit, 1)
    _, audit = opened(place, audit=True)
    before = at_least(audit)
    audit.close()
    later = [name for name in NAMES[100:] if name not in shown]
    give(place / "s.sqlite", {name: int(WANTED[NAMES.index(name)]) for name in later[:130]})
    _, audit = opened(place, audit=True)
    found = sum(WANTED[NAMES.index(name)] for name in [*NAMES[:100], *shown, *later[:130]])
    cards = audit.controller.cards
    open_now = {name for name, label in zip(asked_by(audit), cards.labels, strict=True) if label == OPEN}
    assert open_now
    assert open_now <= set(later[130:])  # what is known is filled in
    assert before + 0.1 < at_least(audit) <= found / WANTED.sum()
    audit.close()


def test_items_that_came_or_went_since_begin_another_audit_and_what_was_answered_counts(place):
    _, audit = opened(place, audit=True)
    shown = asked_by(audit)
    answer_pages(audit, 1)
    more = sorted([*NAMES[:-5], *(f"owl-{row:03d}-b.png" for row in range(40))])  # in between: rows move
    make_place(place, more)
    made, audit = opened(place, audit=True)
    assert [path.name for path in audit_files(place / "s.sqlite")] == ["s-audit.sqlite", "s-audit-2.sqlite"]
    assert "since the audit in s-audit.sqlite began, so this is a new one" in made.remark
    asked = {more[row] for asked in audit.controller.asked for row in asked.rows}
    assert not asked & {*NAMES[:100], *shown}
    assert "At least" in audit.figures["statement"]
    audit.close()
    again, audit = opened(place, audit=True)
    assert again.remark == ""
    assert {more[row] for asked in audit.controller.asked for row in asked.rows} == asked
    audit.close()


def test_an_audit_of_an_earlier_version_goes_on_with_its_items_and_not_with_others(place):
    _, audit = opened(place, audit=True)
    asked = asked_by(audit)
    audit.close()
    session = Session(place / "s-audit.sqlite")
    begun = json.loads(session.meta("audit:me"))
    session.acquire()
    session.remark("audit:me", json.dumps({"answered": begun["answered"], "found": begun["found"]}))
    session.close()
    _, audit = opened(place, audit=True)
    assert asked_by(audit) == asked
    audit.close()
    make_place(place, NAMES[5:])
    _, audit = opened(place, audit=True)
    audit.close()
    assert len(audit_files(place / "s.sqlite")) == 2


def test_of_two_answers_the_later_counts(tmp_path):
    session, audit = Session(tmp_path / "s.sqlite"), Session(tmp_path / "s-audit.sqlite")
    session.record([Answer("before", OPEN, 0), Answer("unsure", OPEN, -1)], "answer")
    audit.record([Answer("before", OPEN, 1), Answer("after", OPEN, 1), Answer("doubt", OPEN, 1)], "answer")
    audit.record([Answer("unsure", OPEN, 1), Answer("never", OPEN, UNSURE), Answer("gone", OPEN, 1)], "answer")
    session.record([Answer("after", OPEN, 0), Answer("doubt", OPEN, -1)], "answer")
    audit.close()
    assert "2 answers, 2 finds" in take_audits(session, ["before", "after", "doubt", "unsure", "never"])
    assert session.known() == {"before": 1, "after": 0, "doubt": -1, "unsure": 1}
    assert take_audits(session, ["before"]) == ""
    session.close()


def test_each_person_has_an_audit_of_their_own_answers(place):
    session = Session(place / "s.sqlite", annotator="bo")
    session.record([Answer(NAMES[row], OPEN, int(WANTED[row])) for row in range(200, 250)], "answer")
    session.close()
    mine, theirs = (audited(place / "s.sqlite", who, NAMES) for who in ("me", "bo"))
    assert mine.path == theirs.path
    assert set(range(100)).isdisjoint(mine.pages.query().rows)
    assert set(range(200, 250)).isdisjoint(theirs.pages.query().rows)


def test_in_a_notebook_an_audit_does_not_go_on_with_other_items(tmp_path):
    """Its pages are rows: the answers would have counted for other items than they were given to."""
    begun = AuditPages(40, np.arange(10), found=2, page=5)
    answer_pages(Panel(begun, Texts(NAMES[:40], NAMES[:40]), tmp_path / "a.sqlite"), 2)
    others = sorted([*NAMES[:40], "a", "b", "c", "d"])
    other = AuditPages(44, np.arange(10), found=2, page=5)
    with pytest.raises(ValueError, match=r"they have changed: begin another audit, with another session file"):
        Panel(other, Texts(others, others), tmp_path / "a.sqlite")


def test_finds_of_the_search_that_were_slips_count_no_more_and_doubtful_ones_may_be_missing(place):
    _, audit = opened(place, audit=True)
    answer_pages(audit, 2)
    _, audit = opened(place, audit=True)
    before = at_least(audit)
    audit.close()
    give(place / "s.sqlite", {NAMES[0]: 0, NAMES[10]: 0})
    _, audit = opened(place, audit=True)
    slips = at_least(audit)
    audit.close()
    give(place / "s.sqlite", {NAMES[0]: UNSURE, NAMES[10]: UNSURE})
    _, audit = opened(place, audit=True)
    doubtful = at_least(audit)
    audit.close()
    assert doubtful < slips < before
    give(place / "s.sqlite", {NAMES[row]: 0 for row in range(0, 100, 10)})
    with pytest.raises(ValueError, match=r"none of them is one any more|holds no find"):
        opened(place, audit=True)
