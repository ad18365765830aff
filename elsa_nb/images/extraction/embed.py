"""Pools of a profile, or of a folder of one's own images: what `elsa-nb embed`, `elsa-nb label` and the notebooks call.

A folder's pools have one naming, `<folder>-<encoder>-<space>`, whichever command makes them.
"""

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from elsa_nb import store
from elsa_nb.images.encoders.by_name import load_encoder, load_for_pictures, name_for_pictures
from elsa_nb.images.encoders.protocol import ImageEncoder
from elsa_nb.images.extraction.crops import Crops
from elsa_nb.images.extraction.extract import BATCH_OF_LARGE_ON_CPU, encode, extract_all
from elsa_nb.images.extraction.precision import check_precision
from elsa_nb.images.extraction.requirements import require
from elsa_nb.images.sources.by_name import open_dataset
from elsa_nb.images.sources.files import ImageFiles, open_folder
from elsa_nb.pool import Pool
from elsa_nb.profiles import Profile, profile

Pools = dict[str, dict[str, Pool]]


def embed_profile(profile: Profile, *, only: Sequence[str] = (), **options: Any) -> dict[str, Pools]:
    """Make all pools of a profile, or those of the encoders `only`; return them by data set, encoder and space.

    All encoders of a data set share one decode. `options` are those of `extract_all`. Raises MissingDataError, a
    sentence a thing, before anything is computed where images or weights are missing.
    """
    known = sorted({encoder for dataset in profile.datasets for encoder, _ in dataset.encoders})
    if strange := [encoder for encoder in only if encoder not in known]:
        raise ValueError(f"encoder {strange[0]!r} is not one of profile {profile.name!r}; allowed: {', '.join(known)}.")
    if not only:
        require(profile)
    pools = {}
    for dataset in profile.datasets:
        chosen = [(encoder, weights) for encoder, weights in dataset.encoders if not only or encoder in only]
        if not chosen:
            continue
        encoders = {encoder: load_encoder(weights) for encoder, weights in chosen}
        spaces = {encoder: ("embedding",) for encoder in encoders if encoder not in dataset.projections}
        source = open_dataset(dataset.name)
        pools[dataset.name] = extract_all(source, encoders, name=dataset.name, spaces=spaces, **options)
    return pools


def bundled_pool(encoder: str, space: str) -> Path:
    """Return the folder of a pool of the bundled glyphs, in whatever profile; make the pool if it is not there."""
    bundled = profile("quick")
    folder = bundled.pool_folder(encoder, space)
    if not (folder / "pool.json").exists():
        embed_profile(bundled, only=[encoder])
    return folder


def embed_folder(
    root: Path | str, encoders: Sequence[str], *, name: str | None = None, **options: Any
) -> dict[str, dict[str, Pool]]:
    """Make the pools `<name>-<encoder>-<space>` of a folder of images; `name` defaults to the folder's.

    `encoders` are names for `load_for_pictures`, such as `timm:vit_small_patch14_dinov2.lvd142m`; what a folder's name
    cannot hold becomes a hyphen. `options` are those of `extract_all`. Raises ValueError for an encoder of small images
    only.
    """
    files = open_folder(root, name, progress=options.get("progress"))
    print(*files.remarks, sep="\n", end="\n" if files.remarks else "")
    loaded = {_pool_title(encoder): load_for_pictures(encoder) for encoder in encoders}
    return extract_all(files, loaded, name=_hyphened(files.name), **options)


def folder_pool(root: Path | str, encoder: str) -> Path:
    """Return the folder of the pool of embeddings of a folder of images; make it unless it is there."""
    (spaces,) = embed_folder(root, [encoder]).values()
    return store.DATA / "pools" / spaces["embedding"].name


class ExampleEncoder:
    """An encoder for single image files, as `elsa_nb.label.first_examples` takes one."""

    def __init__(self, name: str):
        """Load the encoder `name`, one of those of `embed_folder`."""
        self._encoder = load_for_pictures(name)

    def encode_images(self, paths: Sequence[Path | str]) -> np.ndarray:
        """Return the embeddings of image files, float32 (m, d), rounded as a pool stores them."""
        root = Path(Path(paths[0]).resolve().anchor)
        names = [Path(path).resolve().relative_to(root).as_posix() for path in paths]
        files = ImageFiles.of("examples", root, names, np.full(len(names), -1), ())
        vectors = encode(Crops(files, self._encoder.geometry, workers=0), self._encoder, BATCH_OF_LARGE_ON_CPU)
        return vectors["embedding"].astype(np.float16).astype(np.float32)


def embed_command(options: argparse.Namespace) -> None:
    """Do what the options of `elsa-nb embed` say."""
    keys = ("batch", "workers", "dtype", "precision", "resizer", "skip_broken")
    settings = {key: getattr(options, key) for key in keys}
    if options.images is None:
        chosen = profile(options.profile)
        pools = embed_profile(chosen, only=options.encoder, **settings)
        if options.check_precision:
            weights = {dataset.name: dict(dataset.encoders) for dataset in chosen.datasets}
            for dataset, each in pools.items():
                _report_precision(open_dataset(dataset), each, weights[dataset], load_encoder, options.resizer)
        return
    if not options.encoder:
        raise ValueError("--images needs an --encoder: official:vicreg, torchvision:resnet50, timm:NAME ...")
    pools = embed_folder(options.images, options.encoder, name=options.name, **settings)
    if options.check_precision:
        names = {_pool_title(encoder): encoder for encoder in options.encoder}
        _report_precision(open_folder(options.images), pools, names, load_for_pictures, options.resizer)


def _report_precision(
    source: Any, pools: Pools, names: Mapping[str, str], load: Callable[[str], ImageEncoder], resizer: str
) -> None:
    for title, spaces in pools.items():
        for space, share in check_precision(source, load(names[title]), spaces, resizer=resizer).items():
            print(f"{spaces[space].name}: {100 * share:.2f} % of the 50 nearest are those of float32 (a sample)")


def _pool_title(encoder: str) -> str:
    return _hyphened(name_for_pictures(encoder))


def _hyphened(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name)
