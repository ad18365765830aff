"""`elsa-nb labels import` and `export`, as a person uses them on the command line."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest

from elsa_nb import cli
from elsa_nb.label import Panel, Texts, labels_command
from elsa_nb.label.answers import Answer
from elsa_nb.label.identity import remember, settle
from elsa_nb.label.import_labels import import_labels
from elsa_nb.label.remembered_items import note_names
from elsa_nb.label.session import Session
from elsa_nb.label.session_file import CLASS
from elsa_nb.pool import Pool
from elsa_nb.search.strategies.harvest import Harvest

IDS = ["cats/1.jpg", "cats/2.jpg", "dogs/1.jpg"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Pool.from_arrays(np.eye(3), IDS).save("pool")
    (tmp_path / "old.csv").write_text("Datei;Art\ncats\\2.jpg;Katze\ndogs\\1.jpg;Hund\nfort.jpg;Hund\n")
    return tmp_path


def elsa(capsys, *arguments):
    status = cli.main(["labels", *arguments])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return status, said.out + said.err


def known(path, annotator="me"):
    session = Session(path, annotator=annotator)
    found = session.known()
    session.close()
    return found


OWN = ("--item", "Datei", "--label", "Art", "--positive", "katze")


def test_a_new_session_of_old_labels(here, capsys):
    status, said = elsa(capsys, "import", "s.sqlite", "old.csv", "--pool", "pool", *OWN)
    assert status == 0
    assert "2 items are labelled: 1 positive, 1 negative" in said
    assert "1 name is not an item of the pool (line 4: 'fort.jpg', no such item)" in said
    assert "New in the session: 2" in said
    assert known("s.sqlite") == {"cats/2.jpg": 1, "dogs/1.jpg": 0}


def test_what_is_wrong_leaves_no_session_behind(here, capsys):
    status, said = elsa(capsys, "import", "s.sqlite", "old.csv", "--pool", "pool")
    assert status == 1
    assert "'Datei', 'Art'" in said
    assert not list(here.glob("s.sqlite*"))
    assert elsa(capsys, "import", "s.sqlite", "old.csv")[0] == 1
    status, said = elsa(capsys, "import", "old.csv", "s.sqlite", "--pool", "pool")
    assert status == 1
    assert "old.csv is not a session file" in said
    assert (here / "old.csv").read_text().startswith("Datei")


@pytest.mark.parametrize(
    ("labels", "told"),
    [("none.csv", "none.csv is not here"), ("old.csv", "'Datei', 'Art'"), ("long.csv", "a name of 1 to 200")],
)
@pytest.mark.parametrize("session", ["s.sqlite", "old/s.sqlite"])
@pytest.mark.parametrize(
    "command", ["labels import {} {} --pool pool", "label cats --pool pool --session {} --labels {}"]
)
def test_what_is_refused_leaves_no_session_and_no_folder_behind(here, capsys, command, session, labels, told):
    (here / "old").mkdir()
    (here / "cats").mkdir()
    for item in IDS:
        (here / "cats" / item).parent.mkdir(exist_ok=True)
        (here / "cats" / item).touch()
    (here / "long.csv").write_text(f"item,label,annotator\ncats/1.jpg,1,{'x' * 300}\ncats/2.jpg,1,bob\n")
    before = sorted(here.rglob("*"))
    assert cli.main(command.format(session, labels).split()) == 1
    assert told in capsys.readouterr().err
    assert sorted(here.rglob("*")) == before


@pytest.mark.parametrize(
    "command", ["labels import {} old.csv --pool pool --label Art --item Datei", "label . --pool pool --session {}"]
)
def test_no_session_is_begun_in_a_folder_that_is_not_there(here, capsys, command):
    """A slip in the path began an empty session, and the person missed the work that was elsewhere."""
    before = sorted(here.rglob("*"))
    assert cli.main(command.format("new/deep/s.sqlite").split()) == 1
    assert f"the folder {here / 'new' / 'deep'} of the session s.sqlite is not here" in capsys.readouterr().err
    assert sorted(here.rglob("*")) == before


@pytest.mark.parametrize("answered", [True, False])
def test_a_failed_import_leaves_a_session_alone_that_somebody_else_has_begun(here, capsys, monkeypatch, answered):
    """While a large file is read a panel may open the session that the import has made: its answers are no rubbish."""
    others = []

    def meanwhile(*arguments, **options):
        others.append(Session("s.sqlite", annotator="ann"))
        others[0].acquire()
        if answered:
            others[0].write([Answer("cats/1.jpg", -2, 1)])
        return import_labels(*arguments, **options)

    monkeypatch.setattr(labels_command, "import_labels", meanwhile)
    status, said = elsa(capsys, "import", "s.sqlite", "old.csv", "--pool", "pool")
    assert status == 1
    assert "'Datei', 'Art'" in said
    others[0].write([Answer("cats/2.jpg", -2, 0)])
    others[0].close()
    assert known("s.sqlite", "ann") == {"cats/2.jpg": 0} | ({"cats/1.jpg": 1} if answered else {})


def test_a_session_that_was_open_knows_its_items(here, capsys):
    session = Session("s.sqlite")
    session.acquire()
    remember(session, settle(session, Texts(["a", "b", "c"], IDS), IDS), IDS)
    session.close()
    assert elsa(capsys, "import", "s.sqlite", "old.csv", *OWN)[0] == 0
    assert known("s.sqlite") == {"cats/2.jpg": 1, "dogs/1.jpg": 0}


def test_a_session_of_imported_labels_takes_no_labels_of_another_pool(here, capsys):
    """Whatever was stored under the names of other items would keep the session from opening with its own."""
    Pool.from_arrays(np.eye(3), IDS[::-1]).save("shuffled")
    Pool.from_arrays(np.eye(4), [*"wxyz"]).save("other")
    (here / "other.csv").write_text("item,label\nw,1\n")
    (here / "more.csv").write_text("item,label\ncats/1.jpg,1\n")
    assert elsa(capsys, "import", "s.sqlite", "old.csv", "--pool", "pool", *OWN)[0] == 0
    status, said = elsa(capsys, "import", "s.sqlite", "other.csv", "--pool", "other")
    assert status == 1
    assert "s.sqlite holds answers about other items: it knows 3, such as 'cats/1.jpg'" in said
    assert known("s.sqlite") == {"cats/2.jpg": 1, "dogs/1.jpg": 0}
    assert elsa(capsys, "import", "s.sqlite", "more.csv", "--pool", "shuffled")[0] == 0
    assert elsa(capsys, "import", "s.sqlite", "more.csv")[0] == 0, "it knows its items now"
    panel = Panel(Harvest(Pool.open("pool"), [0], rng=0), Texts(["a", "b", "c"], IDS), session="s.sqlite")
    assert panel.figures["labels"] >= 2
    panel.close()


def test_export_names_the_class_and_the_person(here, capsys):
    for annotator, label in (("ann", 1), ("bob", 0)):
        session = Session("s.sqlite", annotator=annotator)
        session.acquire()
        session.write([Answer("cats/1.jpg", -2, label, position=0)])
        session.close()
    status, said = elsa(capsys, "export", "s.sqlite", "--class", "cat")
    assert (status, said) == (0, "s.csv\n2 answers: 1 find.\n")
    status, said = elsa(capsys, "export", "s.sqlite", "--kind", "coco")
    assert status == 1
    assert "by ann, bob" in said
    assert "--kind yolo; allowed: csv" in elsa(capsys, "export", "s.sqlite", "--kind", "yolo")[1]
    assert (
        elsa(capsys, "export", "s.sqlite", "x.json", "--kind", "coco", "--annotator", "bob", "--class", "cat")[0] == 0
    )
    assert [c["name"] for c in json.loads((here / "x.json").read_text())["categories"]] == ["cat", "not cat"]
    status, said = elsa(capsys, "export", "s.sqlite", "--kind", "label-studio", "--annotator", "ann")
    assert "--url says" in said
    assert elsa(capsys, "import", "t.sqlite", "s.csv", "--pool", "pool", "--from", "bob")[0] == 0
    assert known("t.sqlite") == {"cats/1.jpg": 0}


def test_export_calls_the_class_as_the_page_does(here, capsys):
    session = Session("s.sqlite")
    session.acquire()
    session.write([Answer("cats/1.jpg", -2, 1, position=0)])
    session.remark(CLASS, "owl")
    session.close()
    for arguments, name in (((), "owl"), (("--class", "target", "--replace"), "target")):
        assert elsa(capsys, "export", "s.sqlite", "x.coco.json", *arguments)[0] == 0
        assert [c["name"] for c in json.loads((here / "x.coco.json").read_text())["categories"]] == [
            name,
            f"not {name}",
        ]
        assert elsa(capsys, "export", "s.sqlite", "x.csv", *arguments)[0] == 0
        assert (here / "x.csv").read_text().splitlines()[1].endswith(f",{name}")


def test_an_export_is_replaced_by_the_next_one_until_somebody_changes_it(here, capsys):
    """The command only reads the session; what it wrote stands in a list beside the file."""
    session = Session("s.sqlite")
    session.record([Answer("cats/1.jpg", -2, 1)], "answer")
    for label in (0, 1):
        session.record([Answer("cats/2.jpg", -2, label)], "answer")
        status, said = elsa(capsys, "export", "s.sqlite", "x.csv")
        assert (status, said.splitlines()[0]) == (0, "x.csv")
    session.close()
    corrected = (here / "x.csv").read_text().replace("positive", "negative", 1)
    (here / "x.csv").write_text(corrected)
    status, said = elsa(capsys, "export", "s.sqlite", "x.csv")
    assert status == 1
    assert "x.csv is there already" in said
    assert (here / "x.csv").read_text() == corrected
    assert elsa(capsys, "export", "s.sqlite", "x.csv", "--replace")[0] == 0


def test_links_to_pictures_that_are_gone_are_counted(here, capsys):
    session = Session("s.sqlite")
    session.acquire()
    session.write([Answer(item, -2, 1, position=place) for place, item in enumerate(("cats/1.jpg", "cats/2.jpg"))])
    session.close()
    (here / "images" / "cats").mkdir(parents=True)
    (here / "images" / "cats" / "1.jpg").write_bytes(b"x")
    gone = here / "images" / "cats" / "2.jpg"
    told = ("export", "s.sqlite", "--kind", "links", "--images", "images")
    said = "s-links\n2 answers: 2 finds, 1 of them of an item that is gone.\n"
    said += "1 of the 2 finds is gone and was left out, such as cats/2.jpg.\n"
    assert elsa(capsys, *told) == (0, said)
    gone.write_bytes(b"x")
    assert elsa(capsys, *told) == (0, "s-links\n2 answers: 2 finds.\n")


def test_export_says_what_of_an_audit_is_not_in_it_and_the_command_takes_it_in(here, capsys):
    for name, labels in (("s", {"cats/1.jpg": 1}), ("s-audit", {"cats/2.jpg": 1, "dogs/1.jpg": 0})):
        session = Session(f"{name}.sqlite", annotator="ann lee")
        session.record([Answer(item, -2, label) for item, label in labels.items()], "answer")
        note_names(session, IDS)
        session.close()
    status, said = elsa(capsys, "export", "s.sqlite")
    assert status == 0
    assert "Not in it: 2 answers, 1 find, by ann lee in the audit s-audit.sqlite." in said
    command = shlex.split(said.partition("`")[2].partition("`")[0])
    assert cli.main(command[1:]) == 0
    capsys.readouterr()
    assert elsa(capsys, "export", "s.sqlite") == (0, "s.csv\n3 answers: 2 finds.\n")


def test_whose_answers_those_of_another_session_become_is_said(here, capsys):
    for name, person in (("q", "me"), ("carl", "carl"), ("default", "me")):
        session = Session(f"{name}.sqlite", annotator=person)
        session.record([Answer("cats/1.jpg", -2, 1)], "answer")
        note_names(session, IDS)
        session.close()
    assert elsa(capsys, "export", "carl.sqlite", "carl.csv")[0] == 0
    for file, whose in (("carl.sqlite", "The answers of carl"), ("default.sqlite", "Its answers"), ("carl.csv", "The")):
        Path("q.sqlite").unlink()
        session = Session("q.sqlite")
        note_names(session, IDS)
        session.close()
        said = elsa(capsys, "import", "q.sqlite", file)[1]
        assert f"{whose} " in said
        assert "were stored as answers of me; `--annotator NAME`" in said
    assert "were stored as" not in elsa(capsys, "import", "q.sqlite", "carl.csv")[1], "nothing was"
    assert "stored as answers" not in elsa(capsys, "import", "q.sqlite", "old.csv", *OWN)[1]
    assert "were stored as" not in elsa(capsys, "import", "q.sqlite", "carl.csv", "--annotator", "carl")[1]


def test_two_sessions_to_compare_are_joined_first(here, capsys):
    for name in "ab":
        session = Session(f"{name}.sqlite")
        session.record([Answer("cats/1.jpg", -2, int(name == "a"))], "answer")
        note_names(session, IDS)
        session.close()
    assert cli.main(["session", "compare", "a.sqlite", "b.sqlite"]) == 1
    said = capsys.readouterr().err
    assert "b.sqlite is a second session, and the people of one session are compared" in said
    command = shlex.split(said.partition("`")[2].partition("`")[0].replace("NAME", "bo"))
    assert cli.main(command[1:]) == 0
    assert cli.main(["session", "compare", "a.sqlite"]) == 0
    assert "bo and me both answered 1 item, 1 differently" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["labels", "export", "s.sqlite", "out.csv"], ["session", "compare", "s.sqlite"]])
def test_what_only_reads_needs_no_room_beside_the_session(here, command):
    for person in ("ann", "bob"):
        session = Session("s.sqlite", annotator=person)
        session.record([Answer("a", -2, 1)], "answer")
        session.close()
    before = [(here / "s.sqlite").read_bytes(), (here / "s.sqlite").stat().st_mtime_ns]
    assert cli.main(command) == 0
    assert [(here / "s.sqlite").read_bytes(), (here / "s.sqlite").stat().st_mtime_ns] == before
    assert not list(here.glob("s.sqlite-*"))


def test_an_empty_or_absent_session_writes_nothing(here, capsys):
    Session("s.sqlite").close()
    assert "holds no answers; nothing was written" in elsa(capsys, "export", "s.sqlite")[1]
    assert "none.sqlite is not here" in elsa(capsys, "export", "none.sqlite")[1]
    assert not list(here.glob("*.sqlite.csv"))
    assert not (here / "s.csv").exists()
    assert not (here / "none.sqlite").exists()


@pytest.mark.parametrize(
    "command", [["labels", "export"], ["session", "compare"], ["session", "rescue"], ["session", "summary"]]
)
def test_every_command_wants_a_session_file_that_is_there(here, capsys, command):
    (here / "folder").mkdir()
    for name, state in (("none.sqlite", "is not here"), ("folder", "is a folder")):
        assert cli.main([*command, name]) == 1
        told = f"{name} {state}; name the session file that `elsa-nb label` wrote."
        assert told in capsys.readouterr().err
