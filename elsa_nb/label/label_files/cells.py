"""What one cell of a table says: the name of an item, a person, one choice or several."""

import ast
import json
import re
from contextlib import suppress
from typing import Any

from elsa_nb.column_names import in_folder, item_in
from elsa_nb.formulas import meant
from elsa_nb.label.label_files.words import word_of

_WRITTEN = re.compile(r"""\s*\[\s*(['"]).*\1\s*,?\s*\]\s*""", re.DOTALL)  # a list that a program wrote into a cell


def choices_in(value: Any) -> Any:
    """Take apart what Label Studio's CSV and short JSON hold where several choices were made: {"choices": [...]}.

    So it does a list that a program wrote into a cell, as pandas does: ['owl', 'fox'].
    """
    if isinstance(value, str) and value.startswith('{"choices"'):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return value  # not JSON after all: a word, which is not an answer
    elif isinstance(value, str) and _WRITTEN.fullmatch(value):
        with suppress(ValueError, SyntaxError, RecursionError, MemoryError):
            value = ast.literal_eval(value.strip())
    if isinstance(value, dict) and isinstance(value.get("choices"), list):
        value = value["choices"]
    return frozenset(value) if isinstance(value, list) and all(isinstance(word, str) for word in value) else value


def text_in(value: Any) -> str:
    """Return a cell as it names an item: 7.0 is 7, midnight of a day is the day, a record of a file is its path."""
    value = item_in(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def person_in(value: Any) -> str | None:
    """Return the name of the person in a cell; None for an empty one, and for what stands for nothing."""
    text = text_in(value).strip()
    return meant(text) or None if word_of(value) else None


def name_in(cells: list[Any], which: int, folder: int | None) -> str:
    """Return how a row names its item: by one column, or by two where a folder stands in another."""
    name = text_in(cells[which])
    return name if folder is None or not word_of(cells[folder]) else in_folder(text_in(cells[folder]), name)
