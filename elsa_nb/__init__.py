"""Find every example of a rare class in a large unlabelled pool: the paper ELSA, reproduced."""

__version__ = "0.1.0"
