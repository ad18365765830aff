"""What an encoder has to beat: the same small network with random weights, and the raw pixels without any network.

The profiles name them `floor:untrained` and `floor:raw-pixels`; `by_name.load_encoder` makes them.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn

from elsa_nb.errors import check_known
from elsa_nb.images.encoders.small_resnet import Architecture, SmallResNet
from elsa_nb.store import sha256_bytes

SEED = 0


class Untrained(nn.Module):
    """The network of the bundled encoders before any training: it shows what its layout alone achieves.

    Unlike the networks that training starts from, its blocks are not switched off: the last scale of each is 1, not 0,
    which would leave little but a stem that sees every eighth pixel.
    """

    name = "untrained"

    def __init__(self, architecture: Architecture | None = None, seed: int = SEED):
        """Draw the weights with `seed`: normal, with the deviation of He et al. (2015), as training draws them."""
        super().__init__()
        architecture = architecture or Architecture()
        self.backbone = SmallResNet(architecture)
        self.dimensions: Mapping[str, int] = {"embedding": architecture.embedding}
        _draw(self.backbone, np.random.default_rng(seed))
        self.sha256 = sha256_bytes(save({key: value.contiguous() for key, value in self.state_dict().items()}))
        self.to(memory_format=torch.channels_last).eval()

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Map images (m, c, h, w) in [0, 1] to (embedding (m, p),), float32."""
        return (self.backbone(images).float(),)


class RawPixels(nn.Module):
    """No network: the grey values of an image of `side` x `side` pixels, row by row, are its vector."""

    name = "raw-pixels"

    def __init__(self, side: int = 32):
        """Say how large the images are."""
        super().__init__()
        self.dimensions: Mapping[str, int] = {"embedding": side * side}
        self.sha256 = sha256_bytes(f"pixels of {side} x {side} grey images, in [0, 1]".encode())

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Map images (m, 1, side, side) in [0, 1] to (embedding (m, side x side),); ValueError for another size."""
        vectors = images.flatten(1)
        if vectors.shape[1] != self.dimensions["embedding"]:
            raise ValueError(
                f"an image of shape {tuple(images.shape[1:])} has {vectors.shape[1]} values; the pool holds "
                f"{self.dimensions['embedding']}: make RawPixels with the images' own side."
            )
        return (vectors,)


_FLOORS = {"untrained": Untrained, "raw-pixels": RawPixels}


def load_floor(name: str) -> Any:
    """Make the floor `name`; ValueError for an unknown one. No file is needed."""
    check_known("floor", name, _FLOORS)
    return _FLOORS[name]()


def _draw(network: nn.Module, rng: np.random.Generator) -> None:
    """Fill the convolutions from NumPy's generator, whose stream is the same on every machine; torch's need not be.

    Rounding to float16, as in weights files, removes a difference in the last bit.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            outputs, _, *window = module.weight.shape
            drawn = rng.standard_normal(module.weight.shape) * np.sqrt(2 / (outputs * np.prod(window)))
            module.weight.data.copy_(torch.from_numpy(drawn.astype(np.float16).astype(np.float32)))
        if isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
