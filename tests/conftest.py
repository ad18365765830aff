"""What all tests share."""

import os
import signal

import matplotlib
import numpy as np
import pytest
from hypothesis import settings

# In this process only. As an environment variable it would reach the kernels of notebooks that tests start, and
# those would then lose every inline figure without a word.
matplotlib.use("agg")

# A busy machine is slow, not wrong. In CI the examples are the same each time; elsewhere new ones are tried.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_collection_modifyitems(items):
    """Let the files of the longest tests begin: each of two processes then has something to do until the end.

    Whole files, since most of what the tests of a file share is made once.
    """
    long = {item.path for item in items if item.get_closest_marker("first")}
    items.sort(key=lambda item: item.path not in long)  # otherwise in the order that they had


@pytest.fixture(scope="session", autouse=True)
def _signals_as_in_the_foreground():
    """Hear the signals that a shell lets its background jobs ignore, and `nohup` its own: servers are ended by them."""
    heard = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    ignored = [number for number in heard if signal.getsignal(number) == signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, heard[number])
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture(scope="session")
def tiny_pool() -> tuple[np.ndarray, np.ndarray]:
    """Vectors (240, 6) float32 and labels (240,) int: four classes, the rare class 3 in two separate clusters."""
    rng = np.random.default_rng(20240)
    sizes = {0: (120,), 1: (60,), 2: (40,), 3: (12, 8)}
    vectors, labels = [], []
    for label, parts in sizes.items():
        for size in parts:
            vectors.append(rng.normal(size=6) * 3 + rng.normal(size=(size, 6)))
            labels += [label] * size
    order = rng.permutation(len(labels))
    pool = np.concatenate(vectors).astype(np.float32)[order], np.array(labels)[order]
    for array in pool:
        array.flags.writeable = False
    return pool


@pytest.fixture
def spaces():
    """Vectors (330, 8) float32 as arms search them: 30 members of a class, rows 0 to 29, that can be told apart."""
    from elsa_nb.bench.arms import Spaces  # only now: most tests need none of what it loads
    from elsa_nb.pool import Pool

    vectors = np.random.default_rng(0).normal(size=(330, 8)).astype(np.float32)
    vectors[:30, 0] += 5
    return Spaces(Pool.from_arrays(vectors))
