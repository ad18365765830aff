"""Weights of one's own: the wrappings that trainings leave, read to the same network, or refused in one sentence."""

import argparse
import fractions
import zipfile

import miniature
import photographs
import pytest
import torch
import torchvision
from safetensors.torch import save_file

from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.images.encoders.by_name import load_for_pictures
from elsa_nb.images.encoders.own_weights import load_own_weights

prefixed = miniature.prefixed


def body(seed=0):
    """Make a ResNet-50, a sixteenth as wide."""
    return dict(miniature.backbone(seed))


def head(start):
    return {f"{start}0.weight": torch.randn(4, 128), f"{start}2.bias": torch.randn(4)}


def as_sequence(tensors):
    """Give the keys that lightly's examples leave: a ResNet as a plain sequence of its parts."""
    places = {"conv1": "0", "bn1": "1", "layer1": "4", "layer2": "5", "layer3": "6", "layer4": "7"}
    parts = ((key.partition("."), value) for key, value in tensors.items())
    return {f"{places[part]}.{rest}": value for (part, _, rest), value in parts}


def lightning(tensors):
    return {"epoch": 9, "pytorch-lightning_version": "2.4.0", "state_dict": tensors, "optimizer_states": [{}]}


WRAPPINGS = {
    "plain": lambda: body(),
    "with fc": lambda: body() | {"fc.weight": torch.randn(10, 128), "fc.bias": torch.randn(10)},
    "data parallel": lambda: {"state_dict": prefixed("module.", body())},
    "compiled": lambda: {"model": prefixed("_orig_mod.", body())},
    "compiled inside": lambda: lightning(prefixed("model._orig_mod.module.", body())),
    "Lightning": lambda: lightning(prefixed("net.", body()) | head("classifier.")),
    "solo-learn": lambda: lightning(
        prefixed("momentum_backbone.", body(1)) | prefixed("backbone.", body()) | head("projector.")
    ),
    "lightly": lambda: lightning(
        prefixed("backbone.", as_sequence(body())) | prefixed("backbone_momentum.", as_sequence(body(1)))
    ),
    "DINO": lambda: {
        "student": prefixed("module.backbone.", body(1)) | head("module.head."),
        "teacher": prefixed("backbone.", body()) | head("head."),
        "optimizer": {"state": {0: {"exp_avg": torch.zeros(3)}}},
    },
    "MoCo v3": lambda: {
        "state_dict": prefixed("module.base_encoder.", body() | head("fc."))
        | prefixed("module.momentum_encoder.", body(1))
        | head("module.predictor.")
    },
    "MAE": lambda: {"model": body() | {"decoder_pos_embed": torch.zeros(3), "decoder_blocks.0.b": torch.zeros(3)}},
    "VISSL": lambda: {"classy_state_dict": {"base_model": {"model": {"trunk": prefixed("_feature_blocks.", body())}}}},
    "averaged beside": lambda: {"ema": body(1), "state_dict": prefixed("model.", body())},
    "no counters": lambda: {k: v for k, v in body().items() if not k.endswith("num_batches_tracked")},
}


def pictures():
    return torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def vectors(path):
    encoder = load_own_weights(path)
    with torch.inference_mode():
        return encoder(encoder.prepare(pictures()))[0]


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """Return what the reader of published files makes of the same weights."""
    from elsa_nb.images.encoders.published_networks import load_pretrained

    path = tmp_path_factory.mktemp("weights") / "vicreg.pth"
    path.write_bytes(miniature.published("vicreg"))
    encoder = load_pretrained("vicreg", path)
    with torch.inference_mode():
        return encoder(encoder.prepare(pictures()))[0]


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_every_wrapping_gives_the_same_network(tmp_path, expected, capsys, wrapping):
    torch.save(WRAPPINGS[wrapping](), tmp_path / "last.ckpt")
    torch.testing.assert_close(vectors(tmp_path / "last.ckpt"), expected)
    assert "last.ckpt: ResNet-50" in capsys.readouterr().out


def test_safetensors_and_half_precision(tmp_path, expected):
    save_file({key: value.contiguous() for key, value in body().items()}, tmp_path / "w.safetensors")
    torch.testing.assert_close(vectors(tmp_path / "w.safetensors"), expected)
    for dtype in (torch.float16, torch.bfloat16):
        half = {key: value.to(dtype) if value.is_floating_point() else value for key, value in body().items()}
        torch.save(half, tmp_path / "w.pth")
        got = vectors(tmp_path / "w.pth")
        assert got.dtype == torch.float32
        assert torch.cosine_similarity(got, expected).min() > 0.999


def test_other_networks_of_torchvision_and_timm(tmp_path):
    import timm

    small = torchvision.models.resnet18(weights=None).state_dict()
    torch.save({"state_dict": prefixed("encoder.", small)}, tmp_path / "r18.pth")
    assert load_own_weights(tmp_path / "r18.pth").dimensions == {"embedding": 512}
    vit = timm.create_model("vit_tiny_patch16_224", pretrained=False, num_classes=7)
    torch.save({"teacher": prefixed("backbone.", vit.state_dict())}, tmp_path / "vit.pth")
    encoder = load_own_weights(tmp_path / "vit.pth")
    assert (encoder.dimensions, encoder.geometry.crop) == ({"embedding": 192}, 224)
    images = torch.randn(1, 3, 224, 224)
    with torch.inference_mode():
        expected = vit.eval().forward_head(vit.forward_features(images), pre_logits=True)
        torch.testing.assert_close(encoder(images)[0], expected)


