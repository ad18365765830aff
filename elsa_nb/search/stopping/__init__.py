"""When a search may stop: how many positives are missing, what can be promised about them, and what a promise costs.

`remaining` defines what an estimate gets and returns, `by_scores` makes the one that the panel shows, and `estimators`
names it and its rivals. `rules` decide by it, or by simpler signs, when one may stop. `audit` makes a promise that
needs no trust in scores. All are called by the person or program that answers, `audit` after a search.
"""
