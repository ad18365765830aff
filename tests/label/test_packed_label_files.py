"""Labels in Parquet and Feather files, and packed files that are damaged or too large."""

import gzip
import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from at_the_desk import IDS, PLAIN
from pyarrow import feather

from elsa_nb.label.label_files import tables
from elsa_nb.label.label_files.reader import read_labels


@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_binary_tables_are_known_by_their_bytes(tmp_path, ending):
    frame = pd.DataFrame({"item": ["cats/Müller 1.jpg", "dogs/1.jpg", "dogs/2.jpg"], "label": [1.0, 0.0, float("nan")]})
    path = tmp_path / "labels.csv"
    getattr(frame, f"to_{ending}")(path)
    found = read_labels(path, IDS)
    assert found.given == {None: PLAIN}
    assert found.empty == 1


def dated(folder):
    pd.DataFrame({"item": pd.to_datetime(["2024-01-05", "2024-01-06"]), "label": [1, 0]}).to_excel(
        folder / "l.xlsx", index=False
    )
    return folder / "l.xlsx", ["2024-01-05.jpg", "2024-01-06.jpg"]


def in_parquet(folder, items, **index):
    pd.DataFrame({"image": items, "label": [1, 0]} if items else {"label": [1, 0]}, **index).to_parquet(folder / "l")
    return folder / "l", ["a.jpg", "b.jpg"]


CELLS = {
    "dates of a spreadsheet": dated,
    "records of files": lambda folder: in_parquet(
        folder, [{"bytes": b"", "path": each} for each in ("a.jpg", "b.jpg")]
    ),
    "bytes": lambda folder: in_parquet(folder, [b"a.jpg", b"b.jpg"]),
    "an index without a name": lambda folder: in_parquet(folder, None, index=["a.jpg", "b.jpg"]),
}


@pytest.mark.parametrize("kind", CELLS)
def test_items_are_cells_of_many_kinds(tmp_path, kind):
    path, ids = CELLS[kind](tmp_path)
    assert read_labels(path, ids).given == {None: {0: 1, 1: 0}}


def test_a_packed_file_that_is_too_large_is_refused_and_not_cut(read, monkeypatch):
    content = f"item,label\n{IDS[0]},1\n{IDS[1]},0\n".encode()
    monkeypatch.setattr(tables, "UNPACKED_MOST", len(content))
    assert read(gzip.compress(content)).given == {None: {0: 1, 1: 0}}
    with pytest.raises(ValueError, match=r"labels\.csv: it is a \.gz file of more than .* in several files"):
        read(gzip.compress(content + b"\n"))


def packed(kind):
    frame, stream = pd.DataFrame({"item": IDS * 40, "label": [1, 0, 1, 0, 1] * 40}), io.BytesIO()
    columns = {name: frame[name].to_numpy(str if name == "item" else int) for name in frame}
    write = {
        "parquet": frame.to_parquet,
        "feather": frame.to_feather,
        "xlsx": frame.to_excel,
        "npz": lambda stream: np.savez_compressed(stream, **columns),
    }[kind]
    write(stream)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["parquet", "feather", "xlsx", "npz"])
def test_a_packed_table_that_is_damaged_anywhere_is_read_or_one_sentence(read, kind):
    """Libraries say of damaged bytes whatever they like, and of some an OSError of the system that none was."""
    whole, refused = packed(kind), 0
    for place in range(4, len(whole), len(whole) // 60):
        broken = bytearray(whole)
        broken[place : place + 5] = bytes(255 - byte for byte in broken[place : place + 5])
        try:
            read(bytes(broken), name=f"labels.{kind}")
        except ValueError as error:
            refused += 1
            assert f"labels.{kind}: " in str(error)
            assert "\n" not in str(error)
    assert refused > 5


def test_a_table_of_arrow_whose_texts_lie_outside_it_is_refused(read):
    """Its library reads them all the same: it ends the process, or hands out whatever lies in memory there."""
    stream, items = io.BytesIO(), [name.replace("/", "-") for name in IDS]
    table = pa.table({"item": pa.array(items, pa.string()), "label": [1] * len(items)})
    feather.write_feather(table, stream, compression="uncompressed")
    places = np.cumsum([0, *(len(name.encode()) for name in items)]).astype("<i4")
    whole = stream.getvalue()
    assert whole.count(places.tobytes()) == 1
    for at in range(1, len(places)):
        far = places.copy()
        far[at] = 1 << 30
        with pytest.raises(ValueError, match=r"labels\.feather: it is damaged.* offset"):
            read(whole.replace(places.tobytes(), far.tobytes()), name="labels.feather")
