"""Models of open_clip as encoders: images and words in one space, so that a search can begin from a text.

`by_name.load_encoder` calls `load_open_clip` for `open_clip:MODEL/WEIGHTS`; `--text` takes one of them by default.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from elsa_nb.errors import MissingDataError
from elsa_nb.images.encoders import hub
from elsa_nb.images.encoders.libraries import LibraryModel
from elsa_nb.images.encoders.preprocessing import CropGeometry


class ImagesAndText(LibraryModel):
    """An encoder of images and texts in one space: a text lies near the images that show what it says."""

    def __init__(self, model: nn.Module, tokenizer: Any, name: str, geometry: CropGeometry, **normalisation: Any):
        """Wrap a model of open_clip and its tokenizer."""
        with torch.inference_mode():
            dimension = model.eval().encode_image(torch.zeros(1, 3, geometry.crop, geometry.crop)).shape[1]
        super().__init__(model, name, dimension, geometry, **normalisation)
        self._tokenizer = tokenizer

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Map normalised images (m, 3, crop, crop) to (embedding (m, d),)."""
        return (self.network.encode_image(images),)

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """Return the vectors of `texts`, float32 (m, d)."""
        with torch.inference_mode():
            device = next(self.network.parameters()).device
            return self.network.encode_text(self._tokenizer(list(texts)).to(device)).float().cpu().numpy()


def load_open_clip(name: str, pretrained: bool = True) -> ImagesAndText:
    """Load `MODEL/WEIGHTS` of open_clip, ready to use; `pretrained` False leaves its weights random.

    Raises ValueError for a name that open_clip does not know or a model that takes pictures squeezed into a square, and
    MissingDataError without open_clip or the weights.
    """
    try:
        import open_clip
    except ImportError as error:
        raise MissingDataError(
            f"The encoder open_clip:{name} needs open_clip, which is not installed: `pip install 'elsa_nb[text]'`."
        ) from error
    model, _, weights = name.partition("/")
    if model not in open_clip.list_models():
        raise ValueError(f"open_clip has no model {model!r}; open_clip.list_models() names them, such as ViT-B-32.")
    known = open_clip.list_pretrained_tags_by_model(model)
    if pretrained and weights not in known:
        raise ValueError(
            f"open_clip:{name}: weights {weights!r} of {model} are not known; allowed: {', '.join(known) or 'none'}."
        )
    source = _weights(open_clip, model, weights) if pretrained else None
    told = open_clip.get_pretrained_cfg(model, weights) if pretrained else {}
    # A file does not say how its pictures were prepared; the list of published weights does.
    prepared = {key: told[key] for key in ("mean", "std", "interpolation", "resize_mode") if told.get(key)}
    network = open_clip.create_model(
        model, pretrained=source, load_weights=pretrained, force_preprocess_cfg=prepared or None
    )
    config = network.visual.preprocess_cfg
    if config["resize_mode"] != "shortest":
        raise ValueError(f"open_clip's {model} takes pictures squeezed into a square, not cropped: take another model.")
    side = config["size"] if isinstance(config["size"], int) else config["size"][0]
    geometry = CropGeometry(side, side, config["interpolation"])
    normalisation = {"mean": config["mean"], "std": config["std"]}
    return ImagesAndText(network, open_clip.get_tokenizer(model), f"open_clip:{name}", geometry, **normalisation)


def _weights(open_clip: Any, model: str, weights: str) -> str:
    """Return where open_clip is to take weights from: the file in the user's cache, or their own name."""
    place = open_clip.get_pretrained_cfg(model, weights).get("hf_hub", "").strip("/")
    file: Path | None = hub.cached_file(place, hub.OPEN_CLIP_FILES) if place.count("/") == 1 else None
    if file is None and not hub.reachable():
        raise MissingDataError(
            f"The weights of open_clip:{model}/{weights} are not here, and the model hub cannot be reached now. With a "
            "connection the same command fetches them once; `elsa-nb encoders` lists what works without."
        )
    return weights if file is None else str(file)
