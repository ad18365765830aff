"""Draw characters of typefaces as small grey images, the same bytes on every machine that has the pinned Pillow.

`build.py` and `confusables.py` call `render`.
"""

import logging
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fontTools.ttLib import TTFont, TTLibError
from PIL import Image, ImageFont
from tqdm import tqdm

from elsa_nb.images.glyph_pool.fonts import Face
from elsa_nb.images.sources.grey_images import SIDE, pack

BOX = 28  # the longer side of every drawn character, in pixels

# A character is drawn much larger than it is kept and then averaged down. Marks that are tiny within their em
# (full stop, hyphen) are drawn again at the larger size.
_SIZES = (96, 480)
_TOO_SMALL = 40

logging.getLogger("fontTools").setLevel(logging.ERROR)  # old fonts have oddities in tables that nobody needs


@dataclass(frozen=True)
class Rendering:
    """Images of characters: `packed` uint8 (n, 512), `codes` int32 (n,) code points, `face` int32 (n,) into `faces`.

    Rows are ordered by face and then by code point.
    """

    packed: np.ndarray
    codes: np.ndarray
    face: np.ndarray
    faces: tuple[Face, ...]

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.codes)

    def rows(self, rows: np.ndarray) -> "Rendering":
        """Return the rendering restricted to `rows` (a mask or row numbers)."""
        return Rendering(self.packed[rows], self.codes[rows], self.face[rows], self.faces)


def characters_of(path: Path) -> set[int]:
    """Return the code points for which the font file has a glyph other than its "not defined" box."""
    try:
        with TTFont(path, lazy=True) as font:
            table = font.getBestCmap() or {}
            undefined = {".notdef", font.getGlyphOrder()[0]}
            return {code for code, glyph in table.items() if glyph not in undefined}
    except TTLibError:
        return set()


def render(faces: Sequence[Face], characters: Iterable[int], workers: int | None = None) -> Rendering:
    """Draw every character that each face has; blank and undrawable ones are left out."""
    wanted = tuple(sorted(characters))
    with ProcessPoolExecutor(workers or os.cpu_count()) as pool:
        results = pool.map(_draw_face, (f.path for f in faces), [wanted] * len(faces), chunksize=4)
        drawn = list(tqdm(results, total=len(faces), desc="drawing", unit=" faces", disable=None))
    counts = [len(codes) for codes, _ in drawn]
    return Rendering(
        packed=np.concatenate([packed for _, packed in drawn]),
        codes=np.concatenate([codes for codes, _ in drawn]),
        face=np.repeat(np.arange(len(faces), dtype=np.int32), counts),
        faces=tuple(faces),
    )


def _draw_face(path: Path, wanted: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    available = characters_of(path)
    codes = [code for code in wanted if code in available]
    images = []
    kept = []
    if codes:
        # The basic layout engine draws single characters without shaping, and is part of every Pillow.
        fonts = [ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC) for size in _SIZES]
    for code in codes:
        levels = _draw(fonts, chr(code))
        if levels is not None:
            images.append(levels)
            kept.append(code)
    stacked = np.array(images, dtype=np.uint8).reshape(-1, SIDE, SIDE)
    return np.array(kept, dtype=np.int32), pack(stacked)


def _draw(fonts: Sequence[ImageFont.FreeTypeFont], character: str) -> np.ndarray | None:
    try:
        ink = _ink(fonts[0], character)
        if ink is not None and max(ink.shape) < _TOO_SMALL:
            ink = _ink(fonts[1], character)
    except OSError:  # FreeType cannot draw a few broken outlines ("raster overflow")
        return None
    if ink is None:
        return None
    scale = BOX / max(ink.shape)
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    small = Image.fromarray(ink).resize((width, height), Image.Resampling.HAMMING)
    levels = np.zeros((SIDE, SIDE), np.uint8)
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    levels[top : top + height, left : left + width] = (np.asarray(small, np.uint16) + 8) // 17
    return levels


def _ink(font: ImageFont.FreeTypeFont, character: str) -> np.ndarray | None:
    mask = font.getmask(character)
    grey = np.frombuffer(bytes(mask), np.uint8).reshape(mask.size[::-1])
    if not grey.any():
        return None
    rows, columns = np.flatnonzero(grey.any(axis=1)), np.flatnonzero(grey.any(axis=0))
    return grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
