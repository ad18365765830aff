"""Encoders: what turns images into vectors; by_name.load is where to start."""
