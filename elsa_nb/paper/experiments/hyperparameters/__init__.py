"""Notebook 07: the tuned hyperparameters (Tables 6 to 9, Fig. 7) and the choices that the paper does not mention."""
