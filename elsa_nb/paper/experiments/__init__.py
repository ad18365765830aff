"""One folder an experiment, with the same file names in each: sweep, tables, figures, rules. `catalogue` lists them."""
