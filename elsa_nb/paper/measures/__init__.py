"""From rows of results to numbers: medians, intervals, printed values.

Every experiment makes its tables of them; start with `medians`.
"""
