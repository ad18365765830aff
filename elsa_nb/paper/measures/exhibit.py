"""What an exhibit is: a figure or table with its file, its title, and the searches that its rows are made of.

Every experiment lists its own in `exhibits`; `publishing.exhibits` saves them under these names.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Exhibit:
    """A figure or a table: its file name, title, the paper's item it reproduces, the notebook and the sweep it is from.

    `rows` makes its rows of the sweep's results, where they alone decide them: so tests compare what is committed.
    `photographs`: profiles without photographs show the committed searches of profile `photos`.
    """

    name: str
    title: str
    paper_item: str
    notebook: str
    sweep: str = ""
    rows: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    photographs: bool = False

    @property
    def results(self) -> tuple[str, str] | None:
        """The sweep and profile of the committed results it shows; None without any."""
        return (self.sweep, "photos" if self.photographs else "full") if self.sweep else None
