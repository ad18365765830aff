"""The bundled encoders: a small ResNet with the projector it was trained with, and their files.

Names and layouts follow the published ones, so that everything that reads an official checkpoint's structure reads
these too: `backbone.` holds torchvision's ResNet names, `projector.` the layers at the places they have in the
official code of the method.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.nn import functional as F

from elsa_nb import store
from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.images.encoders.published import IMAGENET_MEAN, IMAGENET_STD
from elsa_nb.store import as_card, read_card, reading, sha256_bytes, sha256_file, write_atomically

# Each method and how many linear layers its projector has.
_PROJECTOR_LAYERS = {
    "vicreg": 3,
    "barlow-twins": 3,
    "moco-v1": 1,
    "moco-v2": 2,
    "simsiam": 3,
    "swav": 2,
    "swav-multicrop": 2,
    "obow": 0,
}
METHODS = tuple(_PROJECTOR_LAYERS)


@dataclass(frozen=True)
class Architecture:
    """The sizes of an encoder.

    `widths` and `blocks` are the channels and the number of basic blocks of the ResNet's layers; the last width is
    the embedding's dimension. `projector` are the output sizes of the linear layers after it; the last is the
    projection's dimension. `method` decides how many layers the projector has, and their biases; OBoW has no
    projector, and so no projection. `channels` is 1 for grey images and 3 for colour. `stem_pool` puts ResNet's 3x3
    max-pooling with stride 2 after the stem; images of 64 pixels then meet the first block at 16x16, 32x32 ones
    without it too. `resnet50` takes torchvision's ResNet-50 instead of the small one: `widths`, `blocks` and the
    stem's settings are then ignored.
    """

    method: str = "vicreg"
    widths: tuple[int, ...] = (32, 64, 128, 256)
    blocks: tuple[int, ...] = (1, 1, 1, 1)
    stem_stride: int = 2
    projector: tuple[int, ...] = (512, 512, 256)
    channels: int = 1
    stem_pool: bool = False
    resnet50: bool = False

    def __post_init__(self):
        """Refuse an unknown method and sizes that do not belong together."""
        if self.method not in METHODS:
            raise ValueError(f"method is {self.method!r}; it is one of {METHODS}.")
        layers = _PROJECTOR_LAYERS[self.method]
        if len(self.widths) != len(self.blocks) or not self.widths or len(self.projector) != layers:
            raise ValueError(
                f"widths {self.widths}, blocks {self.blocks} and projector {self.projector} do not fit: as many widths "
                f"as blocks, and {layers} projector layers for {self.method}."
            )
        if self.channels not in (1, 3):
            raise ValueError(f"channels is {self.channels}; it is 1 (grey) or 3 (colour).")

    @property
    def embedding(self) -> int:
        """The dimension of the embedding."""
        return 2048 if self.resnet50 else self.widths[-1]


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
    """A ResNet for small images: 3x3 stem, basic blocks, global average pooling."""

    def __init__(self, architecture: Architecture):
        """Make it with the widths and blocks of `architecture`."""
        super().__init__()
        inputs = architecture.widths[0]
        self.conv1 = nn.Conv2d(architecture.channels, inputs, 3, architecture.stem_stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inputs)
        self.pool = architecture.stem_pool
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
        """Map images (m, c, h, w) to embeddings (m, d), which are not negative."""
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        if self.pool:
            x = F.max_pool2d(x, 3, 2, 1)
        for i in range(1, self.layers + 1):
            x = self.get_submodule(f"layer{i}")(x)
        return x.float().mean(dim=(2, 3))


def resnet50() -> nn.Module:
    """Make torchvision's ResNet-50 without its classifier; every block starts as its shortcut."""
    from torchvision.models import resnet50 as official

    network = official(weights=None, zero_init_residual=True)
    network.fc = nn.Identity()
    return network


def projector(embedding: int, sizes: tuple[int, ...], method: str) -> nn.Sequential:
    """Make the projector of `method` with the layers and bias flags of its official code.

    VICReg and Barlow Twins: linear, BN, ReLU, linear, BN, ReLU, linear. MoCo: linear, in version 2 linear, ReLU,
    linear. SimSiam: as Barlow Twins, and a BN without parameters at the end; the last linear layer's bias, which that
    BN takes away again, stays at its first value. SwAV: linear, BN, ReLU, linear. OBoW: nothing, which has no sizes.
    """
    if not sizes:
        return nn.Sequential()
    if method == "moco-v1":
        return nn.Sequential(nn.Linear(embedding, sizes[0]))
    if method == "moco-v2":
        return nn.Sequential(nn.Linear(embedding, sizes[0]), nn.ReLU(inplace=True), nn.Linear(sizes[0], sizes[1]))
    bias = method in ("vicreg", "swav", "swav-multicrop")
    chain: list[nn.Module] = []
    for size in sizes[:-1]:
        chain += [nn.Linear(embedding, size, bias=bias), nn.BatchNorm1d(size), nn.ReLU(inplace=True)]
        embedding = size
    last = nn.Linear(embedding, sizes[-1], bias=method not in ("vicreg", "barlow-twins"))
    if method == "simsiam":
        last.bias.requires_grad_(False)
        return nn.Sequential(*chain, last, nn.BatchNorm1d(sizes[-1], affine=False))
    return nn.Sequential(*chain, last)


