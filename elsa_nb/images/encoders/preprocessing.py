"""From a picture of any size to what an encoder was evaluated on: shorter side to 256, the middle 224x224, normalised.

The reference is Pillow's: `Resize(256)` and `CenterCrop(224)` on the decoded picture. The fast way resizes the same
uint8 pixels with PyTorch, antialiased, and differs from it by at most 1 in 255; without antialiasing, or on floats, it
would not. A pool's provenance says which of the two made it.
"""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

RESIZERS = ("pillow", "torch")
_FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


@dataclass(frozen=True)
class CropGeometry:
    """How a picture is brought to size: its shorter side to `resize` pixels, then the middle `crop` x `crop`.

    `interpolation` is "bilinear" or "bicubic", always antialiased.
    """

    resize: int = 256
    crop: int = 224
    interpolation: str = "bilinear"

    def __post_init__(self):
        """Refuse sizes and filters that make no image."""
        if not all(isinstance(side, int) for side in (self.crop, self.resize)):
            raise ValueError(f"crop is {self.crop!r} and resize {self.resize!r}; give whole numbers of pixels.")
        if not 1 <= self.crop <= self.resize:
            raise ValueError(f"crop is {self.crop} and resize {self.resize}; a crop has 1 to `resize` pixels per side.")
        if self.interpolation not in _FILTERS:
            raise ValueError(f"interpolation is {self.interpolation!r}; allowed: {', '.join(_FILTERS)}.")

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return the (width, height) of a picture once its shorter side has `resize` pixels, as torchvision rounds."""
        short, long = sorted((width, height))
        scaled = int(self.resize * long / short)
        return (self.resize, scaled) if width <= height else (scaled, self.resize)

    def apply(self, picture: Image.Image, resizer: str = "torch") -> np.ndarray:
        """Return the middle of an RGB picture, uint8 (3, crop, crop)."""
        width, height = self.size(*picture.size)
        left, top = round((width - self.crop) / 2), round((height - self.crop) / 2)
        if resizer == "pillow":
            resized = picture.resize((width, height), _FILTERS[self.interpolation])
            cropped = resized.crop((left, top, left + self.crop, top + self.crop))
            return np.asarray(cropped).transpose(2, 0, 1)
        pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None]
        if picture.size != (width, height):
            pixels = F.interpolate(
                pixels, (height, width), mode=self.interpolation, antialias=True, align_corners=False
            )
        return pixels[0, :, top : top + self.crop, left : left + self.crop].numpy()


IMAGENET_GEOMETRY = CropGeometry()


def check_colour_images(images: Tensor) -> None:
    """Raise ValueError unless `images` are uint8 (m, 3, h, w)."""
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(f"images are {images.dtype} {tuple(images.shape)}; expected uint8 (m, 3, height, width).")


def check_channels(mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    """Raise ValueError unless `mean` and `std` are three numbers each, and those of `std` above 0."""
    for name, values in {"mean": mean, "std": std}.items():
        numbers = isinstance(values, tuple | list) and all(isinstance(value, int | float) for value in values)
        if not numbers or len(values) != 3 or (name == "std" and min(values) <= 0):
            above = " above 0" if name == "std" else ""
            raise ValueError(
                f"{name} = {values!r:.60}; give three numbers{above}, one per channel, of pixels from 0 to 1"
            )


def normalise(images: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """Turn uint8 images (m, 3, h, w) into float32, scaled to [0, 1], less `mean`, over `std`, channel by channel.

    `mean` and `std` are one number per channel. Raises ValueError for images of another type or shape.
    """
    check_colour_images(images)
    centre, deviation = (torch.tensor(values, device=images.device).view(1, 3, 1, 1) for values in (mean, std))
    return images.to(torch.float32).div_(255.0).sub_(centre).div_(deviation)
