"""`elsa-nb label`: what it starts, and what it refuses to start. tests/browser/test_voila.py asks the server itself."""

import json
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import types
from contextlib import nullcontext
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image
from tornado.httputil import HTTPHeaders, HTTPServerRequest

from elsa_nb import cli, own_folder
from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.label import import_labels, jobs, launch, page_server
from elsa_nb.label.answers import Answer
from elsa_nb.label.cards import OPEN
from elsa_nb.label.label_files.reader import read_examples, read_labels
from elsa_nb.label.lease import LeaseLostError
from elsa_nb.label.refusals import MARK, shown
from elsa_nb.label.session import Session
from elsa_nb.pool import Pool
from elsa_nb.search.oracle import Truth


@pytest.fixture
def place(tmp_path):
    (tmp_path / "pictures").mkdir()
    names = np.array([f"cat-{row}.png" for row in range(40)])
    for name in names:
        (tmp_path / "pictures" / name).write_bytes(b"")
    vectors = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
    Pool.from_arrays(vectors, names).save(tmp_path / "pool")
    return tmp_path


def job(place, **more):
    return jobs.make_job(place / "pictures", place / "pool", place / "s.sqlite", **more)


def test_a_job_shows_named_files_first_then_a_sample(place):
    assert job(place, names=["cat-7.*"]).samples[0] == [7]
    assert sorted(job(place).samples[0]) == list(range(40))


@pytest.mark.parametrize(
    ("ids", "cure"),
    [(None, "pool make VECTORS --ids NAMES"), (["x.png", "y.png"], "Give the folder they were read from")],
)
def test_a_pool_of_other_names_says_how_it_is_to_be_named(place, ids, cure):
    Pool.from_arrays(np.eye(2), ids).save(place / "other")
    with pytest.raises(MissingDataError, match=f"other is not about .*{cure}"):
        own_folder.prepare(place / "pictures", pool=place / "other", session=place / "s.sqlite")


def test_a_job_file_opens_a_panel(place):
    launch.write_notebook(job(place), place)
    source = json.loads((place / "label.ipynb").read_text())["cells"][0]["source"]
    assert str(place) not in "".join(source)
    panel = launch.open_job(place / "job.json")
    assert panel.controller.asked[0].components[0] == "sample"
    panel.close()


def test_a_target_reaches_the_panel_and_one_that_is_no_share_is_refused(place):
    panel = jobs.open_panel(job(place, names=["cat-7.png"], target=0.8))
    assert "before 30 answers" in panel.figures["left"]["how"]
    assert panel.controller.advisor.rule.share == 0.8
    panel.close()
    with pytest.raises(ValueError, match="target = 80; allowed: a share above 0 and below 1"):
        job(place, target=80)


@pytest.mark.parametrize("name", ["cat-7.png", "pictures/CAT-7.png"])
def test_one_named_file_is_an_example_from_which_the_search_begins(place, name):
    panel = jobs.open_panel(job(place, names=[name]))
    assert set(panel.controller.asked[0].components) <= {"line", "neighbourhood"}
    assert panel.controller.rounds.seeds.tolist() == [7]
    panel.close()
    panel = jobs.open_panel(job(place))  # the next morning, without naming it again
    assert panel.controller.rounds.seeds.tolist() == [7]
    panel.close()


def test_earlier_labels_and_lists_of_examples_are_where_the_search_begins(place, capsys):
    (place / "earlier.csv").write_text("image,label\ncat-3.png,1\ncat-4.png,0\n")
    (place / "examples.txt").write_text("cat-5.png\npictures/cat-6.png\n")
    made = job(place, labels=place / "earlier.csv", seeds=place / "examples.txt")
    assert "1 positive, 1 negative" in capsys.readouterr().out
    panel = jobs.open_panel(made)
    assert panel.controller.rounds.seeds.tolist() == [3, 5, 6]
    panel.close()


