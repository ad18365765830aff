"""ResNet-50 under torchvision's key names, and the projectors of the eight methods, sized as their files are."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

BLOCKS = (3, 4, 6, 3)
EXPANSION = 4  # a bottleneck's output has four times the channels of its middle
_HEAD_LAYERS = ("linear", "linear+bias", "bn", "bn-without-affine", "relu")


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolution and a shortcut; the stride is in the 3x3 convolution."""

    def __init__(self, inputs: int, width: int, stride: int, downsample: nn.Module | None):
        """Make a block from `inputs` to 4 * `width` channels."""
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, width * EXPANSION, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width * EXPANSION)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """Map (m, inputs, h, w) to (m, 4 * width, h / stride, w / stride)."""
        shortcut = x if self.downsample is None else self.downsample(x)
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        y += shortcut
        return self.relu(y)


class ResNet50(nn.Module):
    """ResNet-50 without its classifier: images to the average-pooled embedding.

    The padding layers that VICReg and SwAV put before the first convolution change nothing (pad 1 and padding 2 is
    padding 3), so this one network computes all eight. `width` is 64 in every published file; tests use less.
    """

    def __init__(self, width: int = 64):
        """Make it with random weights; the embedding has 32 * `width` values."""
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inputs = width
        for i, blocks in enumerate(BLOCKS):
            middle, stride = width * 2**i, 1 if i == 0 else 2
            outputs = middle * EXPANSION
            shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
            chain = [Bottleneck(inputs, middle, stride, shortcut)]
            chain += [Bottleneck(outputs, middle, 1, None) for _ in range(blocks - 1)]
            self.add_module(f"layer{i + 1}", nn.Sequential(*chain))
            inputs = outputs
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dimension = inputs

    def forward(self, images: Tensor) -> Tensor:
        """Map images (m, 3, h, w), normalised, to embeddings (m, 32 * width), none of them negative."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return torch.flatten(self.avgpool(x), 1)


def projection_head(layers: Sequence[str], sizes: Mapping[int, tuple[int, int]]) -> nn.Module:
    """Make a projector: `layers` names its layers in order, `sizes` the (outputs, inputs) of each linear one.

    A projector of one layer is that layer itself, so that its keys carry no index (MoCo v1). Raises ValueError for
    linear layers that do not fit each other.
    """
    modules, width = [], None
    for index, layer in enumerate(layers):
        if layer.startswith("linear"):
            outputs, inputs = sizes[index]
            if width is not None and inputs != width:
                raise ValueError(f"layer {index} takes {inputs} values, but the one before it gives {width}")
            modules.append(nn.Linear(inputs, outputs, bias=layer == "linear+bias"))
            width = outputs
        elif layer == "relu":
            modules.append(nn.ReLU(inplace=True))
        elif layer in _HEAD_LAYERS:
            modules.append(nn.BatchNorm1d(width, affine=layer == "bn"))
        else:
            raise ValueError(f"layer {layer!r} is not known; allowed: {', '.join(_HEAD_LAYERS)}.")
    return modules[0] if len(modules) == 1 else nn.Sequential(*modules)
