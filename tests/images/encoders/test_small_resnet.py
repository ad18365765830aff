"""An encoder keeps its weights, has the published names and biases, and refuses files that are not its own."""

import json
import re
import subprocess
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.fingerprints import bare_source
from elsa_nb.images.encoders.small_resnet import (
    METHODS,
    Architecture,
    Encoder,
    bundled_encoders,
    load_trained,
    save_encoder,
    scaled_to_one,
)
from elsa_nb.images.sources.glyphs import Glyphs
from elsa_nb.store import DATA, ROOT, read_json, sha256_bytes, sha256_file, write_card

TINY = Architecture(widths=(4, 6, 8), blocks=(1, 2, 1), projector=(12, 10, 5))
# What another training of the same recipe should reach; an encoder without a line here promises nothing.
PROMISED = {name: {"embedding": 0.84, "projection": 0.71} for name in ("vicreg", "barlow-twins")}


@pytest.fixture
def encoder():
    torch.manual_seed(1)
    encoder = Encoder(TINY, name="tiny")
    with torch.no_grad():
        for _ in range(3):  # batch statistics other than those of a fresh layer
            encoder.train()(torch.rand(16, 1, 32, 32))
    return encoder.eval()


def images(n=6):
    return scaled_to_one(np.random.default_rng(0).integers(0, 256, size=(n, 32, 32), dtype=np.uint8))


def test_names_follow_resnet_and_the_official_projectors():
    keys = set(Encoder(TINY).state_dict())
    for key in ("conv1.weight", "bn1.running_var", "layer1.0.conv1.weight", "layer2.1.bn2.bias"):
        assert f"backbone.{key}" in keys
    assert "backbone.layer2.0.downsample.0.weight" in keys
    assert "backbone.layer1.0.downsample.0.weight" not in keys
    assert {key.split(".")[1] for key in keys if key.startswith("projector.")} == {"0", "1", "3", "4", "6"}


# The linear layers of each official projector, those of them that have a bias, and the batch normalisations.
OFFICIAL = {
    "vicreg": ((12, 10, 5), [0, 3, 6], [0, 3], [1, 4]),
    "barlow-twins": ((12, 10, 5), [0, 3, 6], [], [1, 4]),
    "moco-v1": ((5,), [0], [0], []),
    "moco-v2": ((12, 5), [0, 2], [0, 2], []),
    "simsiam": ((12, 10, 5), [0, 3, 6], [6], [1, 4, 7]),
    "swav": ((12, 5), [0, 3], [0, 3], [1]),
    "swav-multicrop": ((12, 5), [0, 3], [0, 3], [1]),
    "obow": ((), [], [], []),
}


@pytest.mark.parametrize("method", METHODS)
def test_projectors_follow_the_official_codes(method):
    sizes, linear, biased, normalised = OFFICIAL[method]
    chain = Encoder(replace(TINY, method=method, projector=sizes)).projector
    kinds = {
        kind: [i for i, part in enumerate(chain) if isinstance(part, kind)] for kind in (nn.Linear, nn.BatchNorm1d)
    }
    assert kinds == {nn.Linear: linear, nn.BatchNorm1d: normalised}
    assert [i for i in linear if chain[i].bias is not None] == biased
    if method == "simsiam":
        assert not chain[6].bias.requires_grad
        assert not chain[7].affine
    with pytest.raises(ValueError, match="do not fit"):
        replace(TINY, method=method, projector=(4,) * (len(sizes) + 1))


def test_a_colour_encoder_normalises_inside_and_pools_after_its_stem():
    encoder = Encoder(replace(TINY, channels=3, stem_pool=True)).eval()
    assert not {"mean", "std"} & set(encoder.state_dict())
    shapes = []
    encoder.backbone.layer1.register_forward_hook(lambda _, inputs, __: shapes.append(inputs[0].shape))
    x = scaled_to_one(np.random.default_rng(0).integers(0, 256, size=(2, 3, 64, 64), dtype=np.uint8))
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.inference_mode():
        embedding, projection = encoder(x)
        normal = (x - mean[:, None, None]) / std[:, None, None]
        torch.testing.assert_close(encoder.backbone(normal), embedding)
    assert shapes[0] == (2, 4, 16, 16)
    assert (embedding.shape, projection.shape) == ((2, 8), (2, 5))
    with pytest.raises(ValueError, match="channels is 4"):
        replace(TINY, channels=4)


