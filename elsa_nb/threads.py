"""One thread for everything that computes, as long as a block runs.

BLAS has one number of threads for the whole process. So blocks that run in several threads of Python share one limit:
the first one in sets it, and the last one out restores the old number. If each restored the number that it found,
blocks that overlap would lift each other's limit, or leave it for good.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from typing import Any

from numba import get_num_threads, set_num_threads
from threadpoolctl import OpenBLASController, ThreadpoolController


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep BLAS and the compiled loops to one thread: where processes run in parallel, and on small arrays."""
    threads = get_num_threads()  # numba's and OpenMP's numbers are each thread's own
    set_num_threads(1)
    try:
        with ThreadpoolController().select(user_api="openmp").limit(limits=1), one_blas_thread():
            yield
    finally:
        set_num_threads(threads)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep BLAS to one thread: no bit depends on the number of threads then, and small matrices are quicker."""
    _BLAS.enter()
    try:
        yield
    finally:
        _BLAS.leave()


class _SharedLimit:
    """The limit of BLAS, and how many blocks rely on it."""

    def __init__(self):
        self._lock = Lock()
        self._inside = 0
        self._limit: Any = None

    def enter(self) -> None:
        with self._lock:
            if not self._inside:
                self._limit = _libraries().limit(limits=1)
                _let_go()
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._limit.restore_original_limits()
                _let_go()


def _let_go() -> None:
    """Let other threads set the number as well: from 3.8 on, threadpoolctl obeys only the thread that set it last."""
    if hasattr(OpenBLASController, "clear_controlling_thread"):
        OpenBLASController.clear_controlling_thread()


@lru_cache(maxsize=1)
def _libraries() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")


_BLAS = _SharedLimit()
