"""From a grid of searches to one row of results each: takes a sweep, knows no experiment. Start in `runner`."""
