"""How many labels each searcher spends on a find, on a pool whose labels are known: `elsa-nb bench VECTORS LABELS`.

`arms` says what is compared, and how each is prepared; `simulating` lets one search, and `comparison` all of them from
the same seeds; `paper.measures.overheads` says what is read off, and `page` shows it. Start with `command`.
"""