class Encoder(nn.Module):
    """Map images to their embedding (before the projector) and projection (after it) in one forward pass.

    The projection is the projector's raw output for every method, as in the paper; the batch normalisation without
    parameters that Barlow Twins puts between projector and loss, and the scaling to length 1 of MoCo, SimSiam and
    SwAV, belong to the loss.
    """

    def __init__(self, architecture: Architecture, *, name: str = "untrained", sha256: str = ""):
        """Make an encoder with random weights; `name` and `sha256` identify the weights put into it."""
        super().__init__()
        self.architecture, self.name, self.sha256 = architecture, name, sha256
        self.backbone = resnet50() if architecture.resnet50 else SmallResNet(architecture)
        self.projector = projector(architecture.embedding, architecture.projector, architecture.method)
        if architecture.channels == 3:  # colours are normalised in here, as ImageNet's are everywhere; grey is not
            for key, value in (("mean", IMAGENET_MEAN), ("std", IMAGENET_STD)):
                self.register_buffer(key, torch.tensor(value).view(1, 3, 1, 1), persistent=False)
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Map images (m, c, h, w) in [0, 1] to (embedding (m, p), projection (m, q)), both float32.

        Without a projector the embedding comes alone.
        """
        if self.architecture.channels == 3:
            images = (images - self.mean) / self.std
        embedding = self.backbone(images).float()
        return (embedding, self.projector(embedding).float()) if len(self.projector) else (embedding,)

    @property
    def dimensions(self) -> dict[str, int]:
        """The dimension of each space, in the order in which `forward` returns them."""
        embedding, projector = self.architecture.embedding, self.architecture.projector
        return {"embedding": embedding, **({"projection": projector[-1]} if projector else {})}


def scaled_to_one(images: np.ndarray | Tensor) -> Tensor:
    """Turn uint8 images, grey (m, h, w) or colour (m, 3, h, w), into float32 (m, 1 or 3, h, w) in [0, 1]."""
    images = torch.as_tensor(images)
    if images.dtype != torch.uint8 or images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[1] != 3):
        raise ValueError(f"images are {images.dtype} {tuple(images.shape)}; expected uint8 (m, h, w) or (m, 3, h, w).")
    return (images.unsqueeze(1) if images.ndim == 3 else images).to(torch.float32).div_(255.0)


def save_encoder(encoder: Encoder, card: dict[str, Any], folder: Path | None = None) -> Path:
    """Write `<name>.safetensors` and its card `<name>.json` to `folder` (default: the bundled weights).

    Matrices are stored as float16, vectors (biases, batch normalisation) as float32. The card gains the architecture,
    the file's SHA-256 and its size. Returns the path of the weights.
    """
    path = Path(folder or store.OUTPUT / "weights") / f"{encoder.name}.safetensors"
    tensors = {key: as_stored(value) for key, value in encoder.state_dict().items()}
    data = save(tensors)
    entries = {"architecture": asdict(encoder.architecture), "bytes": len(data), "sha256": sha256_bytes(data)}
    told = as_card({**card, "name": encoder.name, **entries})  # before earlier weights go
    write_atomically(path, data)
    write_atomically(path.with_suffix(".json"), told)
    return path


def as_stored(tensor: Tensor) -> Tensor:
    """Return a tensor as it is kept in a weights file: float16 from two dimensions on, else unchanged."""
    return (tensor.to(torch.float16) if tensor.ndim >= 2 else tensor).contiguous()


def load_trained(name: str, folder: Path | None = None) -> Encoder:
    """Load an encoder, ready to use (eval mode, float32), by the name of its weights.

    Raises ValueError for an unknown name of the bundled weights, MissingDataError where a file is missing, and
    CorruptFileError where the weights do not match the card: another checksum, a missing or a surplus key.
    """
    if folder is None and name not in (known := sorted({*METHODS, *bundled_encoders()})):
        raise ValueError(f"encoder is {name!r}; the bundled ones are {', '.join(known)}.")
    path = Path(folder) / f"{name}.safetensors" if folder else store.locate(f"weights/{name}.safetensors")
    for file in (path, path.with_suffix(".json")):
        if not file.exists():
            raise MissingDataError(
                f"{file} is not here: {store.RESTORED} brings it back, `make weights` trains it again."
            )
    cure = f"{store.RESTORED} brings the right files back, `make weights` trains them again."
    card_path = path.with_suffix(".json")
    card = read_card(card_path, "a card of an encoder", cure)
    with reading(card_path, "a card of an encoder", cure):
        layout = {k: tuple(v) if isinstance(v, list) else v for k, v in card["architecture"].items()}
        architecture, sha256 = Architecture(**layout), card["sha256"]
        with torch.device("meta"):  # a wrong size costs no memory
            expected = Encoder(architecture, name=name, sha256=sha256).state_dict()
    if sha256_file(path) != sha256:
        raise CorruptFileError(f"{path} does not match the checksum in its card. {cure}")
    with reading(path, "a safetensors file", cure):
        tensors = load_file(path)
    wrong = sorted(set(tensors) ^ set(expected))
    wrong += [k for k in sorted(set(tensors) & set(expected)) if tensors[k].shape != expected[k].shape]
    if wrong:
        raise CorruptFileError(f"{path} does not fit its card at {len(wrong)} entries, such as {wrong[:4]}. {cure}")
    if strange := [key for key, value in tensors.items() if not torch.isfinite(value).all()]:
        raise CorruptFileError(f"{path} holds values that are not finite numbers, in {strange[0]} for instance. {cure}")
    encoder = Encoder(architecture, name=name, sha256=sha256)
    encoder.load_state_dict({key: value.to(expected[key].dtype) for key, value in tensors.items()}, strict=True)
    return encoder.eval()


def bundled_encoders() -> tuple[str, ...]:
    """Return the names of the encoders whose weights are in `data/weights`, sorted."""
    return tuple(path.stem for path in store.located("weights/*.safetensors"))
