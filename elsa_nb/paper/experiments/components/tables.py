"""Table 1, and the rows that Fig. 2 draws, for notebook 03. Tables 2 to 4 are made by `measures.by_arm`."""

import pandas as pd

from elsa_nb.paper.measures.medians import ENCODER_TITLES, interval_text, medians
from elsa_nb.search.readings import READINGS


def rates_of_tables(*tables: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of Tables 3 and 4 that Fig. 2 draws."""
    rows = pd.concat(tables, ignore_index=True)
    return rows[rows["metric"] != "labels"].reset_index(drop=True)


def arms_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Return Table 1: the components of each arm, with the share of its labels that each one asked here.

    One row per arm of the `paper` reading; a component that asked nothing shows "no".
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


def lay_out_budget(rows: pd.DataFrame) -> pd.DataFrame:
    """Lay rows of `budgets.at_budget` out for reading, best first: labels, and discovery with its interval.

    What is computed and not run has no interval.
    """
    found = [
        f"{row.median:.3f}" if pd.isna(row.low) else interval_text(row.median, row.low, row.high, ".3f")
        for row in rows.itertuples()
    ]
    shown = rows.assign(encoder=rows["encoder"].map(ENCODER_TITLES), **{"discovery rate": found})
    return shown.set_index(["encoder", "reading", "arm"])[["labels", "discovery rate"]]


def equal_rules(runs: pd.DataFrame) -> pd.DataFrame:
    """Return what NN alone misses by ending after a round without finds, where NN inside ELSA goes on.

    `runs` are the searches of the sweep "equal-rules". One row (arm, "after a dry round", effect) with the median and
    its 95 % interval over classes: "discovery" and "labels" of the arm, and "ELSA finds more", the difference of
    ELSA's discovery, search by search; `ended`, the share of searches that came to their end early.
    """
    keys = ["target", "seeds", "repeat"]
    elsa = runs[runs["arm"] == "ELSA"].set_index(keys)["discovery_rate"]
    alone = runs[runs["arm"] != "ELSA"].copy()
    alone["discovery"] = alone["discovery_rate"]
    alone["ELSA finds more"] = elsa.loc[pd.MultiIndex.from_frame(alone[keys])].to_numpy() - alone["discovery_rate"]
    alone["after a dry round"] = alone["change"].map({"": "ends", "nn_alone=goes on": "goes on"})
    by = ["arm", "after a dry round"]
    frame = medians(alone, by, ["discovery", "labels", "ELSA finds more"]).rename(columns={"metric": "effect"})
    early = (alone["rounds"] < READINGS["paper"]["NN"].rounds).groupby([alone[name] for name in by]).mean()
    return frame.merge(early.rename("ended").reset_index(), on=by)


def lay_out_rules(frame: pd.DataFrame) -> pd.DataFrame:
    """Lay the rows of `equal_rules` out for reading: an arm and rule a line, medians with their intervals."""
    lines = {}
    for line, rows in frame.groupby(["arm", "after a dry round"], sort=False):
        cells = {"searches that end early": f"{rows['ended'].iloc[0]:.0%}"}
        for row in rows.itertuples():
            form = ",.0f" if row.effect == "labels" else ".3f"
            cells[row.effect] = interval_text(row.median, row.low, row.high, form)
        lines[line] = cells
    return pd.DataFrame(lines).T.rename_axis(["arm", "after a dry round"])


def _share(share: float) -> str:
    return f"yes, {share:.0%} of the labels" if share > 0 else "no"
