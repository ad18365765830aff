"""Notebook 18: what every searcher spends per find, at equal budgets, in five pools."""
