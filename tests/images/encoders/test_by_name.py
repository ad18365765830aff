"""Encoders by name for one's own images: of timm, of torchvision, published, trained here."""

import sys
import urllib.error

import miniature
import photographs
import pytest
import torch

from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.images.encoders import libraries
from elsa_nb.images.encoders.by_name import load_encoder, load_for_pictures
from elsa_nb.images.encoders.libraries import load_timm, load_torchvision
from elsa_nb.images.encoders.small_resnet import Architecture, Encoder, save_encoder


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
        ValueError, match="'clip' is not known before the colon; allowed: official, timm, torchvision, open_clip"
    ):
        load_encoder("clip:vit")
    with pytest.raises(ValueError, match="torchvision has no classifier 'resnet5'"):
        load_encoder("torchvision:resnet5")
    with pytest.raises(MissingDataError, match=r"No encoder 'swav' is here: .* Did you mean official:swav\?"):
        load_encoder("swav")
    with pytest.raises(MissingDataError, match="`elsa-nb encoders get swav`"):
        load_encoder("official:swav")
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(MissingDataError, match=r"needs timm, which is not installed: `pip install 'elsa_nb\[timm\]'`"):
        load_encoder("timm:resnet18")


def test_weights_of_torchvision_that_cannot_be_fetched_are_one_sentence(monkeypatch):
    def refused(*_, **__):
        raise urllib.error.URLError("no route")

    monkeypatch.setattr("torch.hub.load_state_dict_from_url", refused)
    monkeypatch.setattr("torchvision._internally_replaced_utils.load_state_dict_from_url", refused)
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", refused)
    with pytest.raises(MissingDataError, match=r"torchvision:resnet18 are not here, and https://.*no route"):
        load_torchvision("resnet18")


def test_timm_names_near_misses():
    with pytest.raises(ValueError, match="timm has no model 'resnet18x'"):
        load_encoder("timm:resnet18x")


def test_own_weights_are_found_by_name(data):
    encoder = Encoder(Architecture(widths=(4, 8), blocks=(1, 1), projector=(8, 8, 6)), name="mine")
    save_encoder(encoder, {}, data / "weights")
    assert load_encoder("mine").dimensions == {"embedding": 8, "projection": 6}
    photographs.write(data / "checkpoints" / "food-101-vicreg.pth", miniature.published("vicreg"))
    own = load_encoder("food-101-vicreg")
    assert (own.name, own.dimensions) == ("food-101-vicreg", {"embedding": 128, "projection": 20})


@pytest.mark.parametrize("name", ["weights.onnx", "./weights", "weights.pth"])
def test_a_file_that_is_here_is_read_as_weights_and_not_called_missing(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text("no weights")
    with pytest.raises(CorruptFileError, match="is not a PyTorch checkpoint"):
        load_for_pictures(name)


def test_an_unknown_encoder_is_answered_with_the_known_ones():
    """In a notebook the name of a command alone is no help."""
    with pytest.raises(MissingDataError, match=r"Did you mean dinov2-small\? For photographs: dinov2-small, efficient"):
        load_encoder("dinov2_small")
