"""The version of what a search does, beneath all strategies: part of what a stored result is valid for.

Raise it in the commit that means to change a log, or a measure taken of one: heads, neighbours, the sampler, oracles,
seeds, metrics. All stored searches are then made again. What one strategy alone does has a number of its own, `version`
on its class: raising that leaves the searches of all others valid. Renaming a module or moving a comment leaves both as
they are; `elsa-nb verify` runs stored searches again and fails where a log changed and no number did.
"""

SEARCH = 1
