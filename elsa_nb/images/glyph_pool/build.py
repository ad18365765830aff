"""Build the bundled pool `glyphs`: images of characters drawn from the typefaces of named Debian packages.

    python -m elsa_nb.images.glyph_pool.build --out data/glyphs      the 100,000 images that the repository ships
    python -m elsa_nb.images.glyph_pool.build --full                 all of them, in data/glyphs-full

Both read `fonts.csv` (packages and versions), `classes.csv` (characters and the class of each) and `faces.csv`
(faces set aside), and give the same pixels every time. `glyph_pool.confusables` makes the last two tables.
"""

import argparse
import io
import lzma
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fontTools
import numpy as np
import PIL
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import features

from elsa_nb import store
from elsa_nb.images.glyph_pool import fonts
from elsa_nb.images.glyph_pool.confusables import usable
from elsa_nb.images.glyph_pool.rendering import Rendering, render
from elsa_nb.images.sources.grey_images import LEVELS, SIDE, digests

BUNDLED_IMAGES = 100_000
MIN_CLASS = 60
GLYPH_TABLES = store.DATA / "glyphs"
FULL = store.DATA / "glyphs-full"


def distinct(rendering: Rendering, label: np.ndarray) -> np.ndarray:
    """Return the rows that stay when every image may occur once and under one class, int (m,), ascending.

    Of equal images of one class the first row stays; an image that occurs under two classes is removed, since
    nobody could say which it shows. `label` int (n,) is each image's class.
    """
    whole = np.ascontiguousarray(rendering.packed).view(f"V{rendering.packed.shape[1]}").ravel()
    _, first, which = np.unique(whole, return_index=True, return_inverse=True)
    low, high = np.full(len(first), len(label)), np.full(len(first), -1)
    np.minimum.at(low, which, label)
    np.maximum.at(high, which, label)
    return np.sort(first[low == high])


def class_sizes(available: np.ndarray, total: int) -> np.ndarray:
    """Share `total` images out among classes that have `available` ones, int (k,): long-tailed, at least 60 each.

    A class gets a share that grows as available ** 1.25, so that frequent characters (A, I, the dash) stand out more
    than they do among the typefaces and rare ones are rarer; the sum is the largest one not above `total`.
    """
    if available.sum() <= total:
        return available
    weight = available * np.sqrt(np.sqrt(available))  # roots are rounded alike on every machine, powers are not
    low, high = 0.0, 1.0
    while low < (middle := (low + high) / 2) < high:
        sizes = np.minimum(available, np.maximum(MIN_CLASS, np.floor(middle * weight).astype(np.int64)))
        low, high = (middle, high) if sizes.sum() <= total else (low, middle)
    return np.minimum(available, np.maximum(MIN_CLASS, np.floor(low * weight).astype(np.int64)))


def choose(rendering: Rendering, label: np.ndarray, total: int) -> np.ndarray:
    """Return rows of a subset of `total` images in the order of the pool, int (m,).

    Within a class the choice is a shuffle by the images' digests, blind to face and style; so is the final order,
    by another digest, so that a row's number says nothing about its class.
    """
    count = np.bincount(label)
    sizes = class_sizes(count, total)
    order = np.lexsort((digests(rendering.packed, b"choice"), label))
    rank = np.arange(len(order)) - np.searchsorted(label[order], np.arange(len(count)))[label[order]]
    rows = order[rank < sizes[label[order]]]
    return rows[np.argsort(digests(rendering.packed[rows], b"order"), kind="stable")]


def build_pool(
    out: Path, tables: Path, cache: Path, total: int | None, workers: int | None, command: str
) -> dict[str, Any]:
    """Fetch, draw, select and write the pool; return its manifest. `total` None keeps every image."""
    packages = fonts.read_packages(tables / "fonts.csv")
    classes = fonts.read_table(tables / "classes.csv")
    judged = fonts.read_table(tables / "faces.csv")
    fonts.fetch(packages, cache)
    left_out = {(row["package"], row["face"]) for row in judged if row["use"] == "none"}
    faces = [f for f in fonts.faces(packages, cache) if (f.package, f.name) not in left_out]
    drawn = render(faces, [ord(row["character"]) for row in classes], workers)
    drawn = drawn.rows(usable(drawn, judged))
    return write_pool(out, drawn, classes, total, {p: fonts.licence(p, cache) for p in packages}, command)


