"""The command line: what a user mistypes comes back as one sentence and exit status 1, before anything is written."""

import argparse
import sqlite3
import subprocess
import sys

import dask.distributed
import pytest

from elsa_nb import cli, profiles
from elsa_nb.arguments import Parser, maybe_nothing, typed_path
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
        (
            ["verify", "--record", "--row", "components", "1"],
            "--record counts only without --all, --sample and --row; leave it out",
        ),
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
        (
            "tcp://scheduler",
            "'tcp://scheduler' is not an address of a Dask scheduler; give one such as tcp://host:8786",
        ),
        ("http://127.0.0.1:8787", "is not an address of a Dask scheduler"),  # its page, not itself
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
    assert "not an address of a Dask scheduler" in capsys.readouterr().err


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
            "Symlink loop from 'x': it leads to itself; name the file or folder that it should lead to",
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


def commands(parser):
    """Yield every command that has no commands of its own, by the words that call it."""
    below = [action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    for name, command in (below[0] if below else {}).items():
        yield from (([name, *words], leaf) for words, leaf in commands(command))
    if not below:
        yield [], parser


def options_with_a_word(leaf):
    """Return the options of a command that take a word and go with its arguments, whatever these are."""
    apart = [action for group in leaf._mutually_exclusive_groups for action in group._group_actions]
    words = (None, typed_path, maybe_nothing)
    takes_one = [each for each in leaf._actions if each.option_strings and each.nargs is None and each.type in words]
    return [each for each in takes_one if each not in apart and each.dest not in leaf.modes]


OPEN_ENDED = [
    pytest.param(words, leaf, id=" ".join(words))
    for words, leaf in commands(cli._parser())
    if options_with_a_word(leaf)
    and any(argument.nargs == "?" and not argument.choices for argument in leaf._get_positional_actions())
]


@pytest.mark.parametrize(("words", "leaf"), OPEN_ENDED)
def test_options_may_stand_between_arguments(words, leaf):
    places = leaf._get_positional_actions()
    given = [place.choices[0] if place.choices else f"file-{i}" for i, place in enumerate(places)]
    typed = [options_with_a_word(leaf)[0].option_strings[0], "word"]
    wanted = vars(cli._parser().parse_args([*words, *given, *typed]))
    assert [wanted[place.dest] for place in places] == given
    for at in range(len(given) + 1):
        assert vars(cli._parser().parse_args([*words, *given[:at], *typed, *given[at:]])) == wanted


PATHS = {"FILE", "FOLDER", "SESSION", "VECTORS", "LABELS"}
TAKEN = [(words, leaf, action) for words, leaf in commands(cli._parser()) for action in leaf._actions]


def test_whatever_takes_a_path_is_called_so_and_has_the_type_of_paths():
    for words, _, action in TAKEN:
        assert (action.metavar in PATHS) == (action.type is typed_path), (words, action.dest)


@pytest.mark.parametrize(
    ("words", "leaf", "action"),
    [
        pytest.param(*each, id=" ".join([*each[0], *each[2].option_strings[:1]]) + f" {each[2].metavar}")
        for each in TAKEN
        if each[2].type in (None, typed_path) and each[2].nargs in (None, "?", "*") and not each[2].choices
    ],
)
def test_nothing_is_refused_wherever_a_text_is_taken(capsys, words, leaf, action):
    """An hour's work would go on without the cluster of --dask "$ADDRESS", where that variable is not set."""
    typed = []
    for place in leaf._get_positional_actions():
        if place is action:
            break
        typed.append(place.choices[0] if place.choices else "file")
    typed += [*action.option_strings[:1], ""]
    with pytest.raises(SystemExit) as stopped:
        cli.main([*words, *typed])
    error = capsys.readouterr().err
    assert stopped.value.code == 2
    name = "/".join(action.option_strings) or action.metavar
    assert error.endswith(f"argument {name}: '' names nothing; is a variable of the shell not set?\n")
    assert f"usage: elsa-nb {words[0]}" in error


def test_an_empty_path_behind_an_option_is_refused_too(capsys):
    with pytest.raises(SystemExit):
        cli.main(["labels", "export", "s.sqlite", "--kind", "csv", ""])
    assert "argument FILE: '' names nothing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["label", "holiday", "photos"], "unrecognized arguments: photos; a name that contains a blank needs quotes"),
        (["labels", "export", "s.sqlite", "a.csv", "b.csv"], "unrecognized arguments: b.csv"),
        (["embed", "one", "--images", "two"], "not allowed with argument"),
        (["label", "photos", "--target", "most"], "'most' is not a share; give one such as 0.9 or 90%"),
        (["label", "photos", "--colour", "red"], "unrecognized arguments: --colour red"),
    ],
)
def test_what_a_command_does_not_know_is_told_beside_its_own_usage(capsys, arguments, said):
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert said in error
    assert f"usage: elsa-nb {arguments[0]}" in error


