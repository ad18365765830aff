"""Figures and tables saved and indexed, the HTML report, the blocks of README and docs, and the runs of the notebooks.

Notebooks call `exhibits`; `elsa-nb reproduce`, `report`, `readme` and `notebooks` call the rest.
"""
