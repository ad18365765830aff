"""One folder per experiment, with the same file names in each: sweep, tables, figures, exhibits, rules.

`catalogue` collects what they offer; start there.
"""
