"""The bundled encoders: a small ResNet with the projector it was trained with, and their files.

Names and layouts follow the published ones, so that everything that reads an official checkpoint's structure reads
these too: `backbone.` holds torchvision's ResNet names, `projector.` the three linear layers at 0, 3 and 6.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.nn import functional as F

from elsa_nb import store
from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.store import read_json, sha256_bytes, sha256_file, write_atomically, write_json

METHODS = ("vicreg", "barlow-twins")
SPACES = ("embedding", "projection")


@dataclass(frozen=True)
class Architecture:
    """The sizes of an encoder for images of one channel, 32x32.

    `widths` and `blocks` are the channels and the number of basic blocks of the ResNet's layers; the last width is
    the embedding's dimension. `projector` are the output sizes of the three linear layers after it; the last is the
    projection's dimension. `method` decides the biases: VICReg's expander has them in its first two layers, Barlow
    Twins' projector has none.
    """

    method: str = "vicreg"
    widths: tuple[int, ...] = (32, 64, 128, 256)
    blocks: tuple[int, ...] = (1, 1, 1, 1)
    stem_stride: int = 2
    projector: tuple[int, int, int] = (512, 512, 256)

    def __post_init__(self):
        """Refuse an unknown method and sizes that do not belong together."""
        if self.method not in METHODS:
            raise ValueError(f"method is {self.method!r}; it is one of {METHODS}.")
        if len(self.widths) != len(self.blocks) or not self.widths or len(self.projector) != 3:
            raise ValueError(
                f"widths {self.widths}, blocks {self.blocks} and projector {self.projector} do not fit: as many widths "
                "as blocks, and three projector layers."
            )


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut, as in ResNet-18."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        """Make a block from `inputs` to `outputs` channels; a shortcut that must change shape is a 1x1 convolution."""
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        nn.init.zeros_(self.bn2.weight)  # every block starts as its shortcut

    def forward(self, x: Tensor) -> Tensor:
        """Map (m, inputs, h, w) to (m, outputs, h / stride, w / stride)."""
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(self.bn2(self.conv2(y)) + shortcut, inplace=True)


class SmallResNet(nn.Module):
    """A ResNet for 32x32 images: 3x3 stem without max-pooling, basic blocks, global average pooling."""

    def __init__(self, architecture: Architecture):
        """Make it with the widths and blocks of `architecture`."""
        super().__init__()
        inputs = architecture.widths[0]
        self.conv1 = nn.Conv2d(1, inputs, 3, architecture.stem_stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inputs)
        self.layers = len(architecture.widths)
        for i, (width, blocks) in enumerate(zip(architecture.widths, architecture.blocks, strict=True), start=1):
            chain = [BasicBlock(inputs, width, 1 if i == 1 else 2)]
            chain += [BasicBlock(width, width, 1) for _ in range(blocks - 1)]
            self.add_module(f"layer{i}", nn.Sequential(*chain))
            inputs = width
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Map images (m, 1, 32, 32) to embeddings (m, d), which are not negative."""
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        for i in range(1, self.layers + 1):
            x = self.get_submodule(f"layer{i}")(x)
        return x.float().mean(dim=(2, 3))


def projector(embedding: int, sizes: tuple[int, int, int], method: str) -> nn.Sequential:
    """Make linear, BN, ReLU, linear, BN, ReLU, linear with the bias flags of `method`'s official code."""
    bias = method == "vicreg"
    first, second, last = sizes
    return nn.Sequential(
        nn.Linear(embedding, first, bias=bias),
        nn.BatchNorm1d(first),
        nn.ReLU(inplace=True),
        nn.Linear(first, second, bias=bias),
        nn.BatchNorm1d(second),
        nn.ReLU(inplace=True),
        nn.Linear(second, last, bias=False),
    )