@pytest.mark.parametrize(
    "line",
    [
        "label p --labels a.csv --labels b.csv",
        "label p --pool a --pool b",
        "bench v.npy l.csv --budget 20 --classes 3 --budget 60",
        "embed p --name=a --name b",
        "labels export s.sqlite --kind csv --kind=coco",
    ],
)
def test_an_option_of_one_value_is_not_given_two(empty, capsys, line):
    """The last one would count, and nothing would say that the others do not."""
    with pytest.raises(SystemExit) as error:
        cli.main(line.split())
    assert error.value.code == 2
    assert "takes one value, and was given another: " in capsys.readouterr().err


def test_a_flag_may_stand_twice_and_what_takes_several_takes_them():
    line = "label p --no-browser --no-browser --name a.png --name b.png"
    options = cli._parser().parse_args(line.split())
    assert (options.no_browser, options.name) == (True, ["a.png", "b.png"])


def test_no_method_is_overridden_that_another_version_of_argparse_may_lack():
    inside = {name for name in vars(Parser) if name.startswith("_") and not name.endswith("__")}
    assert not inside & set(dir(argparse.ArgumentParser))


@pytest.mark.parametrize("declare", [lambda parser: parser, lambda parser: parser.add_argument_group("more")])
def test_what_was_typed_is_noted_and_nothing_else(declare):
    parser = Parser()
    group = declare(parser)
    group.add_argument("--pair", nargs=2)
    group.add_argument("--flag", action="store_true")
    group.add_argument("--each", "-e", action="append", default=["first"])
    group.add_argument("--one", default="of no effect")
    parser.add_argument("file")
    assert vars(parser.parse_args(["x"])) == {
        "pair": None,
        "flag": False,
        "each": ["first"],
        "one": "of no effect",
        "file": "x",
    }
    assert parser.given == {}
    options = parser.parse_args(["x", "--pair", "a", "b", "-e", "c", "--each", "d", "--flag", "--flag"])
    assert (options.pair, options.flag, options.each) == (["a", "b"], True, ["first", "c", "d"])
    assert parser.given == {"pair": "--pair", "flag": "--flag", "each": "-e"}
    assert parser.parse_args(["x"]).each == ["first"]


@pytest.mark.parametrize("text", ["0.9", "0,9", "90%", "90 %", " 90.0% "])
def test_a_share_may_be_typed_as_people_write_it(text):
    assert cli._parser().parse_args(["label", "photos", "--target", text]).target == pytest.approx(0.9)


def test_python_runs_the_command_without_its_script():
    run = [sys.executable, "-m", "elsa_nb"]
    assert subprocess.run([*run, "--version"], capture_output=True, text=True).stdout.startswith("elsa-nb ")
    refused = subprocess.run([*run, "no-such"], capture_output=True, text=True)
    assert refused.returncode == 2
    assert "usage: elsa-nb" in refused.stderr