def test_files_of_labels_are_read_once_where_the_items_are_the_files(place, monkeypatch, capsys):
    (place / "earlier.csv").write_text("image,label\ncat-3.png,1\ncat-4.png,0\n")
    (place / "examples.txt").write_text("cat-5.png\n")
    read = []

    def counted(reader):
        return lambda *given, **told: read.append(given[0].name) or reader(*given, **told)

    for module, reader in ((jobs, read_labels), (jobs, read_examples), (import_labels, read_labels)):
        monkeypatch.setattr(module, reader.__name__, counted(reader))
    names = sorted(path.name for path in (place / "pictures").iterdir())
    Pool.from_arrays(np.random.default_rng(0).normal(size=(40, 4)), names).save(place / "pool")
    monkeypatch.setattr(own_folder, "_vectors", lambda *_: (place / "pool", "an encoder", []))
    given = {"labels": place / "earlier.csv", "seeds": place / "examples.txt", "session": place / "s.sqlite"}
    own_folder.prepare(place / "pictures", **given)
    assert sorted(read) == ["earlier.csv", "examples.txt"]
    assert "1 positive, 1 negative" in capsys.readouterr().out
    Image.new("L", (8, 8)).save(place / "pictures" / "of-no-vector.png")  # the rows that were read are of other items
    own_folder.prepare(place / "pictures", **given | {"session": place / "t.sqlite"})
    assert len(read) == 2 + 4
    for session in ("s.sqlite", "t.sqlite"):
        panel = jobs.open_panel(jobs.make_job(place / "pictures", place / "pool", place / session))
        assert panel.controller.rounds.seeds.tolist() == [names.index("cat-3.png"), names.index("cat-5.png")]
        panel.close()


