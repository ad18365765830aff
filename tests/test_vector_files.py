"""Files of vectors that somebody has already become pools, with `Pool.from_file` and `elsa-nb pool make`."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import faiss
import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.sparse
import torch
from pyarrow import feather
from safetensors.torch import save_file

from elsa_nb import cli
from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.pool import Pool, PoolWriter, pool_lock
from elsa_nb.vector_files import read_ids, read_vectors

X = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
IDS = [f"cats/{i}.jpg" for i in range(5)]
COLUMNS = [f"embedding_{i}" for i in range(4)]


def write_faiss(path):
    index = faiss.IndexFlatIP(4)
    index.add(X)
    faiss.write_index(index, str(path))


def write_map(path):
    index = faiss.IndexIDMap(faiss.IndexFlatL2(4))
    index.add_with_ids(X, np.arange(5))
    faiss.write_index(index, str(path))


def write_line(path):
    with h5py.File(path, "w") as file:
        file["v"] = np.arange(3.0)


def write_group(path):
    with h5py.File(path, "w") as file:
        file["train/feats"], file["train/paths"] = X, [name.encode() for name in IDS]


def write_tensors(path):
    column = pa.FixedShapeTensorArray.from_numpy_ndarray(X.reshape(5, 2, 2))
    pq.write_table(pa.table({"id": IDS, "v": column}), path)


def tensors():
    torch.set_printoptions(precision=8)
    try:
        return [str(torch.tensor(row, requires_grad=True, dtype=torch.float64)) for row in X]
    finally:
        torch.set_printoptions(profile="default")


def table(**more):
    return pd.DataFrame({"filename": IDS}).join(pd.DataFrame(X, columns=COLUMNS)).assign(**more)


def lists(**more):
    return pd.DataFrame({"id": IDS, "embedding": X.tolist()}).assign(**more)


def mixed():
    """Return records with remarks of several kinds, and some that only one of them has."""
    others = [{"year": 1990}, {"year": "?", "tags": ["a"]}, {"year": None, "tags": "none"}, {}, {"year": 2**80}]
    return [{**other, "v": row, "id": name} for other, row, name in zip(others, X.tolist(), IDS, strict=True)]


def write_lists(path):
    with h5py.File(path, "w") as file:
        file["vectors"] = X
        file.create_dataset("ids", (5,), h5py.vlen_dtype(np.float64))


# How a file is written, and whether it names ids.
FILES = {
    "a.npy": (lambda p: np.save(p, X), False),
    "named.npz": (lambda p: np.savez(p, embeddings=X, filenames=np.array(IDS), labels=np.arange(5)), True),
    "one.npz": (lambda p: np.savez(p, whatever=X), False),
    "a.safetensors": (lambda p: save_file({"emb": torch.tensor(X), "scale": torch.ones(3)}, p), False),
    "lists.parquet": (lambda p: pd.DataFrame({"path": IDS, "emb": list(X), "label": 1}).to_parquet(p), True),
    "columns.parquet": (lambda p: table(label=1).to_parquet(p), True),
    "lightly.csv": (lambda p: table(labels=0).to_csv(p, index=False), True),
    "german.csv": (lambda p: table().to_csv(p, sep=";", decimal=",", index=False), True),
    "index.csv": (lambda p: pd.DataFrame(X, index=IDS).to_csv(p), True),
    "numbers.csv": (lambda p: pd.DataFrame(X).to_csv(p), False),
    "bare.csv": (lambda p: np.savetxt(p, X, delimiter=","), False),
    "bare-numbered.csv": (lambda p: pd.DataFrame(X).to_csv(p, header=False), False),
    "flat.faiss": (write_faiss, False),
    "excel.csv": (lambda p: table().to_csv(p, sep=";", decimal=",", index=False, encoding="utf-16"), True),
    "tabs.tsv": (lambda p: table().to_csv(p, sep="\t", decimal=",", index=False), True),
    "bars.csv": (lambda p: table().to_csv(p, sep="|", index=False), True),
    "bare-german.csv": (lambda p: pd.DataFrame(X).to_csv(p, sep=";", decimal=",", header=False, index=False), False),
    "titled.csv": (lambda p: p.write_text("Vectors of May\n# by us\n\n" + table().to_csv(index=False)), True),
    "told.csv": (lambda p: p.write_text("sep=;\n" + table().to_csv(sep=";", index=False)), True),
    "told-german.csv": (lambda p: p.write_text("sep=;\n" + table().to_csv(sep=";", decimal=",", index=False)), True),
    "spaces.txt": (lambda p: np.savetxt(p, X, header="four numbers a row"), False),
    "cells.csv": (lambda p: pd.DataFrame({"file": IDS, "v": X.tolist()}).to_csv(p, index=False), True),
    "printed.csv": (lambda p: pd.DataFrame({"file": IDS, "v": list(X)}).to_csv(p, index=False), True),
    "lists.feather": (lambda p: pd.DataFrame({"path": IDS, "emb": list(X), "tags": [["a"]] * 5}).to_feather(p), True),
    "sparse.npz": (lambda p: scipy.sparse.save_npz(p, scipy.sparse.csr_matrix(X)), False),
    "fortran.npy": (lambda p: np.save(p, np.asfortranarray(X.astype(">f8"))), False),
    "group.h5": (write_group, True),
    "numpy2.csv": (lambda p: pd.DataFrame({"file": IDS, "v": map(list, X)}).to_csv(p, index=False), True),
    "torch.csv": (lambda p: p.write_text("file,v\n" + "".join(map('{},"{}"\n'.format, IDS, tensors()))), True),
    "category.parquet": (lambda p: pd.DataFrame({"of": pd.Categorical(IDS), "v": list(X)}).to_parquet(p), True),
    "tensors.parquet": (write_tensors, True),
    "by-r.txt": (lambda p: p.write_text(table().set_index("filename").to_csv(sep=" ").partition(" ")[2]), True),
    "lines.jsonl": (lambda p: lists(year=1990).to_json(p, orient="records", lines=True, double_precision=15), True),
    "lines.json": (lambda p: lists().to_json(p, orient="records", lines=True, double_precision=15), True),
    "powershell.jsonl": (
        lambda p: p.write_text("".join(map('{{"id": "{}", "v": {}}}\n'.format, IDS, X.tolist())), "utf-16"),
        True,
    ),
    "arrays.ndjson": (lambda p: p.write_text("".join(f"{row}\n" for row in X.tolist())), False),
    "spread.jsonl": (lambda p: p.write_text(" ".join(json.dumps(row, indent=1) for row in mixed())), True),
    "records.json": (lambda p: lists(year=1990).to_json(p, orient="records", double_precision=15), True),
    "columns.json": (lambda p: p.write_text(json.dumps(lists().to_dict("list"))), True),
    "by-name.json": (lambda p: p.write_text(json.dumps(dict(zip(IDS, X.tolist(), strict=True)))), True),
    "vectors.json": (lambda p: p.write_text(json.dumps(X.tolist())), False),
    "labels.csv": (lambda p: table(label=list("aabbb")).set_index("filename").rename_axis(None).to_csv(p), True),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_becomes_the_pool_of_its_array(tmp_path, name):
    write, named = FILES[name]
    write(tmp_path / name)
    pool = Pool.from_file(tmp_path / name)
    np.testing.assert_allclose(pool.vectors, X, rtol=1e-6)
    assert pool.ids.tolist() == (IDS if named else list("01234"))
    assert pool.provenance["made_from"]["file"] == name
    (tmp_path / "ids.txt").write_text("\n".join("vwxyz") + "\n")
    assert Pool.from_file(tmp_path / name, tmp_path / "ids.txt").ids.tolist() == list("vwxyz")


def test_bfloat16_tensors_keep_every_value(tmp_path):
    save_file({"x": torch.tensor(X).bfloat16()}, tmp_path / "x.safetensors")
    pool = Pool.from_file(tmp_path / "x.safetensors")
    np.testing.assert_array_equal(pool.vectors, torch.tensor(X).bfloat16().float().numpy())


def test_anndata(tmp_path):
    sparse = scipy.sparse.csr_matrix(X)
    with h5py.File(tmp_path / "a.h5ad", "w") as file:
        for name in ("data", "indices", "indptr"):
            file[f"X/{name}"] = getattr(sparse, name)
        file["X"].attrs["shape"] = sparse.shape
        file["obs/cell"] = [name.encode() for name in IDS]
        file["obs"].attrs["_index"] = "cell"
    pool = Pool.from_file(tmp_path / "a.h5ad")
    np.testing.assert_array_equal(pool.vectors, X)
    assert pool.ids.tolist() == IDS
    with h5py.File(tmp_path / "a.h5ad", "a") as file:
        file["obsm/X_umap"] = X[:, :2]
    assert Pool.from_file(tmp_path / "a.h5ad").d == 2
    assert Pool.from_file(tmp_path / "a.h5ad", key="X").d == 4


def npy():
    stream = io.BytesIO()
    np.save(stream, X)
    return stream.getvalue()


def tensor_at(start, stop):
    header = json.dumps({"x": {"dtype": "F32", "shape": [5, 4], "data_offsets": [start, stop]}}).encode()
    return len(header).to_bytes(8, "little") + header + X.tobytes()


def write_sparse(path, columns, shape):
    with h5py.File(path, "w") as file:
        file["X/data"], file["X/indices"], file["X/indptr"] = [1.0], columns, [0, 1]
        if shape:
            file["X"].attrs["shape"] = shape


def texts_outside():
    """Return a Feather file whose second name ends far beyond the file."""
    stream = io.BytesIO()
    table = pa.table({"id": pa.array(["one", "two"], pa.string()), "v": [[1.0, 2.0], [3.0, 4.0]]})
    feather.write_feather(table, stream, compression="uncompressed")
    places = np.array([[0, 3, 6], [0, 3, 1 << 30]], "<i4")
    return stream.getvalue().replace(places[0].tobytes(), places[1].tobytes())


DAYS = pd.date_range("2020", periods=5)
GAP = pd.array([1, None, 3, 4, 5], "Int64")
TWICE = pa.table([pa.array(["a"]), pa.array([[1.0]]), pa.array([[2.0]])], names=["id", "v", "v"])


@pytest.mark.parametrize(
    ("name", "write", "sentence"),
    [
        ("o.npy", lambda p: np.save(p, np.array([[1], [2, 3]], object)), "Python objects"),
        ("o.pt", lambda p: torch.save(torch.tensor(X), p), "may run code.*weights_only=True"),
        ("o.npz", lambda p: np.savez(p, a=X, b=X), r"several arrays of vectors: a \(5, 4\), b \(5, 4\).*key=..."),
        ("cut.npz", lambda p: p.write_bytes(b"PK"), "not a .npz file"),
        ("cut.npy", lambda p: p.write_bytes(b"\x93NUMPY"), "EOF"),
        ("cut.safetensors", lambda p: p.write_bytes(b"\xff" * 12), "header is longer than the file"),
        ("short.parquet", lambda p: pd.DataFrame({"v": [[1.0, 2], [3.0]]}).to_parquet(p), "row 1 has 1 values"),
        ("none.parquet", lambda p: pd.DataFrame({"v": [[1.0, 2], None]}).to_parquet(p), "row 1 is missing"),
        ("hole.parquet", lambda p: pd.DataFrame({"v": [[1.0, 2], [3, None]]}).to_parquet(p), "row 1 lacks a value"),
        ("text.csv", lambda p: p.write_text("a,b\nx,y\n"), "no numbered columns.*a, b"),
        ("word.csv", lambda p: p.write_text("id,e0,e1\na,1,2\nb,1,two\n"), "row 1 has 'two' in the column 'e1'"),
        ("thousand.csv", lambda p: p.write_text("id;e0;e1\na;1.234,5;2\nb;1;2,5\n"), "row 0 has '1.234,5'.*mixed"),
        ("points.csv", lambda p: p.write_text("id;e0;e1\na;1.234;2\nb;1.5;2,5\n"), "row 0 has '1.234'.*mixed"),
        ("hole.csv", lambda p: p.write_text("id,e0,e1\na,1,2\nb,,2\n"), "row 1 has '' in the column 'e0'"),
        ("dots.csv", lambda p: p.write_text('id,v\na,"[1 ... 2]"\nb,"[1 ... 3]"\n'), "row 0 is cut short"),
        ("nameless.csv", lambda p: p.write_text("file,e0,e1\na,1,2\n,1,2\n"), "row 1 has no id"),
        (
            "nameless.parquet",
            lambda p: pd.DataFrame({"id": ["a", None], "v": [[1.0]] * 2}).to_parquet(p),
            "row 1 has no",
        ),
        ("latin.npz", lambda p: np.savez(p, x=X[:1], names=np.array([b"M\xfc"])), "id of row 0 is not UTF-8"),
        ("boxes.npz", lambda p: np.savez(p, x=np.array([[1], [2, 3]], object)), "hold Python objects"),
        ("fields.npy", lambda p: np.save(p, np.zeros(3, [("a", "f4"), ("b", "f4")])), "its fields are a, b"),
        ("hnsw.index", lambda p: faiss.write_index(faiss.index_factory(4, "HNSW8"), str(p)), "flat one"),
        (
            "uneven.json",
            lambda p: p.write_text('{"id": ["a", "b"], "vector": [[1, 2]]}'),
            "columns are of different lengths: {'id': 2, 'vector': 1}",
        ),
        ("ragged.json", lambda p: p.write_text("[[1, 2], [3]]"), "row 1 has 1 values"),
        ("twice.json", lambda p: p.write_text('{"a": [1], "a": [2]}'), r"gives 'a' twice.*\[1\].* and .*\[2\]"),
        ("one.json", lambda p: p.write_text('{"a": {"b": [1]}}'), "neither a list of vectors or of records"),
        ("deep.json", lambda p: p.write_text("[" * 100_000), "nested too deeply"),
        ("cut.jsonl", lambda p: p.write_text('{"id": "a", "v": [1]}\n{"id": "b", "v'), "JSON is broken.*line 2"),
        ("gap.jsonl", lambda p: p.write_text('{"id": "a", "v": [1]}\n{"id": "b"}\n'), "vector of row 1 is missing"),
        ("twice.jsonl", lambda p: p.write_text('{"id": "a", "v": [1], "id": "b"}\n'), "gives 'id' twice"),
        (
            "null.jsonl",
            lambda p: p.write_text("null\nnull\n"),
            "neither a list of vectors or of records.*entry 0 is null",
        ),
        (
            "hole.jsonl",
            lambda p: p.write_text('{"v": [1]}\n{"v": "x"}\n{"v": [2]}\n'),
            "row 1 has 'x' in the column 'v'",
        ),
        ("odd.json", lambda p: p.write_text("[[1, 2], null]"), "entry 1 is null"),
        ("x.docx", lambda p: p.write_text("x"), r"ends in \.docx; vectors are read from \.npy"),
        ("x.csv.gz", lambda p: p.write_bytes(b"x"), r"ends in \.gz; .*; unpack it first"),
        ("nan.npy", lambda p: np.save(p, X * np.where(np.arange(5) == 3, np.nan, 1)[:, None]), "row 3 is not finite"),
        ("page.npy", lambda p: p.write_text("<html>"), "begins like b'<html>': this is not a .npy file"),
        ("zip.npy", lambda p: np.savez(p.open("wb"), X), "this is a .npz file; rename it"),
        ("short.npy", lambda p: p.write_bytes(npy()[:-9]), "is cut off"),
        ("empty.npy", lambda p: p.touch(), "is empty"),
        ("empty.parquet", lambda p: pd.DataFrame({"v": list(X)})[:0].to_parquet(p), "it has no"),
        ("before.safetensors", lambda p: p.write_bytes(tensor_at(-8, 72)), "lies at -8 to 72: it is damaged"),
        ("less.safetensors", lambda p: p.write_bytes(tensor_at(0, 8)), "lies at 0 to 8: it is damaged"),
        ("outside.feather", lambda p: p.write_bytes(texts_outside()), "it is damaged.* offset"),
        ("shapeless.h5ad", lambda p: write_sparse(p, [1], None), "has no array"),
        ("lists.h5", write_lists, "'/ids' holds float64, not names"),
        ("beyond.h5ad", lambda p: write_sparse(p, [7], (1, 4)), "damaged: indices must be < 4"),
        ("whole.csv", lambda p: p.write_text('file,v\na,"[1, 16777217]"\nb,"[1, 2]"\n'), "16777217 of row 0, column 1"),
        ("bool.json", lambda p: p.write_text("[[true, 2], [3, false]]"), "entry 0 has 'True' among numbers"),
        ("huge.json", lambda p: p.write_text(f"[[1, 2], [3, {10**30}]]"), "entry 1 has the whole number .*too large"),
        ("split.json", lambda p: lists().to_json(p, orient="split"), "save it with to_json.*records"),
        ("words.parquet", lambda p: table(embedding_0="0.1257").to_parquet(p), "row 0 has '0.1257'.* but text; save"),
        ("days.parquet", lambda p: table(embedding_0=["2020-01-01", *"1234"]).to_parquet(p), r"not a number\.$"),
        ("times.parquet", lambda p: table(embedding_0=DAYS).to_parquet(p), r"row 0 has Timestamp\('2020-01-01"),
        ("spans.parquet", lambda p: table(embedding_0=DAYS - DAYS[0]).to_parquet(p), r"row 0 has Timedelta"),
        ("gap.parquet", lambda p: table(embedding_0=GAP).to_parquet(p), "row 1 has <NA> in the column 'embedding_0'"),
        ("twice.parquet", lambda p: pq.write_table(TWICE, p), "several columns 'v'; give each a name of its own"),
        ("twice.feather", lambda p: feather.write_feather(TWICE, p), "several columns 'v'; give each a name"),
        ("frame.json", lambda p: table().to_json(p), "save it with to_json.*records"),
        ("index.json", lambda p: table().to_json(p, orient="index"), "save it with to_json.*records"),
        ("empty.faiss", lambda p: p.touch(), "it is empty"),
        ("map.faiss", write_map, "it is an IndexIDMap.*write index.index"),
        ("empty.safetensors", lambda p: p.touch(), "it is empty, or not a safetensors file"),
        ("line.h5", write_line, r"it has v \(3,\)"),
        ("big.npy", lambda p: np.save(p, np.array([[1, 2**24 + 1]])), "16777217 of row 0, column 1"),
    ],
)
def test_a_file_that_is_no_vectors_is_refused_with_its_name_and_leaves_nothing(tmp_path, capsys, name, write, sentence):
    write(tmp_path / name)
    with pytest.raises(ValueError, match=f"(?s){name}.*{sentence}"):
        Pool.from_file(tmp_path / name)
    assert cli.main(["pool", "make", str(tmp_path / name), str(tmp_path / "pool")]) == 1
    assert capsys.readouterr().err.startswith("elsa-nb: ")
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["a.npy", "flat.faiss", "vectors.json"])
def test_a_key_for_a_file_whose_vectors_have_no_name_is_refused(tmp_path, name):
    FILES[name][0](tmp_path / name)
    with pytest.raises(ValueError, match=f"{name}.*leave out the key 'x'"):
        Pool.from_file(tmp_path / name, key="x")


def test_a_key_that_is_no_column_is_told_with_those_there_are(tmp_path):
    lists(emb2=X.tolist()).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(ValueError, match="it has no column 'zz'; its columns of lists are 'embedding', 'emb2'"):
        Pool.from_file(tmp_path / "x.parquet", key="zz")


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("f00", "its column 'f00' is one of the 2 columns 'f00' to 'f01', .*: key='f'"),
        ("f1", "it has no columns f10, f11, ...; it has 'f' \\+ number"),
        ("note", "its column 'note' holds no lists of numbers.*it has 'f' \\+ number"),
    ],
)
def test_a_column_that_is_not_the_key_of_a_vector_is_said_to_be_there(tmp_path, key, said):
    pd.DataFrame({"note": ["x", "y"], "f01": [1.0, 2], "f00": [3.0, 4]}).to_csv(tmp_path / "v.csv", index=False)
    with pytest.raises(ValueError, match=said):
        Pool.from_file(tmp_path / "v.csv", key=key)
    assert Pool.from_file(tmp_path / "v.csv", key="f").d == 2


def test_ids_that_do_not_fit_are_refused(tmp_path):
    np.save(tmp_path / "x.npy", X)
    (tmp_path / "few.txt").write_text("a\nb\n")
    (tmp_path / "twice.txt").write_text("a\na\nb\nc\nd\n")
    with pytest.raises(ValueError, match=r"few.txt names 2 ids, and .*x.npy holds 5 vectors"):
        Pool.from_file(tmp_path / "x.npy", tmp_path / "few.txt")
    with pytest.raises(ValueError, match=r"twice.txt: The id 'a' occurs more than once"):
        Pool.from_file(tmp_path / "x.npy", tmp_path / "twice.txt")
    with pytest.raises(MissingDataError, match=r"none\.txt is not here"):
        Pool.from_file(tmp_path / "x.npy", tmp_path / "none.txt")


@pytest.mark.parametrize("ending", ["npy", "csv", "parquet", "jsonl", "json"])
def test_ids_come_from_lists_and_tables(tmp_path, ending):
    np.save(tmp_path / "x.npy", X)
    frame, path = pd.DataFrame({"width": range(5), "item": IDS}), tmp_path / f"ids.{ending}"
    {
        "npy": lambda: np.save(path, np.array(IDS)),
        "csv": lambda: frame.to_csv(path),
        "parquet": lambda: frame.to_parquet(path),
        "jsonl": lambda: frame.to_json(path, orient="records", lines=True),
        "json": lambda: frame.to_json(path, orient="records"),
    }[ending]()
    assert Pool.from_file(tmp_path / "x.npy", path).ids.tolist() == IDS


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8-sig"])
def test_ids_come_in_the_encodings_of_their_programs(tmp_path, encoding):
    names = [f"vögel/{i:03d}" for i in range(5)]
    np.save(tmp_path / "x.npy", X)
    (tmp_path / "ids.txt").write_text("\n".join(names) + "\n\n", encoding=encoding)
    (tmp_path / "ids.csv").write_text("\n".join(["nr;file", *(f"{i};{n}" for i, n in enumerate(names))]), encoding)
    for path in (tmp_path / "ids.txt", tmp_path / "ids.csv"):
        assert Pool.from_file(tmp_path / "x.npy", path).ids.tolist() == names


@pytest.mark.parametrize("written", ['"{}"', "{}", '"{}"\r'])
@pytest.mark.parametrize("header", [[], ["Filename"]])
def test_names_a_line_may_stand_in_quotation_marks_and_below_a_header(tmp_path, written, header):
    """R and spreadsheet programs write one column so."""
    names = ["a, b.jpg", "c.jpg", 'say ""d"".jpg' if '"' in written else 'say "d".jpg', "e.jpg", "f.jpg"]
    np.save(tmp_path / "x.npy", X)
    (tmp_path / "ids.txt").write_text("\n".join(map(written.format, header + names)) + "\n")
    pool = Pool.from_file(tmp_path / "x.npy", tmp_path / "ids.txt")
    assert pool.ids.tolist() == ["a, b.jpg", "c.jpg", 'say "d".jpg', "e.jpg", "f.jpg"]
    assert bool(header) == any("'Filename', is the name" in note for note in pool.provenance["made_from"]["taken"])


def test_a_header_above_nothing_is_no_item(tmp_path):
    (tmp_path / "x.csv").write_text("filename,0,1\n")
    with pytest.raises(ValueError, match=r"x\.csv"):
        Pool.from_file(tmp_path / "x.csv")


@pytest.mark.parametrize("around", [{"object": "list", "model": "m", "usage": {"n": 3}}, {}, {"dims": [2]}])
def test_records_may_have_words_about_them_around_them(tmp_path, around):
    """A server's answer, kept as it came."""
    records = [{"id": f"{i}.jpg", "values": [i, 0.5]} for i in range(3)]
    (tmp_path / "x.json").write_text(json.dumps({"data": records} | around))
    pool = Pool.from_file(tmp_path / "x.json")
    assert pool.ids.tolist() == ["0.jpg", "1.jpg", "2.jpg"]
    np.testing.assert_array_equal(pool.vectors, [[0, 0.5], [1, 0.5], [2, 0.5]])


