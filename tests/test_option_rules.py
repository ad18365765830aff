"""No option is passed over in silence: each counts always, or says with what it counts and is refused elsewhere."""

import shlex

import numpy as np
import pytest
from test_cli import commands

import elsa_nb
from elsa_nb import cli
from elsa_nb.label import export
from elsa_nb.label.answers import Answer
from elsa_nb.label.folder_options import FOLDER_MODES
from elsa_nb.label.session import Session
from elsa_nb.option_rules import Only, check_modes, given_of
from elsa_nb.pool import Pool

# What counts in every mode of its command. A new option stands here, or declares its `Only`.
_READING = "--positive --negative --unsure --item --label --every --encoding"  # refused by `read_labels`
ALWAYS = {
    "reproduce": "--profile --parameter --dask --jobs",
    "embed": "--images --encoder --batch --dtype --precision --resizer --check-precision",
    "pool join": "--out --name",
    "pool make": "--ids --key --encoding --name --space --replace",
    "bench": "--item --label --encoding --classes --seeds --repeats --budget --smallest --largest --strategy --out",
    "labels import": f"--pool --annotator --from --replace {_READING}",
    "labels export": "--kind --annotator --replace",
    "session summary": "--annotator",
    "train": "--method --data --out --epochs --batch --seed --precision --official",
    "report": "--profile",
    "verify": "--all --sample --row",
    "label": "--pool --session --annotator --audit --ip --port --token --no-browser",
}
# What is accepted where it asks for what is done anyway, or is no longer needed.
ACCEPTED = {"embed": "--skip-broken --strict"}
# `jobs.check_settings` refuses these, for Python too, where they stand without --labels: tests/test_own_folder.py.
REFUSED_LATER = {"label": _READING}
# Where a declared option is typed in vain, and what is told.
IN_VAIN = {
    "embed pictures --profile quick": "--profile counts only without a folder of images; leave it out",
    "embed --images pictures --profile full": "--profile counts only without a folder of images; leave it out",
    "embed --name owls": "--name counts only with a folder of images; leave it out",
    "embed --dask tcp://host:8786": "--dask counts only with a folder of images; leave it out",
    "embed pictures --dask tcp://host:8786 --workers 2": "--workers counts only without --dask; leave it out",
    "bench . l.csv --ids n.txt": "--ids counts only where VECTORS is a file, not a pool; leave it out",
    "bench . l.csv --key x": "--key counts only where VECTORS is a file, not a pool; leave it out",
    "bench . l.csv --vectors-encoding cp932": "--vectors-encoding counts only where VECTORS is a file, not a pool",
    "labels export s.sqlite a-links --class target": "--class counts only where --kind is not links or copies",
    "labels export s.sqlite --images nope": "--images counts only where --kind is not csv or parquet",
    "labels export s.sqlite a.parquet --images x": "--images counts only where --kind is not csv or parquet",
    "labels export s.sqlite --kind label-studio --url / --images x": "and without --url",
    "labels export s.sqlite x.csv --url /": "--url counts only where --kind is label-studio; leave it out",
    "labels export s.sqlite --kind coco --url ''": "--url counts only where --kind is label-studio; leave it out",
    "labels export s.sqlite --email a@b": "--email counts only where --kind is label-studio; leave it out",
    "train --method vicreg --variant asymmetric": "--variant counts only for --data of photographs",
    "train --method moco-v2 --data food-101 --official --variant symmetric": "for the methods vicreg and barlow-twins",
    "verify --profile full": "--profile counts only with --row; leave it out",
    "verify --all --record": "--record counts only without --all, --sample and --row; leave it out",
    "verify --record --sample 3": "--record counts only without --all, --sample and --row; leave it out",
    "label p --pool q --strict": "--strict counts only without --pool; leave it out",
    "label p --encoder dinov2-small --pool q": "--encoder counts only without --pool, or with --like or --text; leave",
    "label p --like a.png --seeds s.txt": "--like counts only without --seeds and --audit; leave it out",
    "label p --text owl --audit": "--text counts only without --seeds and --audit; leave it out",
    "label p --audit --name a.png": "--name counts only without --audit; leave it out",
    "label p --audit --seeds s.txt": "--seeds counts only without --audit; leave it out",
    "label p --audit --labels l.csv": "--labels counts only without --audit; leave it out",
    "label p --audit --strategy harvest": "--strategy counts only without --audit; leave it out",
    "label p --audit --budget 9": "--budget counts only without --audit; leave it out",
    "label p --audit --target 90%": "--target counts only without --audit; leave it out",
    "label p --audit --metric cosine": "--metric counts only without --audit; leave it out",
}
TO_SOME_END = [
    "embed --profile full --encoder vicreg --strict",
    "embed pictures --name owls --dask tcp://host:8786 --skip-broken",
    "embed pictures --workers 2",
    "bench v.npy l.csv --ids n.txt --key x --vectors-encoding cp932",
    "labels export s.sqlite --class owl",
    "labels export s.sqlite a-links --images x --replace",
    "labels export s.sqlite --kind label-studio --url / --email a@b",
    "labels export s.sqlite --kind yolo --url /",  # which is told by itself
    "train --method vicreg --data food-101 --official --variant asymmetric",
    "train --method moco-v2 --data tiny-imagenet --variant asymmetric",
    "verify --row components 17 --profile quick",
    "verify --record",
    "label p --pool q --encoder dinov2-small --text owl",
    "label p --strict --encoder dinov2-small --seeds s.txt --name a.png",
    "label p --audit --pool q --session s.sqlite --annotator ann",
]
LEAVES = {" ".join(words): leaf for words, leaf in commands(cli._parser())}


