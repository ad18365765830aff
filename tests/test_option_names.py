"""A message names an option as the person gives it: with dashes to who typed a command, as a keyword in Python."""

import dataclasses
import inspect
import re
import shlex
from functools import partial

import numpy as np
import pytest
from PIL import Image
from test_cli import commands

from elsa_nb import cli, own_folder, store
from elsa_nb.label import session_file
from elsa_nb.label.answers import Answer
from elsa_nb.label.export import export
from elsa_nb.label.jobs import _NO_SETTINGS, Job
from elsa_nb.label.labels_command import READING
from elsa_nb.label.pool_and_folder import Differences
from elsa_nb.label.session import Session
from elsa_nb.option_names import by_command, by_keyword, by_page, option_named, option_told, told_by
from elsa_nb.pool import Pool

# What is wrong: the options in Python, the same words at the command, and the options that the message is to name.
LABEL = {
    "name": [({"name": "nothing.png"}, "--name nothing.png", ())],
    "like": [
        ({"like": "nothing.png"}, "--like nothing.png", ["like"]),
        ({"like": "list.txt"}, "--like list.txt", ["like"]),
        ({"like": "cat.png", "encoder": ["a", "b"]}, "--like cat.png --encoder a --encoder b", ["encoder"]),
    ],
    "text": [
        ({"text": "an owl"}, "--text 'an owl'", ["like", "text", "encoder"]),
        ({"text": "an owl", "audit": True}, "--text 'an owl' --audit", ["text", "audit"]),
    ],
    "pool": [({"pool": "nowhere"}, "--pool nowhere", ())],
    "session": [({"session": "pictures"}, "--session pictures", ())],
    "encoder": [({"encoder": "mine"}, "--encoder mine", ["encoder", "pool"])],
    "strict": [({"strict": True}, "--strict", ["strict", "pool"])],
    "labels": [
        ({"labels": "nothing.csv"}, "--labels nothing.csv", ["labels"]),
        ({"labels": "answers.csv"}, "--labels answers.csv", ["positive"]),
    ],
    "seeds": [
        ({"seeds": "nothing.txt"}, "--seeds nothing.txt", ["seeds"]),
        ({"seeds": "negatives.csv"}, "--seeds negatives.csv", ["seeds", "labels"]),
    ],
    "reading": [
        ({"reading": {"positive": "owl", "item": "x"}}, "--positive owl --item x", ["positive", "item", "labels"]),
        *(
            ({"labels": "answers.csv", "reading": {key: "zz"}}, f"--labels answers.csv --{key} zz", ())
            for key in READING
        ),
        ({"labels": "tasks.json", "reading": {"item": "x"}}, "--labels tasks.json --item x", ["item"]),
    ],
    "annotator": [({"annotator": "a\nb"}, "--annotator 'a\nb'", ())],
    "page": [({"page": 7}, None, ())],
    "strategy": [({"strategy": "best"}, "--strategy best", ())],
    "metric": [({"metric": "manhattan"}, "--metric manhattan", ())],
    "budget": [
        ({"budget": 0}, "--budget 0", ()),
        ({"budget": 9, "strategy": "elsa"}, "--budget 9 --strategy elsa", ["budget"]),
    ],
    "target": [({"target": 90.0}, "--target 90", ())],
    "audit": [({"audit": True, "name": "cat.png"}, "--audit --name cat.png", ["name", "audit"])],
}
EXPORT = {
    "path": [({"path": "answers.json"}, "answers.json", ())],
    "kind": [({"kind": "yolo"}, "--kind yolo", ())],
    "annotator": [({"annotator": "eve"}, "--annotator eve", ())],
    "images": [
        ({"kind": "links"}, "--kind links", ["images"]),
        ({"kind": "fiftyone"}, "--kind fiftyone", ["images"]),
        ({"kind": "coco", "images": "nowhere"}, "--kind coco --images nowhere", ()),
        ({"images": "pictures"}, "--images pictures", ["images", "kind", "url"]),
    ],
    "label": [({"path": "a-links", "label": "cat"}, "a-links --class cat", ["kind"])],
    "url": [({"url": "/"}, "--url /", ["url", "kind"])],
    "email": [({"kind": "label-studio", "email": "ann"}, "--kind label-studio --email ann", ["email"])],
    "replace": [({"path": "answers.csv"}, "answers.csv", ["replace"])],
}
VECTORS = {
    "key": [
        ({"path": "several.npz"}, "several.npz", ["key"]),
        ({"path": "several.npz", "key": "c"}, "several.npz --key c", ()),
        ({"path": "numbered.csv", "key": "f00"}, "numbered.csv --key f00", ["key"]),
        ({"path": "two.csv"}, "two.csv", ["key"]),
    ],
    "encoding": [({"path": "damaged.csv"}, "damaged.csv", ["encoding"])],
}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return a working folder with pictures, a pool of them, files of labels, vectors and a session."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(store, "DATA", tmp_path / "data")
    (tmp_path / "pictures").mkdir()
    names = [f"{i}.png" for i in range(4)]
    for i, name in enumerate(names):
        Image.new("RGB", (8, 8), (60 * i, 0, 0)).save(tmp_path / "pictures" / name)
    (tmp_path / "pictures" / "0.png").rename(tmp_path / "pictures" / "cat.png")
    Image.new("RGB", (8, 8)).save(tmp_path / "cat.png")
    ids = ["cat.png", *names[1:]]
    Pool.from_arrays(np.eye(4), ids).save("pool")
    (tmp_path / "list.txt").write_text("owl.png\n")
    (tmp_path / "answers.csv").write_text("item,label\ncat.png,perhaps\n")
    (tmp_path / "negatives.csv").write_text("item,label\ncat.png,0\n")
    choice = {"from_name": "label", "type": "choices", "value": {"choices": ["positive"]}}
    store.write_json(tmp_path / "tasks.json", [{"data": {"image": "cat.png"}, "annotations": [{"result": [choice]}]}])
    np.savez("several.npz", a=np.eye(4), b=np.eye(4))
    (tmp_path / "numbered.csv").write_text("item,f00,f01\na,1,2\nb,3,4\n")
    (tmp_path / "two.csv").write_text('item,one,two\na,"[1, 2]","[3, 4]"\nb,"[1, 3]","[3, 5]"\n')
    (tmp_path / "damaged.csv").write_bytes("item,f0\none,1\ntwo,2".encode("utf-16")[:-1])
    session = Session(tmp_path / "s.sqlite")
    session.record([Answer(".hidden.png", -2, 1)], "import")
    session.close()
    return tmp_path


