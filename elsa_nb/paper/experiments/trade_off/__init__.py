"""Notebook 06: discovery against efficiency over many settings (Fig. 3), for a tight, a sparse and a median class."""
