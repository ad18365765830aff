"""Text that says its encoding itself and is damaged in it is refused with the line: no id gets other letters."""

import bz2
import gzip
import io
import lzma
import re
import zipfile

import numpy as np
import pytest

from elsa_nb.label.label_files.reader import read_labels
from elsa_nb.option_names import by_command_of_vectors, by_examples, by_page, told_by
from elsa_nb.pool import Pool
from elsa_nb.text_files import decoded, json_value
from elsa_nb.vector_files import read_ids

TABLE = "id,label,x\r\ncats/1,1,0.5\r\ndogs/2,0,2.5\r\n"
DAMAGED = {
    "utf-8": TABLE.encode("utf-8-sig").replace(b"dogs", b"d\xe4gs"),
    "utf-16": TABLE.encode("utf-16").replace(b"d\0o\0", b"\0\xd8o\0"),  # half a letter
    "utf-16-le": TABLE.encode("utf-16-le").replace(b"d\0o\0", b"\0\xd8o\0"),
    "utf-16-be": TABLE.encode("utf-16-be").replace(b"\0d\0o", b"\xd8\0\0o"),
    "utf-32": TABLE.encode("utf-32").replace(b"d\0\0\0o", b"\xff\xff\xff\xffo"),
}


def read_vectors_in(path):
    np.save(path.with_name("x.npy"), np.eye(2, dtype=np.float32))
    return Pool.from_file(path.with_name("x.npy"), path)


READERS = {
    "ids.csv": read_ids,
    "ids.txt": read_ids,
    "ids.json": read_ids,
    "of_x.csv": read_vectors_in,
    "x.csv": Pool.from_file,
    "labels.csv": lambda path: read_labels(path, ["cats/1", "dogs/2"]),
}


@pytest.mark.parametrize("encoding", DAMAGED)
@pytest.mark.parametrize("name", READERS)
def test_a_damaged_letter_is_told_with_its_line_by_every_reader(tmp_path, encoding, name):
    (tmp_path / name).write_bytes(DAMAGED[encoding])
    said = f"{name}.*line 3 has a damaged letter, which is not in {encoding}; save the text anew, or give its encoding"
    with pytest.raises(ValueError, match=rf"{said}: encoding='\.\.\.'"):
        READERS[name](tmp_path / name)


def zipped(data):
    with zipfile.ZipFile(made := io.BytesIO(), "w") as archive:
        archive.writestr("t.csv", data)
    return made.getvalue()


@pytest.mark.parametrize("encoding", [None, "cp1252"])
@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zipped])
@pytest.mark.parametrize("name", ["ids.csv", "ids.csv.gz", "ids.txt", "ids.json", "ids", "x.csv", "x.tsv", "x.json"])
def test_a_packed_file_is_to_be_unpacked_whatever_it_is_called(tmp_path, name, pack, encoding):
    (tmp_path / name).write_bytes(pack(TABLE.encode()))
    with pytest.raises(ValueError, match=rf"{name}.*it is (packed|an archive) \(.*unpack it"):
        (read_ids if name.startswith("ids") else Pool.from_file)(tmp_path / name, encoding=encoding)


def test_letters_like_the_mark_of_a_packed_file_are_text(tmp_path):
    (tmp_path / "ids.txt").write_text("BZh9\nPK\n")
    assert read_ids(tmp_path / "ids.txt") == ["BZh9", "PK"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_what_is_whole_is_read_as_it_is(encoding):
    assert [text for _, text in decoded(TABLE.encode(encoding))] == [TABLE]


@pytest.mark.parametrize(
    ("door", "cure"),
    [
        (by_command_of_vectors, "`--vectors-encoding ...`"),
        (by_page, "`elsa-nb labels import SESSION FILE --encoding ...`"),
        (by_examples, "save it as UTF-8"),
    ],
)
def test_a_text_cut_in_a_letter_is_damaged_in_its_last_line_and_the_cure_is_one_where_it_came_in(door, cure):
    said = "line 2 has a damaged letter.*give its encoding: " + re.escape(cure)
    with told_by(door), pytest.raises(ValueError, match=said):
        list(decoded("one\ntwo".encode("utf-16")[:-1]))


def test_bytes_with_zeros_that_are_no_text_are_still_none():
    assert list(decoded(np.arange(100, dtype="<u2").tobytes() + b"\x00\xd8")) == []


RECORDS = '{"id": "a", "v": [15, {"w": "x y"}]}'


@pytest.mark.parametrize("before", ["", f"{RECORDS}\n", f"{RECORDS}\n" * 3])
def test_json_that_was_cut_off_anywhere_is_to_be_copied_again(before):
    for end in range(1, len(RECORDS)):
        with pytest.raises(ValueError, match=r"broken \(.*\); it ends in the middle of a value.*: copy it again"):
            json_value(f"{before}{RECORDS[:end]}\n" if RECORDS[:end].count('"') % 2 == 0 else before + RECORDS[:end])


@pytest.mark.parametrize("flaw", ["oops", "{'a': 1}", '{"a" 1}', '{"a": 1,}', "[1 2]", '["a\n"]', "]"])
def test_a_flaw_in_json_is_to_be_mended_or_of_several_lines_taken_out(flaw):
    for before, after in (("", ""), ("", f"\n{RECORDS}"), (f"{RECORDS}\n", ""), (f"{RECORDS}\n" * 2, f"\n{RECORDS}\n")):
        with pytest.raises(ValueError, match=r"broken \(.*\); mend what stands there") as error:
            json_value(before + flaw + after)
        assert str(error.value).endswith("or take that line out") == bool(before)
        assert f"line {before.count(chr(10)) + 1} " in str(error.value)
