"""Notebook 09: the tables of seeds and components on photographs, the class made rare, and Food-101 (Table 11)."""
