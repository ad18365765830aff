"""An audit and the search it is of: answers reach both sides, and a collection that has changed gets another audit."""

import json
from pathlib import Path

import numpy as np
import pytest

from elsa_nb import Pool, cli
from elsa_nb.label import AuditPages, Panel, Texts, jobs, session_file
from elsa_nb.label.answers import Answer
from elsa_nb.label.audits import AuditResult, audit_files, audit_results, audited, take_audits
from elsa_nb.label.cards import OPEN
from elsa_nb.label.session import Session
from elsa_nb.label.session_queries import disagreements
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
    return float(panel.figures["statement"].split("at least ")[-1].split()[0].rstrip(";.")) / 100


KNOWN = {NAMES[row] for row in range(100) if WANTED[row]}  # when the audit begins; some are shown again


def asked_by(panel, names=NAMES):
    return [names[row] for asked in panel.controller.asked for row in asked.rows]


def drawn_by(panel, names=NAMES):
    return [name for name in asked_by(panel, names) if name not in KNOWN]


def test_what_the_audit_found_the_search_begins_from(place, capsys):
    _, audit = opened(place, audit=True)
    asked = drawn_by(audit)
    answer_pages(audit, 1)
    finds = [name for name in asked if WANTED[NAMES.index(name)]]
    new = [name for name in asked if name not in NAMES[:100]]  # of the others, the search says the same
    _, search = opened(place)
    assert f"Taken from the audit s-audit.sqlite: {len(new)} answers, {len(finds)} finds." in capsys.readouterr().out
    assert {NAMES[row] for row in search.controller.rounds.seeds} == set(finds)
    labels = dict(zip(asked_by(search), search.controller.cards.labels, strict=True))
    assert not {name for name, label in labels.items() if label == OPEN} & set(asked)
    search.close()
    assert labels_in(place / "s.sqlite").items() >= {name: int(WANTED[NAMES.index(name)]) for name in asked}.items()
    opened(place)[1].close()
    assert "Taken" not in capsys.readouterr().out


def test_what_the_search_finds_meanwhile_counts_in_the_audit_and_is_not_asked_again(place):
    _, audit = opened(place, audit=True)
    shown = drawn_by(audit)
    answer_pages(audit, 1)
    _, audit = opened(place, audit=True)
    before = at_least(audit)
    audit.close()
    later = [name for name in NAMES[100:] if name not in shown]
    give(place / "s.sqlite", {name: int(WANTED[NAMES.index(name)]) for name in later[:130]})
    _, audit = opened(place, audit=True)
    finds = {NAMES[row] for row in np.flatnonzero(WANTED)}
    found = finds & {*NAMES[:100], *shown, *later[:130]}
    assert before + 0.03 < at_least(audit) <= len(found) / WANTED.sum()
    answer_pages(audit, 0)
    answered = {}
    _, audit = opened(place, audit=True)
    while not audit.controller.cards.over:
        cards = audit.controller.cards
        answered |= dict(zip(asked_by(audit), cards.labels, strict=True))
        open_now = {name for name, label in answered.items() if label == OPEN} - KNOWN
        assert not open_now & found  # a find is filled in
        audit.oracle = Truth(WANTED)
        audit.play(pages=1)
    audit.close()


def test_what_the_search_answered_negative_is_drawn_too_without_an_answer_and_the_later_answer_counts(place):
    """Every negative of the search counted as true, so the statement was false of somebody who overlooks some there."""
    give(place / "s.sqlite", {NAMES[0]: 0, NAMES[10]: 0, NAMES[101]: UNSURE})  # two of them are slips
    _, audit = opened(place, audit=True)
    while not audit.controller.cards.over:
        cards = audit.controller.cards
        assert set(cards.labels[cards.rounds[-1] :]) == {OPEN}
        audit.oracle = Truth(WANTED)
        audit.play(pages=1)
    assert {NAMES[0], NAMES[10]} <= set(asked_by(audit))
    audit.close()
    said = audit_said(place)
    _, search = opened(place)
    search.close()
    assert {labels_in(place / "s.sqlite")[NAMES[row]] for row in (0, 10)} == {1}
    assert audit_said(place) == said
    _, audit = opened(place, audit=True)
    assert audit.figures["statement"] == said
    audit.close()


def audit_said(place):
    with Session(place / "s.sqlite", to_read=True) as session:
        return audit_results(session)[-1].statement


