"""From image files to pools of vectors.

Five packages, each using only those before it: `sources` (where images come from) and `encoders` (what turns images
into vectors), `extraction` (pools of vectors from both), `training` (your own encoders); `glyph_pool` draws the bundled
images. `elsa-nb embed`, `elsa-nb train` and the notebooks call them; start with `extraction/embed.py`.
"""
