"""Stored searches made again and compared: what `elsa-nb verify` does, and what keeps versions of behaviour honest.

A stored result is reused while the numbers in `elsa_nb.search.version` and on the strategies are what they were,
however much the code was moved about. That is safe only as long as nobody changes a log without raising a number. So
some hundreds of stored searches, the canaries named in `data/results/canaries.json`, are run again: every arm, reading,
encoder, setting, noise and field of a configuration that a committed result rests on is in one of them. Start reading
at `verify`; `choose_canaries` picks canaries, `record_logs` writes down what they do here.

A log is that of one search among vectors of certain bytes on one kind of processor. Another kind rounds differently in
the last bits, of vectors and of scores alike, and a search may then take another course. Stored logs are therefore
compared where the pools here are those of the stored results to the byte; for other kinds of processors `canaries.json`
keeps logs of their own, which `record_logs` added at a commit whose searches were known to be right.
"""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from elsa_nb import fingerprints, store
from elsa_nb.counts import count_of
from elsa_nb.errors import MissingDataError
from elsa_nb.paper.runs import runner, simulation, validity
from elsa_nb.paper.runs.grid import Setting, strategy_of
from elsa_nb.paper.runs.place import Place
from elsa_nb.paper.runs.processes import in_processes
from elsa_nb.prepared import prepare
from elsa_nb.profiles import PROFILES
from elsa_nb.progress import bar

CANARIES = store.DATA / "results" / "canaries.json"
NAMED_BY = ("reading", "encoder", "space", "arm", "target", "seeds", "repeat", "change", "flip", "share")
ROW_KEYS = ("sweep", "profile", "row")  # what a compared row is known by
HASH_LETTERS = 16  # letters of a hash that are enough to tell two logs apart


def results_here() -> list[tuple[str, str]]:
    """Return (sweep, profile) of all stored results that state what they are valid for."""
    found = []
    for path in sorted(runner.RESULTS.glob("*-*.json")):
        name, _, profile_name = path.stem.rpartition("-")
        if profile_name in PROFILES and path.with_suffix(".parquet").exists():
            found.append((name, profile_name))
    return found


def committed_results() -> list[tuple[str, str]]:
    """Return (sweep, profile) of those results that are part of the repository.

    Others are a user's own: what was run here before must not decide what the canaries have to show.
    """
    return [(name, profile_name) for name, profile_name in results_here() if PROFILES[profile_name].committed]


def stored_rows(name: str, profile_name: str) -> pd.DataFrame:
    """Return the stored results of a sweep with three columns in front: sweep, profile, row (its number there)."""
    frame = runner.stored_results(name, profile_name)
    frame = frame.drop(columns="sweep")
    for at, (column, value) in enumerate((("sweep", name), ("profile", profile_name), ("row", np.arange(len(frame))))):
        frame.insert(at, column, value)
    return frame


def rows_of_results(results: list[tuple[str, str]]) -> pd.DataFrame:
    """Return the `stored_rows` of several (sweep, profile) in one frame; MissingDataError where there are none."""
    if not results:
        raise MissingDataError(f"no stored searches are in {runner.RESULTS}: `elsa-nb reproduce` makes some.")
    return pd.concat([stored_rows(*each) for each in results], ignore_index=True)


def title_of(row: dict | pd.Series) -> str:
    """Return the words that name a stored search within its results."""
    return " | ".join(str(row[name]) for name in NAMED_BY)


def canary_rows() -> pd.DataFrame:
    """Return the stored rows that `data/results/canaries.json` names, with `log_known` and `pool_known` beside them.

    These are what `record_logs` wrote down on this kind of processor, empty where it did not. Raises ValueError for a
    name that the stored results do not hold.
    """
    card = _card()
    recorded = card["logs"].get(fingerprints.processor(), {})
    frames = []
    for results, titles in card["searches"].items():
        name, _, profile_name = results.rpartition("-")
        rows = stored_rows(name, profile_name)
        known = {title_of(row): i for i, row in enumerate(rows[list(NAMED_BY)].to_dict("records"))}
        if strange := [title for title in titles if title not in known]:
            raise ValueError(f"{CANARIES} names {strange[0]!r}, which is not in {results}: choose the canaries again")
        kept = [recorded.get(f"{results} | {title}", ["", ""]) for title in titles]
        logs, pools = ([pair[at] for pair in kept] for at in (0, 1))
        frames.append(rows.iloc[[known[title] for title in titles]].assign(log_known=logs, pool_known=pools))
    return pd.concat(frames, ignore_index=True)