def test_a_table_of_named_measures_says_how_they_become_vectors(tmp_path):
    (tmp_path / "x.csv").write_text("file,area,mean\na.jpg,1,2\n")
    with pytest.raises(ValueError, match=r"area, mean. Number those of the vector, .* Pool.from_arrays\(table\[\["):
        Pool.from_file(tmp_path / "x.csv")


def test_a_file_name_keeps_its_zeros(tmp_path):
    (tmp_path / "x.csv").write_text("file,e0,e1\n007,1,2\n010,3,4\n")
    assert Pool.from_file(tmp_path / "x.csv").ids.tolist() == ["007", "010"]


def test_words_are_words(tmp_path):
    """Quotation marks, remarks' signs and what pandas takes for nothing are entries of every vocabulary."""
    words = ["the", ",", '"', "''", "#", "null", "nan", "NA", '5"']
    numbers = np.arange(27.0).reshape(9, 3)
    lines = [" ".join([word, *map(str, row)]) for word, row in zip(words, numbers, strict=True)]
    for name, text in (
        ("glove.txt", "\n".join(lines)),
        ("word2vec.txt", "\n".join(["9 30", *(f"{line} " + "1 " * 27 for line in lines)])),
        ("tabs.tsv", "word\te0\te1\te2\n" + "\n".join(lines).replace(" ", "\t")),
    ):
        (tmp_path / name).write_text(text)
        pool = Pool.from_file(tmp_path / name)
        assert pool.ids.tolist() == words
        np.testing.assert_array_equal(pool.vectors[:, :3], numbers)


