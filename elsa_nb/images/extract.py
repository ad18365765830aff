"""From images to pools: one forward pass gives both spaces, and a killed extraction goes on where it was."""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from tqdm import tqdm

from elsa_nb import store
from elsa_nb.images import encoders
from elsa_nb.images.encoders import SPACES, Encoder, load_encoder, prepare
from elsa_nb.pool import Pool, PoolWriter
from elsa_nb.store import code_hash, read_json, sha256_bytes

BATCH = 512


class Source(Protocol):
    """What images come from: rows in a fixed order, an id a row, and a fingerprint of all of it."""

    ids: np.ndarray
    sha256: str

    def __len__(self) -> int:
        """Return the number of images."""
        ...

    def images(self, rows: np.ndarray | None = None) -> np.ndarray:
        """Return the images of `rows` (all by default), uint8 (m, 32, 32)."""
        ...


def extract(
    source: Source,
    encoder: Encoder | str,
    *,
    folder: Path | str | None = None,
    name: str = "glyphs",
    batch: int = BATCH,
    dtype: str = "float16",
    progress: bool | None = None,
) -> dict[str, Pool]:
    """Compute the pools `<name>-<encoder>-embedding` and `-projection` in `folder` (default: `data/pools`).

    `encoder` is an `Encoder` or the name of a bundled one. Vectors are computed in float32 on a CPU, in float16
    autocast on a GPU, and stored as `dtype`. A finished pool of the same recipe (images, weights, code, precision,
    dtype) is opened, not computed; an unfinished one is continued, and ends with the bytes of an uninterrupted run.
    `progress` None shows a bar in a terminal only; the environment variable ELSA_PROGRESS=0 or 1 decides otherwise.
    Returns the pool of each space. Raises ValueError for a bad dtype or batch, MissingDataError without weights.
    """
    if batch < 1:
        raise ValueError(f"batch is {batch}; it is at least 1.")
    encoder = load_encoder(encoder) if isinstance(encoder, str) else encoder
    device = "cuda" if torch.cuda.is_available() else "cpu"
    provenance = provenance_of(source, encoder, dtype, device)
    pools: dict[str, Pool] = {}
    began = time.perf_counter()
    with ExitStack() as stack:
        writers: dict[str, PoolWriter] = {}
        for space in SPACES:
            title = f"{name}-{encoder.name}-{space}"
            path = Path(folder or store.DATA / "pools") / title
            recipe = recipe_of(provenance, space)
            if is_finished(path, recipe):
                pools[space] = Pool.open(path)
                print(f"{title}: {len(source):,} vectors were already here, made from the same images and weights.")
                continue
            writers[space] = stack.enter_context(
                PoolWriter(
                    path,
                    source.ids,
                    encoder.dimensions[space],
                    dtype=dtype,
                    name=title,
                    space=space,
                    recipe=recipe,
                    provenance={**provenance, "space": space},
                )
            )
        start = min((writer.rows_done for writer in writers.values()), default=len(source))
        for first, vectors in forward(source, encoder, start=start, batch=batch, device=device, progress=progress):
            for space, writer in writers.items():
                writer.write_from(first, vectors[space])
        for space, writer in writers.items():
            pools[space] = writer.finish()
            resumed = f", {start:,} of them from an interrupted run" if start else ""
            print(f"{writer.name}: {len(source):,} vectors in {time.perf_counter() - began:.0f} s{resumed}.")
    return {space: pools[space] for space in SPACES}


def forward(
    source: Source,
    encoder: Encoder,
    *,
    start: int = 0,
    batch: int = BATCH,
    device: str = "cpu",
    progress: bool | None = False,
) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """Yield (first row, vectors float32 of each space) for one batch of `source` after the other, from row `start`."""
    encoder = encoder.eval().to(device)
    with tqdm(
        total=len(source), initial=start, desc=encoder.name, unit=" images", leave=False, mininterval=1,
        file=sys.stdout, disable=not shows_progress(progress),
    ) as bar:  # fmt: skip
        for first in range(start, len(source), batch):
            rows = np.arange(first, min(first + batch, len(source)))
            images = prepare(source.images(rows)).to(device)
            # On a CPU only float32: bfloat16 has 8 bits, and would change who is near whom.
            with torch.inference_mode(), torch.autocast(device, torch.float16, enabled=device == "cuda"):
                both = encoder(images.contiguous(memory_format=torch.channels_last))
            yield first, {space: part.float().cpu().numpy() for space, part in zip(SPACES, both, strict=True)}
            bar.update(len(rows))


def encode(source: Source, encoder: Encoder, batch: int = BATCH) -> dict[str, np.ndarray]:
    """Return all vectors of `source` in memory, float32 (n, d) for each space."""
    parts = [vectors for _, vectors in forward(source, encoder, batch=batch)]
    return {space: np.concatenate([part[space] for part in parts]) for space in SPACES}


def provenance_of(source: Source, encoder: Encoder, dtype: str, device: str) -> dict[str, Any]:
    """Return what the vectors are computed from, as plain data."""
    return {
        "images": source.sha256,
        "encoder": encoder.name,
        "weights": encoder.sha256,
        "code": code_hash(encoders, sys.modules[__name__]),
        "precision": "float16 autocast" if device == "cuda" else "float32",
        "dtype": dtype,
    }


def recipe_of(provenance: dict[str, Any], space: str) -> str:
    """Return the hash that two machines give to the same pool, though their floats may differ in the last bit."""
    return sha256_bytes(json.dumps({**provenance, "space": space}, sort_keys=True).encode())


def is_finished(path: Path, recipe: str) -> bool:
    """Say whether `path` holds a finished pool of this recipe."""
    card = path / "pool.json"
    return card.exists() and read_json(card).get("recipe") == recipe


def shows_progress(progress: bool | None) -> bool:
    """Decide on a bar: as told; else as ELSA_PROGRESS (0 or 1) says; else in a terminal only."""
    if progress is not None:
        return progress
    told = os.environ.get("ELSA_PROGRESS")
    return told != "0" if told is not None else sys.stdout.isatty()
