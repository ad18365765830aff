"""What was done in a session, as a methods section wants it: every number is that of what was done."""

import json
import re
import time
from pathlib import Path

import numpy as np
import pytest

from elsa_nb import Pool, cli
from elsa_nb.label import jobs, summary
from elsa_nb.label.answers import Answer
from elsa_nb.label.cards import OPEN
from elsa_nb.label.import_labels import import_labels
from elsa_nb.label.remembered_items import note_names
from elsa_nb.label.session import Session
from elsa_nb.label.summary import REASONS, summarize_session
from elsa_nb.search.oracle import Truth

NAMES = [f"owl-{row:03d}.png" for row in range(300)]
WANTED = np.arange(300) % 10 == 0


def test_the_words_for_why_an_item_was_shown_are_those_of_the_page():
    script = Path(summary.__file__).with_name("figures.js").read_text(encoding="utf-8")
    words = re.search(r"const REASONS = (\{.*?\})", script)[1]
    assert json.loads(re.sub(r"(\w+): ", r'"\1": ', words)) == REASONS


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    for name in NAMES:
        (tmp_path / "pictures" / name).write_bytes(b"")
    vectors = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32) + 2 * WANTED[:, None]
    made = {"encoder": "dinov2-small", "weights": "ab" * 32}
    Pool.from_arrays(vectors, NAMES, provenance=made).save("pool")
    return tmp_path


def worked(place, pages, **options):
    panel = jobs.open_panel(jobs.make_job(place / "pictures", place / "pool", place / "s.sqlite", **options))
    panel.oracle = Truth(WANTED)
    panel.play(pages=pages)
    said = panel.figures
    panel.close()
    return said


def read(annotator=None):
    session = Session("s.sqlite", to_read=True)
    try:
        return summarize_session(session, annotator)
    finally:
        session.close()


def test_a_search_and_its_audit_are_summed_up(place, capsys):
    begun = time.time()
    figures = worked(place, 6)
    audit = worked(place, 1, audit=True)
    before = [(path.name, path.read_bytes()) for path in sorted(place.glob("*.sqlite*"))]
    capsys.readouterr()
    assert cli.main(["session", "summary", "s.sqlite"]) == 0
    said = capsys.readouterr().out
    assert [(path.name, path.read_bytes()) for path in sorted(place.glob("*.sqlite*"))] == before
    told = read()
    assert said == f"{told}\n"
    assert (told.items, told.where) == (300, str(place / "pictures"))
    (work,) = told.work
    assert (work.answers, work.finds) == (figures["labels"], figures["positives"])
    assert (work.negatives, work.unsure) == (figures["labels"] - figures["positives"], 0)
    words = {}
    for name, counts in figures["components"].items():
        words[REASONS[name]] = tuple(map(sum, zip(words.get(REASONS[name], (0, 0)), counts, strict=True)))
    assert work.origins == {why: counts for why, counts in words.items() if counts[0]}
    assert begun <= work.first <= work.last <= time.time()
    assert work.seconds is not None
    assert work.strategy == "harvest"
    assert "Vectors: by dinov2-small, embedding, 4 values (SHA-256 of the weights abababababababab)" in said
    (result,) = work.audits
    again = int(audit["statement"].split("you marked ")[1].split()[2])  # known finds among the 60 on the page
    drawn = 60 - again
    assert again > 0
    assert (len(result.items), result.statement) == (drawn, audit["statement"])
    assert result.finds == sum(WANTED[NAMES.index(item)] for item in result.items)
    before = work.origins
    worked(place, 0)  # opened again, it takes the audit's answers
    (work,) = read().work
    answers, finds = work.origins["drawn at random"]  # what the search had asked keeps its reason
    assert answers + sum(n for n, _ in before.values()) == work.answers
    assert (0 < answers < drawn, finds) == (True, result.finds)
    assert work.audits[0].statement == audit["statement"]


def test_people_seen_again_imported_and_gone(place):
    session = Session("s.sqlite", annotator="ann")
    session.acquire()
    session.write(
        [Answer("a", OPEN, 1, component="NN", seconds=1.0), Answer("b", OPEN, 0, component="NN", seconds=3.0)]
    )
    session.write([Answer("a", OPEN, 0, component="seen again"), Answer("a", 1, 0, component="NN", seconds=8.0)])
    session.write([Answer("b", OPEN, 0, component="seen again"), Answer("b", 0, 0, component="NN", seconds=3.0)])
    session.write([Answer("c", OPEN, 1, component="sample")])
    session.write([Answer("c", 1, OPEN, component="sample")], undone=[True])
    session.write([Answer("c", OPEN, -1, component="neighbourhood", seconds=2.0)])
    (place / "old.csv").write_text("item,label\nd,1\ne,1\n")
    import_labels(session, place / "old.csv", [*"abcde"])
    session.close()
    bob = Session("s.sqlite", annotator="bob")
    bob.acquire()
    bob.write([Answer("a", OPEN, 1, component="second opinion")])
    note_names(bob, [*"abcd"])
    bob.close()
    ann, other = read().work
    assert (ann.annotator, ann.seen_again, ann.changed, ann.opinions) == ("ann", 2, 1, 0)
    assert ann.origins == {"like your finds": (2, 0), "near your finds": (1, 0), "an example, or imported": (2, 2)}
    assert ann.counts == "5 answers: 2 finds, 1 of them of an item that is gone, 1 unsure"
    assert ann.seconds == 3.0
    assert ann.strategy is None
    assert "2 of the answers are examples or imported" in str(ann)
    assert "Seen again: 2 answers, 1 changed." in str(ann)
    assert "Vectors" not in str(ann)
    assert (other.annotator, other.opinions, other.origins) == ("bob", 1, {"second opinion": (1, 1)})
    assert [work.annotator for work in read("bob").work] == ["bob"]
    with pytest.raises(ValueError, match="has no answers by 'eve'; its annotators: ann, bob"):
        read("eve")


def test_a_session_without_answers_has_nothing_to_say(place):
    Session("s.sqlite").close()
    with pytest.raises(ValueError, match=r"s.sqlite holds no answers"):
        read()
