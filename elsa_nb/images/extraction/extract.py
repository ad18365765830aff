"""From images to pools: many encoders with one decoding, and a killed extraction goes on where it was.

`embed.py` calls `extract_all`; the training calls `encode` to measure an encoder. Start with `extract_all`.
"""

import json
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from elsa_nb import fingerprints, store
from elsa_nb.counts import count_of
from elsa_nb.images.encoders.preprocessing import CropGeometry
from elsa_nb.images.encoders.protocol import ImageEncoder
from elsa_nb.images.encoders.small_resnet import load_trained
from elsa_nb.images.extraction.crops import Crops
from elsa_nb.images.extraction.forward import device_and_precision, forward
from elsa_nb.images.extraction.pool_names import check_pool_names
from elsa_nb.images.extraction.settings import BATCH, ExtractionSettings
from elsa_nb.images.extraction.version import EXTRACTION
from elsa_nb.images.sources.protocol import Source
from elsa_nb.pool import Pool, PoolWriter
from elsa_nb.pool_files import pool_lock, recipe_at
from elsa_nb.progress import bar
from elsa_nb.store import sha256_bytes


def extract(
    source: Source,
    encoder: ImageEncoder | str,
    *,
    folder: Path | str | None = None,
    name: str = "glyphs",
    **settings: Any,
) -> dict[str, Pool]:
    """Compute the pools `<name>-<encoder>-<space>` of one encoder, or of the bundled one of that name.

    See `extract_all`, which does the same for many, for `settings` and what is raised. Returns the pool of each space.
    """
    ExtractionSettings.of(settings, extract)
    encoder = load_trained(encoder) if isinstance(encoder, str) else encoder
    return extract_all(source, {encoder.name: encoder}, name=name, folder=folder, **settings)[encoder.name]


def extract_all(
    source: Any,
    encoders: Mapping[str, ImageEncoder],
    *,
    name: str,
    folder: Path | str | None = None,
    spaces: Mapping[str, tuple[str, ...]] | None = None,
    skip_broken: bool = False,
    **settings: Any,
) -> dict[str, dict[str, Pool]]:
    """Compute the pools `<name>-<encoder>-<space>` in `folder` (default: `data/pools`), decoding each image once.

    `encoders` are the encoders by the names that the pools get; `spaces` names the spaces wanted of an encoder
    (default: all of them). `settings` are those of `ExtractionSettings`. Vectors are stored block by block: no more
    than a batch of them is in memory.

    A finished pool of the same recipe (images, weights, version of extraction, precision, dtype) is opened, not
    computed; an unfinished one is continued, and ends with the bytes of an uninterrupted run of the same batch size. A
    broken image stops the extraction. With `skip_broken` broken images are left out: all images are decoded once before
    to find them, and the pool's provenance counts and names them.

    Returns the pools by encoder and space. Raises TypeError for an unknown setting, ValueError for a bad one,
    CorruptFileError for a broken image, naming it.
    """
    chosen = ExtractionSettings.of(settings, extract_all)
    check_pool_names(name, encoders)
    pools: dict[str, dict[str, Pool]] = {}
    for geometry, group in by_geometry(encoders).items():
        view = source if geometry is None else Crops(source, geometry, chosen.resizer, workers=chosen.workers)
        if skip_broken and isinstance(view, Crops):
            view = view.without_broken(chosen.progress)
        wanted = {title: tuple((spaces or {}).get(title) or encoder.dimensions) for title, encoder in group.items()}
        job = _Job(view, group, wanted, Path(folder or store.DATA / "pools"), name, chosen)
        pools |= job.run(chosen.batch_of(geometry))
    return {title: pools[title] for title in encoders}


