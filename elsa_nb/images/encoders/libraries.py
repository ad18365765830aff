"""Models of timm and torchvision as encoders: the classifier taken off, images prepared as each model wants them.

`by_name.load_encoder` calls `load_timm` and `load_torchvision`.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from elsa_nb.errors import MissingDataError
from elsa_nb.images.encoders import hub
from elsa_nb.images.encoders.preprocessing import CropGeometry, check_channels, normalise
from elsa_nb.images.encoders.published import IMAGENET_MEAN, IMAGENET_STD
from elsa_nb.store import sha256_bytes


class LibraryModel(nn.Module):
    """A model of a library, its classifier taken off: images to embeddings. It has no projection."""

    def __init__(
        self,
        network: nn.Module,
        name: str,
        dimension: int,
        geometry: CropGeometry,
        mean: tuple[float, ...] = IMAGENET_MEAN,
        std: tuple[float, ...] = IMAGENET_STD,
    ):
        """Wrap `network`, which maps normalised images (m, 3, crop, crop) to (m, dimension).

        `mean` and `std` are one number per channel, of pixels from 0 to 1. Raises ValueError for anything else.
        """
        super().__init__()
        if not isinstance(network, nn.Module):
            raise ValueError(f"network of type {type(network).__name__}; give a torch.nn.Module")
        if not isinstance(dimension, int) or isinstance(dimension, bool) or dimension < 1:
            raise ValueError(f"dimension = {dimension!r:.60}; give the number of values in a vector, 1 or more")
        if not isinstance(geometry, CropGeometry):
            raise ValueError(f"geometry = {geometry!r:.60}; give a CropGeometry(resize, crop)")
        if not isinstance(name, str) or not name.strip():
            raise ValueError(f"name = {name!r:.60}; give a name for what is known of the vectors, such as 'mine'")
        check_channels(mean, std)
        self.network, self.name, self.geometry, self.mean, self.std = network, name, geometry, tuple(mean), tuple(std)
        self.dimensions: Mapping[str, int] = {"embedding": dimension}
        self.sha256 = fingerprint(network, {"name": name, **asdict(geometry), "mean": self.mean, "std": self.std})

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Map normalised images (m, 3, crop, crop) to (embedding (m, p),)."""
        return (self.network(images),)

    def prepare(self, images: Tensor) -> Tensor:
        """Turn uint8 images (m, 3, h, w) into what `forward` takes: with the model's own mean and deviation."""
        return normalise(images, self.mean, self.std)


def load_timm(name: str, pretrained: bool = True) -> LibraryModel:
    """Load a model of timm without its classifier, with the image size, filter and normalisation it was trained with.

    `name` may end in `@` and another image size that the model takes: `vit_small_patch14_dinov2.lvd142m@224`.
    Raises ValueError for a name or size that timm does not know, MissingDataError without timm or the weights.
    """
    try:
        import timm
    except ImportError as error:
        raise MissingDataError(
            f"The encoder timm:{name} needs timm, which is not installed: `pip install 'elsa_nb[timm]'`."
        ) from error
    model, at, size = name.partition("@")
    if not timm.is_model(model):
        near = ", ".join(timm.list_models(f"*{model.partition('.')[0]}*")[:5]) or "none"
        raise ValueError(f"timm has no model {model!r}. Near it: {near}.")
    if at and not (size.isdigit() and int(size)):
        raise ValueError(f"timm:{name}: after the @, give an image size in pixels, such as @224; got {size!r}.")
    options: dict[str, Any] = {"img_size": int(size)} if at else {}
    if pretrained and (file := hub.cached_weights(model)):
        options["pretrained_cfg_overlay"] = {"file": str(file)}
    elif pretrained and not hub.reachable():
        raise MissingDataError(
            f"The weights of timm:{name} are not here, and the model hub cannot be reached now. With a connection the "
            "same command fetches them once; `elsa-nb encoders` lists what works without."
        )
    try:
        network = timm.create_model(model, pretrained=pretrained, num_classes=0, **options)
    except TypeError as error:
        if not at:
            raise
        raise ValueError(f"timm's {model} cannot be made for another image size: leave out @{size}.") from error
    except (OSError, RuntimeError) as error:  # a hub that refuses or breaks off, or has no weights of this name
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise MissingDataError(
            f"The weights of timm:{name} cannot be fetched now ({reason}). `elsa-nb encoders` lists what is here."
        ) from error
    config = timm.data.resolve_model_data_config(network)
    side = int(size) if at else config["input_size"][-1]
    interpolation = config["interpolation"] if config["interpolation"] in ("bilinear", "bicubic") else "bicubic"
    geometry = CropGeometry(max(side, int(side / config["crop_pct"])), side, interpolation)
    return LibraryModel(network, f"timm:{name}", network.num_features, geometry, config["mean"], config["std"])


def load_torchvision(name: str, pretrained: bool = True) -> LibraryModel:
    """Load a classifier of torchvision without its last layer, with the transform of its newest weights."""
    from torchvision import models

    if name not in models.list_models(module=models):
        raise ValueError(f"torchvision has no classifier {name!r}; torchvision.models.list_models() names them.")
    weights = models.get_model_weights(name).DEFAULT
    try:
        network = models.get_model(name, weights=weights if pretrained else None)
    except OSError as error:  # no connection, a refusal, a full disk
        raise MissingDataError(
            f"The weights of torchvision:{name} are not here, and {weights.url} cannot be fetched now ({error}). With "
            "a connection the same command fetches them once; `elsa-nb encoders` lists what works without."
        ) from error
    _without_classifier(network, name)
    transform = weights.transforms()
    geometry = CropGeometry(transform.resize_size[0], transform.crop_size[0], transform.interpolation.value)
    with torch.inference_mode():
        dimension = network.eval()(torch.zeros(1, 3, geometry.crop, geometry.crop)).shape[1]
    return LibraryModel(network, f"torchvision:{name}", dimension, geometry, transform.mean, transform.std)


def fingerprint(network: nn.Module, preparation: Mapping[str, Any]) -> str:
    """Return the SHA-256 of all weights and of how images are prepared for them."""
    parts = [repr(sorted(preparation.items()))]
    for key, value in network.state_dict().items():
        parts.append(f"{key} {sha256_bytes(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)}")
    return sha256_bytes("\n".join(parts).encode())


def _without_classifier(network: nn.Module, name: str) -> None:
    for attribute in ("fc", "classifier", "heads", "head"):
        last = getattr(network, attribute, None)
        if isinstance(last, nn.Sequential) and isinstance(last[-1], nn.Linear):
            last[-1] = nn.Identity()
            return
        if isinstance(last, nn.Linear):
            setattr(network, attribute, nn.Identity())
            return
    raise ValueError(f"torchvision's {name} ends in no linear layer that could be taken off: use timm's model instead.")
