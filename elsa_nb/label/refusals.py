"""A panel that cannot be made says why on the page: the sentence of the error, and no traceback."""

import html
from collections.abc import Callable
from typing import Any

from elsa_nb.errors import MissingDataError
from elsa_nb.search.contract import QueryError

MARK = "elsa-refused"  # by which the server knows such a page


def shown(make: Callable[[], Any]) -> Any:
    """Return what `make` makes, or, where the user's files do not allow it, the sentence about them as HTML."""
    try:
        return make()
    except (ValueError, MissingDataError, QueryError, OSError) as error:
        from IPython.display import HTML

        return HTML(f'<p class="{MARK}" role="alert" style="font: 16px sans-serif">{html.escape(str(error))}</p>')
