"""Make the generated pools and run the searches of notebook 16: `python -m elsa_nb.paper.experiments.phase`.

Nine gigabytes; notebook 16 says how long the searches took on one core. Stopped at any moment it goes on from there.
`... phase spaces` measures the pools beside those of encoders, as far as they are here, and writes what notebook 16
shows of it.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from elsa_nb import store
from elsa_nb.errors import MissingDataError
from elsa_nb.paper.experiments.phase import sweep
from elsa_nb.paper.experiments.phase.spaces import measure_space
from elsa_nb.paper.experiments.phase.tables import MEASURED_SPACES
from elsa_nb.paper.runs import runner
from elsa_nb.paper.runs.generated import GENERATED_SETS, SPACE, write
from elsa_nb.paper.runs.place import Place, class_names
from elsa_nb.pool import Pool
from elsa_nb.threads import one_thread

_FULL_SIZE = sweep.AT_FULL_SIZE, sweep.NEAREST
_ENCODERS = (  # profile, data set, encoder, space
    ("full", "glyphs", "vicreg", "embedding"),
    ("full", "glyphs", "vicreg", "projection"),
    ("full", "glyphs", "barlow-twins", "projection"),
    ("photos", "tiny-imagenet", "vicreg", "embedding"),
    ("photos", "tiny-imagenet", "vicreg", "projection"),
    ("photos", "food-101-64px", "vicreg", "embedding"),
)
_CLASSES = 6  # of each space


def run_phase() -> None:
    """Write the pools that are not there, then run what is missing of each sweep, a few more classes at a time."""
    for dataset in GENERATED_SETS.values():
        for name in dataset.blends:
            write(dataset, name)
    for plan in (sweep.GRID, sweep.AT_2048):
        runner.run(plan, "full", workers=1)
    for classes in range(1, max(plan.n_classes for plan in _FULL_SIZE) + 1):
        for plan in _FULL_SIZE:  # the same class twice: its neighbour lists are still there
            runner.run(replace(plan, n_classes=min(classes, plan.n_classes)), "full", workers=1)


def measure_spaces() -> pd.DataFrame:
    """Write what the pools that are here are like around their classes, generated ones last; return it."""
    with one_thread():
        table = pd.DataFrame(_measured())
    store.write_atomically(store.DATA / MEASURED_SPACES, table.to_csv(index=False, float_format="%.4g").encode())
    return table


def _measured() -> Iterator[pd.Series]:
    places = [Place(*words) for words in _ENCODERS]
    places += [Place("full", sweep.GRID.dataset, name, SPACE) for name in sweep.GRID.encoders]
    for place in places:
        try:
            place.check_here()
        except MissingDataError as error:
            print(f"left out: {error}")
            continue
        vectors = Pool.open(place.folder, verify=False).vectors
        labels = class_names(place.dataset).astype("category").cat.codes.to_numpy()
        told = measure_space(vectors, labels, _CLASSES)
        kind = "generated" if place.dataset in GENERATED_SETS else "encoder"
        names = {"kind": kind, "dataset": place.dataset, "encoder": place.encoder, "space": place.space}
        yield pd.concat([pd.Series(names | {"rows": len(vectors), "dimensions": vectors.shape[1]}), told])


if __name__ == "__main__":
    print(measure_spaces().to_string()) if sys.argv[1:] == ["spaces"] else run_phase()
