"""Recipes: the short runs that make the bundled encoders, and the published ones for a GPU; `command.py` picks one."""

from dataclasses import replace
from typing import Any

from elsa_nb.images.encoders.small_resnet import METHODS, Architecture
from elsa_nb.images.training.config import TrainingConfig
from elsa_nb.images.training.glyph_augmentations import GlyphAugmentation, GlyphPart
from elsa_nb.images.training.methods import (
    BarlowTwinsSettings,
    MoCoSettings,
    OBoWSettings,
    SimSiamSettings,
    SwAVSettings,
    default_settings,
)
from elsa_nb.images.training.photo_augmentations import PhotoAugmentation, views

# Projectors of the bundled encoders: the official layers, with widths that suit an embedding of a few hundred values.
PROJECTORS = {
    "vicreg": (512, 512, 256),
    "barlow-twins": (512, 512, 256),
    "moco-v1": (128,),
    "moco-v2": (256, 128),
    "simsiam": (256, 256, 256),
    "swav": (256, 128),
    "swav-multicrop": (256, 128),
    "obow": (),
}
# Short runs on a small pool: queue, prototypes and momentum follow the number of images, classes and steps.
SETTINGS: dict[str, Any] = {
    "moco-v1": MoCoSettings(temperature=0.07, momentum=0.99, queue=8192, groups=4),
    "moco-v2": MoCoSettings(temperature=0.2, momentum=0.99, queue=8192, groups=4),
    "simsiam": SimSiamSettings(predictor=64),
    "swav": SwAVSettings(prototypes=512, frozen=100),
    "swav-multicrop": SwAVSettings(prototypes=512, frozen=100),
    # Softness and kappa of the published ResNet-18; the last maps of 32 pixels have 2 x 2 places: no border to spare.
    "obow": OBoWSettings(words=1024, delta=1 / 10, border=0, kappa=5.0),
}
# What OBoW's teacher sees: the image, only turned, slanted and moved, a third as far as the student's views.
SEEN_BY_TEACHER = GlyphAugmentation(
    rotation=2.0,
    shear=0.07,
    zoom=0.03,
    stretch=0.04,
    shift=0.02,
    **dict.fromkeys(("elastic", "bold", "thin", "blur", "fade", "erase"), 0.0),
)
SMALL_VIEWS = ("swav-multicrop", "obow")  # methods that see four small views of parts beside the two whole ones
PHOTO_SIDE = 48  # views of 48 pixels out of images of 64: crops show things larger, and larger again at 64
PLAIN = PhotoAugmentation(224, (0.75, 1.0), jitter=0.0, grey=0.0, blur=0.0)  # what OBoW's teacher sees of photographs


def glyph_recipe(method: str, epochs: int = 6) -> TrainingConfig:
    """Return the recipe of a bundled glyph encoder: one architecture, one optimiser, one length for all methods."""
    _known(method)
    pair = (GlyphAugmentation(), GlyphAugmentation())
    parts = (GlyphPart(),) * 4 if method in SMALL_VIEWS else ()
    teacher = (SEEN_BY_TEACHER,) if method == "obow" else ()
    architecture = Architecture(method, projector=PROJECTORS[method])
    return TrainingConfig(architecture, (*teacher, *pair, *parts), SETTINGS.get(method), epochs=epochs)


def photo_recipe(method: str, epochs: int = 24, variant: str = "asymmetric") -> TrainingConfig:
    """Return the recipe of a small encoder for colour images of 64 pixels.

    The augmentation is the official one; only its crops are at least a fifth of the image, not a twelfth: of 64 pixels
    a twelfth leaves little. `variant` is that of `photo_augmentations.views`.
    """
    _known(method)
    pair = tuple(replace(view, scale=(0.2, 1.0)) for view in views(variant, PHOTO_SIDE))
    parts = (replace(pair[0], side=32, scale=(0.05, 0.2), blur=0.5),) * 4 if method in SMALL_VIEWS else ()
    teacher = (replace(PLAIN, side=PHOTO_SIDE),) if method == "obow" else ()
    architecture = Architecture(method, projector=PROJECTORS[method], channels=3, stem_pool=True)
    return TrainingConfig(architecture, (*teacher, *pair, *parts), SETTINGS.get(method), epochs=epochs, lr=3e-3)


