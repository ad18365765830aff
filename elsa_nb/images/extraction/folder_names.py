"""Where the pools of a folder of images are, and whether one still fits the folder; without importing torch.

`elsa-nb label` looks here first, so that the second start is immediate.
"""

import glob
import os
from pathlib import Path

from elsa_nb import store
from elsa_nb.counts import count_of
from elsa_nb.images.encoders.names import CANDIDATES, hyphened, is_file_name, name_for_pictures
from elsa_nb.images.extraction.kept import CARD, Stamp, read_files
from elsa_nb.images.extraction.version import EXTRACTION
from elsa_nb.images.sources.files import ImageFiles, open_folder
from elsa_nb.images.sources.left_out import LIST, count_listed
from elsa_nb.pictures.decoding import Decoding
from elsa_nb.pictures.opening import escaped
from elsa_nb.pool import Pool
from elsa_nb.pool_files import card_of
from elsa_nb.store import sha256_bytes

REMARKS = "remarks.txt"  # beside the vectors: `ImageFiles.lasting`, a line for each


def folder_title(root: Path | str) -> str:
    """Return what the pools of a folder are called: its name, and eight digits that stand for its place."""
    root = Path(root).resolve()
    return f"{hyphened(root.name)}-{sha256_bytes(os.fsencode(root))[:8]}"


def place_of(pool: Pool) -> Path:
    """Return the folder in `data/pools` that holds a pool, as `--pool` takes it."""
    return store.DATA / "pools" / pool.name


def said_beside(place: Path) -> list[str]:
    """Return what a person who labels by the vectors in `place` had better not forget, in sentences.

    That is which pictures show little, and that files were left out, as the extraction has written it there.
    """
    lasting = place / REMARKS
    said = lasting.read_text(encoding="utf-8").splitlines() if lasting.is_file() else []
    if left := count_listed(place / LIST):
        said.append(f"{count_of(left, 'file is', 'files are')} left out; {place / LIST} says why.")
    return said


def known_decoding(base: Path, root: Path | str) -> Decoding | None:
    """Return the decoding of the pools `<base>-<encoder>-<space>` of `root` that exist, or None if there are none.

    A folder that has grown keeps its range of grey values, and so the vectors of what was there; delete its pools to
    have the range chosen again.
    """
    for card in sorted(base.parent.glob(f"{glob.escape(base.name)}-*/{CARD}")):
        about = card.with_name("pool.json")
        told = card_of(card.parent)["provenance"].get("decoding") if about.exists() else None
        if told and read_files(card)["root"] == escaped(str(Path(root).resolve())):
            return Decoding.of(told)
    return None


def find_pool(root: Path | str, encoder: str | None = None) -> tuple[Path, str] | None:
    """Return where the embeddings of `root`, with its present files, are, and their encoder: `encoder` or a default.

    None where there is no such pool, or where the folder has changed since: `embed.embed_folder` then makes it. A
    file of weights is not looked for, since it may have changed, too. Prints why it had better be made anew, if so.
    """
    names = CANDIDATES if encoder is None else [] if is_file_name(encoder) else [encoder]
    base = store.DATA / "pools" / folder_title(root)
    places = {base.with_name(f"{base.name}-{hyphened(name_for_pictures(name))}-embedding"): name for name in names}
    there = [place for place in places if (place / "pool.json").exists() and (place / CARD).exists()]
    if not there:
        return None
    files = open_folder(root, decoding=known_decoding(base, root))
    now = stamps(files)
    found = next((place for place in there if _is_of(place, files, now)), None)
    if found is not None and files.flat:
        print(files.flat)
    return None if found is None else (found, places[found])


def _is_of(place: Path, files: ImageFiles, now: dict[str, Stamp]) -> bool:
    card, about = read_files(place / CARD), card_of(place)
    told = about["provenance"]
    then = [*zip(card["ids"], card["stamps"], strict=True), *card["left_out"].items()]
    return (
        card["about"]["recipe"] == about["recipe"]
        and (told["extraction"], told["decoding"]) == (EXTRACTION, files.decoding.told())
        and dict(then) == now
    )


def stamps(files: ImageFiles) -> dict[str, Stamp]:
    """Return, for every image by id, what tells the present state of its file from another."""
    found = {}
    for item, path in zip(files.ids.tolist(), files.paths.tolist(), strict=True):
        try:
            told = os.stat(files.root / path)  # noqa: PTH116 - a third of the time of Path.stat
        except OSError:
            found[item] = Stamp(-1, 0)  # gone since the folder was listed: it will be found broken
        else:
            found[item] = Stamp(told.st_size, told.st_mtime_ns)
    return found
