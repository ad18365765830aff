"""One thread for everything that computes, as long as a block runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from numba import get_num_threads, set_num_threads
from threadpoolctl import threadpool_limits


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep BLAS and the compiled loops to one thread: where processes are the parallelism, and on small arrays."""
    threads = get_num_threads()
    set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        set_num_threads(threads)
