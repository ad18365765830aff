"""What is labelled, with which vectors, into which session: a few plain values from which the panel is made.

`launch.py` hands them to the server's notebook as a file; `elsa_nb.own_folder` makes the panel of them at once.
"""

import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from elsa_nb.errors import MissingDataError
from elsa_nb.label import first_examples, identity, searching
from elsa_nb.label.answers import Answer, check_annotator
from elsa_nb.label.audits import audit_files, audited, check_to_audit, take_audits
from elsa_nb.label.cards import OPEN, check_page_size
from elsa_nb.label.import_labels import import_labels
from elsa_nb.label.items import Files
from elsa_nb.label.label_files.reader import LabelFile, read_examples, read_labels
from elsa_nb.label.remembered_items import note_names
from elsa_nb.label.session import Session
from elsa_nb.label.session_file import IMPORTED, NOT_ASKED
from elsa_nb.option_names import by_examples, option_named, option_told, told_by, told_of_reading
from elsa_nb.pool import Pool
from elsa_nb.search.checks import check_kinds
from elsa_nb.search.contract import POSITIVE, Strategy
from elsa_nb.search.stopping.rules import TargetShare
from elsa_nb.side_by_side import parts_of

if TYPE_CHECKING:
    from elsa_nb.label.panel import Panel

SAMPLE_ITEMS = 96  # items shown to pick seeds from
OVERVIEW = 120  # small pictures per page of the first look
LEAST_SEEDS = 3
_NO_SETTINGS = ("folder", "pool", "session", "samples", "remark")  # what a job is made of besides its settings


@dataclass(frozen=True)
class Job:
    """What to label: the folder of items, the pool of their vectors (ids are paths in the folder), the session file.

    `samples` are rows to pick seeds from, shown one group after the other. `strategy`, `metric` and `budget` are those
    of `searching.search_from`. With a `target` the panel says when, by its estimate, that share of the class is found.
    `annotator` is whose answers they are, `page` the number of cards per page.
    With `audit` it audits what was found, in a session of its own. `remark` stays on the page until it is dismissed.
    """

    folder: str
    pool: str
    session: str
    annotator: str = "me"
    page: int = 24
    samples: list[list[int]] = field(default_factory=list)
    strategy: str = searching.DEFAULT
    metric: str | None = None
    budget: int | None = None
    target: float | None = None
    audit: bool = False
    remark: str = ""


@dataclass(frozen=True)
class ReadFiles:
    """What a file of labels and one of examples say of items called `ids`; None where there is none."""

    ids: Sequence[str]
    labels: LabelFile | None
    seeds: LabelFile | None


def make_job(
    folder: Path,
    pool: Path,
    session: Path,
    *,
    names: Sequence[str] = (),
    first: Sequence[int] = (),
    labels: Path | str | None = None,
    seeds: Path | str | None = None,
    reading: Mapping[str, Any] | None = None,
    read: ReadFiles | None = None,
    annotator: str = "me",
    remark: str = "",
    **settings: Any,
) -> Job:
    """Return the job, checked; `names` (file names or patterns) and `first` (rows) are shown before the sample.

    A name that means one file is an example, from which the search begins at once.
    `labels` is a file of earlier labels and `seeds` one of examples, in any of the formats that `read_labels` reads:
    they go into the session, and the search begins from what they call positive. `reading` are options of `read_labels`
    for `labels`: which class is sought, which columns hold what; `read` is what both files say of the folder's files,
    and is used where these are the items. `settings` are other fields of `Job`; without a `strategy` a session goes on
    with the one it was last opened with. The caller checks that the pool's ids are files of the folder
    (`pool_and_folder`).
    Raises MissingDataError for what is not here, ValueError for bad settings; then the session is as it was.
    """
    check_settings(labels=labels, seeds=seeds, reading=reading, annotator=annotator, **settings)
    folder, pool = Path(folder).resolve(), Path(pool).resolve()
    opened = Pool.open(pool)
    if not folder.is_dir():
        raise MissingDataError(f"{folder} is not a folder; name the folder that holds the images.")
    named = first_examples.rows_named(opened.ids, *names) if names else np.empty(0, np.int64)
    spread = first_examples.spread_rows(opened.vectors, SAMPLE_ITEMS, np.random.default_rng(0))
    samples = [np.asarray(rows).tolist() for rows in (named, first, spread) if len(rows)]
    if settings.get("strategy") is None:
        settings["strategy"] = _begun_with(Path(session), annotator)
    shown = {"samples": samples, "remark": remark}
    job = Job(str(folder), str(pool), str(Path(session).resolve()), annotator, **shown, **settings)
    searching.check(job.strategy, metric=job.metric, budget=job.budget)  # the session may bring another than was named
    if Path(job.session).exists():
        with Session(job.session, annotator=job.annotator) as session:
            identity.settle(session, Files(folder, opened), opened.ids)  # before anything is taken or shown
    if job.audit:
        begun = audited(Path(job.session), job.annotator, opened.ids)
        job = replace(job, remark=" ".join(filter(None, (job.remark, begun.remark))))
    examples = [row for name in names for row in first_examples.row_meant(opened.ids, name)]
    if read is None or list(read.ids) != opened.ids.tolist():
        read = read_label_files(opened.ids, labels=labels, seeds=seeds, reading=reading)
    files = [file for file in (read.labels, read.seeds) if file is not None]
    if not job.audit:
        _take_audits(job, opened)  # before the files, which change no answer that a person gave
    if files or examples:
        _take_labels(job, opened, files, examples)
    if not job.audit:
        searching.make_ready(opened, job.strategy, metric=job.metric)
    return job