def test_a_doubtful_answer_in_the_audit_is_not_taken_for_the_earlier_negative_of_the_search(place):
    _, audit = opened(place, audit=True)
    audit.oracle = Truth(WANTED)
    audit.play(pages=1)
    at = next(p for p, name in enumerate(asked_by(audit)) if name in NAMES[:100] and name not in KNOWN)
    assert audit.controller.handle([{"op": "set", "at": at, "v": UNSURE}])
    audit.play(pages=9)
    audit.close()
    _, audit = opened(place, audit=True)
    log = audit.controller.rounds.search.log
    assert log.labels[log.rows == NAMES.index(asked_by(audit)[at])].tolist() == [UNSURE]
    said = audit.figures["statement"]
    audit.close()
    assert "all of the class" not in said
    assert audit_said(place) == said


def test_files_that_are_added_do_not_make_the_statement_true_of_somebody_who_overlooks(place):
    """An audit of all but what an earlier audit had answered took the slips there for negatives: 31 % became 97.6 %."""
    seen = WANTED & (np.arange(300) % 30 != 0)
    _, audit = opened(place, audit=True)
    answer_pages(audit, 20, seen)
    more = [*NAMES, "owl-998.png", "owl-999.png"]
    make_place(place, more)
    _, audit = opened(place, audit=True)
    audit.oracle = Truth(np.append(WANTED & (np.random.default_rng(0).random(300) >= 0.3), [False, False]))
    audit.play(pages=20)
    found = 24 + len(audit.controller.rounds.search.positives)
    asked = set(asked_by(audit, more))
    said = audit.figures["statement"]
    audit.close()
    assert {NAMES[row] for row in np.flatnonzero(WANTED & ~seen & (np.arange(300) >= 100))} <= asked
    promised = float(said.split("at least ")[-1].split()[0].rstrip(";.")) / 100
    assert promised <= found / WANTED.sum() < 1


def test_items_that_came_or_went_since_begin_another_audit_and_what_was_answered_counts(place):
    _, audit = opened(place, audit=True)
    shown = drawn_by(audit)
    answer_pages(audit, 1)
    more = sorted([*NAMES[:-5], *(f"owl-{row:03d}-b.png" for row in range(40))])  # in between: rows move
    make_place(place, more)
    made, audit = opened(place, audit=True)
    assert [path.name for path in audit_files(place / "s.sqlite")] == ["s-audit.sqlite", "s-audit-2.sqlite"]
    assert "since the audit in s-audit.sqlite began, so this is a new one" in made.remark
    asked = set(drawn_by(audit, more))
    found = {name for name in [*NAMES[:100], *shown] if WANTED[NAMES.index(name)]}
    again = {more[row] for row in audit.controller.rounds.search.control_items}
    assert not (set(asked_by(audit, more)) - again) & found
    assert "at least" in audit.figures["statement"]
    audit.close()
    again, audit = opened(place, audit=True)
    assert again.remark == ""
    assert set(drawn_by(audit, more)) == asked
    audit.close()


def test_an_audit_of_an_earlier_version_goes_on_with_its_items_and_not_with_others(place):
    _, audit = opened(place, audit=True)
    asked = drawn_by(audit)
    audit.close()
    session = Session(place / "s-audit.sqlite")
    begun = json.loads(session.meta("audit:me"))
    session.acquire()
    session.remark("audit:me", json.dumps({"answered": begun["answered"], "found": 10}))
    session.close()
    _, audit = opened(place, audit=True)
    assert asked_by(audit)[: len(asked)] == asked  # in the order of old, and no find is shown again
    assert not set(asked_by(audit)) & KNOWN
    assert "Allowing for slips: nothing can be said" in audit.figures["statement"]
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
    for its, own in ((mine, range(100)), (theirs, range(200, 250))):
        found = {row for row in own if WANTED[row]}
        assert not (set(its.pages.query().rows.tolist()) - set(its.pages.control_items.tolist())) & found


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
    answer_pages(audit, 9)
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


def answered_as(place, audit=False):
    files = audit_files(place / "s.sqlite")
    return labels_in(files[-1] if audit else place / "s.sqlite")


@pytest.mark.parametrize("answered", [False, True], ids=["on pages to come", "on pages that were answered"])
def test_what_the_search_corrects_later_counts_in_the_audit_too(place, answered):
    """The audit kept a copy, and said that all is found with thirty missing."""
    opened(place, audit=True)[1].close()
    give(place / "s.sqlite", dict.fromkeys(NAMES[100:250], 0))  # fifteen of them are slips
    _, audit = opened(place, audit=True)
    if answered:
        answer_pages(audit, 1)  # what is known is filled in
    audit.close()
    give(place / "s.sqlite", {NAMES[row]: 1 for row in range(100, 250) if WANTED[row]})
    _, audit = opened(place, audit=True)
    found = set(np.flatnonzero(WANTED[:250])) | set(audit.controller.rounds.search.positives)
    assert f"({len(found)} finds, " in audit.figures["statement"]
    assert at_least(audit) <= len(found) / WANTED.sum()
    answer_pages(audit, 20)
    _, audit = opened(place, audit=True)
    said = "If you overlook none: all of the class is found (30 finds). Allowing for slips ("
    assert audit.figures["statement"].startswith(said)
    log = audit.controller.rounds.search.log
    assert log.labels.tolist() == WANTED[log.rows].astype(int).tolist()
    audit.close()


