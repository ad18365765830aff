"""Notebook 18: what every searcher spends on a find, at equal budgets, in five pools."""
