"""When a search may stop: how many positives are missing, what can be promised of them, and what a promise costs.

`remaining` says what an estimate is told, `by_scores` makes the one that the panel shows, `estimators` names it and its
rivals, and `rules` say when by it, or by simpler signs, one may stop. `audit` holds the promise that needs no trust in
scores. It is called after a search, by the person or program that answers.
"""
