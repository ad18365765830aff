"""The pages of an audit: random items that are no finds, and what may be said of the class after each of them.

A search ends when it finds no more; what it does not expect may still be there. These pages are a strategy like any
other, shown on a panel of their own after the search; the statement above them holds whatever the scores are worth
(`elsa_nb.search.stopping.audit`). Among the items are control items: finds of the search that are shown again, and
nothing tells them from the others. How many of them the person marks says how many positives she overlooks, which the
statement takes in.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from elsa_nb.counts import count_of
from elsa_nb.label.advice import duration
from elsa_nb.label.control_items import control_items_of
from elsa_nb.search.checks import check_count, check_rng, check_rows, check_rows_asked
from elsa_nb.search.contract import NEGATIVE, POSITIVE, Batch, Log, check_labels, corrected, log_of
from elsa_nb.search.stopping.audit import Audit, Controls, labels_for

AUDIT = 18  # the component; 16 and 17 are those of `first_examples` and `fixed_rows`
PROMISES = (0.5, 0.8, 0.9, 0.95, 0.99)
FEW_SHOWN = 30  # control items, all seen: of fewer, the page says that they are few
OFFERED = 3  # promises whose prices are named, the next ones


def _percent(share: float) -> str:
    return f"{100 * share:.3g}\N{NO-BREAK SPACE}%"


def _floored(share: float) -> str:
    return _percent(np.floor(1000 * share) / 1000)  # never more than was shown


class AuditPages:
    """Ask random rows of a pool of `n`, except those `answered` for certain, of which `found` are of the class.

    Give the finds alone as `answered`: a positive that the person overlooked in the search is then among the rows. The
    statement takes every answer in `answered` for true.

    `finds` are rows of the search's finds. Some of them become control items, shown unmarked to measure how many
    positives the person overlooks; with fewer than eight nothing can be measured, and nothing is said that allows for
    it. `retracted` are those of `finds` that are finds no more. What is answered to a control item counts for the
    measure only, and only as it was when its page was closed: `positives` never has it.

    `among` limits the audit to some rows, such as the best-scored; the statement then says nothing of the others.
    `found_since` are rows that the search has found since the audit began; they count as found. `doubtful` is how many
    of the `answered` have become unsure since: they may be missing finds. `corrected` has {row:
    (label, label now)} of rows that earlier pages asked about and that were answered otherwise since, elsewhere: the
    label of now counts for them, unless the person changes it here.

    >>> finds = [*seeds, *panel.positives]
    >>> audit = AuditPages(len(pool), finds, found=len(finds), finds=finds)
    >>> Panel(audit, images, session="cats-audit.sqlite")
    """

    components: ClassVar = {AUDIT: "audit"}

    def __init__(
        self,
        n: int,
        answered: Sequence[int] | np.ndarray,
        found: int,
        *,
        finds: Sequence[int] | np.ndarray = (),
        retracted: Sequence[int] | np.ndarray = (),
        among: Sequence[int] | np.ndarray | None = None,
        rng: np.random.Generator | int | None = 0,
        confidence: float = 0.95,
        page: int = 60,
        found_since: Sequence[int] | np.ndarray = (),
        doubtful: int = 0,
        corrected: Mapping[int, tuple[int, int]] | None = None,
    ):
        check_count("n", n, 1)
        check_count("page", page, 1)
        answered = check_rows_asked(answered, n, "answered")
        finds = np.unique(check_rows_asked(finds, n, "finds"))
        if (strange := np.setdiff1d(finds, answered)).size:
            raise ValueError(f"row {strange[0]} is among finds and not among answered; allowed: answered rows")
        within = np.arange(n) if among is None else check_rows(among, n, "among")
        rows = np.setdiff1d(within, answered)
        if not len(rows):
            raise ValueError(f"all {len(within)} items are answered: there is nothing to audit")
        since = check_rows_asked(found_since, n, "found_since")
        rng = check_rng(rng)
        beside = {"found_since": since, "doubtful": doubtful, "confidence": confidence}
        same = copy.deepcopy(rng)  # so that both audits take the rows in the same order
        if_all_seen = Audit(rows, found, rng=rng, **beside)
        self._plan = control_items_of(finds, len(rows), page, rng)  # after the order: without finds that is the same
        self._fresh = if_all_seen, Audit(rows, found, rng=same, controls=(0, 0) if self._plan.rows else None, **beside)
        self._if_all_seen, self._audit = map(copy.copy, self._fresh)
        self._corrected = {row: pair for row, pair in (corrected or {}).items() if row not in set(finds.tolist())}
        self._retracted = check_rows_asked(retracted, n, "retracted")
        self._pool_size, self._n, self._confidence, self._page = n, len(rows), confidence, page
        self._narrow = None if among is None else n - len(np.union1d(rows, answered))
        self._answered: list[tuple[Batch, np.ndarray]] = []
        self._open: Batch | None = None
        self._offers: tuple[tuple, list[tuple[float, int]]] | None = None

    @property
    def statement(self) -> str:
        """What may be said now: for somebody who overlooks none, and with what the control items say of it."""
        audit, none_missed = self._audit, self._if_all_seen
        seen, shown = audit.controls or (0, 0)
        all_found = audit.labels == self._n and none_missed.recall_at_least == 1
        finds, confidence = count_of(audit.found + audit.hits + audit.elsewhere, "find"), _percent(self._confidence)
        share = "all" if all_found else f"at least {_floored(none_missed.recall_at_least)}"
        beside = "" if all_found else f", with {confidence} confidence"
        missing = "" if all_found else f", at most {none_missed.missing_at_most:,} missing"
        said = [f"If you overlook none: {share} of the class{self._where()} is found{beside} ({finds}{missing})."]
        if audit.controls is None:
            said.append("Allowing for slips: nothing can be said, since that takes eight finds to show again.")
        else:
            marked = f"you marked {seen:,} of {count_of(shown, 'known find')}" if shown else "no known find came yet"
            few = f"; {count_of(shown, 'find')} are too few to show that you overlook less"
            weak = seen == shown and 1 < shown <= FEW_SHOWN and audit.recall_at_least < none_missed.recall_at_least
            said.append(
                f"Allowing for slips ({marked}): at least {_floored(audit.recall_at_least)}{few if weak else ''}."
            )
        if audit.labels < self._n and len(self.control_items) > len(self.controls_shown):
            said.append("Some pictures here are finds of yours, unmarked, to see how many you overlook.")
        if self._narrow:
            said.append(f"Of {count_of(self._narrow, 'other item')} it says nothing.")
        return " ".join(said)

    def _where(self) -> str:
        return "" if self._narrow is None else f" among your finds and these {count_of(self._n, 'item')}"

    def prices(self, seconds: float | None = None) -> str:
        """Say what the next statements take, in answers and minutes, and what none can say; "" where all is said.

        `seconds` is the time for one answer; without it no minutes are told. Control items are counted.
        """
        most, offers = self._priced()
        said = [
            f"{_percent(share)} for {answers:,}{' more answers' if not i else ''}"
            + ("" if seconds is None else f" ({duration(answers * seconds)})")
            for i, (share, answers) in enumerate(offers)
        ]
        slip = "" if self._audit.controls is None else " or slip"
        prices = f"Without a further find{slip}: at least {', '.join(said)}." if said else ""
        beyond = f"More than {_floored(most)} cannot be promised here." if most < PROMISES[-1] else ""
        return " ".join(filter(None, [prices, beyond if len(said) < OFFERED else ""]))

    def _priced(self) -> tuple[float, list[tuple[float, int]]]:
        """Return the largest share that can be promised at all, and the next promises with their answers."""
        audit, page = self._audit, len(self._answered)
        key = (page, audit.labels, audit.hits, audit.unsure, audit.controls)
        if self._offers is None or self._offers[0] != key:
            counts = {"labels": audit.labels, "hits": audit.hits, "elsewhere": audit.elsewhere}
            counts |= {"doubtful": audit.doubtful, "unsure": audit.unsure}
            counts |= {"confidence": self._confidence, "controls": self._controls_by}
            most, offers = self._most(), []
            for share in [share for share in PROMISES if audit.recall_at_least < share <= most][:OFFERED]:
                labels = labels_for(self._n, audit.found, share, **counts) - audit.labels
                offers.append((share, max(labels, 0) + len(self._plan.after(page, labels, self._page))))
            self._offers = key, (most, [offer for offer in offers if offer[1]])
        return self._offers[1]

    def _most(self) -> float:
        """Return the share that may be said to be found once every row is labelled, without a further find."""
        seen, shown = self._audit.controls or (0, 0)
        by_then = self._controls_by(self._n) or (0, 0)
        return self._audit.at_best((by_then[0] - seen, by_then[1] - shown)).recall_at_least

    def _controls_by(self, labels: int) -> Controls | None:
        """Return (seen, shown) of control items once so many rows are labelled, if those to come are all seen."""
        if (controls := self._audit.controls) is None:
            return None
        more = self._plan.after(len(self._answered), labels - self._audit.labels, self._page)
        more = len(np.setdiff1d(more, self._retracted))
        return controls[0] + more, controls[1] + more

    def query(self) -> Batch | None:
        """Return the next page, or None when every row is answered."""
        page = len(self._answered)
        rows = self._ask_for(self._page - len(self._plan.on(page)))
        if rows is None:
            self._open = None
            return None
        rows = self._plan.mixed(page, rows)
        self._open = Batch(rows, np.full(len(rows), AUDIT, np.int8), page)
        return self._open

    def update(self, labels: Sequence[int] | np.ndarray) -> None:
        """Take the answers to the page, one per row."""
        if self._open is None:
            self._audit.update(labels)  # says that no page is open
            return
        labels = np.array(self._now(self._open.rows, check_labels(labels, len(self._open.rows))), np.int8)
        self._take(self._open, labels)
        self._answered.append((self._open, labels))
        self._open = None

    def _take(self, batch: Batch, labels: np.ndarray) -> None:
        """Let the audit know the answers to a page, and what came of the control items on it."""
        control = np.isin(batch.rows, self._plan.on(batch.round))
        counted = labels[control & ~np.isin(batch.rows, self._retracted)]
        # A doubtful answer is no overlooking: the audit takes a positive that got one for seen, and for missing.
        controls = int((counted != NEGATIVE).sum()), len(counted)
        self._if_all_seen.update(labels[~control])
        self._audit.update(labels[~control], **({} if self._audit.controls is None else {"controls": controls}))

    def _now(self, rows: np.ndarray, labels: Sequence[int] | np.ndarray) -> list[int]:
        """Return labels of rows as they are now: those that were corrected elsewhere since."""
        now = []
        for row, label in zip(rows.tolist(), np.asarray(labels).tolist(), strict=True):
            before, after = self._corrected.get(row, (label, label))
            now.append(after if label == before else label)
        return now

    def amend(self, rows: Sequence[int] | np.ndarray, labels: Sequence[int] | np.ndarray) -> None:
        """Correct answers given earlier: what may be said is computed anew, as if they had been right from the start.

        Only control items keep the answer that their page was closed with: by now the person may know them.
        Raises ValueError for a row that this audit has not asked, and changes nothing then.
        """
        rows = check_rows(rows, self._pool_size, "corrections")
        labels = check_labels(labels, len(rows))
        if (never := np.setdiff1d(rows, self.log.rows)).size:
            raise ValueError(f"row {never[0]} has no answer to correct; allowed: rows that this audit has asked")
        others = ~np.isin(rows, self.controls_shown)
        rows, labels = rows[others], np.array(self._now(rows[others], labels[others]), np.int8)
        self._answered = corrected(self._answered, rows, labels)
        self._if_all_seen, self._audit = map(copy.copy, self._fresh)
        for batch, given in self._answered:
            self._ask(batch)
            self._take(batch, given)
        if self._open is not None:
            self._ask(self._open)

    def _ask(self, batch: Batch) -> None:
        self._ask_for(len(batch.rows) - len(self._plan.on(batch.round)))

    def _ask_for(self, size: int) -> np.ndarray | None:
        self._if_all_seen.query(size)
        return self._audit.query(size)

    @property
    def control_items(self) -> np.ndarray:
        """The finds that this audit shows as control items, on the pages answered so far or on later ones, by page."""
        return np.concatenate([np.empty(0, np.int64), *self._plan.rows])

    @property
    def controls_shown(self) -> np.ndarray:
        """The control items that were shown on the pages answered so far, in that order."""
        return np.concatenate([np.empty(0, np.int64), *map(self._plan.on, range(len(self._answered)))])

    @property
    def not_new(self) -> np.ndarray:
        """The rows that are no new finds when they are marked, or not yet: control items, or on the open page."""
        return self.controls_shown if self._open is None else np.append(self.controls_shown, self._open.rows)

    @property
    def last_page(self) -> str:
        """What came of the last page that was answered, in words; "" before there is one."""
        if not self._answered:
            return ""
        batch, labels = self._answered[-1]
        marked = batch.rows[labels == POSITIVE]
        known = int(np.isin(marked, self.controls_shown).sum())
        return f"{len(marked):,} marked: {known:,} known, {len(marked) - known:,} new"

    @property
    def log(self) -> Log:
        """All questions answered so far, control items among them."""
        return log_of(self._answered)

    @property
    def positives(self) -> np.ndarray:
        """The rows that the audit found, ascending; not its control items."""
        log = self.log
        return np.setdiff1d(log.rows[log.labels == POSITIVE], self.controls_shown)
