"""The eight published formats: each loads to the last bit, and whatever is not exactly right is refused, by name."""

import os

import miniature
import numpy as np
import pytest
import torch
import torchvision

from elsa_nb import store
from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.images.encoders import published as specs
from elsa_nb.images.encoders.published import OFFICIAL, checkpoint_path
from elsa_nb.images.encoders.published_networks import load_pretrained
from elsa_nb.images.encoders.resnet50 import ResNet50

ENTRIES = {"vicreg": 333, "barlow-twins": 334, "moco": 642, "moco-v2": 646, "simsiam": 343, "swav": 328, "obow": 320}


@pytest.fixture
def write(tmp_path):
    def write(data, name="file.pth"):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


def same(module, tensors):
    state = module.state_dict()
    assert list(state) == list(tensors)
    return all(torch.equal(state[key], tensors[key]) for key in tensors)


@pytest.mark.parametrize("module", [True, False], ids=["module.", "bare"])
@pytest.mark.parametrize("optimizer", [True, False], ids=["optimizer", "weights-only"])
@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("name", miniature.NAMES)
def test_every_format_loads_to_the_last_bit(write, name, legacy, optimizer, module):
    path = write(miniature.published(name, legacy=legacy, optimizer=optimizer, module=module))
    encoder = load_pretrained(name, path)
    assert same(encoder.backbone, miniature.backbone())
    if name == "obow":
        assert encoder.dimensions == {"embedding": 128}
    else:
        assert same(encoder.projector, miniature.head(name))
        assert encoder.dimensions == {
            "embedding": 128,
            "projection": miniature.HEADS[name][-1][1] if name != "simsiam" else 20,
        }
    assert not encoder.training
    assert encoder.sha256 == store.sha256_file(path)


@pytest.mark.parametrize("name", ENTRIES)
def test_the_small_files_have_as_many_entries_as_the_published_ones(name):
    assert len(miniature.entries(name, miniature.backbone(), miniature.head(name))) == ENTRIES[name]


def test_all_of_obows_files_load(write):
    body = miniature.backbone()
    blocks = {}
    for key, value in body.items():
        first, _, rest = key.partition(".")
        stem = {"conv1": "0.Conv", "bn1": "0.bn"}.get(first, first.removeprefix("layer"))
        blocks[f"_feature_blocks.{stem}.{rest}"] = value
    assert len(blocks) == 318
    whole = miniature.prefixed("feature_extractor.", blocks) | miniature.prefixed(
        "feature_extractor_teacher.", {k: v + 1 for k, v in blocks.items()}
    )
    whole |= {"bow_predictor.x": torch.ones(1), "bow_extractor.y": torch.ones(1), "_alpha": torch.ones(1)}
    whole = {"epoch": 200, "network": miniature.prefixed("module.", whole), "meters": None}
    extractor = {"network": blocks}
    for thing in (whole, extractor):
        encoder = load_pretrained("obow", write(miniature.serialised(thing, legacy=True)))
        assert same(encoder.backbone, body)
    members = {
        "all/model_net_checkpoint_200.pth.tar": miniature.serialised(whole),
        "all/model_optim_checkpoint_200.pth.tar": miniature.serialised({"optimizer": {}}),
        "all/feature_extractor_net_checkpoint_200.pth.tar": miniature.serialised(extractor),
    }
    assert same(load_pretrained("obow", write(miniature.zipped(**members))).backbone, body)


@pytest.mark.parametrize("name", ["vicreg", "barlow-twins"])
def test_a_file_of_the_backbone_alone_has_no_projection(write, name):
    encoder = load_pretrained(name, write(miniature.serialised(miniature.backbone())))
    assert encoder.dimensions == {"embedding": 128}
    assert len(encoder(torch.zeros(2, 3, 64, 64))) == 1


