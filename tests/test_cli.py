"""The command line: what a user mistypes comes back as one sentence and exit status 1, before anything is written."""

import sqlite3

import dask.distributed
import pytest

from elsa_nb import cli, profiles
from elsa_nb.errors import MissingDataError


@pytest.fixture
def empty(tmp_path, monkeypatch):
    monkeypatch.setattr(profiles, "ROOT", tmp_path)
    monkeypatch.setattr(profiles, "DATA", tmp_path / "data")
    monkeypatch.setattr(profiles, "FIGURES", tmp_path / "figures")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["reproduce", "--profile", "fast"], "profile 'fast' is not known; allowed: quick, full, photos, paper"),
        (["report", "--profile", "fast"], "profile 'fast' is not known"),
        (
            ["reproduce", "-p", "prfoile=full"],
            "parameter 'prfoile' is not one of 00-start-here.ipynb's; allowed: profile",
        ),
        (["reproduce", "-p", "profile"], "parameter 'profile'; give NAME=VALUE"),
        (["report"], "the report of profile 'quick' lacks glyphs"),
        (["embed", "--encoder", "resnet"], "resnet"),
    ],
)
def test_mistakes_are_one_sentence(empty, capsys, arguments, sentence):
    assert cli.main(arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith("elsa-nb: ")
    assert sentence in error
    assert "Traceback" not in error
    assert not list(empty.iterdir())


@pytest.mark.parametrize("command", [["reproduce"], ["embed", "pictures"]])
@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("tcp://scheduler", "'tcp://scheduler' is no address of a Dask scheduler; give one such as tcp://host:8786"),
        ("http://127.0.0.1:8787", "is no address of a Dask scheduler"),  # its page, not itself
        pytest.param("tcp://127.0.0.1:9", "no Dask scheduler answers at tcp://127.0.0.1:9", marks=pytest.mark.slow),
    ],
)
def test_a_cluster_that_does_not_answer_is_said_before_anything_is_done(empty, capsys, command, address, sentence):
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        assert cli.main([*command, "--dask", address]) == 1
    said = capsys.readouterr()
    assert sentence in said.err
    assert not said.out  # no notebook, no list of files
    assert not list(empty.iterdir())


def test_the_variable_that_names_a_cluster_is_looked_at_as_the_option_is(empty, monkeypatch, capsys):
    monkeypatch.setenv("ELSA_DASK", "tcp://scheduler")
    assert cli.main(["reproduce"]) == 1
    assert "no address of a Dask scheduler" in capsys.readouterr().err


def test_no_command_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main([])
    assert stopped.value.code == 2
    assert "COMMAND" in capsys.readouterr().err


def test_every_profile_without_its_data_says_what_is_missing(empty):
    for name in profiles.PROFILES:
        with pytest.raises(FileNotFoundError, match=f"profile '{name}' needs .*vicreg-projection, which is not here"):
            profiles.profile(name).pool("vicreg", "projection")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            PermissionError(13, "Permission denied", "a/cats.csv"),
            "a/cats.csv: Permission denied. Name a place that you may write to, or let its owner open it to you.",
        ),
        (
            OSError(28, "No space left on device"),
            "No space left on device. Make room, then give the same command again.",
        ),
        (
            RuntimeError("Symlink loop from 'x'"),
            "Symlink loop from 'x': it leads to itself; name what it was to lead to",
        ),
        (ConnectionRefusedError("nobody answers at tcp://localhost:8786"), "nobody answers at tcp://localhost:8786"),
        (sqlite3.OperationalError("disk I/O error"), "the session file cannot be used (disk I/O error)"),
        (MissingDataError("The pool is not here."), "The pool is not here."),
        (ValueError("a sentence"), "a sentence"),
    ],
)
def test_what_the_system_refuses_is_a_sentence_and_status_1(monkeypatch, capsys, error, sentence):
    def fail(options):
        raise error

    monkeypatch.setattr(cli, "_verify", fail)
    assert cli.main(["verify"]) == 1
    assert capsys.readouterr().err == f"elsa-nb: {sentence}\n"
