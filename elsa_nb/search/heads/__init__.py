"""What a search learns from its answers. Start reading at `head.train`.

`features` are the vectors as a classification head sees them, `head` builds and trains it. `prepared_rows` makes rows
of vectors in which near means alike, `kernel_sums` tells how near each is to the answers.
"""