def label(**options):
    own_folder.label_folder("pictures", **{"pool": "pool"} | options)


def export_of(**options):
    session = Session("s.sqlite", to_read=True)
    try:
        export(session, **options)
    finally:
        session.close()


DOORS = {
    "label": (LABEL, label, "label pictures --no-browser"),
    "export": (EXPORT, export_of, "labels export s.sqlite"),
    "vectors": (VECTORS, Pool.from_file, "pool make"),
}
CASES = [
    pytest.param(partial(call, **options), line and f"{command} {line}", named, id=f"{what} {line or options}")
    for what, (table, call, command) in DOORS.items()
    for each in table.values()
    for options, line, named in each
]
KEYWORD = re.compile(rf"\b(?:{'|'.join({*LABEL, *EXPORT, *VECTORS, *READING})})=")
WHOLE_COMMAND = re.compile(r"`elsa-nb [^`]*`")
DASHED = r"(?<![\w-])--"


@pytest.mark.parametrize(("call", "line", "named"), CASES)
def test_a_message_spells_an_option_as_it_was_given(place, capsys, call, line, named):
    with pytest.raises((ValueError, LookupError, OSError)) as error:
        call()
    told = WHOLE_COMMAND.sub("", str(error.value))
    assert not re.search(f"{DASHED}[a-z]", told), told
    assert all(re.search(rf"(?<!-)\b{name}\b", told) for name in named), told
    if line is None:
        return
    words = shlex.split(line)
    words += ["--pool", "pool"] if words[0] == "label" and "--pool" not in words else []
    capsys.readouterr()
    assert cli.main(words) == 1
    told = WHOLE_COMMAND.sub("", capsys.readouterr().err)
    assert not KEYWORD.search(told), told
    assert all(re.search(f"{DASHED}{name}\\b", told) for name in named), told


def test_every_option_is_given_wrongly_once():
    of_folder = {*inspect.signature(own_folder.prepare).parameters} - {"folder", "settings"}
    of_job = {each.name for each in dataclasses.fields(Job)} - {*_NO_SETTINGS}
    assert LABEL.keys() == of_folder | of_job | {"labels", "seeds", "reading"}
    assert EXPORT.keys() == {*inspect.signature(export).parameters} - {"session"}
    leaf = next(leaf for words, leaf in commands(cli._parser()) if words == ["label"])
    typed = {each.dest for each in leaf._actions if each.option_strings}
    of_server = {"help", "ip", "port", "token", "no_browser"}
    assert typed - of_server - {*READING} == LABEL.keys() - {"page", "reading"}


@pytest.mark.parametrize("door", [by_keyword, by_command])
def test_remarks_and_refusals_of_the_disk_spell_options_as_they_are_given(place, monkeypatch, door):
    with told_by(door):
        differing = Differences(1, ["a.png"], 1, ["b.png"], True)
        said = differing.sentences(place, place / "pool", makes=True)
        monkeypatch.setattr(session_file, "_writable", lambda path: False)
        with pytest.raises(ValueError, match="can only be read here") as error:
            session_file.check_writable(place / "s.sqlite")
    assert ("Leave --pool out" if door is by_command else "Leave pool out") in said[-1]
    assert ("(`--session ...`)" if door is by_command else "(session='...')") in str(error.value)


def test_an_option_that_is_switched_on_has_no_value_at_a_command():
    assert (option_told("replace", True), option_named("replace")) == ("replace=True", "replace")
    with told_by(by_command):
        assert (option_told("replace", True), option_named("replace")) == ("`--replace`", "--replace")
    with told_by(by_page):
        assert option_told("replace", True) == "`elsa-nb labels export SESSION --replace`"
