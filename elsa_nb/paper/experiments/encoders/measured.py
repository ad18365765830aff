"""What each encoder is worth by labels: a linear probe and neighbour purity on the very vectors that are searched.

Notebook 05 starts at `measured_encoders`. What was measured is a result as those of the sweeps are: a file of
`data/results`, valid for the recipe of the vectors, so that it is read without them.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from elsa_nb import fingerprints, store
from elsa_nb.images.encoders.published import OFFICIAL
from elsa_nb.images.training import quality
from elsa_nb.paper.runs import runner
from elsa_nb.paper.runs.place import Place
from elsa_nb.pool import Pool
from elsa_nb.profiles import Profile, profile
from elsa_nb.progress import bar

FLOOR_WEIGHTS = {"untrained": "random weights", "raw-pixels": "no network"}
PROBED_PER_CLASS = 50  # images per class, on average, to train and test a linear probe on: seconds, not minutes
PURITY_QUERIES = 2000
_FIGURES = ("dimension", "linear_top1", "purity")


def measured_encoders(profile_name: str, *, progress: bool | None = None) -> pd.DataFrame:
    """Return what each of the profile's encoders is worth by labels.

    Columns: encoder, loaded (which weights), dimension, linear_top1 (%), purity.

    `linear_top1` is the accuracy of a linear probe on a fifth of a fixed random sample of images, 50 per class on
    average, trained on the other four fifths; `purity` the share of the ten nearest neighbours, in the whole pool, that
    have the image's label, over 2,000 images. Measured once and kept as `data/results/encoder-worth-<profile>.json`.
    Raises MissingDataError for a pool that has to be measured and is not here.
    """
    chosen, source = profile(profile_name), _source()
    file, kept = _file(profile_name), _kept(profile_name, source)
    rows = []
    for encoder, _ in bar(chosen.datasets[0].encoders, "linear probes", progress):
        place = Place.of(profile_name, encoder, "embedding")
        recipe = place.recipe
        if kept.get(encoder, {}).get("recipe") != recipe:
            kept[encoder] = {"recipe": recipe, "made_by": _made_by(), **worth_of(place)}
            store.write_card(file, {"source": source, "encoders": kept})
        figures = {name: kept[encoder][name] for name in _FIGURES}
        rows.append({"encoder": encoder, "loaded": loaded_weights(chosen, encoder), **figures})
    return pd.DataFrame(rows)


def loaded_weights(chosen: Profile, encoder: str) -> str:
    """Say in a few words which weights a profile's encoder has."""
    if encoder in FLOOR_WEIGHTS:
        return FLOOR_WEIGHTS[encoder]
    kind, _, name = dict(chosen.datasets[0].encoders)[encoder].rpartition(":")
    if kind == "official":
        spec = OFFICIAL[name]
        return f"published file, {spec.epochs} epochs, top-1 {spec.top1}"
    epochs = store.read_json(store.locate(f"weights/{name}.json"))["config"]["epochs"]
    return f"trained here, {epochs} epochs"


def _source() -> dict[str, int]:
    """Return how things are measured: what was measured otherwise is measured again."""
    return {"version": quality.PROBE_VERSION, "per_class": PROBED_PER_CLASS, "queries": PURITY_QUERIES}


def _made_by() -> dict[str, Any]:
    """Return whose figures they are, for a reader: they stay valid when the code changes."""
    return fingerprints.made_by(quality.__name__, __name__, packages=("torch", "numpy"))


def _file(profile_name: str) -> Path:
    return runner.RESULTS / f"encoder-worth-{profile_name}.json"


def _kept(profile_name: str, source: dict[str, int]) -> dict[str, dict[str, Any]]:
    """Return what was measured in this way before: by encoder its recipe and figures."""
    file = _file(profile_name)
    if not file.exists():
        return {}
    what, cure = "what encoders were measured to be worth", "Delete it; the next run measures again."
    card = store.read_card(file, what, cure, always_sealed=True)
    with store.reading(file, what, cure):
        if card["source"] != source:
            return {}
        kept = {encoder: dict(entry) for encoder, entry in card["encoders"].items()}
        if any({"recipe", *_FIGURES} - entry.keys() for entry in kept.values()):
            raise ValueError("an encoder without one of its figures")
        return kept


def worth_of(place: Place) -> dict[str, float]:
    """Measure what the vectors of a place are worth by labels: dimension, linear_top1 (%), purity; a minute."""
    labels = place.class_names.astype("category").cat.codes.to_numpy()
    vectors = Pool.open(place.folder, verify=False).vectors
    size = min(len(labels), PROBED_PER_CLASS * (int(labels.max()) + 1))
    sample = np.sort(np.random.default_rng(0).permutation(len(labels))[:size])
    return {
        "dimension": vectors.shape[1],
        "linear_top1": 100 * quality.linear_probe(vectors[sample], labels[sample]),
        "purity": quality.purity(vectors, labels, queries=PURITY_QUERIES),
    }
