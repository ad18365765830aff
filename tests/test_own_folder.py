"""A mistake on the command line costs no waiting: it is refused before the vectors are made."""

import sqlite3

import numpy as np
import pytest

from elsa_nb import cli, own_folder
from elsa_nb.label import jobs
from elsa_nb.pool import Pool

MISTAKES = {
    "--strategy best": "strategy 'best' is not known",
    "--target 90": "target = 90.0",
    "--budget 0": "budget = 0",
    "--metric manhattan": "metric is 'manhattan'",
    "--port 99999": "a port below 65,536",
    "--ip nowhere.invalid": "give an address of this machine",
    "--ip 0.0.0.0 --token=": "would let anybody in",
    "--like nothing.jpg": "nothing.jpg is no file",
    "--name cta.png": "no item is called 'cta.png'",
    "--labels nothing.csv": "nothing.csv is not here",
    "--seeds nothing.txt": "nothing.txt is not here",
    "--positive cat": "name it: --labels FILE",
    "--session other.sqlite": "other.sqlite",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder with one picture, in the working folder; making its vectors fails the test."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "cat.png").write_bytes(b"")

    def make(*arguments):
        raise AssertionError("vectors are made before the mistake is told")

    monkeypatch.setattr(own_folder, "_vectors", make)
    return tmp_path / "pictures"


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_before_vectors_are_made(folder, capsys, mistake):
    with sqlite3.connect(folder.parent / "other.sqlite") as other:
        other.execute("CREATE TABLE mine (n)")
    assert cli.main(["label", str(folder), "--no-browser", *mistake.split()]) == 1
    said = capsys.readouterr().err
    assert MISTAKES[mistake] in said
    assert said.count("\n") == 1


def test_a_folder_that_was_renamed_is_told_of_its_earlier_session(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, salt in (("old", 0), ("other", 100)):
        (tmp_path / name).mkdir()
        for i in range(20):
            (tmp_path / name / f"{i}.png").write_bytes(bytes([salt + i]))
    Pool.from_arrays(np.eye(20), [f"{i}.png" for i in range(20)]).save("pool")

    def opened(name):
        capsys.readouterr()
        job = own_folder.prepare(name, pool="pool", name="3.png")
        jobs.open_panel(job).close()
        return capsys.readouterr().out

    assert "--session" not in opened("old")
    (tmp_path / "text.sqlite").write_text("no database")
    (tmp_path / "old").rename(tmp_path / "new name")
    told = opened("new name")
    assert not list(tmp_path.glob("old-*.sqlite-*"))  # looked into, and nothing left beside it
    assert "holds 1 answer about the same items, then in " in told
    assert f"--session {next(tmp_path.glob('old-*.sqlite')).name}" in told
    assert "--session" not in opened("new name")  # it has a session now
    assert "--session" not in opened("other")  # the same names, other pictures


def test_so_it_is_in_a_notebook(folder):
    with pytest.raises(TypeError, match="bugdet"):
        own_folder.label_folder(folder, bugdet=100)


def test_what_is_right_goes_on_to_the_vectors(folder):
    with pytest.raises(AssertionError, match="vectors are made"):
        own_folder.prepare(folder, name="*.png", like=folder / "cat.png", target=0.9, budget=50, strategy="harvest")
