"""The networks that the user's own weights may belong to, made from the shapes of their tensors.

`own_weights.py` calls `network_for` with the entries it found in a file. ResNets have torchvision's key names, vision
transformers timm's, which are those of DINO's, MAE's and MoCo v3's own codes, too.
"""

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from elsa_nb.images.encoders.resnet50 import BLOCKS, ResNet50

NETWORKS = "ResNet-18, 34, 50, 101, 152 and wide or grouped ones of torchvision, vision transformers of timm"
_RESNETS = (
    *("resnet18", "resnet34", "resnet101", "resnet152", "wide_resnet50_2", "wide_resnet101_2"),
    *("resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d"),
)
_BATCHES = "num_batches_tracked"
_HEAD_WIDTH = 64  # values that an attention head has in all published sizes


def network_for(tensors: Mapping[str, Tensor]) -> tuple[nn.Module, str, int] | str:
    """Return (network with random weights, its title, the dimension of its embedding), or why there is none."""
    if "patch_embed.proj.weight" in tensors:
        return _transformer(tensors)
    return _resnet(tensors)


def _resnet(tensors: Mapping[str, Tensor]) -> tuple[nn.Module, str, int] | str:
    from torchvision import models

    depths = tuple(_blocks(tensors, f"layer{i}.") for i in range(1, 5))
    nearest = ""
    if depths == BLOCKS and "layer1.0.conv3.weight" in tensors:
        width = tensors["conv1.weight"].shape[0]
        nearest = _misfit(lambda: ResNet50(width), tensors)
        if not nearest:
            return ResNet50(width), "ResNet-50", 32 * width
    for name in _RESNETS:

        def make(name: str = name) -> nn.Module:
            network = models.get_model(name, weights=None)
            network.fc = nn.Identity()
            return network

        with torch.device("meta"):
            network = make()
        if tuple(len(network.get_submodule(f"layer{i}")) for i in range(1, 5)) != depths:
            continue
        misfit = _misfit(make, tensors)
        if not misfit:
            return make(), name, tensors["layer4.0.downsample.0.weight"].shape[0]
        nearest = nearest or misfit
    return nearest or f"a ResNet of {depths} blocks is not one of them"


def _transformer(tensors: Mapping[str, Tensor]) -> tuple[nn.Module, str, int] | str:
    try:
        from timm.models.vision_transformer import VisionTransformer
    except ImportError:
        return "a vision transformer, which needs timm: pip install 'elsa_nb[timm]'"
    width, _, patch, _ = tensors["patch_embed.proj.weight"].shape
    positions = tensors.get("pos_embed")
    if positions is None or positions.ndim != 3 or "cls_token" not in tensors:
        return "a transformer without pos_embed and cls_token is not one of them"
    side = round((positions.shape[1] - 1) ** 0.5)
    options = {
        "img_size": side * patch,
        "patch_size": patch,
        "embed_dim": width,
        "depth": _blocks(tensors, "blocks."),
        "num_heads": max(width // _HEAD_WIDTH, 1),
        "init_values": 1.0 if "blocks.0.ls1.gamma" in tensors else None,
        "qkv_bias": "blocks.0.attn.qkv.bias" in tensors,
        "num_classes": 0,
    }
    if side * side + 1 != positions.shape[1] or not options["depth"]:
        return "a transformer whose positions form no square grid is not one of them"
    tensors = {key: value for key, value in tensors.items() if key != "mask_token"}
    misfit = _misfit(lambda: VisionTransformer(**options), tensors)
    return misfit or (VisionTransformer(**options), f"ViT of width {width}, patches of {patch}", width)


def _blocks(tensors: Mapping[str, Tensor], start: str) -> int:
    places = {int(found[1]) for key in tensors if (found := re.match(rf"{re.escape(start)}(\d+)\.", key))}
    return len(places)


def _misfit(make, tensors: Mapping[str, Tensor]) -> str:
    """Return how the entries differ from those of the network that `make` makes; "" where they are the same."""
    with torch.device("meta"):
        expected = make().state_dict()
    told = [f"{key} is missing" for key in expected if key not in tensors and not key.endswith(_BATCHES)]
    told += [f"{key} is unexpected" for key in tensors if key not in expected]
    told += [
        f"{key} is {tuple(tensors[key].shape)}, not {tuple(expected[key].shape)}"
        for key in expected
        if key in tensors and tensors[key].shape != expected[key].shape
    ]
    return f"{told[0]}{f', and {len(told) - 1} more' if len(told) > 1 else ''}" if told else ""
