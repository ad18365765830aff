"""The data sets of the profiles, opened by the name that their pools have: the extraction and the tables call this."""

from typing import Any

from elsa_nb.errors import check_known
from elsa_nb.images.sources.packs import Pack
from elsa_nb.profiles import PROFILES, DataSet

DATASETS: dict[str, DataSet] = {each.name: each for profile in PROFILES.values() for each in profile.datasets}


def open_dataset(name: str) -> Any:
    """Open a data set: a source of images with `ids`, `sha256`, `labels["name"]` and `class_rows`.

    Raises ValueError for an unknown name and MissingDataError, in one sentence, for what is not here.
    """
    check_known("data set", name, DATASETS)
    if name == "glyphs":
        from elsa_nb.images.sources.glyphs import Glyphs

        return Glyphs.open()
    if DATASETS[name].pack:
        return Pack.open(DATASETS[name].pack)
    if name == "imagenet-1k":
        from elsa_nb.images.sources.imagenet import open_imagenet

        return open_imagenet()
    from elsa_nb.images.sources.food101 import open_food101

    return open_food101()