def test_the_embedding_is_torchvisions_to_the_last_bit(write):
    body = miniature.backbone(divisor=1)
    reference = torchvision.models.resnet50()
    reference.fc = torch.nn.Identity()
    reference.load_state_dict(body, strict=True)
    reference.eval()
    projector = {"weight": torch.randn(16, 2048), "bias": torch.randn(16)}
    encoder = load_pretrained("moco", write(miniature.published("moco", body=body, projector=projector)))
    images = torch.randint(0, 256, (2, 3, 224, 224), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        for layout in (torch.contiguous_format, torch.channels_last):
            x = encoder.prepare(images).contiguous(memory_format=layout)
            told = reference.to(memory_format=layout)(x)
            embedding, projection = encoder.to(memory_format=layout)(x)
            assert embedding.std() > 0.01
            assert torch.equal(embedding, told)
            assert torch.equal(projection, torch.nn.functional.linear(told, projector["weight"], projector["bias"]))


def test_resnet50_has_torchvisions_keys_and_size():
    with torch.device("meta"):
        ours, theirs = ResNet50(), torchvision.models.resnet50()
    assert sum(p.numel() for p in ours.parameters()) == 23_508_032
    assert {k: v.shape for k, v in ours.state_dict().items()} == {
        k: v.shape for k, v in theirs.state_dict().items() if not k.startswith("fc.")
    }


def test_every_method_is_normalised_as_its_own_code_does(write):
    image = torch.full((1, 3, 2, 2), 255, dtype=torch.uint8)
    swav, vicreg = (load_pretrained(n, write(miniature.published(n))).prepare(image) for n in ("swav", "vicreg"))
    np.testing.assert_allclose(
        vicreg[0, :, 0, 0], [(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225], 1e-6
    )
    np.testing.assert_allclose(swav[0, 0, 0, 0], (1 - 0.485) / 0.228, 1e-6)
    with pytest.raises(ValueError, match=r"torch.float32 \(1, 3, 2, 2\); expected uint8"):
        load_pretrained("swav", write(miniature.published("swav"))).prepare(image.float())


class Evil:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


def changed(name="vicreg", **changes):
    """Make a file of `name` with entries of its state dict replaced (None: taken out)."""
    thing, function = miniature.checkpoint(name)
    state = thing[{"vicreg": "model"}.get(name, "state_dict")]
    for key, value in changes.items():
        key = key.replace("__", ".")
        if value is None:
            del state[key]
        else:
            state[key] = value
    return miniature.serialised(thing, function)


def flipped(data):
    data = bytearray(data)
    data[len(data) // 2] ^= 1
    return bytes(data)


WHOLE = "module.backbone.layer4.2.conv3.weight"
CORRUPTIONS = {
    "empty": (lambda: b"", "is empty"),
    "a web page": (lambda: b"<html>404 Not Found</html>", r"not a PyTorch checkpoint: it begins with b'<html>404"),
    "a zip cut short": (lambda: miniature.published("vicreg")[:-5000], "begins as an archive but is not whole"),
    "a legacy file cut short": (
        lambda: miniature.published("vicreg", legacy=True)[:-5000],
        "damaged or ends too early .*expected .* more bytes",
    ),
    "a legacy file cut at its head": (
        lambda: miniature.published("vicreg", legacy=True)[:60],
        "damaged or ends too early",
    ),
    "a flipped bit": (lambda: flipped(miniature.published("vicreg")), r"is damaged at .*its checksum does not hold"),
    "a missing key": (lambda: changed(**{WHOLE: None}), r"backbone: missing keys layer4\.2\.conv3\.weight\. "),
    "a surplus key": (
        lambda: changed(**{"module.backbone.fc.weight": torch.ones(3)}),
        r"backbone: unexpected keys fc\.weight\. ",
    ),
    "a key of nobody's": (lambda: changed(**{"module.ema": torch.ones(3)}), "belong to no part: ema"),
    "another shape": (
        lambda: changed(**{WHOLE: torch.ones(3, 3, 1, 1)}),
        r"other shapes layer4\.2\.conv3\.weight is \(3, 3, 1, 1\), not \(128, 32, 1, 1\)",
    ),
    "another type": (
        lambda: changed(**{WHOLE: torch.ones(128, 32, 1, 1, dtype=torch.float16)}),
        r"other types layer4\.2\.conv3\.weight is torch\.float16",
    ),
    "not finite": (
        lambda: changed(**{WHOLE: torch.full((128, 32, 1, 1), torch.nan)}),
        r"not finite in layer4\.2\.conv3\.weight",
    ),
    "no tensor": (lambda: changed(**{WHOLE: [1.0]}), r"holds no tensor under backbone\.layer4\.2\.conv3\.weight"),
    "module. here and there": (
        lambda: changed(**{WHOLE: None, WHOLE.removeprefix("module."): torch.ones(128, 32, 1, 1)}),
        r"mixes keys with and without `module.`: backbone\.layer4\.2\.conv3\.weight are without",
    ),
    "a projector that lacks a layer": (
        lambda: changed(**{"module.projector.3.weight": None}),
        r"lacks the projector's projector\.3\.weight",
    ),
    "a projector that does not fit together": (
        lambda: changed(**{"module.projector.3.weight": torch.ones(24, 25)}),
        "layer 3 takes 25 values, but the one before it gives 24",
    ),
    "a projector without its biases": (
        lambda: changed(**{"module.projector.0.bias": None}),
        r"projector: missing keys 0\.bias\. ",
    ),
    "another method's": (
        lambda: miniature.published("barlow-twins"),
        r"projector: missing keys 0\.bias, 3\.bias; keys that belong to no part: bn\.running_mean",
    ),
    "another wrapper": (
        lambda: miniature.published("moco"),
        r"it holds \['epoch', 'arch', 'state_dict', 'optimizer'\], and neither model: backbone\.conv1\.weight",
    ),
    "a list": (lambda: miniature.serialised([torch.ones(2)]), "it holds list, and neither"),
    "an archive of other files": (
        lambda: miniature.zipped(**{"a.txt": b"1", "b.txt": b"2"}),
        "holds a.txt, b.txt: none of them is known to be the checkpoint",
    ),
    "an archive of a text": (
        lambda: miniature.zipped(**{"a.pth": b"no"}),
        "a.pth inside .* is not a PyTorch checkpoint",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CORRUPTIONS)
def test_what_is_not_exactly_right_is_refused(write, case):
    make, message = CORRUPTIONS[case]
    path = write(make())
    with pytest.raises(CorruptFileError, match=message) as refused:
        load_pretrained("vicreg", path)
    assert str(path) in str(refused.value)
    assert "elsa-nb encoders get" in str(refused.value)


@pytest.mark.parametrize("wrapping", ["zip", "legacy", "zip in zip", "legacy in zip"])
def test_hidden_code_is_refused_and_not_run(write, tmp_path, wrapping):
    target = tmp_path / "made-by-the-file"
    thing, _ = miniature.checkpoint("obow")
    thing["meters"] = Evil(target)
    data = miniature.serialised(thing, legacy="legacy" in wrapping)
    path = write(miniature.zipped(**{miniature.OBOW_MEMBER: data}) if "in zip" in wrapping else data)
    with pytest.raises(CorruptFileError, match=r"asks to run code \(posix.mkdir\).*It was not run"):
        load_pretrained("obow", path)
    assert not target.exists()
    torch.load(path, weights_only=False) if "in zip" not in wrapping else target.mkdir()
    assert target.exists()  # the file does what it is said to do


def test_only_the_one_name_is_let_through(write):
    for name in ("exclude_bias", "exclude_bias_and_norm.__globals__"):
        data = miniature.published("vicreg", legacy=True)
        path = write(data.replace(b"exclude_bias_and_norm", name.encode()))
        with pytest.raises(CorruptFileError, match=r"asks to run code|damaged"):
            load_pretrained("vicreg", path)


def test_the_published_checksum_and_the_downloads_card_are_held_against_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "DATA", tmp_path)
    path = checkpoint_path(OFFICIAL["moco"])
    path.parent.mkdir()
    path.write_bytes(miniature.published("moco"))
    with pytest.raises(
        CorruptFileError, match=r"not the published file of MoCo: its MD5 is [0-9a-f]{32}, published: b251"
    ):
        load_pretrained("moco")
    assert load_pretrained("moco", path).dimensions["projection"] == 12  # one's own file in the same format
    card = path.with_name(path.name + ".json")
    store.write_json(card, {"sha256": store.sha256_file(path)})
    assert load_pretrained("moco").dimensions["projection"] == 12
    path.write_bytes(miniature.published("moco", optimizer=False))
    with pytest.raises(CorruptFileError, match="another checksum than its card"):
        load_pretrained("moco")


def test_missing_weights_are_one_sentence_with_licence_and_command(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "DATA", tmp_path)
    with pytest.raises(MissingDataError, match=r"`elsa-nb encoders get simsiam`.*licence: CC BY-NC 4\.0"):
        load_pretrained("simsiam")
    with pytest.raises(ValueError, match="'moco-v3' is not one of the published ones: vicreg, barlow-twins, moco"):
        load_pretrained("moco-v3")


def test_the_specs_say_what_the_table_and_the_files_say():
    assert len(OFFICIAL) == 8
    for spec in OFFICIAL.values():
        assert spec.url.startswith("https://")
        assert spec.licence
        assert bool(spec.note) or spec.top1 == spec.paper_top1
    lines = (store.DATA / "claims" / "table05.csv").read_text().splitlines()
    printed = {line.split(",")[1]: float(line.split(",")[5]) for line in lines if "linear_top1" in line}
    assert printed == {name: spec.paper_top1 for name, spec in OFFICIAL.items()}
    assert {n for n, s in OFFICIAL.items() if s.std == specs.SWAV_STD} == {"swav", "swav-multi-crop"}
    assert [n for n, s in OFFICIAL.items() if not s.projector] == ["obow"]