class _Job:
    """One pass over one source: which pools are there, which are begun, and writing them side by side."""

    def __init__(
        self,
        source: Source,
        encoders: Mapping[str, ImageEncoder],
        spaces: Mapping[str, tuple[str, ...]],
        folder: Path,
        name: str,
        settings: ExtractionSettings,
    ):
        self.source, self.encoders, self.spaces = source, encoders, spaces
        self.folder, self.name, self.settings = folder, name, settings

    def run(self, batch: int) -> dict[str, dict[str, Pool]]:
        began, n = time.perf_counter(), len(self.source)
        with ExitStack() as stack:
            pools, writers = self._open(stack)
            done = {title: min(w.rows_done for w in each.values()) for title, each in writers.items() if each}
            if done:
                self._write(writers, done, batch)
            for title, each in writers.items():
                for space, writer in each.items():
                    pools[title][space] = writer.finish()
                    resumed = f", {done[title]:,} of them from an interrupted run" if done[title] else ""
                    print(f"{writer.name}: {count_of(n, 'vector')} in {time.perf_counter() - began:.0f} s{resumed}.")
        return {title: {space: pools[title][space] for space in self.spaces[title]} for title in self.encoders}

    def _open(self, stack: ExitStack) -> tuple[dict[str, dict[str, Pool]], dict[str, dict[str, PoolWriter]]]:
        pools: dict[str, dict[str, Pool]] = {title: {} for title in self.encoders}
        writers: dict[str, dict[str, PoolWriter]] = {title: {} for title in self.encoders}
        made_by = fingerprints.made_by("elsa_nb.images", packages=("torch", "numpy", "pillow"))
        how = self.settings.dtype, self.settings.computing["precision"]
        about_all = {title: provenance_of(self.source, encoder, *how) for title, encoder in self.encoders.items()}
        places = {(t, s): self.folder / f"{self.name}-{t}-{s}" for t in self.encoders for s in self.spaces[t]}
        lacking = [path for (t, s), path in places.items() if not is_finished(path, recipe_of(about_all[t], s))]
        # The same order everywhere: two extractions that want the same pools never wait for each other in a circle.
        locks = {path: stack.enter_context(pool_lock(path).acquire(wait=True)) for path in sorted(lacking)}
        for title, encoder in self.encoders.items():
            provenance = about_all[title]
            for space in self.spaces[title]:
                path, recipe = places[title, space], recipe_of(provenance, space)
                label = path.name
                if is_finished(path, recipe):  # another process may have made it while we waited
                    pools[title][space] = Pool.open(path)
                    n = len(self.source)
                    there = count_of(n, "vector was", "vectors were")
                    print(f"{label}: {there} already here, made from the same images and weights.")
                    continue
                about = {"name": label, "space": space, "recipe": recipe}
                about["provenance"] = {**provenance, "space": space, "made_by": made_by}
                about |= {"dtype": self.settings.dtype, "lock": locks.get(path), "widths": widths_of(encoder, space)}
                writer = PoolWriter(path, self.source.ids, encoder.dimensions[space], **about)
                writers[title][space] = stack.enter_context(writer)
        return pools, writers

    def _write(self, writers: dict[str, dict[str, PoolWriter]], done: dict[str, int], batch: int) -> None:
        n, begin = len(self.source), min(done.values()) // batch * batch
        settings = {"workers": self.settings.workers, **self.settings.computing}
        wanted = {title: self.encoders[title] for title in done}
        steps = forward(self.source, wanted, range(begin, n, batch), done=done, **settings)
        what = next(iter(wanted)) if len(wanted) == 1 else f"{len(wanted)} encoders"
        with bar(None, what, self.settings.progress, total=n, initial=begin, unit=" images") as shown:
            for first, stop, vectors in steps:
                for title, parts in vectors.items():
                    for space, writer in writers[title].items():
                        writer.write_from(first, parts[space])
                shown.update(stop - first)


def encode(source: Source, encoder: ImageEncoder, batch: int = BATCH) -> dict[str, np.ndarray]:
    """Return all vectors of `source` in memory, float32 (n, d) for each space."""
    device, precision = device_and_precision(None)
    steps = forward(source, {"": encoder}, range(0, len(source), batch), device=device, precision=precision)
    parts = [vectors[""] for _, _, vectors in steps]
    return {space: np.concatenate([part[space] for part in parts]) for space in encoder.dimensions}


def by_geometry(encoders: Mapping[str, ImageEncoder]) -> dict[CropGeometry | None, dict[str, ImageEncoder]]:
    """Return the encoders, by name, in groups that take the same images; None stands for images as the source has them.

    The images of a group are decoded once.
    """
    groups: dict[CropGeometry | None, dict[str, ImageEncoder]] = {}
    for title, encoder in encoders.items():
        groups.setdefault(getattr(encoder, "geometry", None), {})[title] = encoder
    return groups


def provenance_of(source: Source, encoder: ImageEncoder, dtype: str, precision: str) -> dict[str, Any]:
    """Return what the vectors are computed from, as plain data."""
    told = {
        "images": source.sha256,
        "encoder": encoder.name,
        "weights": encoder.sha256,
        "extraction": EXTRACTION,
        "precision": precision if precision == "float32" else f"{precision} autocast",
        "dtype": dtype,
    }
    if isinstance(source, Crops):
        told |= {"resizer": source.resizer, "broken": len(source.broken), "broken_ids": list(source.broken)}
        if (decoding := getattr(source.pictures, "decoding", None)) is not None:
            told["decoding"] = decoding.told()
        told |= {"note": note} if (note := getattr(source.pictures, "note", "")) else {}
    return told


def recipe_of(provenance: dict[str, Any], space: str) -> str:
    """Return the hash that two machines give to the same pool, though their floats may differ in the last bit."""
    return sha256_bytes(json.dumps({**provenance, "space": space}, sort_keys=True).encode())


def widths_of(encoder: ImageEncoder, space: str) -> tuple[int, ...]:
    """Return the number of values of each view that the encoder puts side by side in a space; () for a single view."""
    return getattr(encoder, "widths", {}).get(space, ())


def is_finished(path: Path, recipe: str) -> bool:
    """Say whether `path` holds a finished pool of this recipe."""
    return (path / "pool.json").exists() and recipe_at(path) == recipe
