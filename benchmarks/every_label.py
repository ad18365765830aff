"""The limit of the vectors: rank a pool by a probe that was trained on all labels, each row by one that never saw it.

A search cannot do better for long: it ranks by a head that knows only some of the same labels in the same vectors. The
ratio of its overhead to that of this ranking is the *search gap*, which does not depend on the encoder.
"""

import numpy as np

from elsa_nb.search.heads.logistic import logistic_regression
from elsa_nb.search.heads.prepared_rows import PreparedRows
from elsa_nb.threads import one_blas_thread

FOLDS = 5
L2 = 1.0  # where members of the class count 1 each, and all other rows together as much as all members


def labels_in_order(rows: PreparedRows, positive: np.ndarray, l2: float = L2) -> np.ndarray:
    """Return all rows (n,), likeliest members of the class first, by logistic regressions on four fifths each.

    `positive` (n,) bool is the class. Scores of different folds are comparable: members and others weigh the same in
    each.
    """
    n = len(positive)
    folds = np.empty(n, int)
    rng = np.random.default_rng(0)
    for side in (np.flatnonzero(positive), np.flatnonzero(~positive)):
        folds[side] = rng.permutation(len(side)) % FOLDS
    scores = np.empty(n)
    with one_blas_thread():
        for fold in range(FOLDS):
            learnt, asked = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            y = positive[learnt]
            costs = np.where(y, 1.0, y.sum() / (~y).sum())
            weights, bias = logistic_regression(rows.take(learnt), y, l2, costs=costs, tolerance=1e-7)
            scores[asked] = rows.take(asked) @ weights + bias
    return np.argsort(-scores, kind="stable")
