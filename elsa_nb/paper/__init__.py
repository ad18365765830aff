"""From runs to the tables and figures of the paper."""
