"""Work in several processes of this machine; a sentence says why they cannot be started or were lost."""

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any


def in_processes(function: Callable[..., Any], tasks: Sequence[tuple], workers: int) -> Iterator[Any]:
    """Yield the results of `function` for the arguments in `tasks`, as they finish, from worker processes.

    One worker, or one task, runs here. Raises ValueError where the program is one that workers cannot read, and
    ChildProcessError where a worker ends before its work is done.
    """
    if workers == 1 or len(tasks) <= 1:
        for task in tasks:
            yield function(*task)
        return
    check_program()
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(function, *task) for task in tasks}
        try:
            while waiting:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield future.result()
        except BrokenProcessPool as error:
            raise ChildProcessError(
                "a worker process ended before its work was done. Was it killed, for want of memory? Then give fewer "
                "workers (workers=1 needs none). In a script of one's own, the lines that start workers stand below "
                '`if __name__ == "__main__":`, since each worker reads the script. What is finished is kept'
            ) from error
        finally:
            for future in waiting:
                future.cancel()


def check_program() -> None:
    """Raise ValueError where the running program came through a pipe: each worker reads it again, from its file."""
    program = sys.modules["__main__"]
    name = getattr(program, "__file__", None)
    by_name = getattr(program, "__spec__", None) is not None  # python -m
    if name is not None and not by_name and not Path(name).is_file():
        raise ValueError(
            f"worker processes read the program that starts them again, and this one is not a file ({name}): save the "
            "script and run it by its name, or give workers=1"
        )
