"""How many labels each searcher spends on a find, on a pool whose labels are known: `elsa-nb bench VECTORS LABELS`.

`arms` says what is compared, and how each is prepared; `simulating` lets them search from the same seeds; `overheads`
is what is read off and said of them; `page` shows it. `command` puts the four together: start there.
"""
