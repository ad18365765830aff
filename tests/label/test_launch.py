"""`elsa-nb label`: what it starts, and what it refuses to start. tests/browser/test_voila.py asks the server itself."""

import json
import socket
import threading

import numpy as np
import pytest

from elsa_nb import cli
from elsa_nb.errors import MissingDataError
from elsa_nb.label import jobs, launch
from elsa_nb.label.cards import OPEN
from elsa_nb.label.session import Answer, Session
from elsa_nb.pool import Pool


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


def test_one_named_file_is_an_example_from_which_the_search_begins(place):
    panel = jobs.open_panel(job(place, names=["cat-7.png"]))
    assert panel.controller.asked[0].components[0] == "probe"
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


def test_a_mistake_in_one_of_two_files_takes_nothing(place):
    (place / "earlier.csv").write_text("image,label\ncat-3.png,1\n")
    (place / "examples.txt").write_text("dog-5.png\n")
    with pytest.raises(ValueError, match=r"examples.txt"):
        job(place, labels=place / "earlier.csv", seeds=place / "examples.txt")
    assert not (place / "s.sqlite").exists()


@pytest.mark.parametrize("strategy", ["elsa", "greedy-probe"])
def test_the_strategy_is_chosen_by_name(place, strategy):
    made = job(place, names=["cat-7.png"], strategy=strategy)
    panel = jobs.open_panel(made)
    assert panel.controller.asked[0].components[0] == {"elsa": "NN", "greedy-probe": "probe"}[strategy]
    panel.close()


def test_a_server_that_fails_tells_why(place, monkeypatch, capfd):
    monkeypatch.chdir(place)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with pytest.raises(SystemExit) as ended:
            cli.main(["label", "pictures", "--pool", "pool", "--port", port, "--no-browser"])
    assert ended.value.code == 1
    told = capfd.readouterr().err
    assert f"port {port} is already in use" in told
    assert "The page's server ended with status" in told


def test_the_page_is_named_and_opened_when_the_server_answers(monkeypatch, capsys):
    opened, listening = [], socket.socket()
    monkeypatch.setattr(launch.webbrowser, "open", opened.append)
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    launch._tell_once_there("http://here", "127.0.0.1", port, browser=True)
    assert not opened
    listening.listen()
    for thread in threading.enumerate():
        if thread.name == "elsa-page":
            thread.join(60)
    assert opened == ["http://here"]
    assert capsys.readouterr().out == "Open http://here\n"
    listening.close()


def test_a_pool_of_other_files_is_refused(place):
    (place / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="not about"):
        jobs.make_job(place / "empty", place / "pool", place / "s.sqlite")


def test_the_server_listens_here_and_serves_no_file(place):
    command = launch.command(place / "x.ipynb", ip="127.0.0.1", port=1234, token="secret")
    assert "--Voila.ip=127.0.0.1" in command
    assert "--Voila.token=secret" in command
    assert "--VoilaConfiguration.file_denylist=['.*']" in command


def test_others_are_not_let_in_without_a_token(place):
    with pytest.raises(ValueError, match="anybody"):
        launch.launch(job(place), ip="0.0.0.0", token="", browser=False)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["label", "nowhere"], "nowhere is no folder"),
        (["label", "pictures", "--pool", "pool", "--strategy", "magic"], "'magic' is not known; allowed: elsa, greedy"),
        (["label", "pictures", "--pool", "pool", "--metric", "taxi"], "'taxi'; allowed: cosine, euclidean"),
        (["label", "pictures", "--pool", "pool", "--strategy", "elsa", "--budget", "9"], "elsa has no budget"),
        (["label", "pictures", "--pool", "pool", "--seeds", "no.txt"], "no.txt is not here"),
        (["label", "pictures", "--pool", "pool", "--like", "x.png"], "--like and --text need the encoder"),
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
    assert set(asked) == set(range(2, 40))  # the doubtful one may hide a find
    assert panel.figures["statement"].startswith("At least 2.5 %")  # 1 of 39: a gone item is no find
    assert "of the class is found" in panel.figures["statement"]
    panel.close()
    session.write([Answer(names[asked[0]], OPEN, 1)])  # the search goes on meanwhile: the audit's order stays
    session.close()
    again = jobs.open_panel(job(place, audit=True))
    assert [row for asked in again.controller.asked for row in asked.rows] == asked
    again.close()
    assert Session(place / "s.sqlite").known()[names[asked[0]]] == 1


def test_a_session_about_other_pictures_is_refused_before_anything_is_taken(place):
    jobs.open_panel(job(place)).close()
    for path in (place / "pictures").iterdir():
        path.write_bytes(path.read_bytes() + b"another picture")
    (place / "seeds.txt").write_text(str(Pool.open(place / "pool").ids[0]))
    with pytest.raises(ValueError, match="holds answers about other items"):
        job(place, seeds=place / "seeds.txt")
    assert Session(place / "s.sqlite").known() == {}
