"""Vectors that lie in tables: in a column of lists, in numbered columns, or in cells of text that hold a list each.

Tables are CSV, in the separators, decimal marks and encodings of many programs and countries, Parquet and Feather;
`vector_json` makes them of JSON. A column that belongs to the vectors and does not hold a number in every row is
refused, never left out.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from elsa_nb.text_files import decoded
from elsa_nb.vectors import as_names, check_whole_columns

VECTORS = ("vectors", "embeddings", "embedding", "vector", "features", "feats", "emb", "x", "X", "arr_0")
IDS = (
    *("ids", "item", "items", "filenames", "filename", "file_names", "file_name", "paths", "path", "files", "file"),
    *("filepath", "file_path", "image", "images", "image_path", "img_path", "names", "name", "key", "keys", "id"),
)
_SEPARATORS = ("\t", ";", "|", ",")  # what separates is tried before what may be a decimal mark
_HEAD = 1 << 16  # letters of a text file that say how it is laid out
_LOOKED_AT = 20  # its rows
_LIST = re.compile(r"\s*(array\(|tensor\()?[\[(].*[\])]\s*", re.DOTALL)
# What numpy and torch print around numbers.
_PRINTED = re.compile(
    r"np\.float\d+|array|tensor|\b(dtype|device|requires_grad|grad_fn|size|layout)=[^,)\]]+|[\[\](),]"
)
_COMMA = re.compile(r"\s*[+-]?\d*,\d+([eE][+-]?\d+)?\s*")


@dataclass
class VectorFile:
    """What a file holds: `vectors` (n, d), `ids` (None: it names none), and what was left out or taken how."""

    vectors: Any
    ids: Sequence[str] | None = None
    notes: list[str] = field(default_factory=list)


def find_name(names: Sequence[Any], known: Sequence[str] = IDS) -> Any | None:
    """Return the first of the `known` names that is among `names`, whatever its case; None where none is."""
    plain = {str(name).strip().casefold(): name for name in names}
    return next((plain[name] for name in known if name in plain), None)


def ids_in_table(path: Path) -> list[str]:
    """Return the ids in a file that holds a table, as `ids_in_frame` does."""
    return ids_in_frame(_arrow_in(path).to_pandas() if path.suffix.lower() in ARROW else _frame(path)[0])


def ids_in_frame(frame: Any) -> list[str]:
    """Return the ids in a table: its column of names, or its first column of words."""
    column = find_name(list(frame.columns))
    column = next((c for c in frame if not _is_number_like(frame[c])), None) if column is None else column
    if column is None:
        raise ValueError(f"it has no column of ids ({', '.join(map(str, frame.columns[:8]))}); call it item")
    return as_names(frame[column])


# --- Parquet and Feather

ARROW = (".parquet", ".feather", ".arrow")


def read_arrow(source: Path | BinaryIO, parquet: bool) -> Any:
    """Return the table of pyarrow in a Parquet file, or in one of Feather (Arrow's own format)."""
    import pyarrow.feather
    import pyarrow.parquet

    table = (pyarrow.parquet if parquet else pyarrow.feather).read_table(source)
    table.validate(full=True)  # places that lie outside a column are read all the same, and end the process
    return table


def vectors_in_arrow(path: Path, key: str | None) -> VectorFile:
    """Read the vectors of a file of `ARROW`; `key` names the column of lists, or what numbered ones share."""
    return from_table(_arrow_in(path), key)


def _arrow_in(path: Path) -> Any:
    return read_arrow(path, path.suffix.lower() == ".parquet")


def from_table(table: Any, key: str | None) -> VectorFile:
    """Take the vectors out of a table of pyarrow; `key` as for `vectors_in_arrow`."""
    import pyarrow as pa

    table = _plain(table)
    lists = [column.name for column in table.schema if _holds_vectors(column.type)]
    ids = find_name([n for n in table.column_names if n not in lists])
    texts = [field.name for field in table.schema if pa.types.is_large_string(field.type)]
    notes: list[str] = []
    if ids is None and len(texts) == 1:
        ids, notes = _if_ids(texts[0], table.column(texts[0]).to_pylist())
    told = None if ids is None else as_names(table.column(ids).to_pylist())
    if key in lists or (key is None and lists):
        chosen = one_of(lists, key, "columns of lists")
        return VectorFile(from_lists(table.column(chosen)), told, [f"vectors from the column {chosen!r}", *notes])
    read = _from_frame(table.to_pandas(), key, told, ids)
    read.notes += notes
    return read


def _plain(table: Any) -> Any:
    """Return a table with its texts of every type in one type, and tensors as lists."""
    import pyarrow as pa

    for place, name in enumerate(table.column_names):
        column = table.column(place)
        if isinstance(column.type, pa.BaseExtensionType):
            column = pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
        kind = column.type
        values = kind.value_type if pa.types.is_dictionary(kind) else kind
        if pa.types.is_string(values) or pa.types.is_large_string(values) or pa.types.is_string_view(values):
            column = column.cast(pa.large_string())
        table = table.set_column(place, name, column)
    return table


def _if_ids(name: Any, values: Iterable[Any]) -> tuple[Any, list[str]]:
    """Return the only column of words if each of its words stands there once, else None and a remark."""
    values = list(values)
    if len(set(values)) == len(values):
        return name, []
    return None, [f"the words in {name!r} repeat, so they are no ids"]


def _holds_vectors(kind: Any) -> bool:
    """Whether a type of column is a list of numbers, or of lists of them."""
    import pyarrow as pa

    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        return False
    inner, is_a = kind.value_type, pa.types
    number = is_a.is_floating(inner) or is_a.is_integer(inner) or is_a.is_boolean(inner) or is_a.is_decimal(inner)
    return number or _holds_vectors(inner)


def from_lists(column: Any) -> np.ndarray:
    """Return a column of lists (n lists of d) as an array, naming the first row that is not as long as the others."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not len(column):
        raise ValueError("it has no rows")
    column = column.combine_chunks()
    lengths = pc.list_value_length(column).to_numpy(zero_copy_only=False)
    if len(lengths) and (odd := (lengths != lengths[0]) | np.isnan(lengths.astype(float))).any():
        row = int(np.argmax(odd))
        of_row = "is missing" if np.isnan(float(lengths[row])) else f"has {int(lengths[row])} values"
        raise ValueError(f"the vector of row {row} {of_row}; give all rows vectors of one length")
    values = column.flatten()
    if values.null_count:
        row = int(np.argmax(values.is_null().to_numpy(zero_copy_only=False))) // int(lengths[0])
        raise ValueError(f"the vector of row {row} lacks a value")
    values = values.cast(pa.float64()) if pa.types.is_decimal(values.type) else values
    return values.to_numpy(zero_copy_only=False).reshape(len(lengths), -1)


# --- text


def vectors_in_text(path: Path, key: str | None) -> VectorFile:
    """Read the vectors of a CSV file, or of another table of text."""
    frame, notes = _frame(path)
    ids, first = find_name(list(frame.columns)), frame.columns[0]
    texts = [n for n in frame.columns if not _is_number_like(frame[n]) and not _is_lists(frame[n])]
    texts = [n for n in texts if (frame[n] != "").any()]
    if ids is None and str(first).startswith("Unnamed:") and _is_index(frame[first], first in texts):
        ids = first
    elif ids is None and len(texts) == 1 and texts[0] in (first, frame.columns[-1]):
        ids, repeated = _if_ids(texts[0], frame[texts[0]])
        notes += repeated
    read = _from_frame(frame, key, None if ids is None else as_names(frame[ids]), ids)
    read.notes += notes
    return read


def _frame(path: Path) -> tuple[Any, list[str]]:
    """Read a table of text, and say how where it is not plain; without a header its columns are numbered."""
    import pandas as pd

    encoding, text = next(decoded(path.read_bytes()), ("", ""))
    if not text.strip():
        raise ValueError("it is empty, or no text")
    separator, skipped, header = _layout(text)
    cells = [cell.strip() for cell in header]
    # A word is a word: "NA", "null" and "nan" are ids in many a vocabulary, and no numbers among vectors.
    how: dict[str, Any] = {"sep": separator, "skiprows": skipped, "keep_default_na": False}
    if '"' in text and _has_stray_quotes(text, separator, skipped, len(cells)):
        how["quoting"] = csv.QUOTE_NONE
    bare = sum(map(_is_number, cells)) >= max(len(cells) - 1, 1) and len(set(cells)) > 1 and not _counts(cells)
    if bare:
        how["header"] = None
    elif (named := find_name(header)) is not None:
        how["converters"] = {named: str}  # 007 stays 007
    frame = pd.read_csv(io.StringIO(text), **how)
    if bare and _counts([str(value) for value in frame[0]]):
        frame = frame.rename(columns={0: "row number"})
    if separator != "," and any(_has_decimal_commas(frame[name]) for name in frame.columns):
        frame = pd.read_csv(io.StringIO(text), decimal=",", **how)
    if not isinstance(frame.index, pd.RangeIndex):  # R leaves out the name of the first column
        frame = frame.rename_axis("Unnamed: 0").reset_index()
    notes = [f"read as {encoding}"] if encoding not in ("utf-8", "utf-8-sig") else []
    return frame, notes + ([f"lines before the header, left out: {skipped}"] if skipped else [])


def _layout(text: str) -> tuple[str, int, list[str]]:
    """Return the separator of a table of text, how many lines stand before its first row, and the cells of that row.

    What separates gives nearly all rows the same number of cells, and more than one. Above the table may stand a title,
    remarks that begin with # or %, and Excel's "sep=;", which then says it.
    """
    told = re.match(r"\ufeff?\"?sep=(.)\"?[ \t;,]*(\r\n|\r|\n)", text)
    text, skipped = (text[told.end() :], 1) if told else (text, 0)
    ways = []
    for order, separator in enumerate((told[1],) if told else (*_SEPARATORS, r"\s+")):
        rows = _rows(text, separator)
        widths = Counter(len(cells) for _, cells in rows)
        width = max(widths, key=lambda each: (widths[each], each), default=0)
        if width > 1 or told:
            ways.append((-widths[width] / len(rows), order, separator, rows, width))
    if not ways:
        return ",", 0, _rows(text, ",")[0][1]
    if len(ways) > 1 and ways[-1][2] == r"\s+":  # spaces stand in other tables, too
        ways.pop()
    _, _, separator, rows, width = min(ways)
    filled = ((line, cells) for line, cells in rows if 2 * sum(bool(cell.strip()) for cell in cells) >= width)
    line, cells = next(filled, rows[0])
    return separator, skipped + line, cells


def _rows(text: str, separator: str) -> list[tuple[int, list[str]]]:
    """Return the first rows of a text, remarks and empty lines left out, each with the number of lines before it."""
    head = text[:_HEAD]
    lines = re.split(r"\r\n|\r|\n", head if len(head) == len(text) else head.rpartition("\n")[0] or head)
    if separator == r"\s+":
        rows = [(i, line.split()) for i, line in enumerate(lines[: 2 * _LOOKED_AT])]
    else:
        reader, rows, before = csv.reader(lines, delimiter=separator), [], 0
        for cells in reader:
            rows.append((before, cells))
            before = reader.line_num
    kept = [(line, cells) for line, cells in rows if "".join(cells).strip() and not _is_remark(cells)]
    return kept[:_LOOKED_AT] or [(0, [""])]


def _is_remark(cells: list[str]) -> bool:
    """Whether a row begins with # or % and is not the vector of an item that is called so."""
    return cells[0].lstrip()[:1] in ("#", "%") and not (len(cells) > 1 and all(map(_is_number, cells[1:])))


def _has_stray_quotes(text: str, separator: str, skipped: int, width: int) -> bool:
    """Whether quotation marks are letters of words here, and put nothing in one cell that stands in several.

    Then every line has as many cells as the table is wide without them, and not all that have one are inside a pair.
    """
    stray = False
    for line in re.split(r"\r\n|\r|\n", text)[skipped:]:
        cells = line.split(None if separator == r"\s+" else separator)
        if not cells or cells == [""]:
            continue
        if len(cells) != width:
            return False
        marked = (cell.strip() for cell in cells if '"' in cell)
        stray = stray or any(len(cell) < 2 or not cell[0] == cell[-1] == '"' for cell in marked)
    return stray


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def _counts(cells: list[str]) -> bool:
    """Whether cells are the names 0, 1, 2, ... that pandas gives to columns without one."""
    numbers = [int(cell) for cell in cells if cell.isdigit()]
    return len(numbers) >= len(cells) - 1 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _has_decimal_commas(column: Any) -> bool:
    return column.dtype.kind not in "fiub" and any(_COMMA.fullmatch(str(value)) for value in column)


def _is_index(column: Any, words: bool) -> bool:
    """Whether a column without a name, which pandas or R wrote, names the rows, and does not just count them."""
    counts = column.dtype.kind not in "iu" or any((column == np.arange(n, n + len(column))).all() for n in (0, 1))
    return bool(column.is_unique) and (words or not counts)


# --- columns


def _from_frame(frame: Any, key: str | None, told: list[str] | None, ids: Any) -> VectorFile:
    """Take the columns of one value each that are numbered alike (embedding_0, embedding_1, ...), or cells of lists."""
    unnamed = [name for name in frame.columns if str(name).startswith("Unnamed:")]  # an index that pandas wrote
    others = [name for name in frame.columns if name != ids and name not in unnamed]
    groups: dict[str, list] = {}
    for name in others:
        if numbered := re.fullmatch(r"(.*?)(\d+)", str(name)):
            groups.setdefault(numbered[1], []).append(name)
    numeric = {of: sum(_is_number_like(frame[name]) for name in names) for of, names in groups.items()}
    groups = {of: names for of, names in groups.items() if numeric[of]}
    lists = [name for name in others if _is_lists(frame[name])]
    if key in lists or (key is None and lists and not groups):
        chosen = one_of(lists, key, "columns of lists")
        return VectorFile(_from_written_lists(frame[chosen]), told, [f"vectors from the lists in {chosen!r}"])
    if key is not None and key not in groups:
        raise ValueError(
            f"it has no columns {key}0, {key}1, ...; it has {', '.join(map(repr, groups)) or 'none'} + number"
        )
    if not groups:
        raise ValueError(
            f"it has no column of lists and no numbered columns (embedding_0, embedding_1, ...); its columns are "
            f"{', '.join(map(str, frame.columns[:12]))}"
        )
    chosen = groups[key] if key is not None else groups[max(groups, key=lambda of: (numeric[of], len(groups[of])))]
    chosen = sorted(chosen, key=lambda name: int(re.search(r"\d+$", str(name))[0]))
    left = [str(name) for name in frame.columns if name not in chosen and name != ids]
    notes = [f"vectors from {len(chosen)} columns, {chosen[0]!r} to {chosen[-1]!r}"]
    notes += [f"columns left out: {', '.join(left[:12])}{' ...' if len(left) > 12 else ''}"] if left else []
    return VectorFile(_numbers(frame[chosen]), told, notes)


def _numbers(frame: Any) -> np.ndarray:
    """Return columns as numbers; raise ValueError for the first value that is none."""
    import pandas as pd

    check_whole_columns(frame)
    if all(frame[name].dtype.kind in "fiub" for name in frame.columns):
        return frame.to_numpy()
    made = frame.apply(pd.to_numeric, errors="coerce")
    wrong = made.isna().to_numpy()
    if not wrong.any():  # 1.234 among decimal commas is not for us to read
        wrong = np.array([[isinstance(value, str) for value in cells] for cells in frame.to_numpy()])
    if wrong.any():
        row, column = (int(i) for i in np.argwhere(wrong)[0])
        value = frame.iloc[row, column]
        mixed = "; are decimal points and commas mixed?" if re.fullmatch(r"[\d.,+-]+", str(value)) else ""
        raise ValueError(f"row {row} has {value!r} in the column {frame.columns[column]!r}, which is no number{mixed}")
    return made.to_numpy(np.float64)


def _is_number_like(column: Any) -> bool:
    """Whether a column holds numbers, or would if some of its values were not something else."""
    if column.dtype.kind in "fiub":
        return True
    told = [value for value in column[:_LOOKED_AT] if isinstance(value, str) or value == value]
    told = [value for value in told if value != ""]
    return bool(told) and 2 * sum(_is_number(str(value)) for value in told) > len(told)


def _is_lists(column: Any) -> bool:
    first = next((value for value in column if isinstance(value, str)), "")
    return bool(_LIST.fullmatch(first))


def _from_written_lists(column: Any) -> np.ndarray:
    """Return cells such as "[0.1, 0.2]" as an array, naming the first row that cannot be read."""
    rows: list[list[float]] = []
    for row, cell in enumerate(column):
        if "..." in str(cell):
            raise ValueError(f"the vector of row {row} is cut short by '...', as numpy prints long ones; save it whole")
        words = _PRINTED.sub(" ", str(cell)).split()
        try:
            rows.append([int(word) if word.lstrip("+-").isdigit() else float(word) for word in words])
        except ValueError as error:
            raise ValueError(f"the vector of row {row} is no list of numbers ({error})") from None
        if len(words) != len(rows[0]):
            raise ValueError(f"the vector of row {row} has {len(words)} values, that of row 0 {len(rows[0])}")
    return np.array(rows)


def one_of(names: list[str], key: str | None, what: str) -> str:
    """Return `key`, the only name, or the one that vectors usually have; ValueError where it is not said which."""
    usual = [name for name in VECTORS if name in names]
    if key is None and len(names) > 1 and not usual:
        raise ValueError(f"it has several {what}: {', '.join(names)}. Name one: key='...' (on the command line --key)")
    return key or (usual or names)[0]