def check_settings(
    *,
    labels: Path | str | None = None,
    seeds: Path | str | None = None,
    reading: Mapping[str, Any] | None = None,
    **settings: Any,
) -> None:
    """Raise what `make_job` would for its settings, whatever the pool: ValueError, MissingDataError, TypeError."""
    known = [each.name for each in fields(Job) if each.name not in _NO_SETTINGS]
    if strange := sorted(settings.keys() - set(known)):
        raise TypeError(
            f"there is no option {strange[0]!r}; allowed: labels, seeds, reading, {', '.join(known)}, and of a folder "
            "encoder, pool, session, name, like, text, strict"
        )
    job = Job("", "", "", **settings)
    check_annotator(job.annotator)
    check_page_size(job.page)
    check_kinds(job)
    strategy = searching.DEFAULT if job.strategy is None else job.strategy
    searching.check(strategy, metric=job.metric, budget=job.budget)
    if job.target is not None:
        TargetShare(share=job.target)  # or raise
    for option, path in (("labels", labels), ("seeds", seeds)):
        if path is not None and not Path(path).exists():
            takes = f"{option_named(option)} takes a file of labels, or a folder of them"
            raise MissingDataError(f"{path} is not here; {takes}.")
    if not isinstance(reading, Mapping | None):
        raise ValueError(f"reading is {reading!r:.60}; give a dict of options, such as {{'positive': 'owl'}}, or None")
    known = [name for name, each in inspect.signature(read_labels).parameters.items() if each.kind is each.KEYWORD_ONLY]
    if strange := [name for name in reading or () if name not in known]:
        raise ValueError(f"reading has {strange[0]!r:.60}, which is not known; allowed: {', '.join(known)}")
    if reading and labels is None:
        given = " and ".join(option_named(key) for key in reading)
        say = "says" if len(reading) == 1 else "say"
        add = f"add {option_told('labels', 'FILE')}"
        raise ValueError(f"{given} {say} how labels are read, and no file of labels is named: {add}")


def check_begun(
    session: Path,
    *,
    annotator: str = "me",
    strategy: str | None = None,
    metric: str | None = None,
    budget: int | None = None,
    audit: bool = False,
    **_: Any,
) -> None:
    """Raise what `make_job` would for what a session holds, or that there is none, as far as it needs no vectors."""
    if audit:
        check_to_audit(session, annotator)
    else:
        searching.check(_begun_with(session, annotator) if strategy is None else strategy, metric=metric, budget=budget)


def read_label_files(
    ids: Sequence[str],
    *,
    labels: Path | str | None = None,
    seeds: Path | str | None = None,
    reading: Mapping[str, Any] | None = None,
) -> ReadFiles:
    """Read what `make_job` takes of files of labels and examples, about items called `ids`; raise its ValueError."""
    with told_by(by_examples):
        examples = None if seeds is None else read_examples(seeds, ids)
    if examples is not None and not examples.rows():
        raise ValueError(
            f"{seeds} calls no item positive; {option_named('seeds')} takes a list of examples, "
            f"{option_named('labels')} a file of answers"
        )
    with told_of_reading():
        return ReadFiles(ids, None if labels is None else read_labels(labels, ids, **(reading or {})), examples)


