"""Photographs instead of glyphs: which results notebook 09 shows, what their encoders are worth, and Table 11.

The notebook starts at `photograph_runs`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from elsa_nb import store
from elsa_nb.paper.measures import by_arm, medians
from elsa_nb.paper.measures.printed import printed_cells
from elsa_nb.paper.runs import runner
from elsa_nb.paper.runs.grid import Sweep
from elsa_nb.paper.runs.rivals import ARM_TITLES
from elsa_nb.profiles import profile

# The packs that the encoders were trained on: what they are called, and how many classes they hold.
PACK_CONTENTS = {"tiny-imagenet-200-slice250": ("Tiny-ImageNet", 200), "food-101-64px-testsplit": ("Food-101", 101)}
SEARCHED = ("components", "thinned", "food-101", "supervised")
FOOD_CLASS = 1000  # images per class in the paper's Food-101, for the labels its two printed measures imply


def photograph_runs(name: str, profile_name: str, sweeps: Mapping[str, Mapping[str, Sweep]]) -> pd.DataFrame:
    """Return the results of sweep `name`, one of `SEARCHED`, on photographs, one row per search.

    `sweeps` are those of the catalogue.

    Profiles `photos` and `paper` compute them. `quick` and `full` have no photographs and are given the committed ones
    of `photos`; a line says so. ImageNet-1k needs no thinning: there "thinned" is "components". Raises MissingDataError
    where the committed results are not there yet.
    """
    if not isinstance(name, str) or name not in SEARCHED:
        raise ValueError(f"sweep {name!r} is not one of photographs; allowed: {', '.join(SEARCHED)}")
    if profile_name == "paper" and name == "thinned":
        print("ImageNet-1k's classes are 0.1 % of it as they are: what follows is not thinned.")
        name = "components"
    if profile(profile_name).dataset != "glyphs" and profile_name in sweeps[name]:
        return runner.run(sweeps[name][profile_name], profile_name)
    frame = runner.stored_results(name, "photos")
    lacks = "does not run it" if profile(profile_name).dataset != "glyphs" else "has no photographs"
    print(f"{name}: profile {profile_name!r} {lacks}; these are the {len(frame)} searches of profile 'photos'")
    return frame


def describe_searches(frame: pd.DataFrame) -> str:
    """Return one line about the searches of a sweep: how many, in what, for classes of which size."""
    size, pool = frame["class_size"].median(), frame["pool_size"].median()
    return (
        f"{len(frame):,} searches in {frame['dataset'].iloc[0]} ({pool:,.0f} images): {frame['target'].nunique()} "
        f"classes of {size:.0f} images ({size / pool:.2%} of them), {frame['repeat'].nunique()} repeats"
    )


def components_beside_paper(frame: pd.DataFrame) -> pd.DataFrame:
    """Return Tables 3 and 4 in long form, as `by_arm.arms_beside_paper`: of the encoders that were run."""
    return pd.concat([by_arm.arms_beside_paper(frame, table) for table in (3, 4)], ignore_index=True)


def supervised_beside_paper(runs: pd.DataFrame, table: int) -> pd.DataFrame:
    """Return Table 2, 3, 4 or 11 in long form for the searches of `SUPERVISED`, beside what is printed of VICReg.

    The printed VICReg learned without labels and, in Tables 2 to 4, was searched in ImageNet-1k: it stands there to
    compare shapes. As `by_arm.arms_beside_paper`, the encoder being the one that was searched.
    """
    (encoder,) = runs["encoder"].unique()
    as_printed = runs.assign(encoder="vicreg")
    long = table11(as_printed) if table == 11 else by_arm.arms_beside_paper(as_printed, table)
    return long.assign(encoder=encoder)


def supervised_components(runs: pd.DataFrame) -> pd.DataFrame:
    """Return Tables 3 and 4 of `supervised_beside_paper` in one."""
    return pd.concat([supervised_beside_paper(runs, table) for table in (3, 4)], ignore_index=True)


def without_known_dishes(runs: pd.DataFrame, *, seeds: int = 5) -> pd.DataFrame:
    """Return medians of discovery and efficiency from `seeds` seeds, of all dishes and without `medians.KNOWN_DISHES`.

    As `medians`, with the column `dishes`: "all", or "without" those that ImageNet knows, and how many there are.
    """
    runs = runs[runs["seeds"] == seeds].replace({"arm": ARM_TITLES})
    parts = {"all": runs, "without": runs[~runs["target"].isin(medians.KNOWN_DISHES)]}
    named = [part.assign(dishes=f"{name} ({part['target'].nunique()})") for name, part in parts.items()]
    return medians.medians(pd.concat(named), ["dishes", "reading", "arm"], medians.RATES)


def lay_out_dishes(long: pd.DataFrame) -> pd.DataFrame:
    """Lay `without_known_dishes` out: one row per reading and arm, one column per metric and choice of dishes."""
    cells = [medians.cell_text(row) for row in long.itertuples()]
    long = long.assign(cell=cells, metric=long["metric"].map(medians.METRIC_TITLES))
    return long.pivot(index=["reading", "arm"], columns=["metric", "dishes"], values="cell").sort_index(axis=1)


def table11(frame: pd.DataFrame) -> pd.DataFrame:
    """Return Table 11 in long form, as `by_arm.arms_beside_paper`: every printed cell, our median and interval.

    The labels the paper spent are implied, not printed: discovery rate x 1000 / labelling efficiency.
    """
    keys = ["encoder", "arm", "seeds", "metric"]
    printed = printed_cells(11)[[*keys, "printed", "value", "note"]]
    implied = medians.implied_labels(printed, keys[:3], FOOD_CLASS)
    ours = medians.medians(frame).astype({"seeds": str})
    return pd.concat([printed, implied]).merge(ours, on=keys, how="inner", validate="one_to_many")


def beyond_chance(frame: pd.DataFrame, *, seeds: int = 5) -> pd.DataFrame:
    """Return what every arm found besides its seeds, as a multiple of what as many random labels would have found.

    One row per encoder, reading and arm; labels, new and by_chance are means over all searches from `seeds` seeds,
    times is the ratio of the latter two, with a 95 % interval (bootstrap over classes). 1 is as good as labelling at
    random.
    """
    runs = frame[frame["seeds"] == seeds].replace({"arm": ARM_TITLES})
    hidden = runs["class_size"] - seeds
    runs = runs.assign(
        new=runs["discovery_rate_without_seeds"] * hidden,
        by_chance=runs["labels_without_seeds"] * hidden / (runs["pool_size"] - seeds),
    )
    rng, lines = np.random.default_rng(0), []
    for key, group in runs.groupby(["encoder", "reading", "arm"], sort=False):
        by_class = group.groupby("target")[["new", "by_chance"]].sum().to_numpy()
        drawn = by_class[rng.integers(0, len(by_class), (1000, len(by_class)))].sum(1)
        low, high = np.quantile(drawn[:, 0] / drawn[:, 1], (0.025, 0.975))
        means = group[["labels_without_seeds", "new", "by_chance"]].mean()
        lines.append((*key, *means, means["new"] / means["by_chance"], low, high))
    columns = ["encoder", "reading", "arm", "labels", "new", "by_chance", "times", "low", "high"]
    return pd.DataFrame(lines, columns=columns)


def photograph_encoders() -> pd.DataFrame:
    """Return how good the encoders of photographs are, from the cards of their weights: one row per encoder and space.

    Columns: encoder, photographs, epochs, minutes, space, purity, top1, chance (of either). An encoder without weights
    has a row that says so: its figures are NaN and its space "not trained".
    """
    lines = []
    for encoder, (photographs, classes), card in _cards():
        line = {"encoder": medians.ENCODER_TITLES[encoder], "photographs": photographs}
        if card is None:
            lines.append(line | {"space": "not trained"})
            continue
        share = card["steps"] / card.get("planned_steps", card["steps"])  # below 1 where a run was ended early
        line |= {"epochs": round(card["config"]["epochs"] * share, 1), "minutes": round(card["seconds"] / 60)}
        for space, worth in card["quality"].items():
            figures = {"purity": worth["purity_10nn"], "top1": worth["linear_probe"], "chance": 1 / classes}
            lines.append(line | {"space": space} | figures)
    columns = ["encoder", "photographs", "epochs", "minutes", "space", "purity", "top1", "chance"]
    return pd.DataFrame(lines, columns=columns)


def training_curves() -> pd.DataFrame:
    """Return purity and linear top-1 of the embedding while the encoders were trained, in long form.

    Columns: encoder (and photographs), metric, epoch, value, chance; measured on 12,500 images.
    """
    lines = [
        (f"{medians.ENCODER_TITLES[encoder]}, {photographs}", metric, point["epoch"], point[column], 1 / classes)
        for encoder, (photographs, classes), card in _cards()
        if card is not None
        for point in card["quality_curve"]
        for metric, column in (("purity", "purity_10nn"), ("top1", "linear_probe"))
    ]
    return pd.DataFrame(lines, columns=["encoder", "metric", "epoch", "value", "chance"])


def _cards() -> list[tuple[str, tuple[str, int], dict[str, Any] | None]]:
    """Return (encoder, its photographs, its card or None) of every encoder that profile `photos` knows."""
    found = []
    for dataset in profile("photos").datasets:
        for encoder, weights in dataset.encoders:
            if encoder in medians.SUPERVISED_TITLES:  # of a package, not trained here
                continue
            path = store.locate(f"weights/{weights}.json")
            found.append((encoder, PACK_CONTENTS[dataset.pack], store.read_json(path) if path.exists() else None))
    return found
