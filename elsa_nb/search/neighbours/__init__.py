"""Exact nearest neighbours among the rows of a pool, in the same order whatever computes them.

Algorithm 1 calls `Neighbours` (`lists`), or `Sketch` (`bounds`) where a pool is too large for lists of neighbours; both
give the same answers. Start reading at `lists`.
"""
