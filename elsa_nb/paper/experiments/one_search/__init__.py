"""Notebooks 00 to 02: the pool, the encoders, and one search at work."""