def test_the_command_says_which_class_and_which_columns_a_file_of_labels_means(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    (place / "old.csv").write_text("Datei;Art\ncat-3.png;Katze\ncat-4.png;Hund\ncat-5.png;Katze\n")
    served = []
    monkeypatch.setattr(launch, "launch", lambda made, **_: served.append(made))
    command = ["label", "pictures", "--pool", "pool", "--session", "s.sqlite", "--labels", "old.csv"]
    assert cli.main([*command, "--item", "Datei", "--label", "Art", "--positive", "katze"]) == 0
    assert "2 positive, 1 negative" in capsys.readouterr().out
    panel = jobs.open_panel(served[0])
    assert panel.controller.rounds.seeds.tolist() == [3, 5]
    panel.close()
    (place / "list.txt").write_text("cat-6.png\n", encoding="utf-16")  # what a file may need is known here, too
    assert cli.main([*command[:-1], "list.txt", "--every", "negative", "--encoding", "utf-16"]) == 0
    assert "1 negative" in capsys.readouterr().out
    assert cli.main([*command[:-2], "--positive", "katze"]) == 1
    assert "--labels FILE" in capsys.readouterr().err


def test_seeds_without_an_example_are_refused(place):
    (place / "no.csv").write_text("image,label\ncat-3.png,0\ncat-4.png,?\n")
    with pytest.raises(ValueError, match=r"no.csv calls no item positive; seeds takes a list of examples, labels"):
        job(place, seeds=place / "no.csv")
    assert not (place / "s.sqlite").exists()


def test_a_mistake_in_one_of_two_files_takes_nothing(place):
    (place / "earlier.csv").write_text("image,label\ncat-3.png,1\n")
    (place / "examples.txt").write_text("dog-5.png\n")
    with pytest.raises(ValueError, match=r"examples.txt"):
        job(place, labels=place / "earlier.csv", seeds=place / "examples.txt")
    assert not (place / "s.sqlite").exists()


def opened(place, **more):
    """Return the names of the parts that ask in the first round of the panel of a job, and the strategy of the job."""
    made = job(place, names=["cat-7.png"], **more)
    panel = jobs.open_panel(made)
    panel.close()
    return set(panel.controller.asked[0].components), made.strategy


def test_the_strategy_is_chosen_by_name_and_a_session_goes_on_with_its_own(place):
    assert opened(place, strategy="elsa") == ({"NN"}, "elsa")
    assert opened(place) == ({"NN"}, "elsa")
    assert job(place, annotator="ann").strategy == "harvest"  # who begins now
    assert opened(place, strategy="greedy-probe") == ({"probe"}, "greedy-probe")
    assert opened(place) == ({"probe"}, "greedy-probe")


def test_a_session_from_before_strategies_were_kept_goes_on_as_it_began(place):
    assert opened(place, strategy="greedy-probe")[0] == {"probe"}
    with sqlite3.connect(place / "s.sqlite") as base:
        base.execute("DELETE FROM meta WHERE key LIKE 'strategy:%'")
    base.close()
    assert opened(place) == ({"probe"}, "greedy-probe")


def test_a_port_that_is_taken_is_said_before_anything_starts(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert cli.main(["label", "pictures", "--pool", "pool", "--port", port, "--no-browser"]) == 1
    assert f"port {port} on 127.0.0.1 is in use; leave --port out" in capsys.readouterr().err


@pytest.mark.parametrize(("ip", "port"), [("no.such.host.invalid", 0), ("192.0.2.1", 0), ("127.0.0.1", 99999)])
def test_an_address_that_is_not_to_be_had_is_one_sentence(ip, port):
    with pytest.raises(ValueError, match=rf"--ip {ip}.*give an address of this machine"):
        launch._free_port(ip, port)


def test_the_address_of_this_machine_may_be_one_of_the_new_kind(place, monkeypatch, capsys):
    monkeypatch.setattr(launch.server_process, "serve", lambda *_, **__: 0)
    try:
        launch._free_port("::1")
    except ValueError:
        pytest.skip("this machine has no ::1")
    assert launch.launch(job(place), ip="::1", browser=False) == 0
    monkeypatch.setattr(launch, "LONGEST_START", 60)
    with socket.socket(socket.AF_INET6) as listening:
        listening.bind(("::1", 0))
        listening.listen()
        launch._tell_once_there("http://[::1]:1/", "::1", listening.getsockname()[1], browser=False)
        joined("elsa-page")
    assert "Open http://[::1]:1/" in capsys.readouterr().out


def joined(name):
    for thread in threading.enumerate():
        if thread.name == name:
            thread.join(60)


def test_a_server_that_fails_tells_why(place, monkeypatch, capfd):
    monkeypatch.setattr(launch, "command", lambda *_, **__: [sys.executable, "-c", "raise SystemExit('no room')"])
    monkeypatch.setattr(launch, "LONGEST_START", 0)
    assert launch.launch(job(place), browser=False) == 1
    told = capfd.readouterr().err
    assert "no room" in told
    assert "The page's server ended with status 1" in told


def test_a_panel_that_cannot_be_made_is_the_sentence_on_the_page(place):
    made = job(place)
    (place / "s.sqlite").write_text("no session <b>")
    page = shown(lambda: jobs.open_panel(made)).data
    assert MARK in page
    assert "s.sqlite is not a session file" in page
    assert "<b>" not in page


def test_the_token_is_in_no_argument_and_in_a_file_of_the_owner_alone(place, monkeypatch, capsys):
    assert cli.main(["label", str(place / "pictures"), "--token", "secret"]) == 1
    assert "read by everybody" in capsys.readouterr().err
    handed = {}
    monkeypatch.setattr(
        launch.server_process, "serve", lambda command, **more: handed.update(more, command=command) or 0
    )
    monkeypatch.setenv("ELSA_LABEL_TOKEN", "secret")
    launch.launch(job(place), browser=False)
    assert not any("secret" in argument for argument in handed["command"])
    assert handed["environment"]["ELSA_LABEL_TOKEN"] == "secret"
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(place / "runtime"))
    opened = []
    monkeypatch.setattr(launch.webbrowser, "open", opened.append)
    launch._open_in_browser("http://127.0.0.1:1/?token=secret")
    (file,) = (place / "runtime").iterdir()
    assert opened == [file.as_uri()]
    assert file.stat().st_mode & 0o777 == 0o600
    assert "token=secret" in file.read_text()


def test_a_token_of_any_letters_reaches_the_server_by_the_address(place, monkeypatch):
    shown, token = [], "a&b#c d/\u00e9%20+"
    monkeypatch.setattr(launch, "_tell_once_there", lambda url, *_: shown.append(url))
    monkeypatch.setattr(launch.server_process, "serve", lambda _, started, **__: started() or 0)
    monkeypatch.setenv("ELSA_LABEL_TOKEN", token)
    launch.launch(job(place), browser=False)
    parts = urlsplit(shown[0])
    assert (parse_qs(parts.query), parts.fragment) == ({"token": [token]}, "")
    assert shown[0].isascii()


@pytest.mark.parametrize(
    ("ip", "host", "known"),
    [
        ("127.0.0.1", "localhost:8888", True),
        ("127.0.0.1", "127.0.0.1:1", True),
        ("127.0.0.1", "[::1]:1", True),
        ("127.0.0.1", "rebound.example.org", False),
        ("127.0.0.1", "192.168.0.7", False),
        ("0.0.0.0", "192.168.0.7:1", True),
        ("0.0.0.0", socket.gethostname(), True),
        ("0.0.0.0", "rebound.example.org", False),
    ],
)
def test_only_hosts_that_the_server_is_known_by_are_answered(ip, host, known):
    app = page_server.tornado.web.Application([(r"/", page_server.tornado.web.RequestHandler)])
    checked = page_server._KnownHosts(app, set(page_server._names(ip)))
    headers = HTTPHeaders({"Host": host})
    start = page_server.tornado.httputil.RequestStartLine("GET", "/", "HTTP/1.1")
    request = HTTPServerRequest(headers=headers, start_line=start, connection=types.SimpleNamespace())
    handler = checked.find_handler(request)
    assert (getattr(handler, "handler_class", None) is not page_server.tornado.web.ErrorHandler) == known


def test_the_page_is_named_and_opened_when_the_server_answers(monkeypatch, capsys):
    opened, listening = [], socket.socket()
    monkeypatch.setattr(launch, "_open_in_browser", opened.append)
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    launch._tell_once_there("http://here", "127.0.0.1", port, browser=True)
    assert not opened
    listening.listen()
    joined("elsa-page")
    assert opened == ["http://here"]
    assert capsys.readouterr().out == "Open http://here\n"
    listening.close()


def test_the_server_listens_here_and_serves_no_file(place):
    command = launch.command(place / "x.ipynb", ip="127.0.0.1", port=1234)
    assert "--Voila.ip=127.0.0.1" in command
    assert "--VoilaConfiguration.file_denylist=['.*']" in command


def test_others_are_not_let_in_without_a_token(place):
    with pytest.raises(ValueError, match="anybody"):
        launch.launch(job(place), ip="0.0.0.0", token="", browser=False)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["label", "nowhere"], "nowhere is not a folder"),
        (["label", "pictures", "--pool", "pool", "--strategy", "magic"], "'magic' is not known; allowed: elsa, greedy"),
        (["label", "pictures", "--pool", "pool", "--metric", "taxi"], "'taxi'; allowed: cosine, euclidean"),
        (["label", "pictures", "--pool", "pool", "--strategy", "elsa", "--budget", "9"], "elsa has no budget"),
        (["label", "pictures", "--pool", "pool", "--seeds", "no.txt"], "no.txt is not here"),
        (["label", "pictures", "--pool", "pool", "--text", "cats"], "--like and --text need the encoder"),
        (["label", "pictures", "--pool", "nowhere"], "nowhere is not here"),
        (["label", "pictures", "--pool", "pool", "--name", "dog*"], "no item is called 'dog*'"),
    ],
)
def test_mistakes_are_one_sentence(place, monkeypatch, capsys, arguments, sentence):
    monkeypatch.chdir(place)
    assert cli.main(arguments) == 1
    assert sentence in capsys.readouterr().err