def _begun_with(path: Path, annotator: str) -> str:
    """Return the strategy that a session was last opened with; the default for one that has asked nothing yet."""
    if not path.exists():
        return searching.DEFAULT
    with Session(path, annotator=annotator) as session:
        if (stored := session.meta(f"strategy:{annotator}")) is not None:
            return json.loads(stored)
        return searching.BEFORE if session.rounds() else searching.DEFAULT


def _take_labels(job: Job, pool: Pool, files: Sequence[LabelFile], examples: Sequence[int]) -> None:
    """Put the labels of files, and the examples that were named, into the session, all or nothing; say so."""
    session = Session(job.session, annotator=job.annotator)
    try:
        with session.together():
            done = [import_labels(session, file, pool.ids) for file in files]
            named = {str(pool.ids[row]): row for row in examples}
            known = session.known(list(named))
            new = [Answer(item, OPEN, POSITIVE, row=row) for item, row in named.items() if item not in known]
            session.record(new, IMPORTED)
            note_names(session, pool.ids)  # the page may never be opened
    except BaseException:
        session.abandon()
        raise
    session.close()
    for each in done:
        print(each)


def _take_audits(job: Job, pool: Pool) -> None:
    """Let the session know what its audits have answered; say so."""
    if audit_files(Path(job.session)):
        with Session(job.session, annotator=job.annotator) as session:
            if said := take_audits(session, [str(item) for item in pool.ids]):
                print(said)


def imported_positives(session: Session, ids: Sequence[str]) -> np.ndarray:
    """Return the rows whose label in the session is positive and came from a file, ascending."""
    positive = {item for (item,) in session.current("item", kinds=NOT_ASKED, label=POSITIVE)}
    return np.flatnonzero([str(item) in positive for item in ids])


def open_panel(job: Job) -> "Panel":
    """Return the panel of a job: it searches from imported positives, or from what is marked in a first look."""
    from elsa_nb.label.panel import Panel, code_stamp

    pool, folder = Pool.open(job.pool, verify=False), Path(job.folder)
    if job.audit:
        audit = audited(Path(job.session), job.annotator, pool.ids)
        session = Session(audit.path, annotator=job.annotator, code=code_stamp())
        options = {"page": 60, "title": f"{folder.name}: audit", "remark": job.remark}
        return Panel(audit.pages, Files(folder, pool), session, **options)
    search_from = searching.search_from(pool, job.strategy, metric=job.metric, budget=job.budget)
    session = Session(job.session, annotator=job.annotator, code=code_stamp())

    def search() -> Strategy:
        if len(seeds := imported_positives(session, pool.ids)):
            return search_from(seeds)
        options = {"least": LEAST_SEEDS, "page": OVERVIEW, "overview": True}
        return first_examples.Begin(job.samples, search_from, n=len(pool), **options)

    options = {
        "page": job.page,
        "target": job.target,
        "title": folder.name,
        "make_search": search,
        "begin": search_from,
    }
    options |= {"remark": job.remark, "kind": _kind_of(job, pool)}
    panel = Panel(search(), Files(folder, pool), session, **options)
    vectors = json.dumps(_vectors_of(job, pool), allow_nan=False)
    told = {"strategy:": json.dumps(job.strategy), "vectors:": vectors, "said:": json.dumps(job.remark)}
    for what, stored in told.items():
        key = f"{what}{job.annotator}"
        if (session.meta(key) or '""') != stored and session.keep():
            session.remark(key, stored)
    return panel


def _kind_of(job: Job, pool: Pool) -> str:
    """Return what makes scores of two searches comparable: strategy, metric, encoders; "" where one is not known."""
    parts = [(part["space"], part["d"], part["provenance"]) for part in parts_of(pool)]
    encoders = [[space, d, p.get("encoder"), p.get("weights")] for space, d, p in parts]
    return "" if any(each[2] is None for each in encoders) else json.dumps([job.strategy, job.metric, encoders])


def _vectors_of(job: Job, pool: Pool) -> dict[str, Any]:
    """Return what a session remembers of the vectors that it was searched with, for later reports on it."""
    parts = []
    for part in parts_of(pool):
        provenance = part["provenance"]
        made_from = provenance.get("made_from", {})
        parts.append(
            {key: part[key] for key in ("name", "space", "d")}
            | {key: provenance.get(key) for key in ("encoder", "weights")}
            | {key: made_from.get(key) for key in ("file", "sha256")}
        )
    return {"pool": job.pool, "n": pool.n, "recipe": pool.recipe, "parts": parts}
