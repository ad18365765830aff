"""Encoders by name: published, trained here, of timm or torchvision, from a package, or from the user's own file.

`extraction/embed.py` calls `load_encoder` for the pools of a profile and `load_for_pictures` for a folder of
photographs. A new kind of encoder is a prefix here and a module of its own.
"""

import difflib
from typing import Any

from elsa_nb import store
from elsa_nb.errors import MissingDataError
from elsa_nb.images.encoders.baselines import load_floor
from elsa_nb.images.encoders.efficientnet_lite import load_efficientnet_lite0
from elsa_nb.images.encoders.libraries import load_timm, load_torchvision
from elsa_nb.images.encoders.names import CANDIDATES, FALLBACK, LAST_LAYER, TEXT, is_file_name, name_for_pictures
from elsa_nb.images.encoders.open_clip_models import load_open_clip
from elsa_nb.images.encoders.own_weights import load_own_weights
from elsa_nb.images.encoders.preprocessing import IMAGENET_GEOMETRY
from elsa_nb.images.encoders.published import OFFICIAL
from elsa_nb.images.encoders.published_networks import load_pretrained
from elsa_nb.images.encoders.small_resnet import load_trained
from elsa_nb.option_names import option_named

PREFIXES = ("official", "timm", "torchvision", "open_clip", "floor")


def load_for_pictures(name: str) -> Any:
    """Load the encoder `name` for photographs: one of `load_encoder`'s, or one that only photographs have.

    Those are `dinov2-small` and `vicreg` (short for whole names, see `name_for_pictures`), and the path of the user's
    own checkpoint (`own_weights`). Raises ValueError for an encoder that takes small images of its own kind only, and
    what the loaders raise.
    """
    if is_file_name(name):
        return load_own_weights(name)
    encoder = load_encoder(name_for_pictures(name))
    if not hasattr(encoder, "geometry"):
        raise ValueError(
            f"the encoder {encoder.name!r} was trained on small images of its own kind; for a folder of photographs "
            f"leave {option_named('encoder')} out, or take one that `elsa-nb encoders` lists."
        )
    return encoder


def _known_names(name: str) -> str:
    """Return which encoders of photographs there are, the one first that `name` is perhaps meant to be."""
    names = [*CANDIDATES, *OFFICIAL]
    near = difflib.get_close_matches(name, names, n=1)
    meant = f"Did you mean {near[0]}? " if near else ""
    return (
        f"{meant}For photographs: {', '.join(names)}, timm:MODEL, torchvision:MODEL, {TEXT}, or a file of weights. "
        "`elsa-nb encoders` lists what works here."
    )


def load_encoder(name: str) -> Any:
    """Load the encoder `name`, ready to use.

    `official:vicreg` is a published one (see `elsa-nb encoders`), `timm:vit_small_patch14_dinov2.lvd142m` any model of
    timm (which must be installed, and downloads the weights once), `torchvision:resnet50` torchvision's with its newest
    weights, `open_clip:ViT-B-32/datacomp_xl_s13b_b90k` one of open_clip, which knows texts, too; `floor:untrained` and
    `floor:raw-pixels` are the baselines that all of them have to beat (`baselines`). `efficientnet-lite0` comes from a
    package, for photographs of 224 pixels; `efficientnet-lite0@96` takes them at another size. A plain name is an
    encoder trained here, in `data/weights`, or the user's own checkpoint in the format of VICReg's official code,
    `data/checkpoints/<name>.pth`. Raises ValueError for an unknown name and MissingDataError for weights that are not
    here.
    """
    if not isinstance(name, str):
        raise ValueError(f"encoder {name!r:.60} is not a name; `elsa-nb encoders` lists the names.")
    kind, colon, rest = name.partition(":")
    if colon and kind not in PREFIXES:
        raise ValueError(
            f"encoder {name!r}: {kind!r} is not known before the colon; allowed: {', '.join(PREFIXES)}. "
            "`elsa-nb encoders` lists the names."
        )
    model, _, size = name.partition("@")
    if model in (LAST_LAYER, FALLBACK):
        return load_efficientnet_lite0(size, stages=model == FALLBACK)
    if kind == "official" and colon:
        return load_pretrained(rest)
    if colon:
        loaders = {"timm": load_timm, "torchvision": load_torchvision, "open_clip": load_open_clip, "floor": load_floor}
        return loaders[kind](rest)
    own = store.locate(f"checkpoints/{name}.pth")
    trained = store.locate(f"weights/{name}.safetensors")
    if own.is_file() and not trained.is_file() and name not in OFFICIAL:
        encoder = load_pretrained("vicreg", own)
        encoder.name = name
        return encoder
    if not trained.is_file():
        hint = f"Did you mean official:{name}?" if name in OFFICIAL else _known_names(name)
        raise MissingDataError(f"No encoder {name!r} is here: neither {trained} nor {own}. {hint}")
    encoder = load_trained(name, trained.parent)
    if encoder.architecture.resnet50:
        encoder.geometry = IMAGENET_GEOMETRY
    return encoder
