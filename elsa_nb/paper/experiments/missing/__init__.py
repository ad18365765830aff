"""Notebook 14: how many are missing, when to stop, and what may be promised."""
