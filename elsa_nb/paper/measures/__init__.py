"""From rows of results to numbers: medians, intervals, printed values; every experiment makes its tables of them."""
