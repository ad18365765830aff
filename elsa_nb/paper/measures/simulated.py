"""Simulations that belong to no sweep: made by `python -m benchmarks...`, committed, and read here by the notebooks.

The tables of the experiments `encoders`, `equal_budgets`, `missing` and `people` begin with a file of `SIMULATED`.
"""

from collections.abc import Mapping

import pandas as pd

from elsa_nb import store

SIMULATED = store.NOTEBOOKS.parent / "benchmarks" / "results"
POOL_TITLES = {
    "glyphs-vicreg-projection": "glyphs, projection",
    "glyphs-vicreg-embedding": "glyphs, embedding",
    "food-101-64px-efficientnet-lite0-embedding": "Food-101, supervised",
    "tiny-imagenet-efficientnet-lite0-embedding": "Tiny-ImageNet, supervised",
    "debian-wordllama-256-embedding": "texts",
}
# The same photographs by the same encoder with its stages (`encoders.efficientnet_lite`), under the same titles.
STAGES_TITLES = {
    pool.replace("lite0", "lite0-stages"): title for pool, title in POOL_TITLES.items() if "efficientnet-lite0" in pool
}


def held_out(file: str, titles: Mapping[str, str] = POOL_TITLES) -> pd.DataFrame:
    """Return the rows of a file of `SIMULATED` that are of classes nothing was chosen on, in the pools of `titles`.

    Pools go by these titles from here on.
    """
    frame = pd.read_csv(SIMULATED / file)
    frame = frame[(frame["half"] == "held-out") & frame["pool"].isin(titles)].reset_index(drop=True)
    return frame.assign(pool=frame["pool"].map(titles))
