"""Notebook 15: what people who err cost a search, and what asking again saves."""