def facets_of(rows: pd.DataFrame) -> list[set[tuple]]:
    """Return what each stored row can show a change of: the pairs and values that some canary has to have.

    By sweep and reading: each arm with each number of seeds, each encoder, each change with each noise (each value of a
    grid of changes); and each value of each field of a configuration, that of its heads included.
    """
    found = []
    for row in rows.to_dict("records"):
        sweep, reading, arm = (row["sweep"], row["profile"]), row["reading"], row["arm"]
        own = {(sweep, reading, arm, row["seeds"]), (sweep, reading, row["encoder"], row["space"])}
        own.add((sweep, reading, row["change"], row["flip"]))
        if row["sweep"] == "trade-off":  # a grid: each value of it, not each pair
            own -= {(sweep, reading, row["change"], row["flip"])}
            own |= {(sweep, reading, arm, part) for part in row["change"].split(", ")}
        strategy = strategy_of(arm).name
        for name, value in _flat(json.loads(row["config"])):
            own.add((strategy, name, tuple(value) if isinstance(value, list) else value))
        found.append(own)
    return found


def choose_canaries(rows: pd.DataFrame, had: Iterable[tuple] = ()) -> pd.DataFrame:
    """Return few of `rows` that together have every facet of all but those that others `had` already, cheap ones first.

    Greedy: the row with the most facets still lacking is taken next.
    """
    own = facets_of(rows)
    lacking = set().union(*own) - set(had)
    order = np.argsort(rows["labels"].to_numpy(), kind="stable")
    # A search that asked little shows little: the cheapest third is passed over where others serve as well.
    order = [*order[len(order) // 3 :], *order[: len(order) // 3]]
    taken = []
    while lacking:
        best = max(order, key=lambda i: len(own[i] & lacking))
        taken.append(best)
        lacking -= own[best]
    return rows.iloc[sorted(taken)]


def add_canaries() -> pd.DataFrame:
    """Name in `data/results/canaries.json` what the committed results rest on and no canary shows yet; return its rows.

    The canaries that are there stay, with what was recorded of them on other processors.
    """
    card = _card()
    rows = rows_of_results(committed_results())
    chosen = choose_canaries(rows, set().union(*facets_of(canary_rows())))
    for row in chosen.to_dict("records"):
        card["searches"].setdefault(f"{row['sweep']}-{row['profile']}", []).append(title_of(row))
    store.write_card(CANARIES, card)
    return chosen


def record_logs(verified: "Verified") -> None:
    """Write the logs that the canaries have here into `data/results/canaries.json`, as those of this processor.

    To be done at a commit whose searches are known to be right, such as one whose logs all agree on another kind.
    """
    card = _card()
    logs = {
        f"{row['sweep']}-{row['profile']} | {title_of(row)}": [
            row["log_again"][:HASH_LETTERS],
            row["pool_again"][:HASH_LETTERS],
        ]
        for row in verified.ran.to_dict("records")
    }
    card["logs"].setdefault(fingerprints.processor(), {}).update(logs)
    store.write_card(CANARIES, card)


@dataclass(frozen=True)
class Verified:
    """What came of running stored rows again: `ran` has their columns, and `log_again`, `pool_again`, `again`."""

    ran: pd.DataFrame
    stale: pd.DataFrame  # made under another version of behaviour: not run
    absent: dict[str, int]  # rows that were not run, by the sentence that says what is missing

    @property
    def same(self) -> pd.Series:
        """Tell which rows have the log they should have (m,) bool: the recorded one where there is one."""
        ran, known = self.ran, self._recorded
        return (ran["log_again"].str[:HASH_LETTERS] == ran["log_known"]).where(
            known, ran["log_again"] == ran["log_sha256"]
        )

    @property
    def comparable(self) -> pd.Series:
        """Tell which rows must have the same log here (m,) bool: see the module's docstring."""
        ran, known = self.ran, self._recorded
        of_this_kind = not known.any() and (ran["pool_again"] == ran["pool_sha256"]).all()
        return (ran["pool_again"].str[:HASH_LETTERS] == ran["pool_known"]).where(known, of_this_kind)

    @property
    def _recorded(self) -> pd.Series:
        return self.ran["log_known"] != ""

    @property
    def changed(self) -> pd.DataFrame:
        """The rows whose log differs although vectors and processor are the same."""
        return self.ran[~self.same & self.comparable]

    def sentences(self) -> list[str]:
        """Return what a person wants to know of it, the changed searches last."""
        n, same, unlike = len(self.ran), int(self.same.sum()), self.ran[~self.comparable]
        searches = count_of(n, "stored search was", "stored searches were")
        said = [f"{searches} run again: {count_of(same, 'has', 'have')} the same log."]
        if len(unlike):
            said.append(
                f"{count_of(len(unlike), 'of them proves', 'of them prove')} nothing here, the same or not: this "
                f"processor ({fingerprints.processor()}) rounds otherwise than the one that made the stored results, "
                "in the last bits of vectors and scores."
            )
        if len(self.stale):
            stale = count_of(len(self.stale), "is", "are")
            said.append(f"{stale} stale, made under an earlier version of behaviour: `make full`.")
        said += [f"{count_of(count, 'was', 'were')} not run: {sentence}" for sentence, count in self.absent.items()]
        changed = [
            f"{row['sweep']}-{row['profile']} {row['row']}: {title_of(row)}" for row in self.changed.to_dict("records")
        ]
        if changed:
            said.append(
                f"{len(changed):,} went another way, and no version of behaviour was raised. If the change is meant, "
                "raise `version` on the strategy or SEARCH in elsa_nb/search/version.py; else mend it. The first ones:"
            )
        return said + [f"  {each}" for each in changed[:10]]


def verify(
    rows: pd.DataFrame, *, build: bool = False, workers: int | None = None, progress: bool | None = None
) -> Verified:
    """Run stored rows again, each from what it says itself (configuration, seed, pool), and compare their logs.

    `rows` are some of `stored_rows`, of one results file or several. Rows under another version of behaviour are left
    out, and so are those whose pools are not here. Neighbour lists that are not there yet are made with `build`, which
    pays for many searches; without, the few lists that a search needs are measured as it goes.
    """
    rows = rows.assign(**{name: "" for name in ("log_known", "pool_known") if name not in rows})
    valid = _valid(rows)
    stale, rows = rows[~valid], rows[valid]
    units, absent = [], {}
    for (profile_name, encoder, space, dataset, _), part in rows.groupby(
        ["profile", "encoder", "space", "dataset", "target"], sort=False
    ):
        place = Place.of(profile_name, encoder, space, dataset)
        try:
            for each in {place, place.in_embedding} if "embedding" in str(part["config"].tolist()) else {place}:
                each.check_here()
        except MissingDataError as error:
            absent[str(error)] = absent.get(str(error), 0) + len(part)
        else:
            for _, unit in part.groupby("share"):
                records = unit[[*ROW_KEYS, *validity.FIELDS[1:], "config"]].to_dict("records")
                units.append((records, place))
    for folder in sorted({place.folder for _, place in units}) if build else ():  # on all cores, once
        prepare(folder, progress=progress)
    again = _run_again(units, workers or os.cpu_count() or 1, progress)
    ran = rows.merge(pd.DataFrame(again, columns=[*ROW_KEYS, "log_again", "pool_again", "again"]), on=list(ROW_KEYS))
    return Verified(ran, stale, absent)


def _card() -> dict:
    """Return what `canaries.json` says: names of searches, and their logs by kind of processor."""
    what, cure = "a list of canaries", "`git checkout` brings it back."
    card = store.read_card(CANARIES, what, cure, always_sealed=True)
    with store.reading(CANARIES, what, cure):
        searches, logs = dict(card["searches"]), {kind: dict(known) for kind, known in card["logs"].items()}
        if not all(isinstance(title, str) for titles in searches.values() for title in titles):
            raise ValueError("a name is not text")
        if any(len(pair) != 2 for known in logs.values() for pair in known.values()):
            raise ValueError("a log without its pool")
    return card | {"searches": searches, "logs": logs}


def _valid(rows: pd.DataFrame) -> pd.Series:
    """Tell which rows were made under the versions of behaviour that the code has now (m,) bool."""
    now = validity.versions({})
    valid = pd.Series(False, rows.index)
    for (name, profile_name), part in rows.groupby(["sweep", "profile"], sort=False):
        before = runner.results_card(name, profile_name)["provenance"]
        for arm in part["arm"].unique() if before.get("search") == now["search"] else ():
            strategy = strategy_of(arm).name
            if before["strategies"][strategy] == now["strategies"][strategy]:
                valid[part.index[part["arm"] == arm]] = True
    return valid


def _run_again(units: list, workers: int, progress: bool | None) -> Iterator[tuple]:
    total = sum(len(rows) for rows, _ in units)
    with bar(None, "verify", progress, total=total, unit="search") as shown:
        for rows in in_processes(run_stored, units, workers):
            shown.update(len(rows))
            yield from rows


def run_stored(rows: list[dict], place: Place) -> list[tuple]:
    """Run stored rows of one class and pool again; return sweep, profile, row, log, pool and the new row of each."""
    settings = [Setting(**{name: row[name] for name in validity.FIELDS}) for row in rows]
    configs = [validity.config_of(strategy_of(row["arm"]).name, row["config"]) for row in rows]
    again = simulation.run_unit(settings, place, configs)
    return [
        (*(row[name] for name in ROW_KEYS), new["log_sha256"], new["pool_sha256"], new)
        for row, new in zip(rows, again, strict=True)
    ]


def _flat(config: dict, prefix: str = "") -> Iterable[tuple[str, object]]:
    for name, value in config.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{name}.")
        else:
            yield prefix + name, value
