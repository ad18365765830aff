"""Notebook 08: an oracle that errs (Table 10, Fig. 8)."""
