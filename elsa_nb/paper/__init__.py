"""From runs to the tables and figures of the paper, room by room, each knowing only those before it.

`runs` searches and stores a row a search, `measures` turns rows into medians and intervals, `experiments` has a folder
for each experiment, `comparison` lays them beside the printed numbers and judges claims, `publishing` saves it all.
Notebooks call `experiments` and `publishing`. Start with `experiments.catalogue`.
"""