def test_two_files_of_one_name_are_two_encoders(tmp_path):
    names = set()
    for seed in (0, 1):
        path = tmp_path / str(seed) / "last.ckpt"
        photographs.write(path, miniature.serialised(body(seed)))
        names.add(load_for_pictures(str(path)).name)
    assert len(names) == 2
    assert all(name.startswith("own:last-") for name in names)


def spoiled(key, value):
    return body() | {key: value}


def whole():
    return (100 * body()["layer1.0.conv1.weight"]).to(torch.int8)


REFUSED = {
    "nan": (lambda: spoiled("layer2.0.conv1.weight", torch.full((8, 16, 1, 1), torch.nan)), "not finite numbers"),
    "whole numbers": (lambda: spoiled("layer1.0.conv1.weight", whole()), "conv1.weight as torch.int8: quantised"),
    "variances": (lambda: spoiled("bn1.running_var", -torch.ones(4)), "variances below zero, in bn1.running_var"),
    "shape": (lambda: spoiled("layer2.0.conv1.weight", torch.zeros(8, 3, 1, 1)), r"layer2.0.conv1.weight is \(8, 3"),
    "surplus": (lambda: spoiled("layer5.weight", torch.zeros(3)), "layer5.weight is unexpected"),
    "missing": (lambda: {k: v for k, v in body().items() if k != "bn1.bias"}, "bn1.bias is missing"),
    "small stem": (lambda: spoiled("conv1.weight", torch.zeros(4, 3, 3, 3)), "conv1.weight is"),
    "nothing": (lambda: {"epoch": 3, "note": "x"}, "it holds 'epoch', 'note'"),
    "a list": (lambda: [torch.zeros(3)], "it holds a list"),
}


@pytest.mark.parametrize("flaw", REFUSED)
def test_what_does_not_fit_is_refused_with_its_cure(tmp_path, flaw):
    make, sentence = REFUSED[flaw]
    torch.save(make(), tmp_path / "w.pth")
    with pytest.raises(CorruptFileError, match=sentence) as refused:
        load_own_weights(tmp_path / "w.pth")
    if flaw not in ("nan", "whole numbers", "variances"):
        assert "torch.save(model.state_dict(), 'weights.pth')" in str(refused.value)


def test_a_file_that_asks_for_code_says_how_to_save_ones_own(tmp_path):
    torch.save({"hyper_parameters": fractions.Fraction(1, 2), "state_dict": body()}, tmp_path / "own.ckpt")
    with pytest.raises(CorruptFileError, match=r"If the file is your own, save its weights alone") as refused:
        load_own_weights(tmp_path / "own.ckpt")
    assert "elsa-nb encoders get" not in str(refused.value)
    torch.save(torch.nn.Linear(2, 2), tmp_path / "model.pt")
    with pytest.raises(CorruptFileError, match=r"torch.save\(model.state_dict\(\)"):
        load_own_weights(tmp_path / "model.pt")


def test_the_options_of_a_training_may_lie_beside_its_weights(tmp_path, expected):
    options = argparse.Namespace(arch="resnet50", lr=0.1, lists=[1, 2])
    torch.save({"args": options, "teacher": prefixed("backbone.", body())}, tmp_path / "dino.pth")
    torch.testing.assert_close(vectors(tmp_path / "dino.pth"), expected)


def test_what_is_no_file_of_weights_is_called_by_its_name(tmp_path):
    (tmp_path / "w.pth").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    with pytest.raises(CorruptFileError, match="Git LFS"):
        load_own_weights(tmp_path / "w.pth")
    with zipfile.ZipFile(tmp_path / "w.pth", "w") as archive:
        for name in ("w/data.pkl", "w/constants.pkl", "w/code/__torch__.py"):
            archive.writestr(name, b"")
    with pytest.raises(CorruptFileError, match="TorchScript"):
        load_own_weights(tmp_path / "w.pth")


def test_damaged_and_missing_files(tmp_path):
    with pytest.raises(MissingDataError, match="is not here"):
        load_for_pictures(str(tmp_path / "no.ckpt"))
    (tmp_path / "half.safetensors").write_bytes(b"\x10" + bytes(40))
    (tmp_path / "page.pth").write_bytes(b"<html>not found</html>")
    torch.save(body(), tmp_path / "cut.pth")
    data = (tmp_path / "cut.pth").read_bytes()
    (tmp_path / "cut.pth").write_bytes(data[: len(data) // 2])
    for name in ("half.safetensors", "page.pth", "cut.pth"):
        with pytest.raises(CorruptFileError, match=r"Save or copy it again\.$"):
            load_own_weights(tmp_path / name)
