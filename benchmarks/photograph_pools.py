"""Pools of photographs for `equal_budgets`, by the encoder that needs no connection.

    ELSA_DATA=FOLDER python -m benchmarks.photograph_pools

The encoder is EfficientNet-Lite0, which learned the 1,000 classes of ImageNet from labels: Tiny-ImageNet's 200 classes
are among them, and of Food-101's a handful (pizza, ice cream, guacamole ...). It sees the photographs, which the packs
hold at 64 pixels, at 96. Of each class the first photographs are taken, since all of them would take an hour on a core:
40 of each dish, 25 of each class of Tiny-ImageNet, so that a class is 1 % and 0.5 % of its pool.

Writes data/pools/DATASET-efficientnet-lite0-96px-embedding, with the labels beside it as `labels.csv`. What is there
already is not made again, and what was interrupted goes on.
"""

import numpy as np
import pandas as pd
import torch

from elsa_nb.images.encoders.efficientnet_lite import load_efficientnet_lite0
from elsa_nb.images.encoders.preprocessing import CropGeometry
from elsa_nb.images.extraction.crops import Crops
from elsa_nb.images.extraction.extract import extract_all
from elsa_nb.images.sources.packs import Pack
from elsa_nb.store import DATA, write_atomically

NAME = "efficientnet-lite0-96px"
GEOMETRY = CropGeometry(96, 96, "bicubic")
PACKS = {"food-101": ("food-101-64px-testsplit", 40), "tiny-imagenet": ("tiny-imagenet-200-slice250", 25)}


def first_of_each(targets: np.ndarray, count: int) -> np.ndarray:
    """Return the rows (m,), ascending, of the first `count` images of each class."""
    return np.flatnonzero(pd.Series(targets).groupby(targets).cumcount().to_numpy() < count)


def main() -> None:
    """Make both pools on one thread."""
    torch.set_num_threads(1)
    encoder = load_efficientnet_lite0()
    encoder.geometry = None  # the source hands it squares of its own
    for dataset, (pack_name, count) in PACKS.items():
        pack = Pack.open(pack_name)
        rows = first_of_each(pack.targets, count)
        source = Crops(pack, GEOMETRY, rows=rows, workers=0)
        extract_all(source, {NAME: encoder}, name=dataset, batch=32, workers=0)
        labels = pd.DataFrame({"id": pack.ids[rows], "label": pack.labels["name"].to_numpy()[rows]})
        write_atomically(DATA / "pools" / f"{dataset}-{NAME}-embedding" / "labels.csv", _csv(labels))


def _csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


if __name__ == "__main__":
    main()