@pytest.mark.parametrize(
    ("text", "ids"),
    [(",e0,e1\n5,1,2\n9,3,4\n", ["5", "9"]), (",e0,e1\n1,1,2\n2,3,4\n", ["0", "1"]), (",e0\n0,1\n0,2\n", ["0", "1"])],
)
def test_an_index_names_the_rows_unless_it_only_counts_them(tmp_path, text, ids):
    (tmp_path / "x.csv").write_text(text)
    assert Pool.from_file(tmp_path / "x.csv").ids.tolist() == ids


def test_a_column_of_words_that_repeat_is_no_ids(tmp_path):
    (tmp_path / "x.csv").write_text("label,e0,e1\ncat,1,2\ncat,3,4\n")
    pool = Pool.from_file(tmp_path / "x.csv")
    assert pool.ids.tolist() == ["0", "1"]
    assert any("'label' repeat" in note for note in pool.provenance["made_from"]["taken"])


def test_observations_of_anndata_may_be_a_category(tmp_path):
    with h5py.File(tmp_path / "a.h5ad", "w") as file:
        file["X"], file["obsm/X_pca"], file["obsm/X_umap"] = X, X[:, :3], X[:, :2]
        file["obs/cell/categories"], file["obs/cell/codes"] = [b"b", b"a", b"c", b"d", b"e"], [1, 0, 2, 3, 4]
        file["obs"].attrs["_index"] = "cell"
    pool = Pool.from_file(tmp_path / "a.h5ad", key="X_pca")
    assert (pool.d, pool.ids.tolist()) == (3, list("abcde"))


