"""Where the user's own data are: found in a moment without reading them, or reported missing in one sentence.

The sources call it to open a data set, `extraction/requirements.py` to say beforehand what is missing.
"""

import os
from pathlib import Path

from elsa_nb.errors import MissingDataError

PACKS, IMAGENET, FOOD101 = "ELSA_DATA", "ELSA_IMAGENET", "ELSA_FOOD101"  # environment variables

_KAGGLE = "ILSVRC/Data/CLS-LOC"
GET_PACKS = "`elsa-nb data get food-101` (or cifar-10, tiny-imagenet) makes a pack in the folder that ELSA_DATA names"


def data_folder(folder: Path | str | None = None) -> Path:
    """Return `folder`, or the one that ELSA_DATA names; MissingDataError if neither is there."""
    named = folder or os.environ.get(PACKS)
    if not named:
        raise MissingDataError(f"{PACKS} is not set: it names the folder of the image packs. {GET_PACKS}.")
    if not Path(named).is_dir():
        what = "The folder" if folder else f"{PACKS} ="
        raise MissingDataError(f"{what} {named} is not a folder here. {GET_PACKS}.")
    return Path(named)


def pack_path(name: str, folder: Path | str | None = None) -> Path:
    """Return the file of the pack `name`; MissingDataError, naming the packs that are there, if it is not."""
    folder = data_folder(folder)
    path = folder / f"{name}.npz"
    if not path.is_file():
        there = ", ".join(sorted(p.stem for p in folder.glob("*.npz"))) or "no pack at all"
        raise MissingDataError(f"{path} is not here; {folder} holds {there}. {GET_PACKS}.")
    return path


def imagenet_folder(root: Path | str | None = None, split: str = "train") -> Path:
    """Return the folder of a split's images; MissingDataError, naming the places looked at, if there is none.

    `root` (default: what ELSA_IMAGENET names) is the folder above `train`, of torchvision's layout or Kaggle's.
    """
    root = _named_folder(IMAGENET, root, "ImageNet-1k")
    places = [root / split, root / _KAGGLE / split, root / "Data" / "CLS-LOC" / split]
    for folder in places:
        if folder.is_dir():
            return folder
    raise MissingDataError(
        f"There is no ImageNet-1k in {root}: looked for {places[0]} (torchvision's layout) and {places[1]} (Kaggle's)."
    )


def food101_folder(root: Path | str | None = None) -> Path:
    """Return the folder of `images` and `meta`: `root` (default: what ELSA_FOOD101 names) or `food-101` in it."""
    root = _named_folder(FOOD101, root, "Food-101")
    for folder in (root, root / "food-101"):
        lists = [folder / "meta" / f"{split}.json" for split in ("train", "test")]
        if (folder / "images").is_dir() and all(each.exists() for each in lists):
            return folder
    raise MissingDataError(
        f"There is no Food-101 in {root}: looked for images/, meta/train.json and meta/test.json there and in "
        f"{root / 'food-101'}."
    )


def _named_folder(variable: str, root: Path | str | None, what: str) -> Path:
    named = root or os.environ.get(variable)
    if not named:
        raise MissingDataError(f"{variable} is not set: set it to the folder of your copy of {what}.")
    if not Path(named).is_dir():
        raise MissingDataError(f"{named} is not here, though {variable if not root else 'you'} named it as {what}.")
    return Path(named)
