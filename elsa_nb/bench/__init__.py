"""How many labels each searcher spends per find, on a pool whose labels are known: `elsa-nb bench VECTORS LABELS`.

`arms` says what is compared, and how each is prepared; `simulating` runs one search, and `comparison` all of them from
the same seeds; `elsa_nb.overheads` defines the measures, and `page` shows them. Start with `command`.
"""