def test_the_command_says_what_it_took_and_how_to_go_on(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.vstack([X.astype(np.float64), np.zeros((1, 4))]))
    assert cli.main(["pool", "make", "x.npy"]) == 0
    said = capsys.readouterr().out
    assert "float64 is stored as float32" in said
    assert "row numbers" in said
    assert "1 of 6 vectors is all zero: was this item encoded" in said
    assert said.endswith("--pool x-pool\n")
    assert len(Pool.open("x-pool")) == 6
    np.save("x.npy", X)
    assert cli.main(["pool", "make", "x.npy"]) == 1
    assert "x-pool holds another pool; name another folder, or add --replace" in capsys.readouterr().err
    assert len(Pool.open("x-pool")) == 6
    assert cli.main(["pool", "make", "x.npy", "--replace", "--name", "mine"]) == 0
    assert json.loads((tmp_path / "x-pool" / "pool.json").read_text())["name"] == "mine"
    capsys.readouterr()
    assert cli.main(["pool", "make", "x.npy", "my pool"]) == 0
    assert capsys.readouterr().out.endswith("--pool 'my pool'\n")  # as a shell takes it
    assert cli.main(["pool", "make", "x.npy", "x.npy"]) == 1
    assert "x.npy is a file, and a pool is a folder" in capsys.readouterr().err


