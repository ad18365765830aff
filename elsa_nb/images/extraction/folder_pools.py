"""Pools of a folder of the user's images: broken ones are left out and listed, and nothing is embedded twice.

`embed.embed_folder` calls `extract_folder`. Profiles use `extract.extract_all` instead: their images never change
and must all be there.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from itertools import starmap
from pathlib import Path
from typing import Any

import numpy as np

from elsa_nb import fingerprints, store
from elsa_nb.counts import count_of
from elsa_nb.errors import CorruptFileError
from elsa_nb.images.encoders.protocol import ImageEncoder
from elsa_nb.images.extraction.crops import Crops
from elsa_nb.images.extraction.extract import (
    by_geometry,
    provenance_of,
    recipe_of,
    widths_of,
)
from elsa_nb.images.extraction.folder_names import REMARKS, stamps
from elsa_nb.images.extraction.forward import forward
from elsa_nb.images.extraction.kept import CARD, KeptVectors, Stamp, read_files
from elsa_nb.images.extraction.on_cluster import Cluster, OnCluster
from elsa_nb.images.extraction.pool_names import check_pool_names
from elsa_nb.images.extraction.readable import Readable
from elsa_nb.images.extraction.settings import ExtractionSettings
from elsa_nb.images.sources.files import ImageFiles
from elsa_nb.images.sources.left_out import LIST, LeftOut, write_list
from elsa_nb.option_names import option_named, option_told
from elsa_nb.pictures.opening import escaped
from elsa_nb.pool import Pool, pool_lock
from elsa_nb.progress import bar

_BAR = "{desc}: {percentage:3.0f}% |{bar}| {n_fmt} of {total_fmt} images, {remaining} left"


def extract_folder(
    files: ImageFiles,
    encoders: Mapping[str, ImageEncoder],
    *,
    name: str,
    folder: Path | str | None = None,
    spaces: tuple[str, ...] = (),
    strict: bool = False,
    cluster: Cluster | None = None,
    **settings: Any,
) -> dict[str, dict[str, Pool]]:
    """Compute the pools `<name>-<encoder>-<space>` of `files` in `folder` (default: `data/pools`), decoding once.

    `encoders` are the encoders by the names that the pools get; `spaces` are those wanted of every encoder (default:
    all); `settings` are those of `ExtractionSettings`. What an earlier run has embedded is not embedded again, whether
    that run ended, was stopped, or saw the folder before it changed. A broken image is left out; the pool's folder then
    has a list, `left-out.csv`. With `strict` it stops the run instead, with CorruptFileError; what was embedded is
    kept. With `cluster` its workers read and embed the images, in the same batches, and send back their vectors. Raises
    TypeError for an unknown setting, ValueError for a bad one, and for a pool of that name made from another folder.
    """
    chosen = ExtractionSettings.of(settings, extract_folder)
    if not isinstance(files, ImageFiles):
        raise ValueError(f"files of type {type(files).__name__}; give what open_folder(folder) returns")
    named = isinstance(encoders, Mapping) and all(hasattr(each, "geometry") for each in encoders.values())
    if not named or not encoders:
        raise ValueError(
            f"encoders of type {type(encoders).__name__}; give encoders by name: {{'mine': LibraryModel(...)}}"
        )
    check_pool_names(name, encoders)
    now = stamps(files)
    pools: dict[str, dict[str, Pool]] = {}
    for geometry, group in by_geometry(encoders).items():
        job = _Group(Crops(files, geometry, chosen.resizer), group, now, chosen, cluster)
        with ExitStack() as held:
            job.open(Path(folder or store.DATA / "pools"), name, spaces, held)
            job.embed(strict)
            pools |= job.finish()
    return {title: pools[title] for title in encoders}


class _Group:
    """The encoders that take images of one size: what is known for each of their pools, and one pass for the rest."""

    def __init__(
        self,
        crops: Crops,
        encoders: Mapping[str, ImageEncoder],
        now: Mapping[str, Stamp],
        settings: ExtractionSettings,
        cluster: Cluster | None,
    ):
        self.crops, self.encoders, self.stamps = crops, encoders, now
        self.settings, self.cluster = settings, cluster
        self.root = escaped(str(Path(crops.pictures.root).resolve()))  # as the card holds it
        self.kept: dict[tuple[str, str], KeptVectors] = {}
        self.makings: dict[tuple[str, str], str] = {}
        self.broken: dict[str, str] = {}  # images that cannot be read, and why
        self.computed = 0

    def open(self, folder: Path, name: str, spaces: tuple[str, ...], held: ExitStack) -> None:
        """Find what is known already; ValueError, before anything is written, where a pool is from another folder.

        If another process makes one of these pools, wait for it. `held` gets the locks.
        """
        wanted = [(t, s) for t, e in self.encoders.items() for s in e.dimensions if not spaces or s in spaces]
        places = {each: folder / "-".join((name, *each)) for each in wanted}
        for place in places.values():
            check_owner(place, self.root)
        # The same order in all processes: two that want the same pools never wait for each other in a circle.
        locks = {p: held.enter_context(pool_lock(p).acquire(wait=True)) for p in sorted(set(places.values()))}
        for place in places.values():
            check_owner(place, self.root)  # again: it may have been made while we waited
        for title, space in wanted:
            encoder = self.encoders[title]
            # All that a vector depends on except the images themselves.
            told = self._provenance(self.crops, encoder)
            parts = {key: value for key, value in told.items() if key not in ("images", "broken", "broken_ids")}
            making = recipe_of({**parts, "geometry": repr(self.crops.geometry)}, space)
            place, d = places[title, space], encoder.dimensions[space]
            self.makings[title, space] = making
            self.kept[title, space] = KeptVectors(place, making, d, self.settings.dtype, self.stamps, locks[place])

    def embed(self, strict: bool) -> None:
        """Compute what is not known for every pool, batch by batch."""
        ids = self.crops.ids
        rows = np.array([r for r, i in enumerate(ids.tolist()) if not all(k.knows(i) for k in self.kept.values())], int)
        if not len(rows):
            return
        batch, computing = self.settings.batch_of(self.crops.geometry), self.settings.computing
        if self.cluster is None:
            source = Readable(self.crops, rows, batch, self.settings.workers)
            local = forward(source, self.encoders, range(0, len(rows), batch), **computing)
            steps = ((rows[first:stop], vectors) for first, stop, vectors in local)
        else:
            source = OnCluster(self.cluster, self.crops, self.stamps, rows, batch)
            steps = source.forward(self.encoders, **computing)
        what = "embedding images" if len(self.encoders) == 1 else f"embedding images with {len(self.encoders)} encoders"
        whole = {"total": len(ids), "initial": len(ids) - len(rows), "bar_format": _BAR}
        with bar(None, what, self.settings.progress, **whole) as shown:
            for batch_rows, vectors in steps:
                broken = {str(ids[r]): source.broken[r] for r in batch_rows.tolist() if r in source.broken}
                good = np.array([r not in source.broken for r in batch_rows.tolist()])
                names = ids[batch_rows[good]].tolist()
                for (title, space), kept in self.kept.items():
                    kept.append(names, vectors[title][space][good])
                self.broken |= broken
                self.computed += len(names)
                shown.update(len(batch_rows))
                if strict and broken:
                    self._stop(*next(iter(broken.items())))

    def finish(self) -> dict[str, dict[str, Pool]]:
        """Write the pools that are not as they should be; print what was done and what was left out."""
        broken = self.broken
        ids = self.crops.pictures.ids
        good = np.array([item not in broken for item in ids.tolist()])
        if not good.any():
            what = f"None of the {len(ids):,} images in {self.root} can be read; the first"
            what = what if len(ids) > 1 else f"The only image in {self.root} cannot be read"
            raise CorruptFileError(f"{what}: {next(iter(broken.values()))}.")
        left = tuple(map(str, ids[~good]))
        crops = self.crops
        if left:
            crops = Crops(crops.pictures, crops.geometry, crops.resizer, np.flatnonzero(good), left)
        made_by = fingerprints.made_by("elsa_nb.images", packages=("torch", "numpy", "pillow"))
        pools: dict[str, dict[str, Pool]] = {title: {} for title in self.encoders}
        for (title, space), kept in self.kept.items():
            told = self._provenance(crops, self.encoders[title])
            about = {"name": kept.folder.name, "space": space, "recipe": recipe_of(told, space)}
            about["provenance"] = {**told, "space": space, "made_by": made_by}
            about["widths"] = widths_of(self.encoders[title], space)
            if (pool := kept.finished(crops.ids, about["recipe"])) is None:
                pool = kept.finish(crops.ids, about, self.makings[title, space], self.root)
                print(f"{pool.name}: {count_of(len(pool), 'vector')}, {self.computed:,} of them computed now.")
            else:
                print(f"{pool.name}: {count_of(len(pool), 'vector was', 'vectors were')} already here.")
            self._write_lasting(kept.folder / REMARKS)
            write_list(kept.folder / LIST, [*self.crops.pictures.left_out, *starmap(LeftOut, broken.items())])
            pools[title][space] = pool
        if broken:
            what = f"{count_of(len(broken), 'image')} that cannot be read"
            print(f"Left out: {what}; listed with the reason in {kept.folder / LIST}")
        return pools

    def _write_lasting(self, path: Path) -> None:
        if lasting := self.crops.pictures.lasting:
            store.write_atomically(path, "".join(f"{remark}\n" for remark in lasting).encode())
        else:
            path.unlink(missing_ok=True)

    def _provenance(self, crops: Crops, encoder: ImageEncoder) -> dict[str, Any]:
        return provenance_of(crops, encoder, self.settings.dtype, self.settings.computing["precision"])

    def _stop(self, item: str, reason: str) -> None:
        strict = option_named("strict")
        raise CorruptFileError(
            f"The image {item} cannot be read ({reason}), and {strict} stops at such a file. What is embedded is kept: "
            f"repair or remove the file and do the same again, or leave {strict} out."
        )


def check_owner(place: Path, root: str) -> None:
    """Raise ValueError where the pool folder `place` holds the vectors of another folder that still exists."""
    if not (place / "pool.json").exists():
        return
    owner = read_files(place / CARD)["root"] if (place / CARD).exists() else None
    if owner == root or (owner and not Path(owner).exists()):  # the folder has moved
        return
    whose = f"is of the folder {owner}" if owner else "was not made of a folder of images"
    raise ValueError(f"the pool {place} {whose}; give this one another name: {option_told('name')}.")
