"""When the options of `elsa-nb label FOLDER`, and of `own_folder.prepare` behind it and `label_folder`, count.

Declared apart from both, for the command to know them without what makes vectors.
"""

from elsa_nb.option_rules import Only

_SEARCH = Only("without {audit}", lambda given: not given["audit"])
_FIRST = Only("without {seeds} and {audit}", lambda given: given["seeds"] is None and not given["audit"])
_MAKER = Only(
    "without {pool}, or with {like} or {text}", lambda given: given["pool"] is None or given["like"] or given["text"]
)
FOLDER_MODES = {
    **dict.fromkeys(("name", "seeds", "labels", "strategy", "budget", "target", "metric", "page"), _SEARCH),
    **dict.fromkeys(("like", "text"), _FIRST),
    "encoder": _MAKER,
    "strict": Only("without {pool}", lambda given: given["pool"] is None),
}
