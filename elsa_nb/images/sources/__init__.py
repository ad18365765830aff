"""Where images come from: the bundled glyphs, packs, folders of files, ImageNet, Food-101, Hugging Face.

`protocol.py` says what a source is. Start with `by_name.py`, which opens the data set of a profile, or with `files.py`,
which opens any folder.
"""
