"""Two views of one glyph: what may change in a drawn character without making it another character.

Nothing is mirrored, because mirrored letters are other letters, and nothing is turned far, because 6 is not 9. All
operations work on a whole batch at once; randomness comes from the generator given.
"""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class GlyphAugmentation:
    """How far each change goes; drawn anew for each image and view.

    `rotation` in degrees, to either side. `shear` is the slant (0.3 is a strong italic). `zoom` and `stretch` are
    ln-scale half-ranges of the size and of the ratio of height to width. `shift` is a part of half the image side.
    `elastic` is the half-range, in the same unit, of a smooth displacement. `bold` and `thin` are the largest part of
    one dilation or erosion by a 3x3 square that is mixed in. `blur` and `fade` are the largest part of a binomial blur
    mixed in and of the ink's darkness taken away. `erase` is the chance of a blank rectangle, `erase_side` its largest
    side as a part of the image's.
    """

    rotation: float = 6.0
    shear: float = 0.2
    zoom: float = 0.1
    stretch: float = 0.12
    shift: float = 0.06
    elastic: float = 0.05
    bold: float = 0.7
    thin: float = 0.4
    blur: float = 0.5
    fade: float = 0.2
    erase: float = 0.05
    erase_side: float = 0.3

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return one view of each image (m, 1, h, w), float32 in [0, 1], 0 = paper."""

        def uniform(*shape: int, half: float = 1.0) -> Tensor:
            return (torch.rand(len(images), *shape, generator=generator) * 2 - 1).to(images.device) * half

        view = F.grid_sample(images, self._grid(images, uniform), align_corners=False)
        view = self._stroke(view, uniform)
        view = self._blur(view, uniform)
        view = view * (1 - uniform(1, 1, 1, half=self.fade).abs())
        return self._erase(view, uniform)

    def _grid(self, images: Tensor, uniform) -> Tensor:
        angle = uniform(half=math.radians(self.rotation))
        cos, sin = angle.cos(), angle.sin()
        zoom, stretch = uniform(half=self.zoom), uniform(half=self.stretch / 2)
        across, down = torch.exp(zoom + stretch), torch.exp(zoom - stretch)
        slant = uniform(half=self.shear)
        rows = [cos * across, (cos * slant - sin) * down, uniform(half=self.shift)]
        rows += [sin * across, (sin * slant + cos) * down, uniform(half=self.shift)]
        grid = F.affine_grid(torch.stack(rows, dim=1).view(-1, 2, 3), list(images.shape), align_corners=False)
        bumps = uniform(2, 4, 4, half=self.elastic)
        smooth = F.interpolate(bumps, size=images.shape[-2:], mode="bicubic", align_corners=True)
        return grid + smooth.permute(0, 2, 3, 1)

    def _stroke(self, view: Tensor, uniform) -> Tensor:
        weight = uniform(1, 1, 1)
        bolder = F.max_pool2d(view, 3, 1, 1) - view
        thinner = F.max_pool2d(-view, 3, 1, 1) + view
        return view + self.bold * weight.clamp(min=0) * bolder + self.thin * weight.clamp(max=0) * thinner

    def _blur(self, view: Tensor, uniform) -> Tensor:
        soft = F.avg_pool2d(F.pad(view, (1, 1, 1, 1)), 2, 1)
        soft = F.avg_pool2d(soft, 2, 1)
        return torch.lerp(view, soft, uniform(1, 1, 1, half=self.blur).abs())

    def _erase(self, view: Tensor, uniform) -> Tensor:
        height, width = view.shape[-2:]
        blank = torch.ones((), dtype=torch.bool, device=view.device)
        for size, shape in ((height, (1, 1, height, 1)), (width, (1, 1, 1, width))):
            position = (torch.arange(size, device=view.device) + 0.5).view(shape) / size
            middle, side = (uniform(1, 1, 1) + 1) / 2, uniform(1, 1, 1, half=self.erase_side).abs()
            blank = blank & ((position - middle).abs() < side / 2)
        return view.masked_fill(blank & (uniform(1, 1, 1).abs() < self.erase), 0.0)


@dataclass(frozen=True)
class GlyphPart:
    """A small view of a part of a glyph, for multi-crop: a square crop, scaled down, then changed as full views are.

    `side` is the view's in pixels; `scale` is the range of the crop's part of the area.
    """

    side: int = 16
    scale: tuple[float, float] = (0.3, 0.7)
    changes: GlyphAugmentation = field(default_factory=GlyphAugmentation)

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return one view (m, 1, side, side) of each image (m, 1, h, w)."""
        low, high = self.scale
        part = torch.sqrt(low + (high - low) * torch.rand(len(images), generator=generator)).to(images.device)
        centre = (torch.rand(len(images), 2, generator=generator).to(images.device) * 2 - 1) * (1 - part)[:, None]
        theta = torch.diag_embed(torch.stack([part, part], dim=1))
        shape = [len(images), 1, self.side, self.side]
        grid = F.affine_grid(torch.cat([theta, centre[:, :, None]], dim=2), shape, align_corners=False)
        return F.grid_sample(self.changes(images, generator), grid, align_corners=False)
