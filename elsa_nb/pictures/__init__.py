"""One way from the user's picture files and arrays to what is embedded and what is shown.

The encoders of a folder (`images.sources.files`) and the cards of the panel (`label.items`) both go through it, so
that a person judges what the search was given. `decoding.py` turns a file into 8 bits of red, green and blue,
`greys.py` chooses the range of grey values that a folder's deep pictures share, `arrays.py` does for arrays what
`decoding.py` does for files, `opening.py` says which files may be opened at all. `reasons.py` finds out why a file
shows no picture, and `kinds.py` knows kinds of files by their first bytes. Published data sets do not use this package:
`images.sources.decoding` reads them as they were read for training.
"""
