"""The profiles: which pool, and how much of the paper's protocol. One notebook serves all; only this changes."""

from dataclasses import dataclass
from pathlib import Path

from elsa_nb.errors import MissingDataError
from elsa_nb.store import DATA, FIGURES, ROOT


@dataclass(frozen=True)
class Profile:
    """One profile: the data set it searches, and where its figures and executed notebooks go."""

    name: str
    dataset: str
    about: str

    @property
    def figures(self) -> Path:
        """The folder of its figures and tables: the committed one for `full`, `build/<profile>/figures` else."""
        return FIGURES if self.name == "full" else self.build / "figures"

    @property
    def build(self) -> Path:
        """The folder of its executed notebooks and its report (never committed)."""
        return ROOT / "build" / self.name

    def pool(self, encoder: str, space: str) -> Path:
        """Return the folder of a pool; `MissingDataError` if nothing has been extracted there."""
        folder = DATA / "pools" / f"{self.dataset}-{encoder}-{space}"
        if not (folder / "pool.json").exists():
            raise MissingDataError(
                f"profile {self.name!r} needs the pool {folder}, which is not here. {_CURES[self.name]}"
            )
        return folder


_GLYPHS = "Run notebooks/01-embeddings.ipynb, or `elsa-nb embed`: a few minutes."
_CURES = {
    "quick": _GLYPHS,
    "full": _GLYPHS,
    "photos": "This version extracts the bundled glyphs only; use profile = 'quick' or 'full'.",
    "paper": "This version extracts the bundled glyphs only; use profile = 'quick' or 'full', or "
    "put vectors of your own there with elsa_nb.pool.Pool.save.",
}
PROFILES = {
    p.name: p
    for p in (
        Profile("quick", "glyphs", "the bundled pool, few classes and repeats: minutes on two cores"),
        Profile("full", "glyphs", "the bundled pool, the paper's protocol: 50 classes, but 2 repeats instead of its 5"),
        Profile("photos", "photos", "natural photographs at low resolution, given by ELSA_DATA"),
        Profile("paper", "imagenet-1k", "ImageNet-1k from your own copy and the official encoders, on a GPU"),
    )
}


def profile(name: str) -> Profile:
    """Return the profile called `name`; ValueError for an unknown one."""
    if name not in PROFILES:
        raise ValueError(f"profile {name!r} is not known; allowed: {', '.join(PROFILES)}")
    return PROFILES[name]
