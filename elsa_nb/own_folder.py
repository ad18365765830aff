"""A user's own folder, from its pictures to the panel: what `elsa-nb label FOLDER` and `label_folder` do.

The one place that knows both `images`, which makes vectors, and `label`, which is handed them.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from elsa_nb.counts import count_of
from elsa_nb.errors import MissingDataError
from elsa_nb.images.encoders.names import TEXT, check_knows_words, check_once
from elsa_nb.images.extraction.folder_names import find_pool, folder_title, said_beside
from elsa_nb.images.sources.left_out import LIST, count_listed, names_listed
from elsa_nb.option_names import option_named, option_told
from elsa_nb.option_rules import check_modes, given_of
from elsa_nb.pool import Pool
from elsa_nb.pool_files import columns_of
from elsa_nb.side_by_side import join_pools, parts_of
from elsa_nb.store import as_path, check_switch

if TYPE_CHECKING:
    from elsa_nb.label.jobs import Job, ReadFiles
    from elsa_nb.label.panel import Panel

_FILES = ("labels", "seeds")
_WHAT = {
    "folder": "a folder of images",
    "pool": "the folder of a pool",
    "encoder": "an encoder",
    "name": "an image in it",
}


class InterruptedCell(KeyboardInterrupt):
    """The person stopped a cell that makes vectors; a notebook shows the message, and no traceback."""

    def _render_traceback_(self) -> list[str]:  # IPython asks for it
        return [str(self)]


def label_folder(folder: Path | str, **options: Any) -> "Panel":
    """Return the labelling panel of a folder of images; as the last line of a notebook's cell it is shown.

    The vectors of the images are made if they are missing, under a progress bar: minutes for a thousand. The same line
    opens the work again where it was left. `options` are those of `prepare`; in the example the vectors are in a pool.

    >>> import elsa_nb
    >>> panel = elsa_nb.label_folder("my-images", pool="my-pool", session="owls.sqlite")
    >>> panel   # in a notebook: the page
    Panel(my-images: 0 labels, 0 positives, round 1)
    >>> panel.close()
    """
    from elsa_nb.label.jobs import open_panel

    try:
        job = prepare(folder, **options)
    except KeyboardInterrupt:
        raise InterruptedCell(
            "Interrupted. The vectors that were made are kept: run the same cell again, and it goes on from there."
        ) from None
    return open_panel(job)


def prepare(
    folder: Path | str,
    *,
    encoder: Path | str | Sequence[Path | str] | None = None,
    pool: Path | str | None = None,
    session: Path | str | None = None,
    name: str | Path | Sequence[str | Path] = (),
    like: str | Path | Sequence[str | Path] = (),
    text: str | None = None,
    strict: bool = False,
    **settings: Any,
) -> "Job":
    """Find or make the vectors of a folder and return what the panel is made of.

    `encoder` is a name that `elsa-nb encoders` lists, or the path of the user's own weights (default: the best that is
    here or can be fetched); the vectors of several encoders are put side by side (`side_by_side`). `pool` names vectors
    that exist already. `session` is the file that gets the answers (default: named after the folder and its place, in
    the working folder). `name` are names of files that are examples, or patterns of files to be shown first; `like` are
    image files, from anywhere, that look like what is sought; `text` describes it in words, for an encoder that knows
    words (default: one that does). `strict` stops at an image that cannot be read. `settings` are those of
    `jobs.make_job`: `labels`, `reading`, `seeds`, `annotator`, `page`, `strategy`, `metric`, `budget`, `target`,
    `audit`. Raises ValueError for an option that has no effect with the others (`folder_options`), and what
    `jobs.make_job` raises.
    """
    from elsa_nb.label import jobs
    from elsa_nb.label.folder_options import FOLDER_MODES
    from elsa_nb.label.identity import earlier_sessions
    from elsa_nb.label.items import Files
    from elsa_nb.label.session_file import check_session_folder, check_writable

    given = {"encoder": encoder, "pool": pool, "name": name, "like": like, "text": text, "strict": strict, **settings}
    check_modes(FOLDER_MODES, given_of(given), {"seeds": None, "audit": False} | given)
    folder = _path("folder", folder)
    if not folder.is_dir():
        raise MissingDataError(f"{folder} is not a folder; name the folder that holds the images.")
    like = [_path("like", each) for each in _each(like)]
    names = [each if isinstance(each, str) else str(_path("name", each)) for each in _each(name)]
    encoders = [str(_path("encoder", each)) for each in _each(encoder)]
    pool = None if pool is None else _path("pool", pool)
    settings |= {key: _path(key, settings[key]) for key in _FILES if settings.get(key) is not None}
    by_itself = session is None
    session = _path("session", f"{folder_title(folder)}.sqlite" if by_itself else session)
    check_session_folder(session)
    if not isinstance(text, str | None) or (text is not None and not text.strip()):
        raise ValueError(f"text is {text!r:.60}; give words, such as 'a red fox', or None")
    check_switch("strict", strict)
    check_once(encoders)
    if text and encoders:
        check_knows_words(encoders)
    read = _check_before(folder, pool is None, names, like, session, settings)
    if text and not (encoders or pool):
        encoders = [TEXT]
    place, made_by, lasting = (pool, encoders, said_beside(pool)) if pool else _vectors(folder, encoders, strict)
    differences = _differences(folder, pool) if pool else []  # vectors that were just looked for fit the folder
    for sentence in differences:
        print(sentence)
    if by_itself and not session.exists():
        for sentence in earlier_sessions(session.parent, Files(folder, Pool.open(place, verify=False))):
            print(sentence)
    first: Sequence[int] = ()
    if like or text:
        first = _nearest(place, made_by, like, text, jobs.SAMPLE_ITEMS)
    check_writable(session)  # again: the vectors may have filled the disk
    remark = " ".join([*differences, *lasting])
    return jobs.make_job(folder, place, session, names=names, first=first, read=read, remark=remark, **settings)


def _differences(folder: Path, place: Path) -> list[str]:
    """Say how a pool and the files of a folder differ, in sentences; MissingDataError for a pool of other files."""
    from elsa_nb.images.sources.files import walk
    from elsa_nb.label.pool_and_folder import compare_ids
    from elsa_nb.pictures.opening import id_of_path

    pool = Pool.open(place, verify=False)
    every = ("",)  # ending: texts and sounds, too
    found = compare_ids(
        folder,
        place,
        pool.ids.tolist(),
        lambda: map(id_of_path, walk(folder, every)),
        left_out=set(names_listed(place / LIST)),
    )
    makes = all("encoder" in part["provenance"] for part in parts_of(pool))
    return found.sentences(folder, place, makes=makes)


def _each(given: Any) -> list[Any]:
    if given is None:
        return []
    return list(given) if isinstance(given, Iterable) and not isinstance(given, str | Path) else [given]


def _path(option: str, given: Any) -> Path:
    """Return what was given for an option as a path; ValueError for what is not a path."""
    cure = f"; write what is in memory into one first (a data frame: {option}.to_csv(...))" if option in _FILES else ""
    return as_path(option, given, f"{_WHAT.get(option, 'a file')}{cure}")


def _check_before(
    folder: Path, fresh: bool, names: Sequence[str], like: Sequence[str | Path], session: Path, settings: dict[str, Any]
) -> "ReadFiles | None":
    """Refuse, before anything is computed, what would be refused in the end: vectors of many images take hours.

    Returns what the files of labels and examples say of the files of the folder, where all of them were read.

    `fresh`: no pool is named, so the items are the files of the folder.
    """
    from elsa_nb.images.sources.files import walk
    from elsa_nb.label import jobs
    from elsa_nb.label.first_examples import rows_named
    from elsa_nb.label.session import Session
    from elsa_nb.label.session_file import check_writable
    from elsa_nb.pictures.decoding import endings
    from elsa_nb.pictures.opening import id_of_path

    jobs.check_settings(**settings)
    read = None
    for path in like:
        _check_example(Path(path))
    by_files = names or any(settings.get(key) is not None for key in ("labels", "seeds"))
    if fresh and by_files and (items := [id_of_path(path) for path in walk(folder, endings())]):
        if names:
            rows_named(items, *names)
        files = {key: settings.get(key) for key in ("labels", "seeds", "reading")}
        by_row = (files["reading"] or {}).get("item") == "row"  # of the vectors: a broken image has none
        found = jobs.read_label_files(items, **files | ({"labels": None} if by_row else {}))
        read = None if by_row else found
    check_writable(session)
    if session.exists():
        Session(session).close()
    jobs.check_begun(session, **settings)
    return read


def _check_example(path: Path) -> None:
    """Raise MissingDataError or ValueError, with its cure, for what is not an image file to begin from."""
    from elsa_nb.pictures.decoding import Decoding, UnreadableError

    takes = f"{option_named('like')} takes an image file that looks like what is sought"
    if not path.is_file():
        raise MissingDataError(f"{path} is not a file; {takes}.")
    try:
        with path.open("rb") as stream:
            Decoding().picture(stream)
    except UnreadableError as error:
        raise ValueError(f"the image {path} cannot be read ({error}); {takes}.") from None


def _nearest(place: Path, names: Sequence[str], like: Sequence[str | Path], text: str | None, count: int) -> list[int]:
    """Return the rows most like the files `like`, then those nearest to `text`: `count` of each.

    `names` are the encoders that made the pool (default: those that the pool names). Raises ValueError for others.
    """
    pool, rows = Pool.open(place), []
    parts = parts_of(pool)
    made = [part["provenance"] for part in parts]
    makers = list(names) or [each.get("encoder") for each in made]
    if None in makers:
        like_and_text = f"{option_named('like')} and {option_named('text')}"
        raise ValueError(
            f"{like_and_text} need the encoder that made the pool {place}: give {option_told('encoder')} too."
        )
    if len(makers) != len(made):
        counts = f"{count_of(len(made), 'encoder')}, and {len(makers)} {'is' if len(makers) == 1 else 'are'} named"
        option = option_named("encoder")
        raise ValueError(f"the vectors of {place} are by {counts} with {option}: leave {option} out.")

    if text:
        check_knows_words(makers)

    from elsa_nb.images.encoders.by_name import load_for_pictures
    from elsa_nb.images.extraction.embed import ExampleEncoder
    from elsa_nb.label.first_examples import rows_like_images, rows_like_text

    encoders = [load_for_pictures(name) for name in makers]
    for name, encoder, provenance in zip(makers, encoders, made, strict=True):
        if provenance.get("weights", encoder.sha256) != encoder.sha256:
            maker = provenance["encoder"]
            raise ValueError(
                f"the vectors of {place} are by {maker}, not by {name}: give {option_told('encoder', maker)}, or leave "
                "it out."
            )
    if like:
        of_pool = {"columns": pool.columns, "decoding": pool.provenance.get("decoding")}
        examples = ExampleEncoder(*encoders, **of_pool)
        rows += rows_like_images(pool.vectors, examples, like, count).tolist()
    if text:
        knowing = next((i for i, each in enumerate(encoders) if hasattr(each, "encode_text")), 0)
        columns = columns_of([part["d"] for part in parts])[knowing]
        rows += rows_like_text(pool.vectors[:, columns], encoders[knowing], text, count).tolist()
    return list(dict.fromkeys(rows))


def _vectors(folder: Path, encoders: Sequence[str], strict: bool) -> tuple[Path, list[str], list[str]]:
    """Return the pool of a folder's embeddings, the encoders that made it, and what is to stay on the page."""
    found = [find_pool(folder, each) for each in encoders or [None]]
    places = [each[0] for each in found if each is not None]
    # With `strict`, a file that could not be read is tried again: it stops this, too, unless it has been repaired.
    broken = strict and any(Pool.open(place, verify=False).provenance["broken"] for place in places)
    if len(places) == len(found) and not broken:
        title, names = folder.resolve().name, [each[1] for each in found if each is not None]
        images = len(Pool.open(places[0], verify=False))
        print(f"The vectors of {title} are here: {count_of(images, 'image')}, by {' and '.join(names)}.")
        if left := count_listed(places[0] / LIST):
            print(f"Left out: {count_of(left, 'file')}; listed with the reason in {places[0] / LIST}")
    else:
        from elsa_nb.images.extraction.embed import embed_embeddings  # only now: torch takes seconds to load

        places, names = embed_embeddings(folder, encoders, strict=strict)
    if len(places) == 1:
        return places[0], names, said_beside(places[0])
    base = folder_title(folder)
    titles = [place.name.removeprefix(f"{base}-").removesuffix("-embedding") for place in places]
    joined = places[0].with_name(f"{base}-{'-and-'.join(titles)}-embedding")
    join_pools([Pool.open(place) for place in places], joined, name=joined.name)
    return joined, names, said_beside(places[0])
