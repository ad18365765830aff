"""Pools of a profile, or of a folder of the user's images: what `elsa-nb embed`, `elsa-nb label` and notebooks call.

A folder's pools are made by one function, `embed_folder`, with the same names, whichever command asks for them.
"""

import argparse
import dataclasses
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from elsa_nb import store
from elsa_nb.counts import count_of
from elsa_nb.dask_workers import check_answers
from elsa_nb.images.encoders.by_name import load_encoder, load_for_pictures
from elsa_nb.images.encoders.default import about, choose_default
from elsa_nb.images.encoders.names import CANDIDATES, check_once, hyphened, is_file_name, name_for_pictures
from elsa_nb.images.encoders.protocol import ImageEncoder
from elsa_nb.images.extraction.crops import Crops
from elsa_nb.images.extraction.extract import encode, extract_all
from elsa_nb.images.extraction.folder_names import folder_title, known_decoding, place_of
from elsa_nb.images.extraction.folder_pools import extract_folder
from elsa_nb.images.extraction.on_cluster import Cluster
from elsa_nb.images.extraction.precision import CHECKED_NEAREST, check_precision
from elsa_nb.images.extraction.requirements import require
from elsa_nb.images.extraction.settings import BATCH_OF_LARGE_ON_CPU, ExtractionSettings
from elsa_nb.images.sources.by_name import open_dataset
from elsa_nb.images.sources.files import ImageFiles, check_folder, open_folder
from elsa_nb.pictures.decoding import Decoding
from elsa_nb.pool import Pool
from elsa_nb.profiles import Profile, profile
from elsa_nb.side_by_side import of_one_length

Pools = dict[str, dict[str, Pool]]


def embed_profile(
    profile: Profile, *, only: Sequence[str] = (), skip_broken: bool = False, **settings: Any
) -> dict[str, Pools]:
    """Make all pools of a profile, or those of the encoders `only`; return them by data set, encoder and space.

    All encoders of a data set share one decode. `skip_broken` and `settings` are those of `extract_all`. Raises
    TypeError for an unknown setting and ValueError for a bad one, and MissingDataError, with one sentence for each
    missing image set or file of weights, before anything is computed.
    """
    ExtractionSettings.of(settings, embed_profile)
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
        pools[dataset.name] = extract_all(
            source, encoders, name=dataset.name, spaces=spaces, skip_broken=skip_broken, **settings
        )
    return pools


def bundled_pool(encoder: str, space: str) -> Path:
    """Return the folder of a pool of the bundled glyphs, whatever the profile; make the pool if it is not there."""
    bundled = profile("quick")
    folder = bundled.pool_folder(encoder, space)
    if not (folder / "pool.json").exists():
        embed_profile(bundled, only=[encoder])
    return folder


def embed_folder(
    root: Path | str,
    encoders: Sequence[str] = (),
    *,
    name: str | None = None,
    folder: Path | str | None = None,
    spaces: tuple[str, ...] = (),
    strict: bool = False,
    dask: str | None = None,
    **settings: Any,
) -> Pools:
    """Make or find the pools `<folder>-<place>-<encoder>-<space>` of a folder of images, by encoder and space.

    `encoders` are names for `load_for_pictures`, such as `timm:vit_small_patch14_dinov2.lvd142m`, or paths of
    checkpoints; with none, the default one is used (`encoders.default`), first of all that of pools which exist.
    `<place>` stands for where the folder is, so that two folders of the same name do not clash; `name` replaces both.
    What a folder's name cannot hold becomes a hyphen. `dask` is the address of a scheduler whose workers then read and
    embed the images (`on_cluster`). `spaces`, `strict` and `settings` are those of `extract_folder`. Raises TypeError
    for an unknown setting and ValueError for a bad one, before anything is loaded; ValueError for an encoder of small
    images only, MissingDataError for images or weights that are not here, and what `check_answers` raises.
    """
    chosen = ExtractionSettings.of(settings, embed_folder)
    if dask:
        check_answers(dask)
    check_folder(root)
    check_once(encoders)
    # What was typed is tried before the files are looked at, which takes minutes where there are many.
    named = [(each, load_for_pictures(each)) for each in encoders]
    place = Path(folder or store.DATA / "pools")
    base = hyphened(name) if name else folder_title(root)
    files = open_folder(root, name, decoding=known_decoding(place / base, root), progress=chosen.progress)
    for remark in files.remarks:
        print(remark)
    loaded, names = {}, {}
    for each, encoder in named:
        print(about(each))
        title = _pool_title(each, encoder)
        loaded[title], names[title] = encoder, each
    if not encoders:
        here = [each for each in CANDIDATES if (place / f"{base}-{_pool_title(each)}-embedding").is_dir()]
        best, encoder = choose_default(here)
        loaded, names = {_pool_title(best): encoder}, {_pool_title(best): best}
    cluster = Cluster(dask, names) if dask else None
    wanted = {"spaces": spaces, "strict": strict, "cluster": cluster}
    return extract_folder(files, loaded, name=base, folder=place, **wanted, **settings)


