"""How much of an experiment each profile runs: what the `sweep` module of every experiment calls."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from elsa_nb.paper.runs.grid import Sweep

QUICK_CLASSES, PHOTOS_CLASSES = 5, 20  # at most


def by_profile(full: Sweep, **exceptions: Mapping[str, Any]) -> dict[str, Sweep]:
    """Return {profile: sweep}: all of it in `full` and `paper`, fewer classes and repeats in `quick` and `photos`.

    `exceptions` are further fields in which a profile differs: `by_profile(full, quick={"seeds": (1, 5)})`.
    """
    cut = {
        "quick": {"n_classes": min(full.n_classes, QUICK_CLASSES), "repeats": 1},
        "full": {},
        "photos": {"n_classes": min(full.n_classes, PHOTOS_CLASSES), "repeats": 2},
        "paper": {},
    }
    return {profile: replace(full, **(fields | exceptions.get(profile, {}))) for profile, fields in cut.items()}
