"""What a user would write instead of Harvest: one pass over the rows, which reads as many numbers and does less.

scikit-learn's `predict_proba` of every row, faiss's `IndexFlatIP` where it fits into memory, and its
`IndexScalarQuantizer`, both asked for the 200 rows nearest to a direction.
"""

from collections.abc import Mapping

import faiss
import numpy as np
import psutil
from sklearn.linear_model import LogisticRegression

from benchmarks.timing import median, seconds

ASKED, TIMES = 200, 5
FLAT_SHARE = 0.3  # of the memory that faiss's index of single precision may take, which holds twice that while it grows
BLOCK = 2**19
SKLEARN, FLAT, QUANTISED = "scikit-learn's predict_proba", "faiss's IndexFlatIP", "faiss's IndexScalarQuantizer"
_ALL = (SKLEARN, FLAT, QUANTISED)


def beside(n: int, k: int) -> dict:
    """Return the seconds of others for one pass over as many rows (n, k), 0 for what is too large (run by `isolated`).

    Rows of single precision are made block by block, since not all of many rows fit into memory at once:
    scikit-learn's time is the sum over blocks. Each time is the median of five, on a machine that may have other work.
    """
    flat = 4 * n * k < FLAT_SHARE * psutil.virtual_memory().total
    indexes = {QUANTISED: faiss.IndexScalarQuantizer(k, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)}
    indexes |= {FLAT: faiss.IndexFlatIP(k)} if flat else {}
    head, times = LogisticRegression(), {SKLEARN: 0.0, FLAT: 0.0}
    for start in range(0, n, BLOCK):
        rows = np.random.default_rng(start).standard_normal((min(BLOCK, n - start), k), np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        if not start:
            head.fit(rows[:ASKED], np.arange(ASKED) % 2)
            indexes[QUANTISED].train(rows)
            head.predict_proba(rows)
        times[SKLEARN] += median([seconds(lambda rows=rows: head.predict_proba(rows)) for _ in range(TIMES)])
        for index in indexes.values():
            index.add(rows)
    for name, index in indexes.items():
        times[name] = median([seconds(lambda index=index: index.search(rows[:1], ASKED)) for _ in range(TIMES)])
    return times


def instead(told: Mapping[str, float], gigabytes: float) -> str:
    """Return in words the seconds that `beside` told, for rows of so many gigabytes in single precision."""
    times = {name: f"{1e3 * told[name]:,.0f} ms" if told[name] else f"not run ({gigabytes:.0f} GB)" for name in _ALL}
    return ", ".join(f"{name} {times[name]}" for name in _ALL)
