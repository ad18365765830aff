"""Name what a table holds in words, with its unit: frames keep short names for code, tables are read by people.

Notebooks show `readable(frame)`; `exhibits.save_table` publishes the same. Files of rows keep the short names. No text
of such a table is cut off.
"""

import re
from typing import Any

import pandas as pd

COLUMN_WORDS = {
    # of searches and classes
    "target": "class",
    "discovery": "discovery rate",
    "discovery_rate": "discovery rate",
    "labelling_efficiency": "labelling efficiency",
    "flipped_percent": "answers flipped, %",
    "place": "place by purity",
    "of": "of so many classes",
    # of encoders
    "loaded": "weights",
    "linear_top1": "linear top-1, %",
    "top1": "linear top-1, share",
    "chance": "by guessing, share",
    "minutes": "minutes of training",
    "against": "compared with",
    "n": "encoders counted",
    "rho": "rank correlation",
    # of what was found besides the examples
    "new": "found besides the seeds",
    "by_chance": "found by random labels",
    "times": "times what chance finds",
    # of intervals over classes
    "low": "95 % low",
    "high": "95 % high",
    "times_low": "95 % low",
    "times_high": "95 % high",
    # of settings
    "discovery_range": "discovery rate, highest - lowest",
    "efficiency_ratio": "efficiency, highest / lowest",
    "labels_ratio": "labels, highest / lowest",
    "changed": "what is changed",
    # of estimates, stops and audits
    "spoke": "spoke, share",
    "held": "held the truth, share",
    "within_20": "middle within 20 %, share",
    "width": "width, sizes of the class",
    "size_ratio": "estimated / true size",
    "reaches_90": "could find 90 %, share",
    "fired": "fired, share",
    "right_when_fired": "right when fired, share",
    "ends_at_85_or_more": "ends at 85 % or more, share",
    "prevalence": "share of the pool in the class",
    "promise": "share promised",
    "share_of_rows": "labels / rows",
    # of answers that are wrong
    "again": "asked again",
    "reached": "searches that reach 80 %",
    "kept": "kept, share",
    "false": "false, share",
    "met": "goal met",
    "labels_verdict": "more labels?",
    "kept_verdict": "more kept?",
    "false_verdict": "more false?",
    # of pools that were generated, and of the printed rows
    "purity_sd": "purity, deviation over members",
    "class_sd": "purity, deviation over classes",
    "discovery_rate_printed": "discovery rate printed",
    "labels_printed": "labels printed",
    "off_discovery": "discovery, ours - printed",
    "off_labels": "labels, ours / printed",
    "near": "rows near in both",
    "near_discovery": "rows near in discovery",
    "arms": "which are near in both",
    # of equal budgets
    "fewer": "classes with fewer labels",
    "more": "classes with more labels",
    "not_90": "searches short of 90 %",
    "none": "no find, share of searches",
    **{f"to {share}%": f"labels per find to {share} %" for share in (50, 80, 90)},
}
_END = re.compile(r"(low|high)_(\d+)")  # of an interval about what it takes to a share of the class


class Uncut(pd.DataFrame):
    """A frame that is shown with the whole text of its cells, which pandas cuts after 50 letters.

    As HTML, a cell without a value is empty, where pandas writes NaN.
    """

    def __repr__(self) -> str:
        with pd.option_context("display.max_colwidth", None):
            return super().__repr__()

    def _repr_html_(self) -> str | None:
        with pd.option_context("display.max_colwidth", None):
            shown = super()._repr_html_()
        return shown and without_holes(shown)


def without_holes(table: str) -> str:
    """Return the HTML of a table with empty cells where pandas wrote that there is no value."""
    return re.sub("<td>(NaN|&lt;NA&gt;)</td>", "<td></td>", table)


def readable(frame: pd.DataFrame, **words: str) -> Uncut:
    """Return a copy of `frame` to be read: its columns, the levels of its index, and values that are names, in words.

    `words` gives, by short name, what has another name in this one table. What has no words stays as it is.
    """
    names = COLUMN_WORDS | words
    coded = {short: long for short, long in names.items() if "_" in short}  # "labels" among values is no name

    def worded(name: Any) -> Any:
        if not isinstance(name, str):
            return name
        return names.get(name) or (_END.sub(r"to \2 %, 95 % \1", name) if _END.fullmatch(name) else name)

    shown = frame.replace(coded).rename(columns=worded, index=lambda value: coded.get(value, value))
    return Uncut(shown.rename_axis(index=worded, columns=worded))
