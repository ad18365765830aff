"""Train encoders without labels.

Start with `command.py` (`elsa-nb train`): it takes a configuration from `recipes.py`, trains with `train.py`, and
writes the weights with their card. `methods.py` holds the eight methods, `losses.py` the losses of seven and
`bags_of_words.py` the parts of the eighth, OBoW.
"""
