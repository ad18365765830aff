"""The version of what a search does, under all strategies: part of what decides whether a stored result is valid.

Raise it in a commit that is meant to change a log, or a measure taken from one: heads, neighbours, the sampler,
oracles, seeds, metrics. All stored searches are then made again. Each strategy has a number of its own for what it
alone does, `version` on its class: raising that leaves the searches of all others valid. Renaming a module or moving a
comment changes neither; `elsa-nb verify` runs stored searches again, and fails where a log changed and no number did.
"""

SEARCH = 1
