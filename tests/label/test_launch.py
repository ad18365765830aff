"""`elsa-nb label`: what it starts, and what it refuses to start. tests/browser/test_voila.py asks the server itself."""

import json
import socket
import threading

import numpy as np
import pytest

from elsa_nb import cli
from elsa_nb.label import launch
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
    return launch.make_job(place / "pictures", place / "pool", place / "s.sqlite", **more)


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


def test_one_named_file_is_an_example_from_which_the_search_begins(place):
    panel = launch.open_panel(job(place, names=["cat-7.png"]))
    assert panel.controller.asked[0].components[0] == "probe"
    assert panel.controller.rounds.seeds.tolist() == [7]
    panel.close()
    panel = launch.open_panel(job(place))  # the next morning, without naming it again
    assert panel.controller.rounds.seeds.tolist() == [7]
    panel.close()


def test_earlier_labels_and_lists_of_examples_are_where_the_search_begins(place, capsys):
    (place / "earlier.csv").write_text("image,label\ncat-3.png,1\ncat-4.png,0\n")
    (place / "examples.txt").write_text("cat-5.png\npictures/cat-6.png\n")
    made = job(place, labels=place / "earlier.csv", seeds=place / "examples.txt")
    assert "1 positive, 1 negative" in capsys.readouterr().out
    panel = launch.open_panel(made)
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
    panel = launch.open_panel(made)
    assert panel.controller.asked[0].components[0] == {"elsa": "NN", "greedy-probe": "probe"}[strategy]
    panel.close()


def test_the_browser_opens_when_the_server_answers(place, monkeypatch):
    opened, listening = [], socket.socket()
    monkeypatch.setattr(launch.webbrowser, "open", opened.append)
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    launch._open_once_there("http://here", "127.0.0.1", port)
    assert not opened
    listening.listen()
    for thread in threading.enumerate():
        if thread.name == "elsa-browser":
            thread.join(60)
    assert opened == ["http://here"]
    listening.close()


def test_a_pool_of_other_files_is_refused(place):
    (place / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="not about"):
        launch.make_job(place / "empty", place / "pool", place / "s.sqlite")


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
        (["label", "pictures", "--pool", "pool", "--like", "x.png"], "--like needs the encoder"),
        (["label", "pictures", "--pool", "nowhere"], "nowhere is not here"),
        (["label", "pictures", "--pool", "pool", "--name", "dog*"], "no item is called 'dog*'"),
    ],
)
def test_mistakes_are_one_sentence(place, monkeypatch, capsys, arguments, sentence):
    monkeypatch.chdir(place)
    assert cli.main(arguments) == 1
    assert sentence in capsys.readouterr().err
