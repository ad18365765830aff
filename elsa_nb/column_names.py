"""What columns of people's tables are called that hold the names of items, and how these are written in their cells.

Whatever reads a table asks here, so that the ids of a pool and the items of its labels come from the same column.
"""

import re
from collections.abc import Sequence
from typing import Any

# The first of these that a table has is taken. A plain number of a row or task comes last.
ITEM = (
    *("item", "image", "filename", "file_name", "file", "filepath", "file_path", "path", "image_path", "img_path"),
    *("image_name", "img_name", "image_file", "img", "image_uri", "uri", "image_url", "url", "media", "text_id"),
    *("record_id", "name", "key", "sample", "image_id", "item_id", "sample_id", "id", "imageid"),
    *("items", "images", "filenames", "file_names", "files", "filepaths", "file_paths", "paths", "image_paths"),
    *("ids", "names", "keys"),
    *("datei", "dateiname", "bild", "bildname", "fichier", "nom_fichier", "archivo", "fichero", "imagen", "bestand"),
    "immagine",
)
# The folder of files whose bare names are in another column, as programs for camera traps (Timelapse, camtrapR) write.
FOLDERS = (
    *("relativepath", "relative_path", "directory", "dir", "dirname", "folder", "folder_name", "folder_path"),
    *("folderpath", "subfolder", "sub_folder", "subdirectory", "filepath", "file_path", "path"),
)


def plain(column: Any) -> str:
    """Return the name of a column without case, quotation marks and a byte order mark, and with _ for spaces and -."""
    return re.sub(r"[\s\-]+", "_", str(column).strip("\ufeff \t\"'").casefold())


def find_place(names: Sequence[Any], known: Sequence[str] = ITEM) -> int | None:
    """Return which of `names` (a place, from 0) is the first of the `known` ones, compared as `plain` writes them."""
    plains = list(map(plain, names))
    return next((plains.index(name) for name in known if name in plains), None)


def in_folder(folder: str, name: str) -> str:
    """Return the path of a file in a folder; the folder may end in the file already, or be empty."""
    folder = folder.strip().replace("\\", "/")
    if not folder or f"/{folder}".endswith(f"/{name}"):
        return folder or name
    return f"{folder.rstrip('/')}/{name}"
