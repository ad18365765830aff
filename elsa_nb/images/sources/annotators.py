"""What people answered about CIFAR-10: three of them for each training image, each wrong about one time in six.

`human_labels` reads the published file, for `benchmarks.human_labels` and the notebook "people who err".
"""

from pathlib import Path

import pandas as pd

from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.images.sources.locations import data_folder
from elsa_nb.images.sources.packs import Pack

FILE = "cifar-10n-human-labels.csv.gz"
PEOPLE = ("human1", "human2", "human3")


def human_labels(pack: Pack, folder: Path | str | None = None) -> pd.DataFrame:
    """Return the answers of three people about the training images of the pack `cifar-10-jpeg`, in row order.

    The frame has one row for each image of the split `train`, indexed by the pack's row, and the columns `human1`,
    `human2`, `human3` (class names, categorical) and `label`, the class it was collected as. They come from CIFAR-10N
    (CC BY-NC 4.0), the file `cifar-10n-human-labels.csv.gz` in `folder` (default: what ELSA_DATA names), whose column
    `path` is split/class/number: the k-th file of a class is the k-th image of that class in the pack.

    Raises MissingDataError without the file and CorruptFileError where it does not fit the pack.
    """
    path = data_folder(folder) / FILE
    if not path.is_file():
        raise MissingDataError(
            f"{path} is not here: the labels of CIFAR-10N (github.com/UCSC-REAL/cifar-10-100n) as a table with the "
            f"columns path (train/frog/0000.jpg), label, {', '.join(PEOPLE)}."
        )
    table = pd.read_csv(path)
    if absent := {"path", "label", *PEOPLE} - set(table.columns):
        raise CorruptFileError(f"{path} lacks the columns {', '.join(sorted(absent))}.")
    origin = table["path"].str.extract(r"^train/(?P<name>[^/]+)/(?P<number>\d+)\.\w+$")
    origin["number"] = pd.to_numeric(origin["number"])
    rows = pack.labels.assign(row=range(len(pack)))
    rows = rows[rows["split"] == "train"].astype({"name": str})
    rows["number"] = rows.groupby("name").cumcount()
    joined = table.join(origin).merge(rows, on=["name", "number"], how="outer", validate="1:1")
    if joined["row"].isna().any() or joined["path"].isna().any() or (joined["label"] != joined["name"]).any():
        raise CorruptFileError(f"{path} does not name each of the {len(rows):,} training images of {pack.name} once.")
    frame = joined.astype({"row": int}).set_index("row").sort_index()[["label", *PEOPLE]]
    return frame.astype(pd.CategoricalDtype(list(pack.classes)))
