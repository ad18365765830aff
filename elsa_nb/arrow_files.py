"""Tables in Parquet and in Feather, Arrow's own format: from a file, or from bytes that were checked before.

Nothing else in the package calls pyarrow's readers (a rule of ruff, TID251).
"""

import re
from pathlib import Path
from typing import Any

ARROW = (".parquet", ".feather", ".arrow")
_TWICE = "it has several columns {!r}; give each a name of its own"


def read_arrow(source: Path | bytes, parquet: bool) -> Any:
    """Return the `pyarrow.Table` in a Parquet file or, without `parquet`, in one of Feather.

    Raises pyarrow's errors, which are ValueError or OSError, for a file of another kind, and ValueError for
    columns of the same name.
    """
    import pyarrow
    import pyarrow.feather
    import pyarrow.parquet

    if isinstance(source, bytes):
        # Arrow's threads let go of what they have read a moment later. An object of Python that only they still hold
        # aborts a program that ends in this moment; what Arrow holds itself does not.
        held = pyarrow.BufferOutputStream()
        held.write(source)
        source = pyarrow.BufferReader(held.getvalue())
    read = pyarrow.parquet.read_table if parquet else pyarrow.feather.read_table  # noqa: TID251
    try:
        table = read(source)
    except pyarrow.ArrowInvalid as error:
        if told := re.match(r"Multiple matches for FieldRef.Name\((.*?)\) in ", str(error)):
            raise ValueError(_TWICE.format(told[1])) from None
        raise
    names = table.column_names
    if len(set(names)) < len(names):
        raise ValueError(_TWICE.format(next(name for name in names if names.count(name) > 1)))
    table.validate(full=True)  # else offsets outside a column are read, and end the process
    return table