def test_an_audit_of_what_was_found_is_a_session_of_its_own_and_stays_as_it_began(place):
    with pytest.raises(MissingDataError, match="label first, then audit"):
        job(place, audit=True)
    names = [str(item) for item in Pool.open(place / "pool").ids]
    session = Session(place / "s.sqlite")
    session.acquire()
    session.write([Answer(names[0], OPEN, 0)])
    session.release()
    with pytest.raises(ValueError, match="holds no find yet"):
        job(place, audit=True)
    assert not (place / "s-audit.sqlite").exists()
    session.acquire()
    session.write([Answer(names[1], OPEN, 1), Answer(names[2], OPEN, -1), Answer("gone.png", OPEN, 1)])
    panel = jobs.open_panel(job(place, audit=True))
    asked = [row for asked in panel.controller.asked for row in asked.rows]
    assert set(asked) == {*range(40)} - {1}  # a refusal may be a slip, too
    assert "at least 2.5 %" in panel.figures["statement"].replace("\xa0", " ")  # 1 of 40: a gone item is no find
    assert "of the class is found" in panel.figures["statement"]
    panel.close()
    session.write([Answer(names[asked[0]], OPEN, 1)])  # the search goes on meanwhile: the audit's order stays
    session.close()
    again = jobs.open_panel(job(place, audit=True))
    assert [row for asked in again.controller.asked for row in asked.rows] == asked
    again.close()
    assert Session(place / "s.sqlite").known()[names[asked[0]]] == 1


