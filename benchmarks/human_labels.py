"""Photographs that three people each labelled (CIFAR-10N), as pools in which a class is rare, with their answers.

`photographs` embeds 1,100 training images of each class once, by the encoder that needs no connection, and keeps the
vectors in `data/cache`. `rare` is the pool of one class: `WANTED` of its images among all of the other nine.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from elsa_nb import store
from elsa_nb.images.encoders.by_name import load_for_pictures
from elsa_nb.images.extraction.crops import Crops
from elsa_nb.images.extraction.extract import encode
from elsa_nb.images.sources.annotators import PEOPLE, human_labels
from elsa_nb.images.sources.packs import Pack
from elsa_nb.store import DATA

PACK = "cifar-10-jpeg"
OF_A_CLASS, WANTED = 1100, 100  # the class is 1 % of its pool
_PART = 1000  # images encoded and kept together
ENCODER = "efficientnet-lite0@96"  # the pictures have 32 pixels, and 224 would show no more in five times the time


@dataclass(frozen=True, eq=False)
class Photographs:
    """Photographs of all classes: `vectors` (n, d) float32, class `names` (n,) and what `people` said (3, n)."""

    vectors: np.ndarray
    names: np.ndarray
    people: np.ndarray

    @property
    def majority(self) -> np.ndarray:
        """What two of the three said (n,), or where all differ, what the first said."""
        first, second, third = self.people
        return np.where(second == third, second, first)

    def rare(self, name: str) -> np.ndarray:
        """Return the rows of the pool in which the class `name` is rare, ascending; the same in each call."""
        wanted = np.flatnonzero(self.names == name)[:WANTED]
        return np.sort(np.concatenate([wanted, np.flatnonzero(self.names != name)]))


def photographs(cache: Path | None = None) -> Photographs:
    """Return the photographs, embedded once: some minutes on one core. The pack and its labels are in ELSA_DATA."""
    pack = Pack.open(PACK)
    told = human_labels(pack).astype(str)
    rows = np.sort(np.concatenate([told.index[told["label"] == name][:OF_A_CLASS] for name in pack.classes]))
    folder = cache or DATA / "cache" / "people-who-err"
    vectors = np.concatenate([_part(pack, rows[start : start + _PART], folder) for start in range(0, len(rows), _PART)])
    told = told.loc[rows]
    return Photographs(vectors, told["label"].to_numpy(), told[list(PEOPLE)].to_numpy().T)


def _part(pack: Pack, rows: np.ndarray, folder: Path) -> np.ndarray:
    """Return the vectors (m, d) float32 of some images, kept in `folder`."""
    path = folder / f"{rows[0]:06}.npy"
    if not path.exists():
        encoder = load_for_pictures(ENCODER)
        crops = Crops(pack, encoder.geometry, rows=rows, workers=0)
        vectors = encode(crops, encoder, batch=50)["embedding"].astype(np.float16)
        folder.mkdir(parents=True, exist_ok=True)
        store.write_with(path, lambda file: np.save(file, vectors))
    return np.load(path).astype(np.float32)
