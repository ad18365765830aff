"""An export replaces an export that nobody changed, and nothing else."""

import pytest

from elsa_nb import store, written_files
from elsa_nb.errors import CorruptFileError
from elsa_nb.label import export
from elsa_nb.label.answers import Answer
from elsa_nb.label.session import Session


def test_an_export_replaces_no_answers_and_no_folder(session, tmp_path):
    """The file of another session, or its own, holds answers that are nowhere else."""
    before = session.path.read_bytes()
    for kind in ("csv", "parquet", "coco"):
        with pytest.raises(ValueError, match=r"cats.sqlite is a database, such as a session with its answers"):
            export.export(session, session.path, kind)
        with pytest.raises(ValueError, match="is a folder; give the name of a file"):
            export.export(session, tmp_path, kind)
    assert session.path.read_bytes() == before


THEIRS = {
    "csv": "item,label,observer\na,owl,me\n",
    "parquet": "PAR1 of somebody else",
    "coco": '{"images": [], "annotations": [], "categories": []}',
    "fiftyone": '{"classes": ["owl"], "labels": {}}',
    "label-studio": '[{"data": {"image": "a.jpg"}, "annotations": []}]',
}


# Of other programs and people, in the very shapes that an export has, too.
ALIKE = [
    '{"classes": ["owl", "unsure"], "labels": {"a": 1}}',
    '{"info": {"description": "image labels for birds of Kenya"}, "annotations": [{"bbox": [1, 2, 3, 4]}]}',
    '[{"data": {"image": "a", "class": "owl", "component": "NN", "score": 0.5}, "annotations": []}]',
    "item,label,annotator,time,round,component,score,seconds,row,code,class\na,positive,me,,,,,,,,owl\n",
    "[]",
]
ODD_BYTES = ["[]x", "\udcff", "null", "[" * 100_000]


@pytest.mark.parametrize("kind", THEIRS)
@pytest.mark.parametrize("theirs", [*THEIRS.values(), *ALIKE, *ODD_BYTES])
def test_an_export_replaces_an_export_and_nothing_else(session, tmp_path, kind, theirs):
    file = tmp_path / "answers.table"
    file.write_bytes(theirs.encode(errors="surrogateescape"))
    before = file.read_bytes()
    with pytest.raises(ValueError, match=r"answers.table is there already and does not hold what an export wrote"):
        export.export(session, file, kind)
    assert file.read_bytes() == before
    export.export(session, file, kind, replace=True)
    once = file.read_bytes()
    session.write([Answer("a/2.png", 0, 1, position=1)])
    export.export(session, file, kind)  # its own, again
    assert file.read_bytes() != once


@pytest.mark.parametrize("kind", THEIRS)
def test_an_export_that_somebody_corrected_stays(session, kind):
    """One label, a line more, a column more: the shape is still that of an export, and the work is somebody's."""
    file = export.export(session, kind=kind)
    for other in (
        file.read_bytes().replace(b"negative", b"positive"),
        file.read_bytes() + b"\n",
        file.read_bytes().replace(b"\n", b",checked by Ann\n"),
    ):
        if other == file.read_bytes():
            continue
        file.write_bytes(other)
        with pytest.raises(ValueError, match=r"was changed since. It was left as it is. Give another name, or replace"):
            export.export(session, file, kind)
        assert file.read_bytes() == other
        beside = export.export(session, kind=kind)
        assert "-answers." in beside.name
        assert file.read_bytes() == other
        export.export(session, file, kind, replace=True)


def test_an_export_of_another_session_and_of_one_that_is_only_read_is_replaced(session, tmp_path):
    file = export.export(session, tmp_path / "answers.csv")
    session.write([Answer("a/2.png", 0, 1, position=1)])
    only_read = Session(session.path, annotator="ann", to_read=True)
    for _ in range(2):
        export.export(only_read, file)
    only_read.close()
    fresh = Session(tmp_path / "fresh.sqlite")
    fresh.record([Answer("z.png", -2, 1)], "import")
    assert "z.png" in export.export(fresh, file).read_text()
    fresh.close()


def test_the_same_answers_may_be_written_again_where_the_list_is_lost(session, tmp_path):
    """A folder that was copied without its hidden files: an unchanged export loses nothing, any other is not known."""
    file = export.export(session)
    (tmp_path / written_files.LIST_OF_EXPORTS).unlink()
    assert export.export(session) == file
    (tmp_path / written_files.LIST_OF_EXPORTS).unlink()
    session.write([Answer("a/2.png", 0, 1, position=1)])
    with pytest.raises(ValueError, match="it comes from elsewhere, from an earlier version, or was changed since"):
        export.export(session, file)


@pytest.mark.parametrize("kind", THEIRS)
def test_a_killed_export_leaves_a_file_that_the_next_one_replaces(session, kind, monkeypatch):
    file = export.export(session, kind=kind)
    before = file.read_bytes()
    session.write([Answer("a/2.png", 0, 1, position=1)])

    real = store.write_atomically

    def killed(path, data):
        if path == file:
            raise KeyboardInterrupt
        real(path, data)

    with monkeypatch.context() as at_work:
        at_work.setattr(store, "write_atomically", killed)
        with pytest.raises(KeyboardInterrupt):
            export.export(session, kind=kind)
    assert file.read_bytes() == before
    assert export.export(session, kind=kind) == file
    assert file.read_bytes() != before


@pytest.mark.parametrize("text", ["", "[", "[]", "null", '{"a": 1}', "\udcff"])
def test_a_damaged_list_of_exports_is_a_sentence(session, tmp_path, text):
    file = export.export(session)
    (tmp_path / written_files.LIST_OF_EXPORTS).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(CorruptFileError, match=r"exports.json is not a list of exports .*Delete it"):
        export.export(session, file)


def test_the_table_that_labels_came_from_stays_though_it_has_the_default_name(session, tmp_path):
    (tmp_path / "cats.csv").write_text(THEIRS["csv"])
    assert export.export(session).name == "cats-answers.csv"
    assert export.export(session).name == "cats-answers.csv"  # its own, again
    assert (tmp_path / "cats.csv").read_text() == THEIRS["csv"]
    (tmp_path / "cats-answers.csv").write_text(THEIRS["csv"])
    with pytest.raises(ValueError, match=r"cats-answers.csv is there already"):
        export.export(session)
