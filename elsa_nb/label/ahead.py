"""The round after the open one, computed ahead of time for the answers as they are."""

from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

from elsa_nb.label.replay import labels_told, rows_of, wishes_of
from elsa_nb.label.rounds import Rounds
from elsa_nb.search.contract import Strategy


class Ahead:
    """Computes rounds for a controller, one after another, on `worker` or on a thread of its own."""

    def __init__(self, controller: Any, worker: Executor | None):
        self._controller = controller
        self.worker = worker or ThreadPoolExecutor(1, "elsa-rounds")
        self.results: dict[tuple, tuple] = {}
        self.wanted: tuple | None = None

    def want(self, told: tuple, *, ahead: bool) -> None:
        """Compute the round after what the search is `told`; where it is there and not only `ahead`, deal it."""
        controller = self._controller
        if told in self.results:
            if not ahead:
                controller._turn_over(told)
            return
        if told != self.wanted:
            self.wanted = told
            self.worker.submit(self._compute, told, controller.rounds, controller.rounds.state)

    def _compute(self, told: tuple, rounds: Rounds, state: Strategy) -> None:
        controller = self._controller
        with controller.lock:
            if told != self.wanted or rounds is not controller.rounds:  # the person has gone on in the meantime
                return
            amended, labels = rows_of(controller._restored, told[2]), labels_told(controller._restored, told[1])
            wishes = wishes_of(controller._restored, dict(told[3]))
        try:
            result = rounds.after(labels, amended, state, **wishes)
        except Exception as error:  # on this thread nobody else would ever hear of it
            with controller.lock:
                if rounds is not controller.rounds:
                    return
                if told == self.wanted:
                    self.wanted = None
                if told != controller._told():
                    return
                controller.cards.waiting = False
                controller.error = f"the search failed: {error}"
            controller.publish({"kind": "trouble", "text": controller.error})
            return
        with controller.lock:
            if told[0] != len(controller.asked) or rounds is not controller.rounds:
                return
            self.results = {told: result}
            controller._servable |= set(result[1].rows if result[1] else ())
            if self.wanted == told:  # else a newer one is in the queue
                self.wanted = None
            if controller.cards.waiting and told == controller._told():
                controller._turn_over(told)
                return
            if controller.cards.waiting:
                self.want(controller._told(), ahead=False)
        if result[1] is not None:
            shown = len(result[1]) if result[1].overview else controller.cards.size
            controller.publish({"kind": "ahead", "rows": result[1].rows[:shown]})
