"""Everything that decides a training run, apart from its images. `recipes.py` fills it in, `train.py` follows it."""

from dataclasses import dataclass, field
from math import inf
from typing import Any

from elsa_nb.images.encoders.small_resnet import Architecture
from elsa_nb.images.training.glyph_augmentations import GlyphAugmentation
from elsa_nb.images.training.optimisers import OPTIMISERS, SCHEDULES

TRAINING_PRECISIONS = ("bfloat16", "float32")


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that decides a training run, apart from the images.

    The last rows of an epoch that do not fill a batch are left out.

    Attributes:
        architecture: The network, and the method that trains it.
        views: The augmentation of each view. VICReg, Barlow Twins, MoCo and SimSiam take two views, SwAV two of one
            size and any number of others, OBoW the teacher's and any number of the student's.
        settings: The method's own (`methods`); None: the official ones.
        epochs: How often each image is seen.
        batch: Images per step, in all processes together.
        optimiser: One of `OPTIMISERS`.
        lr: The highest learning rate.
        weight_decay: Of the optimiser.
        schedule: How the learning rate falls: one of `SCHEDULES`.
        warm_up: The part of all steps over which the learning rate rises.
        final: The part of the learning rate that is left at the end of a cosine.
        seed: Of all random draws.
        precision: Of convolutions and linear layers, "bfloat16" or "float32"; losses are always float32.
        checkpoint_every: Steps between two states that a stopped training goes on from.
        log_every: Steps between two lines of the log.
    """

    architecture: Architecture = field(default_factory=Architecture)
    views: tuple[Any, ...] = (GlyphAugmentation(), GlyphAugmentation())
    settings: Any = None
    epochs: int = 6
    batch: int = 256
    optimiser: str = "adamw"
    lr: float = 5e-3
    weight_decay: float = 1e-2
    schedule: str = "cosine"
    warm_up: float = 0.05
    final: float = 1e-3
    seed: int = 0
    precision: str = "bfloat16"
    checkpoint_every: int = 200
    log_every: int = 50

    def __post_init__(self):
        """Refuse settings that cannot be run."""
        for key, allowed in (("optimiser", OPTIMISERS), ("precision", TRAINING_PRECISIONS), ("schedule", SCHEDULES)):
            if getattr(self, key) not in allowed:
                raise ValueError(f"{key} is {getattr(self, key)!r}; expected one of {allowed}.")
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}; expected 0 or more.")
        least = {"swav-multicrop": 3, "obow": 2}.get(self.architecture.method)
        if len(self.views) < (least or 2) or (len(self.views) > 2 and not least):
            raise ValueError(
                f"{len(self.views)} views for {self.architecture.method}; expected "
                f"{f'{least} or more' if least else 2}."
            )
        small = {key: getattr(self, key) for key in ("epochs", "batch", "checkpoint_every", "log_every")}
        if min(small.values()) < 1 or self.batch < 2 or not 0 <= self.warm_up < 1 or not 0 < self.lr < inf:
            raise ValueError(
                f"{small}, lr {self.lr}, warm_up {self.warm_up}: expected counts of at least 1 (batch 2), a finite lr "
                "above 0 and warm_up in [0, 1)."
            )
        for key in ("weight_decay", "final"):
            if not 0 <= getattr(self, key) < inf:
                raise ValueError(f"{key} is {getattr(self, key)}; expected a finite number, 0 or more.")
