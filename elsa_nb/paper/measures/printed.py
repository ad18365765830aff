"""What the paper printed, table by table: data that joins a result at the last step and never enters a run.

Every table that shows printed values starts at `printed_cells`.
"""

import re

import pandas as pd

from elsa_nb.errors import MissingDataError
from elsa_nb.store import RESTORED, locate, reading

CLAIMS = locate("claims")
YES_NO = {"yes": 1.0, "no": 0.0}
_NUMBER = re.compile(r"\d+(\.\d+)?")


def table_numbers() -> list[int]:
    """List the numbers of the paper's tables that `data/claims` holds."""
    return sorted(int(path.stem.removeprefix("table")) for path in CLAIMS.glob("table[0-9][0-9].csv"))


def printed_cells(table: int | str) -> pd.DataFrame:
    """Read one table of the paper: one row per printed cell.

    `table` is its number (2, "2" or "table02"). Every column is text as in the file, `printed` to the last zero;
    `value` is added: `printed` as float64, with yes = 1 and no = 0 in Table 1. `seeds` is text because Table 2 has
    a row `median` and Table 5 gives no seeds. `data/claims/README.md` explains the columns.

    Raises ValueError for a table that the paper does not have or that is not held here.

    >>> printed_cells(4).query("arm == 'NN' and seeds == '50'")[["metric", "printed"]].values.tolist()
    [['labelling_efficiency', '0.412'], ['discovery_rate', '0.0984']]
    """
    held = table_numbers()
    if not held:
        raise MissingDataError(f"There are no claims in {CLAIMS}; check the folder out again from git.")
    given = re.fullmatch(r"(?:table)?0*(\d+)", str(table))
    if given is None or int(given[1]) not in held:
        raise ValueError(f"table = {table!r}; the paper's tables held here: {', '.join(map(str, held))}")
    path = CLAIMS / f"table{int(given[1]):02}.csv"
    with reading(path, "a table of claims", f"{RESTORED} brings it back."):
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        return frame.assign(value=[_value(printed) for printed in frame["printed"]])


def printed_value(table: int, metric: str, **where: str) -> float:
    """Return one printed number as float64: that of `metric` where the columns hold what `where` says, as text.

    Raises ValueError unless exactly one cell is meant.

    >>> printed_value(3, "discovery_rate", arm="NN", seeds="50")
    0.1173
    """
    cells = printed_cells(table)
    for column, value in (where | {"metric": metric}).items():
        cells = cells[cells[column] == value]
    if len(cells) != 1:
        raise ValueError(f"{len(cells)} cells of Table {table} have {metric}, {where}; name one")
    return float(cells["value"].item())


def _value(printed: str) -> float:
    if printed in YES_NO:
        return YES_NO[printed]
    if not _NUMBER.fullmatch(printed):
        raise ValueError(f"it holds {printed!r} as a printed value; allowed: digits, yes, no")
    return float(printed)
