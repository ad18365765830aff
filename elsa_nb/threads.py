"""One thread for everything that computes, as long as a block runs."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache

from numba import get_num_threads, set_num_threads
from threadpoolctl import ThreadpoolController, threadpool_limits


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


def one_blas_thread() -> AbstractContextManager:
    """Return a context in which BLAS has one thread: no bit depends on their number, and small matrices are quicker."""
    return _libraries().limit(limits=1, user_api="blas")


@lru_cache(maxsize=1)
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()
