"""Notebooks 03 and 11: the arms and the seeds (Tables 1 to 4, Figs. 2 and 9), and discovery at equal budget."""
