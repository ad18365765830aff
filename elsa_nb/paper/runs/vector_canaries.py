"""Vectors made again and compared: 64 images of each bundled encoder, whose vectors `data/weights/canaries.npz` holds.

`elsa-nb verify` calls `compare_vectors`. A change of decoding, cropping, resizing, normalising or of a network shows
here, and `EXTRACTION` in `elsa_nb.images.extraction.version` has to be raised with it. The small encoders see 64
glyphs, those of photographs 64 drawn pictures of many sizes, as PNG files (`draw_pictures`).
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from elsa_nb import store
from elsa_nb.images.encoders.by_name import load_encoder
from elsa_nb.images.extraction.crops import Crops
from elsa_nb.images.extraction.extract import encode
from elsa_nb.images.extraction.version import EXTRACTION
from elsa_nb.images.sources.files import ImageFiles
from elsa_nb.images.sources.glyphs import Glyphs

CANARY_VECTORS = store.locate("weights/canaries.npz")
CANARY_IMAGES = 64
VECTOR_TOLERANCE = 1e-4  # of single precision after a network of a few layers, on any processor
FLOOR_ENCODERS = ("floor:untrained", "floor:raw-pixels")


def encoders_with_canaries() -> list[str]:
    """Return the encoders that ship with the package, floors included, by the names that `load_encoder` takes."""
    return [*(path.stem for path in store.located("weights/*.safetensors")), *FLOOR_ENCODERS]


def canary_vectors(name: str) -> dict[str, np.ndarray]:
    """Return the vectors of one bundled encoder for its 64 images, float32 (64, d) by space."""
    encoder = load_encoder(name)
    if getattr(encoder, "geometry", None) is None:
        return encode(_Glyphs(), encoder, batch=CANARY_IMAGES)
    with tempfile.TemporaryDirectory() as folder:
        return encode(
            Crops(draw_pictures(Path(folder)), encoder.geometry, "torch", workers=0), encoder, batch=CANARY_IMAGES
        )


def compare_vectors() -> dict[str, float]:
    """Return the largest difference from the stored vectors, by `encoder/space`; inf where shapes differ.

    Raises ValueError where the stored vectors are of another version of extraction, or of other encoders.
    """
    with store.reading(CANARY_VECTORS, "the vectors of canaries", f"{store.RESTORED} brings it back."):
        with np.load(CANARY_VECTORS, allow_pickle=False) as archive:
            stored = {name: archive[name] for name in archive.files}
        version = int(stored.pop("extraction"))
    if version != EXTRACTION:
        raise ValueError(
            f"{CANARY_VECTORS} is of extraction version {version}, the code is version {EXTRACTION}: write it again "
            "with elsa_nb.paper.runs.vector_canaries.write_vectors()"
        )
    now = {f"{name}/{space}": x for name in encoders_with_canaries() for space, x in canary_vectors(name).items()}
    if lacking := sorted(now.keys() ^ stored.keys()):
        raise ValueError(f"{CANARY_VECTORS} and the bundled encoders differ in {lacking[0]!r}: write it again")
    return {key: _difference(stored[key], x) for key, x in now.items()}


def write_vectors() -> None:
    """Store the vectors that the bundled encoders give now."""
    now = {f"{name}/{space}": x for name in encoders_with_canaries() for space, x in canary_vectors(name).items()}
    store.write_with(CANARY_VECTORS, lambda stream: np.savez_compressed(stream, extraction=EXTRACTION, **now))


def draw_pictures(folder: Path) -> ImageFiles:
    """Draw 64 coloured pictures of 48 to 160 pixels a side into `folder`: waves of a fixed seed, with some grain."""
    rng = np.random.default_rng(64)
    names = []
    for number in range(CANARY_IMAGES):
        height, width = rng.integers(48, 160, size=2)
        y, x = np.mgrid[:height, :width] / 32
        waves = [np.sin(a * x + b * y + c) for a, b, c in rng.uniform(0.2, 4, (3, 3))]
        pixels = 127 + 90 * np.stack(waves, axis=-1) + rng.normal(0, 12, (height, width, 3))
        names.append(f"{number:02}.png")
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / names[-1])
    return ImageFiles.of("pictures", folder, names, np.full(CANARY_IMAGES, -1), ())


class _Glyphs:
    """64 glyphs from all over the bundled pool, as a source of images."""

    def __init__(self):
        glyphs = Glyphs.open()
        rows = np.linspace(0, len(glyphs) - 1, CANARY_IMAGES).astype(np.int64)
        self.ids, self.sha256, self._images = glyphs.ids[rows], "", glyphs.images(rows)

    def __len__(self) -> int:
        return CANARY_IMAGES

    def images(self, rows: Any = slice(None)) -> np.ndarray:
        return self._images[rows]


def _difference(stored: np.ndarray, now: np.ndarray) -> float:
    if stored.shape != now.shape:
        return float("inf")
    return float(np.abs(stored - now).max() / max(1.0, np.abs(stored).max()))