def test_a_slip_in_the_search_that_the_audit_took_over_is_put_right_there(place):
    opened(place, audit=True)[1].close()
    give(place / "s.sqlite", {NAMES[row]: 1 for row in range(101, 130) if not WANTED[row]})
    _, audit = opened(place, audit=True)
    assert "(37 finds, " in audit.figures["statement"]
    audit.close()
    give(place / "s.sqlite", {NAMES[row]: 0 for row in range(101, 130) if not WANTED[row]})
    _, audit = opened(place, audit=True)
    assert "(10 finds, " in audit.figures["statement"]
    audit.close()


@pytest.mark.parametrize("at_once", [True, False])
def test_a_file_changes_no_answer_that_was_given_in_an_audit(place, capsys, at_once):
    _, audit = opened(place, audit=True)
    asked = asked_by(audit)
    answer_pages(audit, 1)
    find = next(name for name in asked if WANTED[NAMES.index(name)])
    (place / "old.csv").write_text(f"item,label\n{find},0\n")
    if not at_once:
        opened(place)[1].close()
    opened(place, labels=place / "old.csv")[1].close()
    assert "1 answer given on screen differs and was kept" in capsys.readouterr().out
    assert answered_as(place)[find] == answered_as(place, audit=True)[find] == 1


def test_importing_an_audit_of_the_session_takes_all_that_opening_its_page_would(place, capsys):
    give(place / "s.sqlite", dict.fromkeys(NAMES[100:160], UNSURE))
    _, audit = opened(place, audit=True)
    answer_pages(audit, 9)
    command = [
        "labels",
        "import",
        str(place / "s.sqlite"),
        str(place / "s-audit.sqlite"),
        "--pool",
        str(place / "pool"),
    ]
    assert cli.main(command) == 0
    assert "Taken from the audit s-audit.sqlite: 200 answers" in capsys.readouterr().out
    assert answered_as(place) == {name: int(wanted) for name, wanted in zip(NAMES, WANTED, strict=True)}
    assert cli.main(command) == 0
    assert "has all answers of" in capsys.readouterr().out


def test_a_session_that_can_only_be_read_opens_beside_its_audit(place, monkeypatch):
    answer_pages(opened(place, audit=True)[1], 1)
    monkeypatch.setattr(session_file, "_writable", lambda path: False)
    for audit in (False, True):
        panel = jobs.open_panel(jobs.make_job(place / "pictures", place / "pool", place / "s.sqlite", audit=audit))
        assert not panel.controller.held
        panel.close()


def test_what_is_said_of_a_find_shown_again_measures_the_person_and_changes_no_answer(place):
    _, audit = opened(place, audit=True)
    audit.oracle = Truth(WANTED & (np.arange(300) >= 50))  # five of the ten known finds are overlooked now
    audit.play(pages=9)
    drawn = {name for name in asked_by(audit) if name not in KNOWN}
    said, figures = audit.figures["statement"], audit.figures
    assert set(audit.controller.rounds.search.controls_shown) == {NAMES.index(name) for name in KNOWN}
    assert "Allowing for slips (you marked 5 of 10 known finds): at least" in said
    assert figures["positives"] == sum(WANTED[NAMES.index(name)] for name in drawn)  # not those that were known
    audit.close()
    before = answered_as(place)
    _, search = opened(place)
    search.close()
    after = answered_as(place)
    assert {name: after[name] for name in KNOWN} == {name: before[name] for name in KNOWN} == dict.fromkeys(KNOWN, 1)
    session = Session(place / "s.sqlite", to_read=True)
    (result,) = audit_results(session)
    session.close()
    assert result.items == drawn
    assert set(result.missed) == {name for name in KNOWN if NAMES.index(name) < 50}
    assert result.statement == said
    assert "Not marked when shown again, and finds still: " in str(result)
    _, audit = opened(place, audit=True)
    assert audit.figures["statement"] == said
    audit.close()


