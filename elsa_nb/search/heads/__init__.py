"""What a search learns from its answers. Start reading at `head.train`.

`features` are the vectors as a classification head sees them, `head` builds and trains it. `prepared_rows` makes rows
of vectors in which near means alike, `large_rows` those of a large pool, on disk; `kernel_sums` says how near each row
is to the answers, and `neighbourhood` keeps that up to date for the rows that matter.
"""
