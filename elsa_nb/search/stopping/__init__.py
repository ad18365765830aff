"""When a search may stop: what can be promised about the positives that are still missing, and what a promise costs.

`audit` holds the promise that needs no trust in scores. It is called after a search, by the person or program that
answers; start reading at `audit.Audit`.
"""
