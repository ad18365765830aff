"""Notebook 12: section 5 measured, the time and memory of a round against n, k, l and d."""