def write_pool(
    out: Path,
    drawn: Rendering,
    classes: Sequence[dict[str, str]],
    total: int | None,
    licences: dict[fonts.Package, str],
    command: str,
) -> dict[str, Any]:
    """Select images of a rendering and write the pool's files to `out`, the manifest last; return the manifest."""
    names = sorted({row["name"] for row in classes})
    class_of = {ord(row["character"]): names.index(row["name"]) for row in classes}
    label = np.array([class_of[code] for code in drawn.codes.tolist()])
    rows = distinct(drawn, label)
    enough = np.bincount(label[rows], minlength=len(names)) >= MIN_CLASS
    rows = rows[enough[label[rows]]]
    every, kept = len(drawn), len(rows)
    _, dense = np.unique(label[rows], return_inverse=True)
    rows = rows[choose(drawn.rows(rows), dense, total or kept)]
    drawn, label = drawn.rows(rows), label[rows]

    pixels = drawn.packed.tobytes()
    store.write_atomically(out / "images.bin", lzma.compress(pixels, preset=6))
    store.write_atomically(out / "labels.parquet", _labels(drawn, label, classes, names))
    _write_fonts(out / "fonts.csv", drawn, licences)
    sizes = np.bincount(label, minlength=len(names))[enough]
    manifest = {
        "n": len(drawn),
        "shape": [SIDE, SIDE],
        "levels": LEVELS,
        "pixels_sha256": store.sha256_bytes(pixels),
        "files": {name: store.sha256_file(out / name) for name in ("images.bin", "labels.parquet", "fonts.csv")},
        "classes": len(sizes),
        "class_sizes": {
            "smallest": int(sizes.min()),
            "quartiles": [float(q) for q in np.quantile(sizes, (0.25, 0.5, 0.75))],
            "largest": int(sizes.max()),
            "median_share_percent": round(float(np.median(sizes)) / len(drawn) * 100, 4),
        },
        "drawn": {"images": every, "distinct": kept, "faces": len(np.unique(drawn.face)), "characters": len(classes)},
        "merged": _merged(classes),
        "made_with": {
            "pillow": PIL.__version__,
            "freetype": features.version("freetype2"),
            "fonttools": fontTools.version,
            "pyarrow": pa.__version__,
        },
        "command": command,
    }
    store.write_json(out / "manifest.json", manifest)
    return manifest


def _labels(drawn: Rendering, label: np.ndarray, classes: Sequence[dict[str, str]], names: Sequence[str]) -> bytes:
    character = {row["name"]: row["class"] for row in classes}
    used = sorted(set(label.tolist()))
    index = np.searchsorted(used, label).astype(np.int16)
    # Only what occurs becomes a category, whatever else the rendering was asked to draw.
    codes, code_index = np.unique(drawn.codes, return_inverse=True)
    faces = [drawn.faces[i] for i in drawn.face]
    face, face_index = np.unique([f.name for f in faces], return_inverse=True)
    package, package_index = np.unique([f.package for f in faces], return_inverse=True)

    def column(indices: np.ndarray, values: Sequence[str]) -> pa.DictionaryArray:
        return pa.DictionaryArray.from_arrays(pa.array(indices.astype(np.int16)), pa.array(list(map(str, values))))

    table = pa.table(
        {
            "name": column(index, [names[i] for i in used]),
            "character": column(index, [character[names[i]] for i in used]),
            "drawn": column(code_index, [chr(c) for c in codes]),
            "face": column(face_index, face),
            "package": column(package_index, package),
        }
    )
    stream = io.BytesIO()
    pq.write_table(table, stream, compression="zstd", compression_level=9)
    return stream.getvalue()


def _write_fonts(path: Path, drawn: Rendering, licences: dict[fonts.Package, str]) -> None:
    images = Counter(drawn.faces[i].package for i in drawn.face)
    faces = Counter(drawn.faces[i].package for i in np.unique(drawn.face))
    table = [
        {"package": p.name, "version": p.version, "licence": text, "faces": faces[p.name], "images": images[p.name]}
        for p, text in sorted(licences.items(), key=lambda item: item[0].name)
    ]
    fonts.write_table(path, table)


def _merged(classes: Sequence[dict[str, str]]) -> dict[str, str]:
    members: dict[str, str] = {}
    for row in classes:
        members[row["name"]] = members.get(row["name"], "") + row["character"]
    return {name: text for name, text in sorted(members.items()) if len(text) > 1}


def main(arguments: Sequence[str] | None = None) -> None:
    """Build the bundled pool, or with --full the one of all images."""
    parser = argparse.ArgumentParser(prog="python -m elsa_nb.images.glyph_pool.build", description=main.__doc__)
    parser.add_argument("--full", action="store_true", help="keep every image (default folder data/glyphs-full)")
    parser.add_argument("--out", type=Path, help="folder of the pool (default data/glyphs)")
    parser.add_argument("--tables", type=Path, default=GLYPH_TABLES, help="folder of fonts.csv, classes.csv, faces.csv")
    parser.add_argument("--cache", type=Path, default=store.DATA / "cache" / "fonts", help="downloaded packages")
    parser.add_argument("--workers", type=int, help="processes that draw (default: one per core)")
    given = parser.parse_args(arguments)
    out = given.out or (FULL if given.full else GLYPH_TABLES)
    total = None if given.full else BUNDLED_IMAGES
    command = "python -m elsa_nb.images.glyph_pool.build" + (" --full" if given.full else "")
    before = store.read_json(out / "manifest.json") if (out / "manifest.json").exists() else None
    manifest = build_pool(out, given.tables, given.cache, total, given.workers, command)
    print(f"{out}: {manifest['n']:,} images, {manifest['classes']} classes, SHA-256 {manifest['pixels_sha256']}")
    if before is not None:
        print(_comparison(before, manifest))


def _comparison(before: dict[str, Any], now: dict[str, Any]) -> str:
    if before["pixels_sha256"] == now["pixels_sha256"]:
        return "The same pixels as the pool that was there."
    made = (", ".join(f"{name} {version}" for name, version in sorted(m["made_with"].items())) for m in (before, now))
    return "OTHER PIXELS than those of the pool that was there, {}. It was made with {}; this one with {}.".format(
        before["pixels_sha256"], *made
    )


if __name__ == "__main__":
    main()
