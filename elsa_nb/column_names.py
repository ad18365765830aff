"""What columns of people's tables are called that hold the names of items, and how these are written in their cells.

Whatever reads a table asks here, so that the ids of a pool and the items of its labels come from the same column.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, time
from typing import Any

from elsa_nb.option_names import option_told

# The first of these that a table has is taken. A plain number of a row or task comes last of those in English that
# mean one item; `ids` comes early, since arrays of ids are called so beside other arrays.
ITEM = (
    *("item", "items", "ids"),
    *("image", "filename", "file_name", "file", "filepath", "file_path", "path", "image_path", "img_path"),
    *("image_name", "img_name", "image_file", "img", "image_uri", "uri", "image_url", "url", "media", "text_id"),
    *("record_id", "name", "key", "sample", "image_id", "item_id", "sample_id", "id", "imageid"),
    *("images", "filenames", "file_names", "files", "filepaths", "file_paths", "paths", "image_paths"),
    *("names", "keys"),
    *("datei", "dateiname", "bild", "bildname", "fichier", "nom_fichier", "archivo", "fichero", "imagen", "bestand"),
    "immagine",
)
# The first of these that a table has is taken for what its items are labelled.
LABEL = (
    *("label", "labels", "asreview_label", "included", "label_included", "final_included", "included_label"),
    *("included_final", "included_flag", "include", "choice", "choices", "class", "classes", "class_name"),
    *("category", "categories", "answer", "decision", "relevant", "target", "ground_truth", "tag", "tags"),
    *("klasse", "etikett", "bewertung", "étiquette", "etiqueta", "etichetta", "clase", "classe", "categorie"),
    *("species", "taxon"),
)
# An address says where an item is seen, on a page or in a recording: beside a column `id` it does not name the item.
# Those of images (image_url) do, since images are stored under the names that their addresses end with.
ADDRESSES = ("uri", "url", "media")
# The folder of files whose bare names are in another column, as programs for camera traps (Timelapse, camtrapR) write.
FOLDERS = (
    *("relativepath", "relative_path", "directory", "dir", "dirname", "folder", "folder_name", "folder_path"),
    *("folderpath", "subfolder", "sub_folder", "subdirectory", "filepath", "file_path", "path"),
)
# What programs call a column that numbers rows: pandas "" or Unnamed: 0, and the second in Parquet; people the others.
NUMBERS_ROWS = {
    *("", "__index_level_0__", "level_0", "index", "row", "rows", "row_number", "row_index", "row_id"),
    *("idx", "nr", "no", "number"),
}


_WHOLE = re.compile(r"\s*(?:([0-9]{1,99})(?:\.0*)?|[0-9]\.[0-9]+[eE][+-]?[0-9]{2})\s*")
_AS_TEXT = re.compile(r'\A="(.*)"\Z', re.DOTALL)


def plain(column: Any) -> str:
    """Return the name of a column without case, quotation marks and a byte order mark, and with _ for spaces and -."""
    return re.sub(r"[\s\-]+", "_", str(column).strip("\ufeff \t\"'").casefold())


def numbers_rows(column: Any) -> bool:
    """Whether a column is called as those are that number rows."""
    return re.sub(r"^unnamed:_\d+$", "", plain(column)) in NUMBERS_ROWS


def as_whole_numbers(cells: Iterable[Any]) -> list[int]:
    """Return cells, values or texts, as the whole numbers that they are; [] where any is something else.

    A whole number may be written as a fraction, such as 7.0, which pandas makes of it, or 7.000e+00, as NumPy writes.
    """
    numbers = []
    for cell in cells:
        if (found := _WHOLE.fullmatch(str(cell))) is None:
            return []
        number = float(cell) if found[1] is None else int(found[1])
        if number != int(number):
            return []
        numbers.append(int(number))
    return numbers


def without_fractions(names: list[str]) -> tuple[list[str], list[str]]:
    """Return names in a text as whole numbers, with a note, where all are such and some are written as fractions.

    So 7.0 is called 7, as in other files and in memory, where it is a number. Names stay as they are where a number has
    zeros in front, or is written in two ways: these are no numbers.
    """
    numbers = as_whole_numbers(names) if any("." in name for name in names) else []
    if not numbers or len(set(numbers)) < len(set(names)) or any(re.match(r"\s*0[0-9]", name) for name in names):
        return names, []
    first = next(place for place, name in enumerate(names) if "." in name)
    return list(map(str, numbers)), [f"ids are whole numbers: {names[first]!r} is called '{numbers[first]}'"]


def order_counted(numbers: Sequence[int]) -> list[int]:
    """Return the place (from 0) that each number names, where they are 0 to n - 1 or 1 to n in any order; else [].

    So a column that numbers rows tells that they stand in another order than they once did.
    """
    low = min(numbers, default=0)
    places = [number - low for number in numbers]
    return places if low in (0, 1) and sorted(places) == [*range(len(places))] else []


def find_place(names: Sequence[Any], known: Sequence[str] = ITEM) -> int | None:
    """Return which of `names` (a place, from 0) is the first of the `known` ones, compared as `plain` writes them.

    `id`, where it is known, goes before the names of addresses.
    """
    plains = list(map(plain, names))
    first = next((name for name in known if name in plains), None)
    if first in ADDRESSES and "id" in plains and "id" in known:
        first = "id"
    return None if first is None else plains.index(first)


def find_name(names: Sequence[Any], known: Sequence[str] = ITEM) -> Any | None:
    """Return the one of `names` that is the first of the `known` ones, compared as `plain` writes them; else None."""
    place = find_place(names, known)
    return None if place is None else names[place]


def others_told(names: Sequence[Any]) -> str:
    """Return what a note adds where `names` are columns or arrays that may hold the ids as well as the one taken."""
    if not names:
        return ""
    cure = f"call it item in the file, or give its values, one per row ({option_told('ids')})"
    return f"; {', '.join(map(repr, names[:8]))} may hold them, too: to take another, {cure}"


def unwrapped(cell: str) -> str:
    """Return a cell without what a program puts around it to tell Excel that it is not a number: ="00123" is 00123."""
    return _AS_TEXT.sub(r"\1", cell) if cell.startswith("=") else cell


def item_in(value: Any) -> Any:
    """Return what names the item in a cell: of a record of a file its path, of midnight of a day the day, else itself.

    Spreadsheets and Parquet keep a time with every date.
    """
    if isinstance(value, dict):
        return value.get("path")
    if isinstance(value, datetime) and value == value and value.time() == time():
        return value.date().isoformat()
    return value


def in_folder(folder: str, name: str) -> str:
    """Return the path of a file in a folder; the folder may end in the file already, or be empty."""
    folder = folder.strip().replace("\\", "/")
    if not folder or f"/{folder}".endswith(f"/{name}"):
        return folder or name
    return f"{folder.rstrip('/')}/{name}"