def test_an_audit_that_another_window_begins_in_the_same_moment_is_looked_on(place):
    item = str(Pool.open(place / "pool").ids[1])
    session = Session(place / "s.sqlite")
    session.record([Answer(item, OPEN, 1)], "import")
    session.close()
    other = Session(place / "s-audit.sqlite")
    other.acquire()
    with other._transaction() as base:  # a living process, not this one
        base.execute("UPDATE leases SET host = 'elsewhere', holder = 'x', seen = seen + 600")
    panel = jobs.open_panel(job(place, audit=True))
    assert not panel.controller.held
    assert "open elsewhere" in panel.widget._banner()
    panel.close()
    other.close()


@pytest.mark.parametrize("ends", [KeyboardInterrupt, None])
def test_after_the_page_all_answers_are_in_the_one_file(place, monkeypatch, ends):
    """A kernel that is ended leaves the last ones beside it, and a copy of the file lacked them."""
    code = "import os; from elsa_nb.label.answers import Answer; from elsa_nb.label.session import Session; "
    code += "s = Session('s.sqlite'); s.record([Answer('cat-1.png', -2, 1)], 'answer'); os._exit(0)"
    made = job(place)

    def serve(*arguments, **options):
        subprocess.run([sys.executable, "-c", code], cwd=place, check=True)
        assert (place / "s.sqlite-wal").stat().st_size
        if ends:
            raise ends
        return 0

    monkeypatch.setattr(launch.server_process, "serve", serve)
    with pytest.raises(ends) if ends else nullcontext():
        launch.launch(made, browser=False)
    shutil.copy(place / "s.sqlite", place / "copy.sqlite")
    session = Session(place / "copy.sqlite", to_read=True)
    assert session.known() == {"cat-1.png": 1}
    session.close()


def test_the_command_says_whether_the_work_is_new_and_how_much_of_it_there_is(place):
    """A session elsewhere, or one whose name was mistyped, looked as one that goes on."""
    fresh = job(place)
    assert launch.where_answers_go(fresh) == f"The answers go to {place / 's.sqlite'}, a new session."
    session = Session(place / "s.sqlite")
    session.record([Answer(f"cat-{row}.png", OPEN, 1) for row in range(3)], "answer")
    session.record([Answer("cat-9.png", OPEN, 1)], "import")
    session.close()
    assert launch.where_answers_go(fresh).endswith("s.sqlite, which has 4 labels by 'me' so far.")
    assert launch.where_answers_go(job(place, annotator="bo")).endswith("s.sqlite, which has no label by 'bo' so far.")
    audit = launch.where_answers_go(job(place, audit=True))
    assert "s-audit.sqlite, which has no label by 'me' so far. The search takes them in when it is opened" in audit


