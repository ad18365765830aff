"""Encoders by name for one's own images: of timm, of torchvision, published, trained here."""

import sys

import miniature
import numpy as np
import photographs
import pytest
import torch

from elsa_nb import cli, store
from elsa_nb.errors import MissingDataError
from elsa_nb.images.encoders import libraries
from elsa_nb.images.encoders.by_name import load
from elsa_nb.images.encoders.libraries import load_timm, load_torchvision
from elsa_nb.images.encoders.published import OFFICIAL, checkpoint_path
from elsa_nb.images.encoders.small_resnet import Architecture, Encoder, save_encoder
from elsa_nb.images.extraction.embed import embed_folder
from elsa_nb.images.extraction.precision import neighbour_overlap
from elsa_nb.pool import Pool


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "DATA", tmp_path / "data")
    monkeypatch.setenv("ELSA_PROGRESS", "0")
    return tmp_path / "data"


@pytest.fixture
def album(tmp_path):
    for i in range(7):
        photographs.write(
            tmp_path / "my album" / f"{'cats' if i < 3 else 'dogs'}/{i}.jpg", photographs.encoded(photographs.scene(i))
        )
    return tmp_path / "my album"


@pytest.fixture
def synthetic(data):
    """Put a synthetic file of the published format where a downloaded one would be."""
    for name in ("vicreg", "obow"):
        path = checkpoint_path(OFFICIAL[name])
        photographs.write(path, miniature.published(name))
    return data


def test_a_timm_model_is_prepared_as_timm_prepares_it():
    import timm

    encoder = load_timm("vit_tiny_patch16_224", pretrained=False)
    told = timm.data.resolve_model_data_config(encoder.network)
    picture = photographs.scene(1, 300, 200)
    expected = timm.data.create_transform(**told, is_training=False)(picture)
    pixels = encoder.geometry.apply(picture, "pillow")
    got = encoder.prepare(torch.from_numpy(pixels.copy())[None])[0]
    assert encoder.geometry.interpolation == "bicubic"
    torch.testing.assert_close(got, expected)
    with torch.inference_mode():
        (embedding,) = encoder.eval()(got[None])
    assert embedding.shape == (1, encoder.dimensions["embedding"]) == (1, 192)


@pytest.mark.parametrize(("name", "dimension"), [("resnet18", 512), ("efficientnet_b0", 1280), ("vit_b_32", 768)])
def test_a_torchvision_model_gives_what_its_classifier_takes(name, dimension):
    encoder = load_torchvision(name, pretrained=False)
    assert encoder.dimensions == {"embedding": dimension}
    assert encoder.geometry.crop == 224
    assert len(encoder.sha256) == 64


def test_the_fingerprint_tells_weights_apart():
    torch.manual_seed(0)
    one = load_torchvision("resnet18", pretrained=False)
    other = load_torchvision("resnet18", pretrained=False)
    assert one.sha256 != other.sha256
    other.network.load_state_dict(one.network.state_dict())
    assert libraries.fingerprint(other.network, {}) == libraries.fingerprint(one.network, {})


def test_names_that_lead_nowhere_are_one_sentence(data, monkeypatch):
    with pytest.raises(
        ValueError, match="'clip' is not known before the colon; allowed: official, timm, torchvision, floor"
    ):
        load("clip:vit")
    with pytest.raises(ValueError, match="torchvision has no classifier 'resnet5'"):
        load("torchvision:resnet5")
    with pytest.raises(MissingDataError, match=r"No encoder 'swav' is here: .* Did you mean official:swav\?"):
        load("swav")
    with pytest.raises(MissingDataError, match="`elsa-nb encoders get swav`"):
        load("official:swav")
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(MissingDataError, match=r"needs timm, which is not installed: `pip install 'elsa_nb\[timm\]'`"):
        load("timm:resnet18")


def test_timm_names_near_misses():
    with pytest.raises(ValueError, match="timm has no model 'resnet18x'"):
        load("timm:resnet18x")


def test_own_weights_are_found_by_name(data):
    encoder = Encoder(Architecture(widths=(4, 8), blocks=(1, 1), projector=(8, 8, 6)), name="mine")
    save_encoder(encoder, {}, data / "weights")
    assert load("mine").dimensions == {"embedding": 8, "projection": 6}
    photographs.write(data / "checkpoints" / "food-101-vicreg.pth", miniature.published("vicreg"))
    own = load("food-101-vicreg")
    assert (own.name, own.dimensions) == ("food-101-vicreg", {"embedding": 128, "projection": 20})


def test_a_folder_of_photographs_becomes_pools(synthetic, album, capsys):
    arguments = ["embed", "--images", str(album), "--encoder", "official:vicreg", "--encoder", "official:obow"]
    assert cli.main([*arguments, "--workers", "0", "--batch", "4"]) == 0
    pools = sorted(path.name for path in (synthetic / "pools").iterdir())
    assert pools == [
        "my-album-official-obow-embedding",
        "my-album-official-vicreg-embedding",
        "my-album-official-vicreg-projection",
    ]
    pool = Pool.open(synthetic / "pools" / pools[2])
    assert pool.ids.tolist()[0] == "cats/0.jpg"
    assert pool.vectors.shape == (7, 20)
    assert pool.provenance["broken"] == 0
    assert pool.provenance["resizer"] == "torch"
    capsys.readouterr()
    assert cli.main([*arguments, "--workers", "2"]) == 0
    assert capsys.readouterr().out.count("already here") == 3


def test_a_broken_photograph_stops_by_name_or_is_counted(synthetic, album, capsys):
    photographs.write(album / "cats" / "broken.jpg", photographs.odd_files()["truncated"])
    arguments = ["embed", "--images", str(album), "--name", "album", "--encoder", "official:obow", "--workers", "2"]
    assert cli.main(arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith("elsa-nb: The image cats/broken.jpg is broken (")
    assert error.count("\n") == 1
    assert cli.main([*arguments, "--skip-broken"]) == 0
    pool = Pool.open(synthetic / "pools" / "album-official-obow-embedding")
    assert len(pool) == 7
    assert pool.provenance["broken"] == 1
    assert pool.provenance["broken_ids"] == ["cats/broken.jpg"]


def test_an_encoder_of_small_images_is_refused_for_photographs(data, album, capsys):
    encoder = Encoder(Architecture(widths=(4, 8), blocks=(1, 1), projector=(8, 8, 6)), name="mine")
    save_encoder(encoder, {}, data / "weights")
    with pytest.raises(ValueError, match="'mine' was trained on small images of its own kind"):
        embed_folder(album, ["mine"])
    assert cli.main(["embed", "--images", str(album)]) == 1
    assert "--images needs an --encoder" in capsys.readouterr().err


def test_neighbours_of_half_precision_are_compared_with_those_of_float32():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(300, 16)).astype(np.float32)
    assert neighbour_overlap(vectors, vectors) == 1
    assert 0.99 < neighbour_overlap(vectors, vectors.astype(np.float16)) <= 1
    coarse = np.round(vectors)
    assert 0.5 < neighbour_overlap(vectors, coarse, queries=64) < 0.95
    assert neighbour_overlap(vectors, rng.normal(size=(300, 16))) < 0.3
    with pytest.raises(ValueError, match="more than 50"):
        neighbour_overlap(vectors[:50], vectors[:50])
