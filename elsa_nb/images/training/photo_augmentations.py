"""Two views of one photograph: the published chain of changes, for a whole batch at once.

Crop, mirror, colour jitter, grey, blur, solarise, with the strengths and chances of the official codes of VICReg and
Barlow Twins. Randomness comes from the generator given, on the processor, whatever device the images are on.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

GREY = (0.2989, 0.587, 0.114)
OFFICIAL_SIDE = 224  # the blur's sigmas are given for views of this side


@dataclass(frozen=True)
class PhotoAugmentation:
    """How a view of a photograph is made; everything is drawn anew for each image and view.

    `side` is the view's height and width in pixels. `scale` is the range of the crop's part of the area; its ratio of
    width to height is from 3/4 to 4/3. `mirror`, `jitter`, `grey`, `blur` and `solarise` are the chances of these
    changes; `brightness`, `contrast`, `saturation` and `hue` the half-ranges of the jitter, `sigma` the range of the
    Gaussian blur's in pixels of a view of 224; it shrinks with `side`. What the official codes draw for each image is
    drawn for each image here too; only the order of the four jitters is one for a whole call.
    """

    side: int = 64
    scale: tuple[float, float] = (0.08, 1.0)
    mirror: float = 0.5
    jitter: float = 0.8
    brightness: float = 0.4
    contrast: float = 0.4
    saturation: float = 0.2
    hue: float = 0.1
    grey: float = 0.2
    blur: float = 0.5
    sigma: tuple[float, float] = (0.1, 2.0)
    solarise: float = 0.0

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return one view of each image (m, 3, h, w), float32 in [0, 1]: (m, 3, side, side)."""
        boxes = crop_boxes(len(images), images.shape[-2:], self.scale, generator)
        mirrored = torch.rand(len(images), generator=generator) < self.mirror
        return self.change(crop(images, boxes, mirrored, self.side), generator)

    def cut(self, picture: Image.Image, generator: torch.Generator) -> Tensor:
        """Crop one picture of any size for a view, scale it and mirror it or not: uint8 (3, side, side)."""
        top, left, h, w = crop_boxes(1, picture.size[::-1], self.scale, generator)[0].tolist()
        part = picture.crop((left, top, left + w, top + h)).resize((self.side,) * 2, Image.Resampling.BICUBIC)
        if torch.rand((), generator=generator) < self.mirror:
            part = part.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return torch.from_numpy(np.array(part)).permute(2, 0, 1)

    def change(self, view: Tensor, generator: torch.Generator) -> Tensor:
        """Do all that comes after crop and mirror to views (m, 3, side, side), in place; return them."""
        m, device = len(view), view.device

        def uniform(*shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
            return low + (high - low) * torch.rand(m, *shape, generator=generator)

        def chosen(chance: float) -> Tensor:
            return torch.nonzero(uniform() < chance).flatten().to(device)

        self._jitter(view, chosen(self.jitter), uniform, torch.randperm(4, generator=generator).tolist())
        rows = chosen(self.grey)
        view[rows] = luma(view[rows]).expand(-1, 3, -1, -1)
        rows, sigma = chosen(self.blur), uniform(low=self.sigma[0], high=self.sigma[1]).to(device)
        view[rows] = gaussian_blur(view[rows], sigma[rows] * self.side / OFFICIAL_SIDE)
        rows = chosen(self.solarise)
        bright = view[rows]
        view[rows] = torch.where(bright >= 128 / 255, 1 - bright, bright)
        return view

    def _jitter(self, view: Tensor, rows: Tensor, uniform: Callable[..., Tensor], order: list[int]) -> None:
        halves = (self.brightness, self.contrast, self.saturation)
        factors = [uniform(1, 1, 1, low=1 - half, high=1 + half) for half in halves]
        factors.append(uniform(1, 1, low=-self.hue, high=self.hue))
        part = view[rows]
        for i in order:
            factor = factors[i].to(view.device)[rows]
            if i == 3:
                part = turn_hue(part, factor) if self.hue else part
            else:
                other = (torch.zeros_like, mean_luma, luma)[i](part)
                part = (other + (part - other) * factor).clamp_(0, 1)
        view[rows] = part


def views(variant: str, side: int) -> tuple[PhotoAugmentation, PhotoAugmentation]:
    """Return the two views of a variant: "asymmetric" (the official codes) or "symmetric" (VICReg's paper)."""
    if variant == "asymmetric":
        first = PhotoAugmentation(side, blur=1.0, solarise=0.0)
        return first, replace(first, blur=0.1, solarise=0.2)
    if variant == "symmetric":
        return (PhotoAugmentation(side, blur=0.5, solarise=0.1),) * 2
    raise ValueError(f"The variant of the augmentation is {variant!r}; it is 'asymmetric' or 'symmetric'.")


def crop_boxes(m: int, size: tuple[int, int], scale: tuple[float, float], generator: torch.Generator) -> Tensor:
    """Draw m boxes (top, left, height, width) in pixels, int64 (m, 4), as torchvision's RandomResizedCrop does.

    Of ten drawn areas and ratios the first that fits the image is taken; where none fits, the largest central crop
    with a ratio from 3/4 to 4/3.
    """
    height, width = size
    area = height * width * (scale[0] + (scale[1] - scale[0]) * torch.rand(m, 10, generator=generator))
    ratio = torch.exp((torch.rand(m, 10, generator=generator) * 2 - 1) * math.log(4 / 3))
    w, h = torch.sqrt(area * ratio).round().long(), torch.sqrt(area / ratio).round().long()
    fits = (w > 0) & (w <= width) & (h > 0) & (h <= height)
    first = fits.long().argmax(dim=1, keepdim=True)
    w, h = w.gather(1, first)[:, 0], h.gather(1, first)[:, 0]
    corner = torch.rand(m, 2, generator=generator)
    top, left = (corner[:, 0] * (height - h + 1)).long(), (corner[:, 1] * (width - w + 1)).long()
    boxes = torch.stack([top, left, h, w], dim=1)
    widest, highest = min(width, round(height * 4 / 3)), min(height, round(width * 4 / 3))
    middle = torch.tensor([(height - highest) // 2, (width - widest) // 2, highest, widest])
    return torch.where(fits.any(dim=1, keepdim=True), boxes, middle)


def crop(images: Tensor, boxes: Tensor, mirrored: Tensor, side: int) -> Tensor:
    """Cut the boxes (m, 4) out of the images (m, c, h, w), mirror some, and scale all to side x side (bicubic).

    Pixels next to the box take part in the scaling at its edge, which they do not where a crop is cut out first.
    """
    height, width = images.shape[-2:]
    top, left, h, w = boxes.to(images.device, torch.float32).unbind(dim=1)
    flip = 1 - 2 * mirrored.to(images.device, torch.float32)
    zero = torch.zeros_like(h)
    across = torch.stack([flip * w / width, zero, (2 * left + w) / width - 1], dim=1)
    down = torch.stack([zero, h / height, (2 * top + h) / height - 1], dim=1)
    shape = [len(images), images.shape[1], side, side]
    grid = F.affine_grid(torch.stack([across, down], dim=1), shape, align_corners=False)
    return F.grid_sample(images, grid, "bicubic", "reflection", align_corners=False).clamp_(0, 1)


def luma(images: Tensor) -> Tensor:
    """Return the brightness (m, 1, h, w) of colours (m, 3, h, w)."""
    return sum(weight * images[:, i : i + 1] for i, weight in enumerate(GREY))


def mean_luma(images: Tensor) -> Tensor:
    """Return the mean brightness (m, 1, 1, 1) of each image."""
    return luma(images).mean(dim=(1, 2, 3), keepdim=True)


def turn_hue(images: Tensor, turn: Tensor) -> Tensor:
    """Turn the hue of colours (m, 3, h, w) in [0, 1] by `turn` (m, 1, 1), a part of the whole circle."""
    value, largest = images.max(dim=1)
    chroma = value - images.amin(dim=1)
    divisor = torch.where(chroma == 0, 1.0, chroma)
    red, green, blue = images.unbind(dim=1)
    sixth = torch.where(largest == 1, (blue - red) / divisor + 2, (red - green) / divisor + 4)
    sixth = torch.where(largest == 0, (green - blue) / divisor, sixth) + 6 * turn
    # Each channel falls from the value by the chroma as the hue moves away from it (Smith, 1978).
    channels = []
    for offset in (5.0, 3.0, 1.0):
        k = (sixth + offset).remainder(6.0)
        channels.append(value - chroma * torch.minimum(k, 4 - k).clamp(0, 1))
    return torch.stack(channels, dim=1)


def gaussian_blur(images: Tensor, sigma: Tensor) -> Tensor:
    """Blur each image (m, c, h, w) by its own sigma (m,) in pixels, edges repeated; kernels reach three sigmas."""
    if not len(images):
        return images
    radius = max(1, math.ceil(3 * float(sigma.max())))
    offsets = torch.arange(-radius, radius + 1, device=images.device)
    kernel = torch.exp(-0.5 * (offsets / sigma.clamp(min=1e-3)[:, None]).square())
    kernel = (kernel / kernel.sum(dim=1, keepdim=True)).view(len(images), -1, 1, 1, 1)
    for axis, padding in ((2, (0, 0, radius, radius)), (3, (radius, radius, 0, 0))):
        padded, size = F.pad(images, padding, mode="replicate"), images.shape[axis]
        images = sum(kernel[:, i] * padded.narrow(axis, i, size) for i in range(2 * radius + 1))
    return images
