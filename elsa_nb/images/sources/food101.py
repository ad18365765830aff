"""Food-101 from the user's own copy: both of its splits as one pool of 101,000 photographs."""

from pathlib import Path

from elsa_nb.errors import CorruptFileError
from elsa_nb.images.sources.files import ImageFiles
from elsa_nb.images.sources.locations import food101_folder
from elsa_nb.store import read_json

SIZE, ALL_CLASSES = 101_000, 101
SPLITS = ("train", "test")


def open_food101(root: Path | str | None = None, splits: tuple[str, ...] = SPLITS) -> ImageFiles:
    """Open Food-101, the training images first, each split in the order of its list; ids are `apple_pie/1005649`.

    The training labels are noisy on purpose, those of the test images were reviewed. Raises MissingDataError for a
    folder that is not Food-101, and CorruptFileError for images that a list names and that are not there.
    """
    if not splits or not set(splits) <= set(SPLITS):
        raise ValueError(f"splits are {splits}; allowed: some of {SPLITS}.")
    folder = food101_folder(root)
    ids, split_of = [], []
    for split in splits:
        lists = read_json(folder / "meta" / f"{split}.json")
        listed = [image for images in lists.values() for image in images]
        ids += listed
        split_of += [split] * len(listed)
    there = {f"{dish.name}/{image.stem}" for dish in (folder / "images").iterdir() for image in dish.glob("*.jpg")}
    if absent := sorted(set(ids) - there):
        raise CorruptFileError(
            f"{folder / 'images'} lacks {len(absent):,} of {len(ids):,} images, such as {absent[0]}.jpg. "
            "Unpack the archive again."
        )
    names = [image.partition("/")[0] for image in ids]
    classes = sorted(set(names))
    index = {name: i for i, name in enumerate(classes)}
    whole = set(splits) != set(SPLITS) or (len(ids) == SIZE and len(classes) == ALL_CLASSES)
    note = "" if whole else f"{len(ids):,} of {SIZE:,} images, {len(classes)} of {ALL_CLASSES} classes"
    paths = [f"images/{image}.jpg" for image in ids]
    return ImageFiles.of(
        "food-101", folder, paths, [index[name] for name in names], classes, ids=ids, splits=split_of, note=note
    )
