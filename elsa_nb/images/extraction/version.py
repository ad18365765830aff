"""The version of what extraction does: part of every pool's recipe.

Raise it in a commit that is meant to change vectors: decoding, cropping, resizing, normalising, an encoder's network,
or rounding on the way to the disk. Pools of another version are extracted anew. Renaming a module or moving a comment
leaves it as it is; `elsa-nb verify` compares the vectors of 64 images of each bundled encoder with stored ones and
fails where they changed and this number did not.
"""

EXTRACTION = 1
