"""A folder of images embedded by the workers of a Dask cluster: `elsa-nb embed FOLDER --dask tcp://scheduler:8786`.

A worker reads the images of a batch from the same path as the client (a shared file system, or a copy that kept the
files' times), embeds them with encoders that it loads by name, and sends back the vectors. Batches and
torch's threads are those of a run on one machine, so the vectors are the same wherever processors round alike. Before
its first batch a worker proves that its code, package versions, weights and device are the client's, and with each
batch that its files are; a worker that lacks any of them is left out, and named. The client keeps each batch as it
arrives, as a run on one machine does.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import torch

from elsa_nb import fingerprints
from elsa_nb.dask_workers import Unfit, on_workers, unfit
from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.images.encoders.by_name import load_for_pictures
from elsa_nb.images.encoders.protocol import ImageEncoder
from elsa_nb.images.extraction.crops import Crops
from elsa_nb.images.extraction.folder_names import stamps
from elsa_nb.images.extraction.forward import device_and_precision, forward
from elsa_nb.images.extraction.kept import Stamp
from elsa_nb.images.extraction.readable import Readable
from elsa_nb.images.extraction.version import EXTRACTION
from elsa_nb.images.sources.files import ImageFiles

_ONE_AT_A_TIME = Lock()  # one network fills the cores; a worker's further threads wait


@dataclass(frozen=True)
class Cluster:
    """Where images are embedded: the `address` of a Dask scheduler, and the names that its workers load encoders by.

    `names` are those for `load_for_pictures`, by the names that the pools get.
    """

    address: str
    names: Mapping[str, str]


class _Batch(NamedTuple):
    """What a worker needs for one batch: the images and their stamps, the encoders and settings, and what to prove."""

    crops: Crops
    stamps: list[Stamp]
    encoders: dict[str, tuple[str, str]]  # name to load by and SHA-256 of the weights, by the name of the pool
    settings: dict[str, Any]
    step: int
    threads: int  # of torch: how sums are shared out decides their last bits
    expected: str


class OnCluster:
    """The images `rows` of a folder's crops, to be embedded on `cluster` in batches of `batch`.

    Batches arrive in any order, and the rounding of an image may depend on the others in its batch. So batches are
    always the same parts of the whole folder, and those that hold any of `rows` are embedded whole, whatever was kept
    before. `broken` says why an image cannot be read, by row of the crops.
    """

    def __init__(self, cluster: Cluster, crops: Crops, now: Mapping[str, Stamp], rows: np.ndarray, batch: int):
        self.cluster, self.crops, self.stamps, self.rows, self.batch = cluster, crops, now, rows, batch
        self.parts = np.unique(rows // batch) * batch  # the first row of each
        self.broken: dict[int, str] = {}

    def forward(
        self, encoders: Mapping[str, ImageEncoder], **settings: Any
    ) -> Iterator[tuple[np.ndarray, dict[str, dict[str, np.ndarray]]]]:
        """Yield (rows, vectors) of each batch as it arrives, those of `self.rows` only."""
        made = {title: (self.cluster.names[title], encoder.sha256) for title, encoder in encoders.items()}
        expected = json.dumps(_proof(settings["precision"]))

        def pieces() -> Iterator[tuple[int, tuple[_Batch]]]:
            for first in self.parts.tolist():
                crops = self._part(np.arange(first, min(first + self.batch, len(self.crops))))
                now = [self.stamps[item] for item in crops.ids.tolist()]
                yield first, (_Batch(crops, now, made, settings, self.batch, torch.get_num_threads(), expected),)

        for first, (vectors, broken) in on_workers(embed_batch, pieces(), self.cluster.address, "batches of images"):
            self.broken |= {first + place: why for place, why in broken.items()}
            mine = self.rows[(self.rows >= first) & (self.rows < first + self.batch)]
            yield mine, {t: {s: part[mine - first] for s, part in each.items()} for t, each in vectors.items()}

    def _part(self, rows: np.ndarray) -> Crops:
        files = self.crops.pictures
        targets = np.full(len(rows), -1).tolist()
        some = ImageFiles.of(files.name, files.root, files.paths[rows].tolist(), targets, (), ids=files.ids[rows])
        return replace(self.crops, pictures=replace(some, decoding=files.decoding), rows=None, broken=())


def embed_batch(batch: _Batch) -> tuple[dict[str, dict[str, np.ndarray]], dict[int, str]] | Unfit:
    """Embed one batch on a worker; return its vectors and what cannot be read, or why this worker cannot do it."""
    with _ONE_AT_A_TIME:
        try:
            encoders = {title: _encoder(*told) for title, told in batch.encoders.items()}
            _check(batch)
        except (ValueError, MissingDataError, CorruptFileError, OSError) as error:
            return unfit(error)
        torch.set_num_threads(batch.threads)
        n = len(batch.crops)
        source = Readable(batch.crops, np.arange(n), n, 0)
        ((_, _, vectors),) = forward(source, encoders, range(0, n, batch.step), **batch.settings)
        return vectors, source.broken


@lru_cache(maxsize=4)
def _encoder(name: str, sha256: str) -> ImageEncoder:
    """Load an encoder; ValueError where it has other weights."""
    encoder = load_for_pictures(name)
    if encoder.sha256 != sha256:
        raise ValueError(f"this worker's weights of {name} are not the client's: copy the same file to both")
    return encoder


def _check(batch: _Batch) -> None:
    """Raise ValueError unless this process has the client's code, versions and device, and its files."""
    here = _proof(batch.settings["precision"])
    for what, value in json.loads(batch.expected).items():
        if here[what] != value:
            raise ValueError(
                f"this worker's {what} is not the client's: {here[what]}, expected {value}. Install the same release "
                "on both"
            )
    files = batch.crops.pictures
    now = stamps(files)
    for item, path, stamp in zip(files.ids.tolist(), files.paths.tolist(), batch.stamps, strict=True):
        if now[item] != stamp:
            raise ValueError(
                f"this worker does not have {files.root / path} as the client has it, in size and time: share the "
                "folder at the same path, or copy it there with its times (cp -p, rsync -a)"
            )


@lru_cache(maxsize=4)
def _proof(precision: str) -> dict[str, Any]:
    made_by = fingerprints.made_by("elsa_nb.images", packages=("torch", "numpy", "pillow"))
    proof = {name: value for name, value in made_by.items() if name != "commit"}
    return proof | {"extraction": EXTRACTION, "device": device_and_precision(precision)[0]}