def official_recipe(
    method: str, *, epochs: int | None = None, batch: int | None = None, variant: str = "asymmetric"
) -> TrainingConfig:
    """Return the published recipe of a method for ResNet-50 at 224 pixels, as its official code has it.

    `epochs` and `batch` default to those of the published encoders (a thousand epochs of 2,048 for VICReg and Barlow
    Twins). For other batches VICReg and Barlow Twins take the rates their authors name for them: VICReg's base rate is
    0.8 (batch 128), 0.5 (256), 0.4 (512) or 0.3 (1,024 and more) at 100 epochs and 0.2 at 1,000; Barlow Twins' 0.7,
    0.4, 0.3, 0.25 (1,024) and 0.2. `variant` of the two views: "asymmetric" is that of the codes, "symmetric" that of
    VICReg's paper; the other methods have their own. Rates rise in proportion to the batch. The last, incomplete batch
    of an epoch is left out, which the official codes of VICReg and Barlow Twins do not do: its statistics are others.
    SwAV's frozen steps and the start of its queue are one and fifteen epochs of ImageNet; its warm-up begins at 0, not
    at 0.3. Biases and scales of Barlow Twins move as on the 16 processes of its publication (`BarlowTwinsSettings`).
    OBoW's teacher sees crops of at least three quarters of an image, not the one in its middle; its student's five
    small crops are of the size that the official code's have, but each is drawn from the image and coloured anew.
    """
    _known(method)
    default_epochs, default_batch = PUBLISHED[method]
    epochs, batch = epochs or default_epochs, batch or default_batch
    projectors = {"vicreg": (8192,) * 3, "barlow-twins": (8192,) * 3, "moco-v1": (128,), "moco-v2": (2048, 128)}
    projectors |= {"simsiam": (2048,) * 3, "swav": (2048, 128), "swav-multicrop": (2048, 128), "obow": ()}
    architecture = Architecture(method, projector=projectors[method], channels=3, resnet50=True)
    common = {"epochs": epochs, "batch": batch, "precision": "bfloat16", "log_every": 50, "checkpoint_every": 1000}
    pair, settings, share = views(variant, 224), default_settings(method), batch / 256
    if method in ("vicreg", "barlow-twins"):
        if method == "barlow-twins":
            settings = BarlowTwinsSettings(scale=1 / 16)
        own = {"optimiser": "lars", "lr": base_rate(method, batch, epochs) * share, "weight_decay": 1e-6}
        own |= {"warm_up": min(10 / epochs, 0.5)}
    elif method == "moco-v1":
        mild = PhotoAugmentation(
            224, (0.2, 1.0), brightness=0.4, contrast=0.4, saturation=0.4, hue=0.4, jitter=1.0, blur=0.0
        )
        pair = (mild, mild)
        own = {"optimiser": "sgd", "lr": 0.03 * share, "weight_decay": 1e-4, "schedule": "steps", "warm_up": 0.0}
    elif method in ("moco-v2", "simsiam"):
        strong = PhotoAugmentation(224, (0.2, 1.0), saturation=0.4, blur=0.5)
        pair = (strong, strong)
        rate = 0.03 if method == "moco-v2" else 0.05
        own = {"optimiser": "sgd", "lr": rate * share, "weight_decay": 1e-4, "warm_up": 0.0, "final": 0.0}
    elif method == "obow":
        crops = PhotoAugmentation(160, (0.08, 0.6), saturation=0.4)
        patches = replace(crops, side=96, scale=(0.08, 0.14), blur=0.0)
        pair = (PLAIN, *(crops,) * 2, *(patches,) * 5)
        own = {"optimiser": "sgd", "lr": 0.03 * share, "weight_decay": 1e-4, "warm_up": min(10 / epochs, 0.5)}
    else:
        crops = PhotoAugmentation(224, (0.14, 1.0), brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2)
        pair = (crops, crops)
        if method == "swav-multicrop":
            pair += (replace(crops, side=96, scale=(0.05, 0.14)),) * 6
        small = batch <= 512
        settings = SwAVSettings(frozen=5005 if small else 313, queue=3840 if small else 0, queue_from=15 * 5005)
        rate = 0.6 * share if small else 4.8 * batch / 4096
        own = {"optimiser": "lars", "lr": rate, "weight_decay": 1e-6, "warm_up": 0.0 if small else 10 / epochs}
    return TrainingConfig(architecture, pair, settings, **common, **own)


# Epochs and batch of the published encoders.
PUBLISHED = {
    "vicreg": (1000, 2048),
    "barlow-twins": (1000, 2048),
    "moco-v1": (200, 256),
    "moco-v2": (800, 256),
    "simsiam": (100, 512),
    "swav": (400, 4096),
    "swav-multicrop": (800, 4096),
    "obow": (200, 256),
}
BASE_RATES = {
    "vicreg": {128: 0.8, 256: 0.5, 512: 0.4, 1024: 0.3},
    "barlow-twins": {64: 1.0, 128: 0.7, 256: 0.4, 512: 0.3, 1024: 0.25, 2048: 0.2},
}


def base_rate(method: str, batch: int, epochs: int) -> float:
    """Return the learning rate before it is multiplied by batch / 256, for VICReg and Barlow Twins.

    A batch between two that the authors name takes the rate of the smaller one. VICReg's long runs (above 500 epochs)
    of 1,024 and more take 0.2.
    """
    rates = BASE_RATES[method]
    if batch < 2:
        raise ValueError(f"batch is {batch}; it is at least 2.")
    named = max((size for size in rates if size <= batch), default=min(rates))
    return 0.2 if method == "vicreg" and named >= 1024 and epochs > 500 else rates[named]


def _known(method: str) -> None:
    if method not in METHODS:
        raise ValueError(f"method is {method!r}; it is one of {METHODS}.")
