"""Notebook 99: every printed number beside ours, and a verdict for every claim. Start with `tables`."""
