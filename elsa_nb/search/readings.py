"""The two readings of the paper, its text and its released code: the arms of each, and what a configuration decides.

`READINGS` has the configurations by reading and arm: sweeps look them up there. The functions below it are the steps of
Algorithm 4 that differ between the readings; `elsa.Search` calls them.
"""

from dataclasses import replace

import numpy as np

from elsa_nb.search.config import ELSA, SearchConfig
from elsa_nb.search.contract import POSITIVE, Batch, Component, Ledger
from elsa_nb.search.heads.head import HeadConfig

RELEASED_CODE = replace(
    ELSA,
    nn_queries="last neighbours",
    rands="sampled points",
    head=HeadConfig("linear-sgd", steps=100, least_positives=4),
    final_head=HeadConfig("linear-sgd", steps=1000, least_positives=4),
    head_space="embedding",
    b_floor=False,
    zero_pass=True,
    relabel=True,
)


def arms(elsa: SearchConfig) -> dict[str, SearchConfig]:
    """Return the four arms of Tables 1, 3 and 4 of one reading: what each leaves out of ELSA."""
    nearest = replace(elsa, use_rands=False, use_head=False, use_final=False)
    return {
        "ELSA": elsa,
        "No Active": replace(elsa, use_head=False),
        "NN": nearest,
        "NN.Large": replace(nearest, a=2 * elsa.a),
    }


READINGS = {"paper": arms(ELSA), "released-code": arms(RELEASED_CODE)}


def rows_allowed(config: SearchConfig, ledger: Ledger, number: int) -> np.ndarray:
    """Return the mask (n,) of rows that round `number` may ask.

    Algorithm 1's "min >= 0" leaves this open: nothing known is asked again (paper), only known positives are barred
    (`relabel`), or nothing is (`nothing_barred`). The zero pass of the released code may ask everything, seeds
    included.
    """
    if config.nothing_barred or (config.zero_pass and number == 0):
        return np.ones(len(ledger.answers), bool)
    return ledger.answers != POSITIVE if config.relabel else ledger.unasked


def rows_allowed_at_the_end(config: SearchConfig, ledger: Ledger) -> np.ndarray:
    """Return the mask (n,) of rows that the final search may ask."""
    return np.ones(len(ledger.answers), bool) if config.relabel else ledger.unasked


def rows_of_rands(config: SearchConfig, positives: int, number: int) -> int:
    """Return how many rows RandS asks in round `number`, with so many `positives` known: b, which grows (section 6)."""
    grown = round(config.b_slope * positives)
    if config.b_added:
        return config.b + grown
    if config.b_floor:
        return max(config.b, grown)
    return config.b if number == 0 else grown


def next_queries(config: SearchConfig, batch: Batch, given: np.ndarray, positives: np.ndarray) -> np.ndarray:
    """Return the rows whose neighbours the next round asks, after the answers `given` (m,) to `batch`.

    The new positives (Algorithm 4), all `positives` (section 4.1, and where a round found none), or the neighbours just
    asked, positive or not (released code).
    """
    if config.nn_queries == "last neighbours":
        return batch.rows[batch.components == Component.NN]
    new = batch.rows[given == POSITIVE]
    return new if config.nn_queries == "new positives" and len(new) else positives


def amended_queries(config: SearchConfig, queries: np.ndarray, rows: np.ndarray, ledger: Ledger) -> np.ndarray:
    """Return the `queries` of the next round after the answers of `rows` were corrected in the `ledger`."""
    if config.nn_queries == "last neighbours":  # these are whatever was near, positive or not
        return queries
    positive = ledger.answers[rows] == POSITIVE
    amended = np.union1d(np.setdiff1d(queries, rows[~positive]), rows[positive])
    return amended if len(amended) else ledger.positives