def test_the_full_size_encoder_has_torchvisions_names():
    with torch.device("meta"):
        encoder = Encoder(Architecture("vicreg", channels=3, resnet50=True, projector=(8192,) * 3))
    backbone = [key for key in encoder.state_dict() if key.startswith("backbone.")]
    assert len(backbone) == 318
    assert encoder.dimensions == {"embedding": 2048, "projection": 8192}


def test_one_forward_gives_both_spaces(encoder):
    with torch.inference_mode():
        embedding, projection = encoder(images())
        torch.testing.assert_close(encoder.projector(embedding), projection)
    assert embedding.shape == (6, 8)
    assert projection.shape == (6, 5)
    assert embedding.dtype == projection.dtype == torch.float32
    assert (embedding >= 0).all()
    assert encoder.dimensions == {"embedding": 8, "projection": 5}


def test_an_encoder_without_a_projector_has_the_embedding_alone(tmp_path):
    encoder = Encoder(replace(TINY, method="obow", projector=()), name="bare").eval()
    save_encoder(encoder, {}, tmp_path)
    again = load_trained("bare", tmp_path)
    assert again.dimensions == {"embedding": 8}
    with torch.inference_mode():
        (embedding,) = again(images())
    torch.testing.assert_close(embedding, encoder(images())[0], rtol=2e-2, atol=2e-2)
    assert all(key.startswith("backbone.") for key in encoder.state_dict())


def test_saved_weights_come_back_rounded_to_float16_once(tmp_path, encoder):
    path = save_encoder(encoder, {"command": "none"}, tmp_path)
    card = read_json(path.with_suffix(".json"))
    assert card["sha256"] == sha256_file(path)
    assert card["bytes"] == path.stat().st_size
    again = load_trained("tiny", tmp_path)
    assert not again.training
    assert again.sha256 == card["sha256"]
    for key, value in encoder.state_dict().items():
        told = value.to(torch.float16).to(value.dtype) if value.ndim >= 2 else value
        torch.testing.assert_close(again.state_dict()[key], told, rtol=0, atol=0)
    save_encoder(again, {"command": "none"}, tmp_path / "twice")
    assert sha256_file(tmp_path / "twice" / "tiny.safetensors") == card["sha256"]
    with torch.inference_mode():
        torch.testing.assert_close(again(images())[0], encoder(images())[0], rtol=2e-2, atol=2e-2)


def change(path, edit, card_too=True):
    tensors = load_file(path)
    edit(tensors)
    save_file(tensors, path)
    if card_too:
        card = json.loads(path.with_suffix(".json").read_text())
        write_card(path.with_suffix(".json"), card | {"sha256": sha256_file(path)})


@pytest.mark.parametrize(
    "edit",
    [
        lambda t: t.pop("backbone.conv1.weight"),
        lambda t: t.update({"fc.weight": torch.ones(2)}),
        lambda t: t.update({"projector.6.weight": torch.ones(5, 9)}),
    ],
)
def test_missing_surplus_and_misshapen_entries_are_refused(tmp_path, encoder, edit):
    path = save_encoder(encoder, {}, tmp_path)
    change(path, edit)
    with pytest.raises(CorruptFileError, match="1 entries"):
        load_trained("tiny", tmp_path)


def test_damaged_files_are_refused(tmp_path, encoder):
    path = save_encoder(encoder, {}, tmp_path)
    whole, card = path.read_bytes(), path.with_suffix(".json").read_text()
    change(path, lambda t: t["projector.6.weight"].add_(1), card_too=False)
    with pytest.raises(CorruptFileError, match="checksum"):
        load_trained("tiny", tmp_path)
    path.write_bytes(whole[:100])
    write_card(path.with_suffix(".json"), json.loads(card) | {"sha256": sha256_file(path)})
    with pytest.raises(CorruptFileError, match="not a safetensors file"):
        load_trained("tiny", tmp_path)
    path.write_bytes(whole)
    for broken in ("{}", '{"architecture": {"wings": 2}, "sha256": ""}', "[1]"):
        path.with_suffix(".json").write_text(broken)
        with pytest.raises(CorruptFileError, match=r"tiny\.json"):
            load_trained("tiny", tmp_path)


