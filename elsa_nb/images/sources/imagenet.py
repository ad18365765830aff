"""ImageNet-1k from the user's own copy, in the layout of torchvision or the common one of Kaggle."""

import csv
import re
from pathlib import Path

import numpy as np

from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.images.sources.files import ImageFiles, walk
from elsa_nb.images.sources.locations import imagenet_folder

SPLIT_SIZES = {"train": 1_281_167, "val": 50_000}
CLASSES = 1000
_WNID = re.compile(r"n\d{8}")


def open_imagenet(root: Path | str | None = None, split: str = "train") -> ImageFiles:
    """Open a split of ImageNet-1k; classes are WordNet ids in sorted order, which is the usual order of the 1000.

    An image's id is its file name without suffix (`n02088364_1234`). For the training images it begins with the class,
    and must agree with the folder. Raises MissingDataError for a missing split and CorruptFileError for a layout that
    is not ImageNet's.
    """
    if not isinstance(split, str) or split not in SPLIT_SIZES:
        raise ValueError(f"split is {split!r}; allowed: {', '.join(SPLIT_SIZES)}.")
    folder = imagenet_folder(root, split)
    paths = list(walk(folder, (".jpeg",)))
    stems = [path.rpartition("/")[2].rpartition(".")[0] for path in paths]
    if split == "val" and paths and not any("/" in path for path in paths):
        names = _flat_labels(folder, stems)
    else:
        names = [path.partition("/")[0] for path in paths]
        if strange := sorted({name for name in names if not _WNID.fullmatch(name)}):
            raise CorruptFileError(
                f"{folder} holds {strange[0]}, which is not a WordNet id such as n02088364: this is not ImageNet."
            )
    if split == "train":
        for stem, name in zip(stems, names, strict=True):
            if stem.partition("_")[0] != name:
                raise CorruptFileError(f"{folder / name / stem}.JPEG is in the folder of another class. Move it back.")
    classes = sorted(set(names))
    index = {name: i for i, name in enumerate(classes)}
    n, k = len(paths), len(classes)
    whole = n == SPLIT_SIZES[split] and k == CLASSES
    note = "" if whole else f"{n:,} of {SPLIT_SIZES[split]:,} images, {k:,} of {CLASSES:,} classes"
    targets = [index[name] for name in names]
    return ImageFiles.of("imagenet-1k", folder, paths, targets, classes, ids=stems, splits=np.full(n, split), note=note)


def titles(classes: tuple[str, ...]) -> dict[str, str]:
    """Return the English name of each of the 1000 WordNet ids; of fewer ids only the sorted place would be known.

    Two classes share the name "crane", two "maillot": keep ids as keys.
    """
    from torchvision.models import ResNet50_Weights

    names = ResNet50_Weights.IMAGENET1K_V1.meta["categories"]
    if len(classes) != len(names):
        raise ValueError(f"there are {len(classes)} classes; names are known for all {len(names)} together only.")
    return dict(zip(classes, names, strict=True))


def _flat_labels(folder: Path, stems: list[str]) -> list[str]:
    """Return the classes of Kaggle's validation images, which are in one folder, from its solution file."""
    table = next((up / "LOC_val_solution.csv" for up in folder.parents if (up / "LOC_val_solution.csv").exists()), None)
    if table is None:
        raise MissingDataError(
            f"{folder} holds images without classes: LOC_val_solution.csv, which names them, is in no folder above it."
        )
    with table.open(newline="", encoding="utf-8") as stream:
        wnid_of = {row["ImageId"]: row["PredictionString"].split()[0] for row in csv.DictReader(stream)}
    if absent := [stem for stem in stems if stem not in wnid_of]:
        raise CorruptFileError(f"{table} does not name the class of {absent[0]}.")
    return [wnid_of[stem] for stem in stems]