def test_no_pool_is_written_among_files_that_are_none(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", X)
    for name, held in {"owl.jpg": b"a picture", "journal.txt": b"Dear diary", "vectors.npy": b"my own"}.items():
        folder = tmp_path / f"my {name}"
        folder.mkdir()
        (folder / name).write_bytes(held)
        for more in ([], ["--replace"]):
            assert cli.main(["pool", "make", "x.npy", folder.name, *more]) == 1
            assert f"{folder.name} holds other files, such as {name}, and no pool; name" in capsys.readouterr().err
        with pytest.raises(ValueError, match=f"holds other files, such as {name}"):
            Pool.from_arrays(X).save(folder)
        assert [(part.name, part.read_bytes()) for part in folder.iterdir()] == [(name, held)]
    Pool.from_arrays(X).save("empty")
    (tmp_path / "empty" / "labels.csv").write_text("of the same items")
    Pool.from_arrays(2 * X).save("empty")
    assert (tmp_path / "empty" / "labels.csv").read_text() == "of the same items"


def test_a_pool_that_another_process_writes_is_said_to_be_written(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", X)
    with pool_lock("x-pool").acquire():
        for more in ([], ["--replace"]):
            assert cli.main(["pool", "make", "x.npy", *more]) == 1
            assert "The pool x-pool is being written by process " in capsys.readouterr().err


def test_what_a_killed_command_left_of_a_pool_is_in_nobodys_way(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", X)
    (tmp_path / "x-pool").mkdir()
    for name in ("vectors.part", "journal.txt", ".lock", ".lock-holder", ".journal.txt.a1b2.part"):
        (tmp_path / "x-pool" / name).touch()
    assert cli.main(["pool", "make", "x.npy"]) == 0
    assert len(Pool.open("x-pool")) == len(X)


@pytest.mark.parametrize("where", [".", "/"])
def test_a_folder_without_a_name_of_its_own_is_called_a_folder(tmp_path, capsys, monkeypatch, where):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["pool", "make", where]) == 1
    assert capsys.readouterr().err.startswith(f"elsa-nb: {where} is a folder; open a pool with Pool.open")


def test_on_a_full_disk_the_folder_is_named_and_the_same_command_works_again(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", X)

    start = PoolWriter._start

    def full(writer):
        vectors, journal = start(writer)
        vectors.close()
        return Path("/dev/full").open("r+b"), journal

    with monkeypatch.context() as disk:
        disk.setattr(PoolWriter, "_start", full)
        assert cli.main(["pool", "make", "x.npy"]) == 1
        with pytest.raises(OSError, match="No space left on device: 'y-pool'"):  # whoever writes one
            Pool.from_arrays(X).save("y-pool")
        assert not pool_lock("y-pool").acquire().release()
    assert "x-pool: No space left on device. Make room, then give the same command again" in capsys.readouterr().err
    assert cli.main(["pool", "make", "x.npy"]) == 0
    np.testing.assert_array_equal(Pool.open("x-pool").vectors, X)


def test_a_file_in_the_place_of_a_pool_says_what_to_do(tmp_path):
    np.save(tmp_path / "x.npy", X)
    with pytest.raises(MissingDataError, match=r"x.npy is a file.*`elsa-nb pool make .*x.npy --ids NAMES`"):
        Pool.open(tmp_path / "x.npy")


def test_a_heap_of_texts_that_leads_nowhere_is_refused_and_not_followed(tmp_path):
    """HDF5's library would go round in it for ever, deaf to signals: so in a process of its own."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["vectors"], file["ids"] = np.eye(3, dtype=np.float32), [b"a", b"b", b"c"]
    assert Pool.from_file(path).ids.tolist() == ["a", "b", "c"]
    whole = bytearray(path.read_bytes())
    heap = whole.index(b"GCOL")
    left = heap + 16 + 3 * 24  # behind three texts of a letter each: what is free
    assert whole[left : left + 8] == bytes(8)
    whole[left + 8 : left + 16] = bytes(8)
    path.write_bytes(whole)
    code = "import sys; from elsa_nb.vector_files import read_vectors; read_vectors(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, timeout=250)
    assert re.search(r"ValueError: .*a\.h5: it is damaged: a text in it has no end", done.stderr)


@pytest.mark.parametrize("length", [b"\xff\xff\xff\xff", b"\x01\0\0\0", b"\0\0\0\0"])
def test_a_text_that_is_said_to_be_of_another_length_is_refused(tmp_path, length):
    """HDF5's library would make room for gigabytes, or write a text beyond the room for it, which ends the process."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["vectors"], file["ids"] = np.eye(3, dtype=np.float32), [b"a.jpg", b"b.jpg", b"c.jpg"]
        place = file["ids"].id.get_offset()
    whole = bytearray(path.read_bytes())
    assert whole[place : place + 4] == b"\x05\0\0\0"
    whole[place : place + 4] = length
    path.write_bytes(whole)
    with pytest.raises(ValueError, match=r"a\.h5: it is damaged: text 0 of '/ids' is not where the file says"):
        Pool.from_file(path)


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "int32"])
def test_ids_that_are_numbers_are_called_alike_in_files_and_in_memory(tmp_path, kind):
    """A half of each reader's kinds of number was written "1.0", and a missing one of float32 was called nan."""
    numbers = np.arange(5).astype(kind)
    np.save(tmp_path / "ids.npy", numbers)
    np.savez(tmp_path / "x.npz", ids=numbers, x=X)
    assert read_ids(tmp_path / "ids.npy") == list("01234") == list(read_vectors(tmp_path / "x.npz").ids)
    assert Pool.from_arrays(X, numbers).ids.tolist() == list("01234")
    if kind.startswith("f"):
        np.save(tmp_path / "ids.npy", np.where(numbers == 3, np.nan, numbers).astype(kind))
        with pytest.raises(CorruptFileError, match=r"row 3 has no id \(np\.float"):
            read_ids(tmp_path / "ids.npy")


@pytest.mark.parametrize("ending", ["npz", "h5", "safetensors"])
def test_ids_lie_beside_the_vectors_and_are_one_a_row(tmp_path, ending):
    """Pictures beside their vectors were taken for ids in .npz, and ids in .safetensors were not looked for."""
    path = tmp_path / f"x.{ending}"

    def write(**arrays):
        if ending == "npz":
            np.savez(path, **arrays)
        elif ending == "safetensors":
            save_file({name: torch.tensor(array) for name, array in arrays.items()}, path)
        else:
            with h5py.File(path, "w") as file:
                for name, array in arrays.items():
                    file[name] = array

    write(embeddings=X, images=np.zeros((5, 2, 2)), id=np.arange(7, 12))
    assert list(read_vectors(path).ids) == ["7", "8", "9", "10", "11"]
    write(embeddings=X, images=np.zeros((5, 2, 2)))
    assert read_vectors(path).ids is None
    write(embeddings=X, pixels=X[:, :2])  # which was taken, and which was not, is told whatever the format
    assert read_vectors(path).notes[0] == "vectors from 'embeddings', left out: pixels (5, 2)"
    write(images=X)
    assert read_vectors(path).ids is None


@pytest.mark.parametrize("kind", ["uint16", "uint32", "uint64"])
def test_safetensors_of_whole_numbers(tmp_path, kind):
    save_file({"x": torch.arange(20).reshape(5, 4).to(getattr(torch, kind))}, tmp_path / "x.safetensors")
    assert Pool.from_file(tmp_path / "x.safetensors").vectors.tolist() == np.arange(20).reshape(5, 4).tolist()


def test_ids_in_an_array_of_objects_say_how_to_save_them(tmp_path):
    np.save(tmp_path / "ids.npy", np.array(["a", "b"], object), allow_pickle=True)
    with pytest.raises(CorruptFileError, match=r"ids\.npy .*Python objects; .*names\.astype\(str\)"):
        read_ids(tmp_path / "ids.npy")


def test_ids_of_a_damaged_array_are_refused(tmp_path):
    """NumPy makes strings of such bytes that Python would not, and that fail far from here."""
    np.save(tmp_path / "ids.npy", np.array(["a", "b"]))
    whole = (tmp_path / "ids.npy").read_bytes()
    (tmp_path / "ids.npy").write_bytes(whole[:-2] + b"\xff\x7f")
    with pytest.raises(CorruptFileError, match=r"ids\.npy .*the id of row 1 is not text"):
        read_ids(tmp_path / "ids.npy")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_names_that_repeat_have_their_folders_in_front(tmp_path, ending):
    told = {"RelativePath": ["a", "b\\c", ""], "File": ["1.jpg"] * 3, "e0": [0.5, 1, 2], "e1": [1.5, 2, 3]}
    path, frame = tmp_path / f"v.{ending}", pd.DataFrame(told)
    frame.to_csv(path, index=False) if ending == "csv" else frame.to_parquet(path)
    read = read_vectors(path)
    assert list(read.ids) == ["a/1.jpg", "b/c/1.jpg", "1.jpg"]
    assert "ids from 'RelativePath' and 'File', joined" in " ".join(read.notes)
    frame.assign(File=["1", "2", "3"]).to_csv(tmp_path / "w.csv", index=False)  # no two are called alike
    assert list(read_vectors(tmp_path / "w.csv").ids) == ["1", "2", "3"]


NUMBERS = [5167, 5184, 5201, 7, 6]


def saved(frame, path, index):
    {".csv": frame.to_csv, ".parquet": frame.to_parquet}[path.suffix](path, index=index)
    return path


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("name", ["id", "image_id", "img id", "sampleID", "uid"])
@pytest.mark.parametrize("beside", [{}, {"species": list("abcde")}, {"patient_id": 1}])
def test_whole_numbers_that_are_called_ids_are_the_ids(tmp_path, ending, name, beside):
    frame = pd.DataFrame(X, columns=COLUMNS).assign(**{name: NUMBERS}, **beside)
    told = [str(number) for number in NUMBERS]
    pool = Pool.from_file(saved(frame, tmp_path / f"column.{ending}", False))
    assert (pool.ids.tolist(), pool.d) == (told, 4)
    indexed = frame.set_index(name)
    assert Pool.from_file(saved(indexed, tmp_path / f"index.{ending}", True)).ids.tolist() == told
    assert read_ids(tmp_path / f"index.{ending}") == told


@pytest.mark.parametrize("index", [pd.RangeIndex(100, 105), pd.Index(NUMBERS), pd.Index(NUMBERS, name="specimen")])
@pytest.mark.parametrize("lists", [False, True])
def test_the_index_of_a_saved_data_frame_names_the_rows(tmp_path, index, lists):
    frame = pd.DataFrame({"v": list(X)}) if lists else pd.DataFrame(X, columns=COLUMNS)
    pool = Pool.from_file(saved(frame.assign(kind="a").set_index(index), tmp_path / "v.parquet", True))
    assert (pool.ids.tolist(), pool.d) == ([str(number) for number in index], 4)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("beside", "left"),
    [
        ({"specimen": NUMBERS}, r"specimen \(its name does not say that it is one\)"),
        ({"image_id": [1, 1, 2, 3, 4]}, r"image_id \(its values repeat\)"),
        ({"image_id": [1.0, 5.0, 2.0, 3.0, 4.0]}, r"image_id \(its numbers are written as fractions, such as 1.0\)"),
        ({"image_id": [1, None, 2, 3, 4]}, r"image_id \(a value is missing\)"),
        (dict.fromkeys(("a_id", "b_id"), NUMBERS), r"a_id \(other columns are called like ids, too\), b_id \(.*\)"),
    ],
)
def test_what_may_be_ids_and_is_left_out_is_said_with_the_reason(tmp_path, ending, beside, left, capsys):
    path = saved(pd.DataFrame(X, columns=COLUMNS).assign(**beside), tmp_path / f"v.{ending}", False)
    said = f"names no ids, .* Left out was what may be ids: {left}; to take one, .*"
    with pytest.warns(UserWarning, match=rf"{said}\(ids=.*\), or call it item"):
        assert Pool.from_file(path).ids.tolist() == list("01234")
    Pool.from_file(path, NUMBERS)  # nothing is left to say
    assert cli.main(["pool", "make", str(path), str(tmp_path / "pool")]) == 0
    assert re.search(rf"{said}\(`--ids .*`\), or call it item", capsys.readouterr().out)


