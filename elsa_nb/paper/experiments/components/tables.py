"""Table 1, and the rows that Fig. 2 draws, for notebook 03. Tables 2 to 4 are made by `measures.by_arm`."""

import pandas as pd

from elsa_nb.search.readings import READINGS


def rates_of_tables(*tables: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of Tables 3 and 4 that Fig. 2 draws."""
    rows = pd.concat(tables, ignore_index=True)
    return rows[rows["metric"] != "labels"].reset_index(drop=True)


def arms_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Return Table 1: the components of each arm, with the share of its labels that each one asked here.

    One row an arm of the `paper` reading; a component that asked nothing shows "no".
    """
    rows = {}
    for arm, config in READINGS["paper"].items():
        searches = runs[(runs["arm"] == arm) & (runs["reading"] == "paper")]
        asked = searches[["nn_labels", "rands_labels", "final_labels"]].sum()
        shares = asked / asked.sum()
        rows[arm] = {
            "Nearest neighbours": _share(shares["nn_labels"]),
            "RandS": _share(shares["rands_labels"]),
            "Active learning in the rounds": "yes" if config.use_head else "no",
            "Final search": _share(shares["final_labels"]),
        }
    return pd.DataFrame(rows).T.rename_axis("arm")


def _share(share: float) -> str:
    return f"yes, {share:.0%} of the labels" if share > 0 else "no"
