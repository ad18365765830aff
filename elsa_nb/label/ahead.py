"""The round after the open one, computed before the person asks for it.

It follows from what the search would be told if the open round ended now (`ToldAtEnd`). Whenever an answer changes
that, the controller asks for the round anew. Mostly the answers stay, and the next page is there at once.

Two threads meet here: the one that handles the person's events, and the worker that computes one round after another.
Everything but the computing happens under one lock, the controller's, so no answer ever waits for a search. The worker
takes the lock twice: before it computes, to see whether the round is still wanted, and afterwards, to hand it over.

- A round that is no longer wanted is not begun. One that was begun is computed to its end and kept until another is
  there, since undo often leads back to the answers it is for.
- When the open round is another (it ended, was taken back, or was read anew from the file), `forget` throws away what
  is there, what waits, and, once the worker is done with it, what is being computed: it belongs to the round before.
"""

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager

from elsa_nb.label.stored import Asked, ToldAtEnd
from elsa_nb.search.contract import Strategy

NextRound = tuple[Strategy, Asked | None]  # the search with its next questions, None at its end: `Rounds.after`


class Ahead:
    """Compute the next round on `worker`, by default a thread of its own; the module says which thread does what.

    Call every method but `close` under `lock`. The result of a computation is reported under it as well, on the
    worker's thread: `computed(told, asked)` with the next questions (None: there are none), or `failed(told, error)`.
    """

    def __init__(
        self,
        lock: AbstractContextManager,
        computed: Callable[[ToldAtEnd, Asked | None], None],
        failed: Callable[[ToldAtEnd, Exception], None],
        worker: Executor | None = None,
    ):
        self._lock, self._computed, self._failed = lock, computed, failed
        self._worker = worker or ThreadPoolExecutor(1, "elsa-rounds")
        self._wanted: ToldAtEnd | None = None  # submitted, and not done
        self._there: tuple[ToldAtEnd, NextRound] | None = None  # the round that was computed last
        self._forgotten = 0  # how many times; what was submitted before the last belongs to another open round

    def want(self, told: ToldAtEnd, compute: Callable[[], NextRound]) -> NextRound | None:
        """Return the round after `told` if it is there; else None, and `compute` is called for it on the worker."""
        if self._there is not None and self._there[0] == told:
            return self._there[1]
        if told != self._wanted:
            self._wanted = told
            self._worker.submit(self._run, told, compute, self._forgotten)
        return None

    def forget(self) -> None:
        """Throw away all that is computed, or being computed: another round is open now."""
        self._wanted = self._there = None
        self._forgotten += 1

    def close(self) -> None:
        """Finish what is being computed, and begin nothing more. Not under the lock: the worker takes it at the end."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _run(self, told: ToldAtEnd, compute: Callable[[], NextRound], forgotten: int) -> None:
        with self._lock:
            if told != self._wanted or forgotten != self._forgotten:  # the person has gone on in the meantime
                return
        try:
            outcome = compute()
        except Exception as error:  # on this thread nobody else would ever hear of it
            outcome = error
        with self._lock:
            if forgotten != self._forgotten:
                return
            if told == self._wanted:  # else a newer one is in the queue
                self._wanted = None
            if isinstance(outcome, Exception):
                self._failed(told, outcome)
                return
            self._there = told, outcome
            self._computed(told, outcome[1])
