"""Pools of photographs for `equal_budgets`, by the encoder that needs no connection.

    ELSA_DATA=FOLDER python -m benchmarks.photograph_pools

The encoder is EfficientNet-Lite0, which learned the 1,000 classes of ImageNet from labels: Tiny-ImageNet's 200 classes
are among them, and of Food-101's a handful (pizza, ice cream, guacamole ...). It sees the photographs, which the packs
hold at 64 pixels, at 96. The first 40 photographs of a class are taken, of every second class of Tiny-ImageNet, since
all of them would take an hour on a core: 4,040 and 4,000 photographs, of which a class is 1 %.

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
EACH = 40
PACKS = {"food-101": ("food-101-64px-testsplit", 1), "tiny-imagenet": ("tiny-imagenet-200-slice250", 2)}


def first_of_each(targets: np.ndarray, count: int, step: int = 1) -> np.ndarray:
    """Return the rows (m,), ascending, of the first `count` images of each class, or of every `step`-th class."""
    early = pd.Series(targets).groupby(targets).cumcount().to_numpy() < count
    return np.flatnonzero(early & (targets % step == 0))


def main() -> None:
    """Make both pools on one thread."""
    torch.set_num_threads(1)
    encoder = load_efficientnet_lite0()
    encoder.geometry = None  # the source hands it squares of its own
    for dataset, (pack_name, step) in PACKS.items():
        pack = Pack.open(pack_name)
        rows = first_of_each(pack.targets, EACH, step)
        source = Crops(pack, GEOMETRY, rows=rows, workers=0)
        extract_all(source, {NAME: encoder}, name=dataset, batch=32, workers=0)
        labels = pd.DataFrame({"id": pack.ids[rows], "label": pack.labels["name"].to_numpy()[rows]})
        write_atomically(DATA / "pools" / f"{dataset}-{NAME}-embedding" / "labels.csv", _csv(labels))


def _csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


if __name__ == "__main__":
    main()
