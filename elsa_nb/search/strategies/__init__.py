"""What one may search with instead of ELSA: one strategy per file, under the contract of `elsa_nb.search.contract`.

`registry` knows them all by name, including ELSA. Start reading at `registry.strategies`; `greedy_probe` is a short
example.
"""