class Encoder(nn.Module):
    """Map images to their embedding (before the projector) and projection (after it) in one forward pass.

    The projection is the projector's raw output for both methods, as in the paper; the batch normalisation without
    parameters that Barlow Twins puts between projector and loss belongs to the loss.
    """

    def __init__(self, architecture: Architecture, *, name: str = "untrained", sha256: str = ""):
        """Make an encoder with random weights; `name` and `sha256` identify the weights put into it."""
        super().__init__()
        self.architecture, self.name, self.sha256 = architecture, name, sha256
        self.backbone = SmallResNet(architecture)
        self.projector = projector(architecture.widths[-1], architecture.projector, architecture.method)
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Map images (m, 1, 32, 32) in [0, 1] to (embedding (m, p), projection (m, q)), both float32."""
        embedding = self.backbone(images)
        return embedding, self.projector(embedding).float()

    @property
    def dimensions(self) -> dict[str, int]:
        """The dimension of each space."""
        return {"embedding": self.architecture.widths[-1], "projection": self.architecture.projector[-1]}


def prepare(images: np.ndarray | Tensor) -> Tensor:
    """Turn uint8 images (m, 32, 32), 0 = paper and 255 = ink, into float32 (m, 1, 32, 32) in [0, 1]."""
    images = torch.as_tensor(images)
    if images.dtype != torch.uint8 or images.ndim != 3:
        raise ValueError(f"images are {images.dtype} {tuple(images.shape)}; expected uint8 (m, 32, 32).")
    return images.unsqueeze(1).to(torch.float32).div_(255.0)


def save_encoder(encoder: Encoder, card: dict[str, Any], folder: Path | None = None) -> Path:
    """Write `<name>.safetensors` and its card `<name>.json` to `folder` (default: the bundled weights).

    Matrices are stored as float16, vectors (biases, batch normalisation) as float32. The card gains the architecture,
    the file's SHA-256 and its size. Returns the path of the weights.
    """
    path = Path(folder or store.DATA / "weights") / f"{encoder.name}.safetensors"
    tensors = {key: stored(value) for key, value in encoder.state_dict().items()}
    data = save(tensors)
    write_atomically(path, data)
    entries = {"architecture": asdict(encoder.architecture), "bytes": len(data), "sha256": sha256_bytes(data)}
    write_json(path.with_suffix(".json"), {**card, "name": encoder.name, **entries})
    return path


def stored(tensor: Tensor) -> Tensor:
    """Return a tensor as it is kept in a weights file: float16 from two dimensions on, else unchanged."""
    return (tensor.to(torch.float16) if tensor.ndim >= 2 else tensor).contiguous()


def load_encoder(name: str, folder: Path | None = None) -> Encoder:
    """Load an encoder, ready to use (eval mode, float32), by the name of its weights.

    Raises ValueError for an unknown name of the bundled weights, MissingDataError where a file is missing, and
    CorruptFileError where the weights do not match the card: another checksum, a missing or a surplus key.
    """
    if folder is None and name not in METHODS:
        raise ValueError(f"encoder is {name!r}; the bundled ones are {METHODS}.")
    path = Path(folder or store.DATA / "weights") / f"{name}.safetensors"
    for file in (path, path.with_suffix(".json")):
        if not file.exists():
            raise MissingDataError(
                f"{file} is not here: `git checkout` brings it back, `make weights` trains it again."
            )
    card = read_json(path.with_suffix(".json"))
    cure = "`git checkout` brings the right files back, `make weights` trains them again."
    try:
        told, sha256 = (
            {k: tuple(v) if isinstance(v, list) else v for k, v in card["architecture"].items()},
            card["sha256"],
        )
        architecture = Architecture(**told)
    except (KeyError, TypeError, AttributeError) as error:
        raise CorruptFileError(f"{path.with_suffix('.json')} is no card of an encoder ({error}). {cure}") from error
    if sha256_file(path) != sha256:
        raise CorruptFileError(f"{path} does not match the checksum in its card. {cure}")
    try:
        tensors = load_file(path)
    except safetensors.SafetensorError as error:
        raise CorruptFileError(f"{path} is not a safetensors file ({error}). {cure}") from error
    encoder = Encoder(architecture, name=name, sha256=sha256)
    expected = encoder.state_dict()
    wrong = sorted(set(tensors) ^ set(expected))
    wrong += [k for k in sorted(set(tensors) & set(expected)) if tensors[k].shape != expected[k].shape]
    if wrong:
        raise CorruptFileError(f"{path} does not fit its card at {len(wrong)} entries, such as {wrong[:4]}. {cure}")
    encoder.load_state_dict({key: value.to(expected[key].dtype) for key, value in tensors.items()}, strict=True)
    return encoder.eval()
