"""From image files to pools of vectors.

Five rooms, each using only those before it: `sources` (where images come from) and `encoders` (what turns images into
vectors), `extraction` (pools of vectors from both), `training` (encoders of one's own); `glyph_pool` draws the bundled
images. `elsa-nb embed`, `elsa-nb train` and the notebooks call them; start with `extraction/embed.py`.
"""
