"""Encoders: what turns images into vectors; by_name.load_encoder is where to start."""
