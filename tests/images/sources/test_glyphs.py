"""The bundled pool of glyphs: what it holds, and that nothing damaged or missing is taken for it."""

import lzma
import shutil
from dataclasses import replace

import numpy as np
import pytest

from elsa_nb import store
from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.images.sources.glyphs import Glyphs

SHIPPED = store.DATA / "glyphs"


@pytest.fixture(scope="module")
def glyphs():
    return Glyphs.open()


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(SHIPPED, tmp_path / "glyphs")


def test_the_shipped_pool_is_a_hard_search_problem(glyphs):
    sizes = glyphs.labels["name"].value_counts()
    assert 99_000 <= len(glyphs) <= 101_000
    assert len(sizes) >= 300
    assert sizes.min() >= 60
    assert 0.10 <= sizes.median() / len(glyphs) * 100 <= 0.25
    assert sizes.max() > 5 * sizes.median()  # a long tail
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) <= 15_000_000


def test_no_image_occurs_twice(glyphs):
    assert len({row.tobytes() for row in glyphs.packed}) == len(glyphs)


def test_the_manifest_tells_the_truth(glyphs):
    manifest = glyphs.manifest
    sizes = glyphs.labels["name"].value_counts()
    assert glyphs.sha256 == store.sha256_bytes(glyphs.packed.tobytes())
    assert manifest["n"] == len(glyphs) == len(glyphs.labels)
    assert manifest["classes"] == len(sizes)
    assert manifest["class_sizes"]["smallest"] == sizes.min()
    assert manifest["class_sizes"]["largest"] == sizes.max()
    assert manifest["files"]["fonts.csv"] == store.sha256_file(SHIPPED / "fonts.csv")


def test_row_numbers_say_nothing_about_the_class(glyphs):
    code = glyphs.labels["name"].cat.codes.to_numpy().astype(float)
    assert abs(np.corrcoef(code, np.arange(len(code)))[0, 1]) < 0.02
    rows = glyphs.class_rows("LATIN CAPITAL LETTER A")
    assert abs(rows.mean() / len(glyphs) - 0.5) < 0.05


def test_images_are_grey_and_of_ink_on_paper(glyphs):
    images = glyphs.images([5, 0, 5])
    assert images.shape == (3, 32, 32)
    assert images.dtype == np.uint8
    assert (images[0] == images[2]).all()
    assert set(np.unique(glyphs.images(np.arange(500)))) == set(range(0, 256, 17))
    assert (images[:, 0, 0] == 0).all()
    assert glyphs.images([]).shape == (0, 32, 32)
    assert glyphs.images(range(2)).shape == (2, 32, 32)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([0, 100_000_000], "Row 100000000 is not in this pool"),
        ([-1], "Row -1"),
        ([0.5], "integers"),
        (np.ones(3, bool), "np.flatnonzero"),
        ([[1, 2]], "one dimension"),
        (3, "one dimension"),
    ],
)
def test_wrong_rows_are_refused(glyphs, rows, message):
    with pytest.raises(ValueError, match=message):
        glyphs.images(rows)


def test_ids_and_labels_belong_to_rows(glyphs):
    assert glyphs.ids[123] == "glyph-000123"
    assert len(glyphs.ids) == len(glyphs)
    assert list(glyphs.labels.columns) == ["name", "character", "drawn", "face", "package"]
    assert glyphs.labels["name"].dtype == "category"
    rows = glyphs.class_rows("LATIN CAPITAL LETTER A")
    assert rows.dtype == np.int64
    assert (glyphs.labels["name"].iloc[rows] == "LATIN CAPITAL LETTER A").all()
    assert len(rows) == (glyphs.labels["name"] == "LATIN CAPITAL LETTER A").sum()
    assert (rows == glyphs.class_rows("A")).all()
    assert {"A", "\u0410"} <= set(glyphs.labels["drawn"].iloc[rows])


def test_an_unknown_class_is_refused_with_near_names(glyphs):
    with pytest.raises(ValueError, match="LATIN CAPITAL LETTER A"):
        glyphs.class_rows("Latin capital leter A")


@pytest.mark.parametrize("name", ["images.bin", "labels.parquet"])
def test_a_damaged_file_is_refused(copy, name):
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(data)
    with pytest.raises(CorruptFileError, match=rf"{name} is damaged.*expected [0-9a-f]{{64}}.*glyph_pool\.build --out"):
        Glyphs.open(copy)
    (copy / name).write_bytes(data[: len(data) // 3])
    with pytest.raises(CorruptFileError, match=name):
        Glyphs.open(copy)
    (copy / name).unlink()
    with pytest.raises(MissingDataError, match=name):
        Glyphs.open(copy)


def test_images_that_are_too_few_are_refused(glyphs):
    few = replace(glyphs, compressed=lzma.compress(bytes(512)))
    assert len(few) == len(glyphs)
    with pytest.raises(CorruptFileError, match=r"images\.bin holds 512 bytes of pixels, but .*glyph_pool\.build"):
        few.images([0])


def test_a_broken_manifest_is_refused(copy):
    path = copy / "manifest.json"
    manifest = store.read_json(path)
    store.write_json(path, manifest | {"n": manifest["n"] - 1})
    with pytest.raises(CorruptFileError, match=r"manifest\.json says"):
        Glyphs.open(copy)
    store.write_json(path, {"n": 1})
    with pytest.raises(CorruptFileError, match="lacks files, pixels_sha256"):
        Glyphs.open(copy)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(CorruptFileError, match=r"manifest\.json"):
        Glyphs.open(copy)


def test_the_bundled_folder_may_be_named_relatively(monkeypatch):
    monkeypatch.chdir(store.ROOT)
    assert len(Glyphs.open("data/glyphs")) == Glyphs.open(SHIPPED).manifest["n"]


def test_a_missing_pool_is_named_with_its_command(tmp_path):
    with pytest.raises(MissingDataError, match=r"nowhere.*manifest\.json.*python -m .*glyph_pool\.build --full"):
        Glyphs.open(tmp_path / "nowhere", full=True)