def embed_embeddings(
    root: Path | str, encoders: Sequence[str] = (), *, strict: bool = False
) -> tuple[list[Path], list[str]]:
    """Make or find the embeddings of a folder by `encoders` (none: the default); return their folders and the names.

    This is the part of `embed_folder` that `elsa-nb label` and `label_folder` need.
    """
    pools = embed_folder(root, encoders, spaces=("embedding",), strict=strict)
    names = list(encoders) or [each for each in CANDIDATES if _pool_title(each) in pools]
    return [place_of(spaces["embedding"]) for spaces in pools.values()], names


class ExampleEncoder:
    """An encoder for single image files, as `elsa_nb.label.first_examples` takes one."""

    def __init__(
        self, *encoders: ImageEncoder, columns: Sequence[slice] = (), decoding: Mapping[str, Any] | None = None
    ):
        """Take the encoders of a pool of photographs, in its order, its columns, and its provenance's decoding."""
        self._encoders, self._columns = encoders, columns
        self._decoding = Decoding.of(decoding) if decoding is not None else None

    def encode_images(self, paths: Sequence[Path | str]) -> np.ndarray:
        """Return the embeddings of image files, float32 (m, d), rounded as a pool stores them."""
        root = Path(Path(paths[0]).resolve().anchor)
        names = [Path(path).resolve().relative_to(root).as_posix() for path in paths]
        told = [str(path) for path in paths]  # the names of broken ones
        files = ImageFiles.of("examples", root, names, np.full(len(names), -1), (), ids=told)
        files = dataclasses.replace(files, decoding=self._decoding)
        parts = [
            encode(Crops(files, each.geometry, workers=0), each, BATCH_OF_LARGE_ON_CPU)["embedding"]
            for each in self._encoders
        ]
        vectors = np.concatenate(parts, axis=1).astype(np.float16).astype(np.float32)
        return of_one_length(vectors, self._columns) if len(parts) > 1 else vectors


def embed_command(options: argparse.Namespace) -> None:
    """Do what the options of `elsa-nb embed` say."""
    keys = ("batch", "workers", "dtype", "precision", "resizer", "skip_broken")
    settings = {key: getattr(options, key) for key in keys}
    if options.images is None:
        chosen = profile(options.profile)
        print(f"The pools of profile {chosen.name}; `elsa-nb embed FOLDER` makes those of your own images.", flush=True)
        pools = embed_profile(chosen, only=options.encoder, **settings)
        if options.check_precision:
            weights = {dataset.name: dict(dataset.encoders) for dataset in chosen.datasets}
            for dataset, each in pools.items():
                _report_precision(open_dataset(dataset), each, weights[dataset], load_encoder, options.resizer)
        return
    settings.pop("skip_broken")  # the default for a user's own folder
    pools = embed_folder(
        options.images, options.encoder, name=options.name, dask=options.dask, strict=options.strict, **settings
    )
    if options.check_precision:
        own = {each: load_for_pictures(each) for each in options.encoder if is_file_name(each)}
        names = {_pool_title(each, own.get(each)): each for each in options.encoder or CANDIDATES}
        _report_precision(open_folder(options.images), pools, names, load_for_pictures, options.resizer)
    label = f"elsa-nb label {shlex.quote(str(options.images))}"
    places = [shlex.quote(str(place_of(spaces["embedding"]))) for spaces in pools.values()]
    for place in places:
        print(f"To label: {label} --pool {place}")
    if len(places) > 1 and options.name:  # where `elsa-nb label` would not find them by the folder
        joined = shlex.quote(f"{hyphened(options.name)}-pool")
        print(f"In the vectors of all of them: elsa-nb pool join {' '.join(places)} --out {joined}")
        print(f"and then {label} --pool {joined}")
    elif len(places) > 1:
        all_of_them = " ".join(f"--encoder {shlex.quote(each)}" for each in options.encoder)
        print(f"In the vectors of all of them: {label} {all_of_them}")


def _report_precision(
    source: Any, pools: Pools, names: Mapping[str, str], load: Callable[[str], ImageEncoder], resizer: str
) -> None:
    k = CHECKED_NEAREST
    for title, spaces in pools.items():
        if (images := len(next(iter(spaces.values())))) <= k:
            print(f"{title}: {count_of(images, 'image')}; the {k} nearest are compared of {k + 1} or more")
            continue
        for space, share in check_precision(source, load(names[title]), spaces, resizer=resizer).items():
            print(f"{spaces[space].name}: {100 * share:.2f} % of the {k} nearest are those of float32 (a sample)")


def _pool_title(name: str, encoder: ImageEncoder | None = None) -> str:
    """Return what a pool's name says of its encoder; own weights of the same name get different ones."""
    return hyphened(encoder.name if encoder is not None and is_file_name(name) else name_for_pictures(name))
