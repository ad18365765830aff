"""What every format boils down to: lines that give one item one label, and where in the file they stand."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from elsa_nb.column_names import plain
from elsa_nb.option_names import option_told

NO_OBJECT = "(no object)"  # the label of an image whose own file marks nothing in it


class RowPlace(NamedTuple):
    """Where a row stands, for a person to look at: the 7th "line" or "entry" of a file, or "row" of a sheet."""

    kind: str
    number: int
    sheet: str | None = None

    def __str__(self) -> str:
        """Write "line 7", or "row 7 of sheet 'Tabelle1'"."""
        return f"{self.kind} {self.number}" + ("" if self.sheet is None else f" of sheet {self.sheet!r}")


@dataclass(frozen=True, slots=True)
class Line:
    """One label of one item as the file has it.

    `where` is the place for a person to look at ("line 7", "task 12"). `label` is a word, a number, a set of class
    names, or None where the file names the item without a label. A break in the name of the `annotator` is a space.
    """

    where: str
    name: str
    label: Any
    annotator: str | None = None

    def __post_init__(self):
        if self.annotator and len(parts := self.annotator.splitlines()) > 1:
            object.__setattr__(self, "annotator", " ".join(map(str.strip, parts)).strip() or None)


@dataclass
class Reading:
    """The lines of one file, what it was read as, and remarks of its reader.

    `classes`: by the format, the words are names of classes, so "0" and "yes" are names too, not answers; those that
    the file lists, used or not, are `declared`.
    `bare`: the file names items and says nothing about them; `header` names the columns of its table, if it is one.
    `label_column`: the column, attribute or field that was taken for the labels, where another may hold them.
    `fitting`: which of the columns hold an item in every line, as a remark; it is one of the `notes`, too.
    `heeded` are the options of `read_labels` that its reader listens to.
    `contents` {name: digest} tells what is behind some of the names, where the file keeps it.
    """

    lines: list[Line]
    kind: str
    classes: bool = False
    bare: bool = False
    declared: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    header: tuple[str, ...] = ()
    label_column: str | None = None
    fitting: str | None = None
    heeded: frozenset[str] = frozenset()
    contents: dict[str, str] = field(default_factory=dict)

    def has_column(self, name: str) -> bool:
        """Whether the table has a column of this name, compared as `plain` writes it."""
        return plain(name) in map(plain, self.header)

    def check_heeded(self, **given: str | None) -> None:
        """Raise ValueError for the first of the options given that has no effect on what was read."""
        for option, value in given.items():
            if value is not None and option not in self.heeded:
                raise ValueError(
                    f"it was read as {self.kind}, where {option_told(option, value)} has no effect; leave it out"
                )
