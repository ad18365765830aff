"""One small search problem: a pool, the class looked for, two of its members."""

import numpy as np
import pytest

from elsa_nb.pool import Pool


@pytest.fixture
def pool(tiny_pool):
    return Pool.from_arrays(tiny_pool[0])


@pytest.fixture
def positive(tiny_pool):
    return tiny_pool[1] == 3


@pytest.fixture
def seeds(positive):
    return np.flatnonzero(positive)[:2]
