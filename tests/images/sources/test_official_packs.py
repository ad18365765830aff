"""Packs made from the official archives, here from tiny ones of the same layout; and people's labels beside them."""

import io
import pickle
import tarfile
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import photographs
import pytest

from elsa_nb import cli
from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.images.sources import official_packs
from elsa_nb.images.sources.annotators import FILE, human_labels
from elsa_nb.images.sources.decoding import decode
from elsa_nb.images.sources.official_packs import SOURCES, make_pack
from elsa_nb.images.sources.packs import Pack
from elsa_nb.store import write_json


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ELSA_DATA", str(tmp_path))
    monkeypatch.setenv("ELSA_PROGRESS", "0")
    return tmp_path


def put(folder, name, members):
    """Put an archive of `members` where a finished download would lie."""
    path = folder / "downloads" / SOURCES[name].url.rpartition("/")[2]
    path.parent.mkdir(exist_ok=True)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for member, data in members.items():
                archive.writestr(member, data)
    else:
        with tarfile.open(path, "w:gz") as archive:
            for member, data in members.items():
                entry = tarfile.TarInfo(member)
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
    write_json(path.with_name(path.name + ".json"), {})


@pytest.mark.parametrize("meta_first", [True, False])
def test_food_101(folder, meta_first):
    images = {
        f"food-101/images/{name}.jpg": photographs.encoded(photographs.scene(i, 80, 100))
        for i, name in enumerate(["waffles/7", "waffles/8", "apple_pie/3"])
    }
    meta = {"food-101/meta/test.txt": b"apple_pie/3\nwaffles/8\n"}
    put(folder, "food-101", meta | images if meta_first else images | meta)
    pack = Pack.open(make_pack("food-101").stem)
    assert pack.name == "food-101-64px-testsplit"
    assert pack.labels["name"].tolist() == ["apple_pie", "waffles"]
    assert set(pack.splits) == {"test"}
    assert pack.images().shape == (2, 3, 64, 64)
    told = np.asarray(photographs.scene(2, 80, 100).crop((0, 10, 80, 90)).resize((64, 64)))
    assert np.abs(pack.images([0])[0].transpose(1, 2, 0).astype(int) - told).mean() < 8
    assert make_pack("food-101").stat().st_mtime == (folder / "food-101-64px-testsplit.npz").stat().st_mtime


def test_tiny_imagenet_is_taken_as_it_is(folder):
    files = {
        f"tiny-imagenet-200/train/n0000000{c}/images/n0000000{c}_{i}.JPEG": photographs.encoded(
            photographs.scene(i, 64, 64)
        )
        for c in (1, 0)
        for i in (10, 9, 250)
    }
    put(folder, "tiny-imagenet", files | {"tiny-imagenet-200/val/images/val_0.JPEG": b"no"})
    pack = Pack.open(make_pack("tiny-imagenet").stem)
    assert pack.labels["name"].tolist() == ["n00000000"] * 2 + ["n00000001"] * 2
    assert bytes(pack.read(0)) == photographs.encoded(photographs.scene(9, 64, 64))


def cifar(labels, seed=0):
    rng = np.random.default_rng(seed)
    data = {b"data": rng.integers(0, 256, (len(labels), 3072), np.uint8), b"labels": list(labels)}
    return pickle.dumps(data, protocol=2)


def cifar_members(evil=None):
    files = {f"data_batch_{i}": cifar([1, 0], i) for i in range(1, 6)} | {"test_batch": cifar([0, 1], 9)}
    files["batches.meta"] = evil or pickle.dumps({b"label_names": [b"airplane", b"frog"]}, protocol=2)
    return {f"cifar-10-batches-py/{name}": data for name, data in files.items()}


def test_cifar_10_keeps_the_order_within_a_class(folder):
    put(folder, "cifar-10", cifar_members())
    pack = Pack.open(make_pack("cifar-10").stem)
    assert pack.labels["name"].tolist() == ["airplane"] * 5 + ["frog"] * 5 + ["airplane", "frog"]
    assert pack.splits.tolist() == ["train"] * 10 + ["test"] * 2
    told = pickle.loads(cifar([1, 0], 1))[b"data"][1].reshape(3, 32, 32)
    coarse = [image.reshape(3, 8, 4, 8, 4).mean((2, 4)) for image in (pack.images([0])[0], told)]
    assert np.corrcoef(coarse[0].ravel(), coarse[1].ravel())[0, 1] > 0.8
    assert decode(pack.read(11)).shape == (32, 32, 3)


def test_an_archive_with_code_in_it_is_refused(folder):
    class Evil:
        def __reduce__(self):
            return (folder / "made").mkdir, ()

    put(folder, "cifar-10", cifar_members(pickle.dumps(Evil(), protocol=2)))
    with pytest.raises(CorruptFileError, match="asks to run"):
        make_pack("cifar-10")
    assert not (folder / "made").exists()
    assert not list(folder.glob("*.npz"))


def test_what_is_no_archive_and_what_cannot_be_reached_is_one_sentence(folder, monkeypatch, capsys):
    put(folder, "food-101", {"food-101/images/a/1.jpg": photographs.odd_files()["rgb"]})
    with pytest.raises(CorruptFileError, match=r"holds no meta/test\.txt"):
        make_pack("food-101")
    (folder / "downloads" / "food-101.tar.gz").write_bytes(b"x" * 99)
    with pytest.raises(CorruptFileError, match=r"food-101\.tar\.gz cannot be read"):
        make_pack("food-101")
    there = replace(SOURCES["cifar-10"], url="http://127.0.0.1:9/cifar.tar.gz")
    monkeypatch.setitem(official_packs.SOURCES, "cifar-10", there)
    assert cli.main(["data", "get", "cifar-10"]) == 1
    assert f"put it at {folder / 'downloads' / 'cifar.tar.gz'}" in capsys.readouterr().err
    assert cli.main(["data", "get", "mnist"]) == 1
    assert "'mnist' is not known; allowed: food-101, tiny-imagenet, cifar-10" in capsys.readouterr().err


def test_peoples_labels_belong_to_rows(folder):
    put(folder, "cifar-10", cifar_members())
    pack = Pack.open(make_pack("cifar-10").stem)
    with pytest.raises(MissingDataError, match="CIFAR-10N"):
        human_labels(pack)
    table = pd.DataFrame(
        [
            (f"train/{name}/{k:04d}.jpg", name, name, "frog", "airplane")
            for k in range(5)
            for name in ("frog", "airplane")
        ],
        columns=["path", "label", "human1", "human2", "human3"],
    )
    table.to_csv(folder / FILE, index=False)
    told = human_labels(pack)
    assert told.index.tolist() == list(range(10))
    assert told["label"].tolist() == pack.labels["name"].tolist()[:10]
    assert told["human2"].tolist() == ["frog"] * 10
    table.iloc[1:].to_csv(folder / FILE, index=False)
    with pytest.raises(CorruptFileError, match="does not name each of the 10 training images"):
        human_labels(pack)
    table.drop(columns="human3").to_csv(folder / FILE, index=False)
    with pytest.raises(CorruptFileError, match="lacks the columns human3"):
        human_labels(pack)
