"""The classification head of a search: `features` are the vectors as it sees them, `head` builds and trains it.

The searches of `elsa_nb.search` call it after each answered batch. Start reading at `head.train`.
"""
