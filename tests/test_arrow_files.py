"""Parquet and Feather are read alike from a file and from bytes, and leave nothing behind that aborts a program."""

import subprocess
import sys

import pandas as pd
import pytest

from elsa_nb.arrow_files import read_arrow

FRAME = pd.DataFrame({"item": ["a", "b", None], "label": [1.0, 0.5, 2.0]}, index=[3, 5, 7])


@pytest.fixture(params=["parquet", "feather"])
def file(request, tmp_path):
    path = tmp_path / f"x.{request.param}"
    if request.param == "parquet":
        FRAME.to_parquet(path)
    else:
        FRAME.reset_index(drop=True).to_feather(path)
    return path


def test_bytes_hold_what_the_file_does(file):
    tables = [read_arrow(source, file.suffix == ".parquet").to_pandas() for source in (file, file.read_bytes())]
    pd.testing.assert_frame_equal(*tables)
    pd.testing.assert_frame_equal(tables[0], FRAME if file.suffix == ".parquet" else FRAME.reset_index(drop=True))


@pytest.mark.parametrize("broken", [b"", b"PAR1", b"ARROW1"])
def test_what_is_no_such_file_is_refused(broken, tmp_path):
    (tmp_path / "x").write_bytes(broken)
    for source in (broken, tmp_path / "x"):
        for parquet in (True, False):
            with pytest.raises((ValueError, OSError)):
                read_arrow(source, parquet)


@pytest.mark.slow
def test_a_program_may_end_at_once_after_reading():
    """Of programs that read the same through a stream of Python's own, one in fifteen was aborted at its end."""
    code = (
        "from elsa_nb import store; from elsa_nb.arrow_files import read_arrow\n"
        "data = (store.locate('glyphs') / 'labels.parquet').read_bytes()\n"
        "table = read_arrow(data, parquet=True)\n"
        "del data\n"
    )
    for _ in range(5):
        programs = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(8)]
        assert [each.wait() for each in programs] == [0] * 8
