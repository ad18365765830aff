"""Encoders for one's own images, by name: published, trained here, or any model of timm or torchvision."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from elsa_nb import store
from elsa_nb.errors import MissingDataError
from elsa_nb.images.encoders import load_encoder
from elsa_nb.images.floors import load_floor
from elsa_nb.images.official import IMAGENET_MEAN, IMAGENET_STD, OFFICIAL
from elsa_nb.images.preprocessing import IMAGENET_GEOMETRY, Geometry, normalise
from elsa_nb.images.pretrained import load_pretrained
from elsa_nb.store import sha256_bytes

KINDS = ("official", "timm", "torchvision", "floor")


class Practical(nn.Module):
    """A model of a library, its classifier taken off: images to embeddings. It has no projection."""

    def __init__(
        self,
        network: nn.Module,
        name: str,
        dimension: int,
        geometry: Geometry,
        mean: tuple[float, ...] = IMAGENET_MEAN,
        std: tuple[float, ...] = IMAGENET_STD,
    ):
        """Wrap `network`, which maps normalised images (m, 3, crop, crop) to (m, dimension)."""
        super().__init__()
        self.network, self.name, self.geometry, self.mean, self.std = network, name, geometry, tuple(mean), tuple(std)
        self.dimensions: Mapping[str, int] = {"embedding": dimension}
        self.sha256 = fingerprint(network, {"name": name, **asdict(geometry), "mean": self.mean, "std": self.std})

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Map normalised images (m, 3, crop, crop) to (embedding (m, p),)."""
        return (self.network(images),)

    def prepare(self, images: Tensor) -> Tensor:
        """Turn uint8 images (m, 3, h, w) into what `forward` takes: with the model's own mean and deviation."""
        return normalise(images, self.mean, self.std)


def load(name: str) -> Any:
    """Load the encoder `name`, ready to use.

    `official:vicreg` is a published one (see `elsa-nb encoders`), `timm:vit_small_patch14_dinov2.lvd142m` any model of
    timm (which must be installed, and downloads the weights once), `torchvision:resnet50` torchvision's with its newest
    weights, `floor:untrained` and `floor:raw-pixels` what those have to beat (`floors`). A plain name means an encoder
    trained here, in `data/weights`, or a checkpoint of one's own in the format of VICReg's official code,
    `data/checkpoints/<name>.pth`. Raises ValueError for an unknown name and MissingDataError for weights that are not
    here.
    """
    kind, colon, rest = name.partition(":")
    if colon and kind not in KINDS:
        raise ValueError(f"encoder {name!r}: {kind!r} is not known before the colon; allowed: {', '.join(KINDS)}.")
    if kind == "official" and colon:
        return load_pretrained(rest)
    if colon:
        return {"timm": load_timm, "torchvision": load_torchvision, "floor": load_floor}[kind](rest)
    own = store.DATA / "checkpoints" / f"{name}.pth"
    trained = store.DATA / "weights" / f"{name}.safetensors"
    if own.is_file() and not trained.is_file() and name not in OFFICIAL:
        encoder = load_pretrained("vicreg", own)
        encoder.name = name
        return encoder
    if not trained.is_file():
        hint = f" Did you mean official:{name}?" if name in OFFICIAL else ""
        raise MissingDataError(f"No encoder {name!r} is here: neither {trained} nor {own}.{hint}")
    encoder = load_encoder(name, trained.parent)
    if encoder.architecture.resnet50:
        encoder.geometry = IMAGENET_GEOMETRY
    return encoder


def load_timm(name: str, pretrained: bool = True) -> Practical:
    """Load a model of timm without its classifier, with the image size, filter and normalisation it was made with."""
    try:
        import timm
    except ImportError as error:
        raise MissingDataError(
            f"The encoder timm:{name} needs timm, which is not installed: `pip install 'elsa_nb[timm]'`."
        ) from error
    if not timm.is_model(name):
        near = ", ".join(timm.list_models(f"*{name.partition('.')[0]}*")[:5]) or "none"
        raise ValueError(f"timm has no model {name!r}. Near it: {near}.")
    network = timm.create_model(name, pretrained=pretrained, num_classes=0)
    told = timm.data.resolve_model_data_config(network)
    side = told["input_size"][-1]
    interpolation = told["interpolation"] if told["interpolation"] in ("bilinear", "bicubic") else "bicubic"
    geometry = Geometry(max(side, int(side / told["crop_pct"])), side, interpolation)
    return Practical(network, f"timm:{name}", network.num_features, geometry, told["mean"], told["std"])


def load_torchvision(name: str, pretrained: bool = True) -> Practical:
    """Load a classifier of torchvision without its last layer, with the transform of its newest weights."""
    from torchvision import models

    if name not in models.list_models(module=models):
        raise ValueError(f"torchvision has no classifier {name!r}; torchvision.models.list_models() names them.")
    weights = models.get_model_weights(name).DEFAULT
    network = models.get_model(name, weights=weights if pretrained else None)
    _without_classifier(network, name)
    told = weights.transforms()
    geometry = Geometry(told.resize_size[0], told.crop_size[0], told.interpolation.value)
    with torch.inference_mode():
        dimension = network.eval()(torch.zeros(1, 3, geometry.crop, geometry.crop)).shape[1]
    return Practical(network, f"torchvision:{name}", dimension, geometry, told.mean, told.std)


def fingerprint(network: nn.Module, told: Mapping[str, Any]) -> str:
    """Return the SHA-256 of all weights and of how images are prepared for them."""
    parts = [repr(sorted(told.items()))]
    for key, value in network.state_dict().items():
        parts.append(f"{key} {sha256_bytes(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)}")
    return sha256_bytes("\n".join(parts).encode())


def _without_classifier(network: nn.Module, name: str) -> None:
    for place in ("fc", "classifier", "heads", "head"):
        last = getattr(network, place, None)
        if isinstance(last, nn.Sequential) and isinstance(last[-1], nn.Linear):
            last[-1] = nn.Identity()
            return
        if isinstance(last, nn.Linear):
            setattr(network, place, nn.Identity())
            return
    raise ValueError(f"torchvision's {name} ends in no linear layer that could be taken off: use timm's model instead.")
