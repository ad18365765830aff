"""The bundled pool of images, drawn again from the fonts of named Debian packages to the same SHA-256.

Start with `build.py` (`make glyphs`): it takes faces from `fonts.py` and draws them with `rendering.py`.
`confusables.py` once decided which characters are one class.
"""