def test_a_file_that_calls_the_control_items_finds_does_not_say_that_the_person_saw_them(place):
    _, audit = opened(place, audit=True)
    answer_pages(audit, 2, np.zeros(300, bool))  # all of them are overlooked
    closed = [NAMES[row] for asked in audit.controller.asked[:2] for row in asked.rows]
    labels, said = list(audit.controller.cards.labels), audit.figures["statement"]
    with Session(place / "s-audit.sqlite") as session:
        session.record([Answer(name, OPEN, 1) for name in closed if name in KNOWN], session_file.IMPORTED)
    _, audit = opened(place, audit=True)
    assert KNOWN & set(closed)
    assert audit.controller.cards.labels == labels
    assert audit.figures["statement"] == said
    audit.close()


def test_a_find_that_is_none_any_more_measures_nothing(place):
    _, audit = opened(place, audit=True)
    answer_pages(audit, 9)
    give(place / "s.sqlite", {NAMES[0]: 0})
    _, audit = opened(place, audit=True)
    assert "(you marked 9 of 9 known finds)" in audit.figures["statement"]
    audit.close()


def test_the_search_says_how_many_answers_of_an_audit_it_has_not_come_to(place):
    _, audit = opened(place, audit=True)
    drawn = set(drawn_by(audit)) - set(NAMES[:100])
    answer_pages(audit, 1)
    _, search = opened(place)
    come_to = set(asked_by(search)) | {NAMES[row] for row in search.controller.rounds.seeds}
    assert search.figures["besides"] == len(drawn - come_to) > 0
    search.close()


def test_what_is_said_of_finds_shown_again_reaches_no_file_nor_summary_nor_other_session(place, capsys):
    """The overlooked ones were exported as negatives, and an import of the audit with --replace lost the finds."""
    _, audit = opened(place, audit=True)
    audit.oracle = Truth(np.zeros(300, bool))  # all known finds are overlooked
    audit.play(pages=2)
    at = next(p for p, name in enumerate(asked_by(audit)) if name in KNOWN)
    assert audit.controller.handle([{"op": "set", "at": at, "v": 1}, {"op": "set", "at": at, "v": 0}])
    assert audit.controller.handle([{"op": "undo"}])
    drawn, again = set(drawn_by(audit)), set(asked_by(audit)) & KNOWN
    answered = drawn - {NAMES[row] for row in audit.controller.asked[-1].rows}
    labels = list(audit.controller.cards.labels)
    audit.close()
    assert again
    file = place / "s-audit.sqlite"
    assert set(labels_in(file)) == answered
    command = ["labels", "export", str(file), str(place / "out.csv")]
    assert cli.main(command) == 0
    assert {line.split(",")[0] for line in (place / "out.csv").read_text().splitlines()[1:]} == answered
    assert cli.main(["session", "summary", str(file)]) == 0
    assert f"me: {len(answered)} answers: " in capsys.readouterr().out
    other = Session(place / "other.sqlite")
    other.record([Answer(name, OPEN, 1) for name in KNOWN], "answer")
    other.close()
    pool = ["--pool", str(place / "pool")]
    assert cli.main(["labels", "import", str(place / "other.sqlite"), str(file), "--replace", *pool]) == 0
    assert {labels_in(place / "other.sqlite")[name] for name in KNOWN} == {1}
    session = Session(file, annotator="ann")
    session.record([Answer(name, OPEN, 1) for name in KNOWN], "answer")
    assert disagreements(session) == []
    assert not {item for _, _, item, _ in session.said_by_others()} & KNOWN
    session.close()
    _, audit = opened(place, audit=True)
    assert audit.controller.cards.labels == labels  # opened again, the page has them all
    audit.close()


DAY = 24 * 60 * 60.0


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [(None, None, ""), (0.0, 9.0, " (1970-01-01)"), (DAY - 1, 2 * DAY, " (1970-01-01 to 1970-01-03)")],
)
@pytest.mark.parametrize(
    ("missed", "named"),
    [("", ""), ("abcde", "a, b, c, d, e."), ("abcdef", "a, b, c, d, e and 1 more."), ("c", "c.")],
)
def test_a_result_in_words_has_its_days_and_what_was_missed(first, last, days, missed, named):
    said = str(AuditResult(Path("s-audit.sqlite"), frozenset("abcdefgh"), 1, first, last, "At least 80 %.", (*missed,)))
    assert said.startswith(f"Audit s-audit.sqlite: 8 items drawn at random and looked at{days}, 1 find among them.")
    assert said.endswith(named or "At least 80 %.")
    assert ("Not marked when shown again" in said) == bool(missed)


def test_an_audit_is_of_what_the_search_is_looking_for(place):
    with Session(place / "s.sqlite") as session:
        session.acquire()
        session.remark(session_file.CLASS, "owl")
    for _ in range(2):
        _, panel = opened(place, audit=True)
        assert panel.session.path.name == "s-audit.sqlite"
        assert panel.session.meta(session_file.CLASS) == "owl"
        panel.close()
