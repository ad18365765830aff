"""Packs: decoded as Pillow decodes them, found through ELSA_DATA, and refused when damaged."""

import io
import os
import zipfile

import numpy as np
import pytest
from PIL import Image

from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.images.sources.packs import Pack


def jpeg(pixels, **options):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", **options)
    return stream.getvalue()


def parts(n=6, side=16, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (n, side, side, 3), np.uint8)
    files = [jpeg(p) for p in pixels]
    return {
        "jpeg": np.frombuffer(b"".join(files), np.uint8),
        "offset": np.cumsum([0, *map(len, files)]),
        "label": np.arange(n, dtype=np.int16) % 2,
        "split": (np.arange(n) >= n // 2).astype(np.uint8),
        "classes": np.array(["apple", "baklava"]),
        "splits": np.array(["train", "test"]),
    }


@pytest.fixture
def folder(tmp_path, monkeypatch):
    np.savez(tmp_path / "fruit.npz", **parts())
    monkeypatch.setenv("ELSA_DATA", str(tmp_path))
    return tmp_path


def test_a_pack_gives_what_pillow_reads(folder):
    pack = Pack.open("fruit")
    images = pack.images([4, 0])
    assert (images.shape, images.dtype, pack.side, len(pack)) == ((2, 3, 16, 16), np.uint8, 16, 6)
    told = np.asarray(Image.open(io.BytesIO(pack.read(4))))
    assert (images[0].transpose(1, 2, 0) == told).all()
    assert pack.images().shape == (6, 3, 16, 16)
    assert pack.images([]).shape == (0, 3, 16, 16)
    assert pack.ids[4] == "fruit-000004"


def test_labels_splits_and_rows(folder):
    pack = Pack.open("fruit")
    assert pack.targets.tolist() == [0, 1, 0, 1, 0, 1]
    assert pack.splits.tolist() == ["train"] * 3 + ["test"] * 3
    assert pack.labels["name"].tolist() == ["apple", "baklava", "apple", "baklava", "apple", "baklava"]
    assert pack.class_rows("baklava").tolist() == [1, 3, 5]
    with pytest.raises(ValueError, match="Near it: baklava"):
        pack.class_rows("baklawa")
    with pytest.raises(ValueError, match="Row 6"):
        pack.images([6])


def test_an_image_without_a_label_is_of_no_class():
    told = parts()
    told["label"][2] = -1
    pack = Pack.from_parts("fruit", **told)
    assert pack.labels["name"].isna().tolist() == [False, False, True, False, False, False]
    assert pack.class_rows("apple").tolist() == [0, 4]


def test_the_fingerprint_is_of_the_images_not_of_the_labels_or_the_compression(tmp_path):
    pack = Pack.from_parts("fruit", **parts())
    assert Pack.from_parts("fruit", **{**parts(), "label": np.zeros(6, int)}).sha256 == pack.sha256
    assert Pack.from_parts("fruit", **parts(seed=1)).sha256 != pack.sha256
    pack.save(tmp_path)
    again = Pack.open("fruit", tmp_path)
    assert again.sha256 == pack.sha256
    assert again.labels.equals(pack.labels)
    assert (again.images() == pack.images()).all()


def test_missing_data_are_one_sentence(folder, monkeypatch):
    with pytest.raises(MissingDataError, match=r"fish\.npz is not here; .* holds fruit\. `elsa-nb data get"):
        Pack.open("fish")
    monkeypatch.setenv("ELSA_DATA", str(folder / "nowhere"))
    with pytest.raises(MissingDataError, match=r"ELSA_DATA = .*nowhere is not a folder"):
        Pack.open("fruit")
    monkeypatch.delenv("ELSA_DATA")
    with pytest.raises(MissingDataError, match=r"ELSA_DATA is not set"):
        Pack.open("fruit")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda p: p.pop("split"), r"is not a pack of images \(it lacks split\)"),
        (lambda p: p.update(offset=p["offset"][:-1]), "offsets do not divide"),
        (lambda p: p.update(jpeg=p["jpeg"][:-9]), "offsets do not divide"),
        (lambda p: p.update(label=p["label"] + 5), "label or split has no name"),
    ],
    ids=["part", "offset", "jpeg", "label"],
)
def test_a_damaged_pack_is_refused(tmp_path, damage, message):
    told = parts()
    damage(told)
    np.savez(tmp_path / "fruit.npz", **told)
    with pytest.raises(CorruptFileError, match=message):
        Pack.open("fruit", tmp_path)


def test_a_file_that_is_no_pack_and_one_cut_short_are_refused(folder):
    path = folder / "fruit.npz"
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(CorruptFileError, match=r"fruit\.npz is not a pack of images"):
        Pack.open("fruit")
    np.savez(path, **{**parts(), "classes": np.array(["apple", None])})
    with pytest.raises(CorruptFileError, match=r"fruit\.npz is not a pack of images"):  # pickles are never read
        Pack.open("fruit")


def test_a_pack_that_unpacks_to_gigabytes_is_refused_by_its_list(folder):
    with zipfile.ZipFile(folder / "bomb.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for part in ("jpeg", "offset", "label", "split", "classes", "splits"):
            archive.writestr(f"{part}.npy", bytes(48 << 20))
    with pytest.raises(CorruptFileError, match=r"bomb\.npz is not a pack .* would unpack to 301,989,888"):
        Pack.open("bomb")


def test_a_broken_image_and_one_of_another_size_are_named():
    told = parts()
    broken = told["jpeg"].copy()
    broken[told["offset"][2] : told["offset"][3]] = 7
    with pytest.raises(CorruptFileError, match="fruit-000002 is broken"):
        Pack.from_parts("fruit", **{**told, "jpeg": broken}).images()
    other = np.frombuffer(jpeg(np.zeros((9, 16, 3), np.uint8)), np.uint8)
    told["jpeg"] = np.concatenate([told["jpeg"], other])
    told["offset"] = np.append(told["offset"], told["jpeg"].size)
    told |= {"label": np.zeros(7, int), "split": np.zeros(7, int)}
    with pytest.raises(CorruptFileError, match="fruit-000006 is 16x9 pixels; every image of the pack is 16x16"):
        Pack.from_parts("fruit", **told).images()


@pytest.mark.skipif("ELSA_DATA" not in os.environ, reason="needs the packs that ELSA_DATA names")
def test_the_real_pack_of_food():
    pack = Pack.open("food-101-64px-testsplit")
    assert (len(pack), len(pack.classes), pack.side) == (25_247, 101, 64)
    assert pack.labels["name"].value_counts().between(249, 250).all()
    assert pack.images([0, 25_246]).std() > 10