def words_of(table, command):
    return set(table.get(command, "").split())


@pytest.mark.parametrize("command", LEAVES)
def test_of_every_option_it_is_said_when_it_counts(command):
    leaf = LEAVES[command]
    typed = {each.option_strings[-1]: each.dest for each in leaf._actions if each.option_strings}
    named = [words_of(table, command) for table in (ALWAYS, ACCEPTED, REFUSED_LATER)]
    always = set.union(*named)
    assert sum(map(len, named)) == len(always)
    assert always | {word for word, dest in typed.items() if dest in leaf.modes} == typed.keys() - {"--help"}
    assert not {typed[word] for word in always} & leaf.modes.keys()
    assert leaf.modes.keys() <= set(typed.values())
    tried = {word for line in IN_VAIN if line.startswith(f"{command} ") for word in line.split()}
    assert {word for word, dest in typed.items() if dest in leaf.modes} <= tried


def test_the_tables_name_no_command_that_is_gone():
    assert (ALWAYS.keys() | ACCEPTED.keys() | REFUSED_LATER.keys()) - LEAVES.keys() == set()


@pytest.mark.parametrize("line", IN_VAIN)
def test_what_would_be_typed_in_vain_is_refused_in_one_sentence(tmp_path, monkeypatch, capsys, line):
    monkeypatch.chdir(tmp_path)
    assert cli.main(shlex.split(line)) == 1
    error = capsys.readouterr().err
    assert IN_VAIN[line] in error
    assert error.startswith("elsa-nb: --")
    assert error.endswith("; leave it out\n")
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("line", TO_SOME_END)
def test_what_counts_is_taken(line):
    cli._parser().parse_args(shlex.split(line))


@pytest.mark.parametrize("command", LEAVES)
def test_a_default_is_never_refused(command):
    needed = {"pool join": "--out x ", "train": "--method vicreg "}
    places = [each for each in LEAVES[command]._get_positional_actions() if each.nargs not in ("?", "*")]
    given = [each.choices[0] if each.choices else "file" for each in places]
    cli._parser().parse_args([*command.split(), *needed.get(command, "").split(), *given])


def test_a_second_line_is_not_held_to_what_the_first_one_gave():
    parser = cli._parser()
    parser.parse_args(["embed", "--profile", "full"])
    parser.parse_args(["embed", "pictures"])


def test_in_python_options_are_called_as_they_are_there():
    modes = {"strict": Only("without {pool}", lambda given: given["pool"] is None)}
    with pytest.raises(ValueError, match=r"^strict counts only without pool; leave it out$"):
        check_modes(modes, ["strict"], {"pool": "p"})
    check_modes(modes, ["pool"], {"pool": "p"})
    given = {"a": None, "b": False, "c": (), "d": [], "e": "", "f": 0, "g": np.zeros(2)}
    assert given_of(given) == ["e", "f", "g"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"pool": "p", "strict": True}, "strict counts only without pool; leave it out"),
        ({"pool": "p", "encoder": "dinov2-small"}, "encoder counts only without pool, or with like or text"),
        ({"seeds": "s.txt", "like": "a.png"}, "like counts only without seeds and audit"),
        *(({"audit": True, name: "x"}, f"{name} counts only without ") for name in FOLDER_MODES if name[0] not in "e"),
    ],
)
def test_a_folder_of_ones_own_from_python_is_held_to_the_same(tmp_path, options, said):
    if "strict" in options and "pool" not in options:
        options = options | {"pool": "p"}
    with pytest.raises(ValueError, match=said):
        elsa_nb.label_folder(tmp_path, **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        ("csv", {"images": "x"}, "images counts only where kind is not csv or parquet, and without url"),
        (None, {"url": ""}, "url counts only where kind is label-studio"),
        ("coco", {"email": "a@b"}, "email counts only where kind is label-studio"),
        ("label-studio", {"url": "/", "images": "x"}, "images counts only where .* and without url"),
        ("links", {"images": "x", "label": "owl"}, "label counts only where kind is not links"),
    ],
)
def test_an_export_from_python_is_held_to_the_same(tmp_path, kind, options, said):
    session = Session(tmp_path / "s.sqlite")
    session.record([Answer("a.png", -2, 1)], "import")
    with pytest.raises(ValueError, match=said):
        export.export(session, kind=kind, **options)
    session.close()
    assert [path.name for path in tmp_path.iterdir() if "sqlite" not in path.name] == []


def test_a_panel_with_a_class_exports_links(tmp_path):
    """What the page knows by itself is not given: a folder of links has no name of a class in it."""
    from elsa_nb.label import Files, Panel
    from elsa_nb.label.session_file import CLASS
    from elsa_nb.search.strategies.harvest import Harvest

    (tmp_path / "in").mkdir()
    for name in "abc":
        (tmp_path / "in" / name).write_bytes(b"x")
    pool = Pool.from_arrays(np.eye(3), list("abc"))
    panel = Panel(Harvest(pool, [0], rng=0), Files(tmp_path / "in", pool), session=tmp_path / "s.sqlite")
    panel.session.record([Answer("a", -2, 1)], "import")
    panel.session.remark(CLASS, "owl")
    assert panel.export(kind="links").name == "s-links"
    assert panel.export(tmp_path / "other-links").is_dir()  # its kind is in its name
    assert "owl" in panel.export(kind="coco").read_text()
    panel.close()
