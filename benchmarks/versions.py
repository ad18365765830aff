"""Which version of behaviour a stored search of a comparison has: a search of another one is run again.

As in `elsa_nb.paper.runs.validity`, a version is raised with a change of what is asked, not with a change of code.
"""

import re

from elsa_nb.paper.runs.grid import strategy_of
from elsa_nb.search.version import SEARCH


def version_of(arm: str) -> str:
    """Return the version of all searches and that of the arm's strategy, such as "1.1".

    An arm is called by its strategy, and after a colon or a comma by what differs: "Harvest: l2 = 10". Rivals that no
    installed package registers have no version of their own; they go by ELSA's.
    """
    return f"{SEARCH}.{strategy_of(re.split('[:,]', arm)[0]).version}"