@pytest.mark.parametrize("told", ["[]", "{}", '{"answered": 3, "found": 1}'])
def test_how_an_audit_began_may_be_damaged(place, told):
    session = Session(place / "s.sqlite")
    session.record([Answer("cat-1.png", OPEN, 1)], "import")
    session.close()
    audit = Session(place / "s-audit.sqlite")
    audit.remark_once("audit:me", told)
    audit.close()
    with pytest.raises(CorruptFileError, match=r"s-audit\.sqlite is damaged .*session rescue"):
        job(place, audit=True)


def test_a_session_that_is_taken_over_while_it_is_opened_is_looked_on(place, monkeypatch):
    made, lost = job(place), iter([True])

    def remember(*_):
        if next(lost, False):
            raise LeaseLostError("taken over")

    monkeypatch.setattr("elsa_nb.label.asked_before.remember", remember)
    panel = jobs.open_panel(made)
    assert not panel.controller.held
    panel.close()


def test_a_session_that_knows_names_only_refuses_pictures_of_other_names(place):
    """Labels were imported, and the page was never opened: nothing of what is behind the names was seen."""
    (place / "l.csv").write_text("image,label\ncat-3.png,1\n")
    job(place, labels=place / "l.csv")
    (place / "dogs").mkdir()
    for row in range(5):
        (place / "dogs" / f"dog-{row}.png").write_bytes(b"")
    Pool.from_arrays(np.eye(5, dtype=np.float32), [f"dog-{row}.png" for row in range(5)]).save(place / "dog-pool")
    with pytest.raises(ValueError, match=r"holds answers about other items.*'cat-0.png' is not here"):
        jobs.make_job(place / "dogs", place / "dog-pool", place / "s.sqlite")
    panel = jobs.open_panel(job(place))
    assert panel.controller.rounds.seeds.tolist() == [3]
    panel.close()


def test_a_search_from_examples_goes_on_from_all_answers_in_other_vectors_or_by_another_strategy(place):
    panel = jobs.open_panel(job(place, names=["cat-7.png"]))
    panel.oracle = Truth(np.arange(40) < 20)
    panel.play(pages=2)
    answers = panel.figures["labels"]
    finds = set(panel.positives.tolist())
    panel.close()
    assert answers > 20
    vectors = np.random.default_rng(1).normal(size=(40, 4)).astype(np.float32)
    Pool.from_arrays(vectors, Pool.open(place / "pool").ids).save(place / "other")
    for pool, more in (("other", {}), ("pool", {"strategy": "greedy-probe"})):
        (place / "copy.sqlite").write_bytes((place / "s.sqlite").read_bytes())
        panel = jobs.open_panel(jobs.make_job(place / "pictures", place / pool, place / "copy.sqlite", **more))
        assert panel.figures["labels"] >= answers
        assert "was begun with other questions" in panel.controller.notice
        assert finds <= set(panel.positives.tolist())
        panel.close()
        panel = jobs.open_panel(jobs.make_job(place / "pictures", place / pool, place / "copy.sqlite"))
        assert panel.figures["labels"] >= answers  # and so the next morning
        panel.close()


def test_a_session_about_other_pictures_is_refused_before_anything_is_taken(place):
    jobs.open_panel(job(place)).close()
    for path in (place / "pictures").iterdir():
        path.write_bytes(path.read_bytes() + b"another picture")
    (place / "seeds.txt").write_text(str(Pool.open(place / "pool").ids[0]))
    with pytest.raises(ValueError, match="holds answers about other items"):
        job(place, seeds=place / "seeds.txt")
    assert Session(place / "s.sqlite").known() == {}


def test_a_mistake_that_the_second_file_shows_only_in_the_session_takes_nothing_of_the_first(place, monkeypatch):
    (place / "earlier.csv").write_text("image,label\ncat-3.png,1\n")
    (place / "examples.txt").write_text("cat-5.png\n")
    job(place)
    taken = []

    def stops(session, file, ids):
        if taken:
            raise ValueError("the second file is refused")
        taken.append(import_labels.import_labels(session, file, ids))
        return taken[0]

    monkeypatch.setattr(jobs, "import_labels", stops)
    with pytest.raises(ValueError, match="the second file"):
        job(place, labels=place / "earlier.csv", seeds=place / "examples.txt")
    assert taken and not (place / "s.sqlite").exists()