def test_weights_that_are_no_numbers_are_refused(tmp_path, encoder):
    path = save_encoder(encoder, {}, tmp_path)
    change(path, lambda t: t["projector.6.weight"].fill_(float("nan")))
    with pytest.raises(CorruptFileError, match=r"tiny\.safetensors holds values .* not finite numbers, in projector"):
        load_trained("tiny", tmp_path)


def test_missing_files_and_unknown_names_are_named(tmp_path, encoder):
    with pytest.raises(MissingDataError, match="make weights"):
        load_trained("tiny", tmp_path)
    with pytest.raises(ValueError, match=r"'moco'.*barlow-twins.*vicreg"):
        load_trained("moco")


def test_bad_sizes_and_images_are_refused():
    with pytest.raises(ValueError, match="'simclr'"):
        replace(TINY, method="simclr")
    with pytest.raises(ValueError, match="do not fit"):
        replace(TINY, blocks=(1, 1))
    for wrong in (np.zeros((2, 32, 32), np.float32), np.zeros((32, 32), np.uint8), np.zeros((2, 1, 8, 8), np.uint8)):
        with pytest.raises(ValueError, match="expected uint8"):
            scaled_to_one(wrong)


def test_prepare_maps_paper_to_zero_and_ink_to_one():
    image = np.zeros((1, 32, 32), np.uint8)
    image[0, 0, 0] = 255
    assert scaled_to_one(image).shape == (1, 1, 32, 32)
    assert (scaled_to_one(image).min(), scaled_to_one(image).max(), scaled_to_one(image).sum()) == (0, 1, 1)


@pytest.mark.parametrize("name", bundled_encoders())
def test_the_bundled_encoders_keep_their_promises(name):
    """Hold the shipped files to the sizes and figures that their cards and the documentation state."""
    encoder, card = load_trained(name), read_json(DATA / "weights" / f"{name}.json")
    assert encoder.architecture.method == card["method"]
    assert card["bytes"] == (DATA / "weights" / f"{name}.safetensors").stat().st_size <= 10_000_000
    told = (DATA / "weights" / "README.md").read_text()
    assert f"`{name}.safetensors`" in told
    for space, dimension in encoder.dimensions.items():
        figures = card["quality"][space]
        assert f"{space} | {dimension} | {figures['purity_10nn']:.4f} | {figures['linear_probe']:.4f} |" in told
        assert figures["purity_10nn"] >= PROMISED.get(name, {}).get(space, 0)
    assert {"command", "seconds", "loss_curve", "images", "code", "commit", "config", "versions"} <= set(card)


@cache  # the cards name few commits, and the same modules
def source_at(commit, module):
    """Return the bare source of a module as it was in a commit; skip where the history is not there."""
    path = module.replace(".", "/")
    for place in (f"{path}.py", f"{path}/__init__.py"):
        shown = git("show", f"{commit}:{place}")
        if not shown.returncode:
            return bare_source(shown.stdout)
    if git("cat-file", "-e", commit).returncode:
        pytest.skip(f"the commit {commit[:7]} is not in this copy of the repository")
    raise AssertionError(f"{module} is in no file of the commit {commit[:7]}")


def git(*arguments):
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", bundled_encoders())
def test_a_card_names_the_code_and_the_images_that_made_the_weights(name):
    card = read_json(DATA / "weights" / f"{name}.json")
    assert re.fullmatch("[0-9a-f]{64}", card["code"])
    assert re.fullmatch("[0-9a-f]{40}", card["commit"])
    assert card["sha256"] == sha256_file(DATA / "weights" / f"{name}.safetensors")
    if card.get("data", "glyphs") == "glyphs":
        assert card["images"] == Glyphs.open().sha256
    text = "".join(f"{module}\n{source_at(card['commit'], module)}\n" for module in sorted(card["modules"]))
    assert card["code"] == sha256_bytes(text.encode())
    last = card["loss_curve"][-1]
    assert last["step"] == card["steps"]
    assert last["steps"] == card.get("planned_steps", card["steps"])  # a run ended early says of how many
