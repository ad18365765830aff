"""From runs to the tables and figures of the paper, room by room, each knowing only those before it.

`runs` searches and stores one row per search, `measures` turns rows into medians and intervals, `experiments` has one
folder per experiment, `comparison` lays them beside the printed numbers and judges claims, `publishing` saves it all.
Notebooks call `experiments` and `publishing`. Start with `experiments.catalogue`.
"""