def test_arrays_that_may_be_ids_are_named_too(tmp_path):
    np.savez(tmp_path / "v.npz", vectors=X, accession=np.array(NUMBERS), test=X)
    with pytest.warns(UserWarning, match=r"what may be ids: accession \(its name .*\); to take one, give "):
        Pool.from_file(tmp_path / "v.npz")


@pytest.mark.parametrize("padding", [bytes(512), b"\n", b"\r\n\0"])
@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_an_array_that_is_filled_up_to_a_block_is_read(tmp_path, kind, padding):
    array = np.arange(12, dtype=np.float32).reshape(4, 3)
    path = tmp_path / f"v.{kind}"
    np.save(path, array) if kind == "npy" else np.savez(path, array)
    path.write_bytes(path.read_bytes() + padding)
    assert np.array_equal(read_vectors(path).vectors, array)


@pytest.mark.parametrize("kind", ["npy", "npz", "safetensors", "faiss"])
@pytest.mark.parametrize("appended", ["the same again", "a few bytes", "before"])
def test_a_file_that_was_appended_to_is_not_read_in_part(tmp_path, kind, appended):
    array = np.arange(12, dtype=np.float32).reshape(4, 3)
    path = tmp_path / f"v.{kind}"
    if kind == "npy":
        np.save(path, array)
    elif kind == "npz":
        np.savez(path, array)
    elif kind == "faiss":
        index = faiss.IndexFlatL2(3)
        index.add(array)
        faiss.write_index(index, str(path))
    else:
        save_file({"v": torch.from_numpy(array), "ids": torch.arange(4)}, path)
    assert np.array_equal(read_vectors(path).vectors, array)
    whole = path.read_bytes()
    beyond = {"the same again": whole, "a few bytes": b"123"}.get(appended)
    path.write_bytes(b"123" + whole if beyond is None else whole + beyond)
    told = "follow|precede" if beyond else "begins like|is damaged|header|kind|precede|written by another"
    with pytest.raises(ValueError, match=rf"v\.{kind}.*({told})"):
        read_vectors(path)
    if kind == "npy" and beyond:
        path.write_bytes(whole)
        with pytest.raises(CorruptFileError, match="follow its array"):
            np.save(path, np.array(list("abcd")))
            path.write_bytes(path.read_bytes() + b"1")
            read_ids(path)
