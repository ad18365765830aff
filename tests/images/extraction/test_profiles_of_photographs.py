"""Profiles `paper` and `photos`: all that is missing in one answer; and extracted from miniatures of their data."""

import subprocess
import sys

import miniature
import numpy as np
import photographs
import pytest

from elsa_nb import cli, profiles, store
from elsa_nb.errors import MissingDataError
from elsa_nb.images.encoders.published import OFFICIAL, checkpoint_path
from elsa_nb.images.encoders.small_resnet import Architecture, Encoder, save_encoder
from elsa_nb.images.extraction.embed import embed_profile
from elsa_nb.images.extraction.requirements import missing, require
from elsa_nb.images.sources.by_name import DATASETS, open_dataset
from elsa_nb.images.sources.files import ImageFiles
from elsa_nb.images.sources.official_packs import pack_of
from elsa_nb.profiles import profile


@pytest.fixture
def nothing(tmp_path, monkeypatch):
    for variable in ("ELSA_DATA", "ELSA_IMAGENET", "ELSA_FOOD101"):
        monkeypatch.delenv(variable, raising=False)
    for module in (store, profiles):
        monkeypatch.setattr(module, "DATA", tmp_path / "data")
    monkeypatch.setenv("ELSA_PROGRESS", "0")
    return tmp_path


@pytest.fixture
def miniatures(nothing, monkeypatch):
    monkeypatch.setenv("ELSA_IMAGENET", str(photographs.imagenet(nothing / "imagenet")))
    monkeypatch.setenv("ELSA_FOOD101", str(photographs.food101(nothing / "food")))
    miniature.put_checkpoints(nothing / "data" / "checkpoints")
    return nothing


def test_paper_without_data_says_everything_that_is_missing(nothing, capsys):
    assert cli.main(["reproduce", "--profile", "paper"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "elsa-nb: profile 'paper' cannot run, 11 things are missing:"
    assert len(lines) == 12
    assert "1. ELSA_IMAGENET is not set" in lines[1]
    assert "10. ELSA_FOOD101 is not set" in lines[10]
    for line, name in zip(lines[2:10], OFFICIAL, strict=True):
        assert f"`elsa-nb encoders get {name}`" in line
    assert not list(nothing.iterdir())


def test_it_says_so_before_anything_is_loaded_that_takes_seconds():
    environment = {"PATH": "", "ELSA_ROOT": "/nowhere"}
    code = "import sys; from elsa_nb.cli import main; main(['reproduce', '--profile', 'paper'])"
    code += "; print([name for name in ('torch', 'numba', 'scipy', 'pandas', 'pyarrow') if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert "11 things are missing" in ran.stderr
    assert ran.stdout == "[]\n"


def test_what_is_there_is_not_asked_for(miniatures):
    assert missing(profile("paper")) == []
    require(profile("paper"))
    checkpoint_path(OFFICIAL["swav"]).unlink()
    with pytest.raises(MissingDataError, match=r"1 thing is missing:\n  1\. .*swav\.pth is not here"):
        require(profile("paper"))
    assert len(missing(profile("photos"))) == 5  # two packs, three encoders
    assert missing(profile("quick")) == [
        f"{store.DATA / 'weights' / name}.safetensors is not here: `git checkout` brings it back."
        for name in ("vicreg", "barlow-twins")
    ]


def test_all_pools_of_the_paper_come_from_one_decode(miniatures, monkeypatch, capsys):
    reads = []
    read = ImageFiles.read
    monkeypatch.setattr(ImageFiles, "read", lambda self, row: reads.append(row) or read(self, row))
    pools = embed_profile(profile("paper"), workers=0, batch=5)
    assert sorted(reads) == sorted([*range(16), *range(12)])  # 16 images for eight encoders, and Food-101's 12
    assert list(pools["imagenet-1k"]) == list(OFFICIAL)
    assert {e: sorted(s) for e, s in pools["imagenet-1k"].items()} == {
        e: ["embedding", "projection"] if e in ("vicreg", "barlow-twins") else ["embedding"] for e in OFFICIAL
    }
    vicreg = pools["imagenet-1k"]["vicreg"]["projection"]
    assert vicreg.vectors.shape == (16, 20)
    assert vicreg.ids[0] == "n01440764_1"
    assert vicreg.provenance["note"] == "16 of 1,281,167 images, 4 of 1,000 classes"
    assert vicreg.provenance["weights"] == store.sha256_file(checkpoint_path(OFFICIAL["vicreg"]))
    assert np.unique(vicreg.vectors, axis=0).shape[0] > 4
    food = profile("paper").pool("vicreg", "projection", "food-101")
    assert food.name == "food-101-vicreg-projection"
    assert profile("paper").pool("swav-multi-crop", "embedding").is_dir()
    assert open_dataset("food-101").labels["name"].nunique() == 3
    for variable in ("ELSA_IMAGENET", "ELSA_FOOD101"):
        monkeypatch.delenv(variable)
    assert len(missing(profile("paper"))) == 2  # images still, for their labels; weights no more


def test_all_pools_of_the_photos_come_from_packs(nothing, monkeypatch, capsys):
    monkeypatch.setenv("ELSA_DATA", str(nothing))
    for dataset in profile("photos").datasets:
        files = [(f"class {i % 3}", "train", photographs.encoded(photographs.scene(i, 64, 64))) for i in range(30)]
        pack_of(dataset.pack, files).save(nothing)
        for weights in set(dict(dataset.encoders).values()) - {"efficientnet-lite0@96"}:  # a package has those
            architecture = Architecture(widths=(4, 8), blocks=(1, 1), projector=(8, 8, 6), channels=3)
            save_encoder(Encoder(architecture, name=weights), {}, nothing / "data" / "weights")
    assert cli.main(["embed", "--profile", "photos", "--encoder", "vicreg"]) == 0
    assert missing(profile("photos")) == []
    pools = embed_profile(profile("photos"))
    assert {name: list(each) for name, each in pools.items()} == {
        "tiny-imagenet": ["vicreg", "barlow-twins"],
        "food-101-64px": ["vicreg", "efficientnet-lite0"],
    }
    pool = profile("photos").pool("vicreg", "projection")
    assert pool.name == "tiny-imagenet-vicreg-projection"
    assert pools["tiny-imagenet"]["vicreg"]["projection"].vectors.shape == (30, 6)
    supervised = profile("photos").pool("efficientnet-lite0", "embedding", "food-101-64px")
    assert store.read_json(supervised / "pool.json")["provenance"]["encoder"] == "efficientnet-lite0@96"
    assert cli.main(["embed", "--profile", "photos", "--check-precision"]) == 0
    assert "vicreg: 30 images; the 50 nearest are compared of 51 or more" in capsys.readouterr().out


def test_an_unknown_encoder_or_data_set_is_refused(nothing):
    with pytest.raises(ValueError, match="'dino' is not one of profile 'paper'; allowed: barlow-twins, moco"):
        embed_profile(profile("paper"), only=["dino"])
    with pytest.raises(
        ValueError, match=r"data set 'mnist' is not known; allowed: glyphs, tiny-imagenet, food-101-64px"
    ):
        open_dataset("mnist")
    with pytest.raises(ValueError, match="profile 'quick' has no data set 'food-101'; allowed: glyphs"):
        profile("quick").pool("vicreg", "embedding", "food-101")
    assert len(DATASETS) == 5
