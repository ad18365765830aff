"""A folder of one's own, from its pictures to the panel: what `elsa-nb label FOLDER` and `label_folder` do.

The one place that knows both `images`, which makes vectors, and `label`, which is handed them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from elsa_nb.images.extraction.folder_names import find_pool, folder_title
from elsa_nb.pool import Pool

if TYPE_CHECKING:
    from elsa_nb.label.launch import Job
    from elsa_nb.label.panel import Panel


def label_folder(folder: Path | str, **options: Any) -> "Panel":
    """Return the labelling panel of a folder of images; as the last line of a notebook's cell it is shown.

    The vectors of the images are made where they are not there yet, under a progress bar: minutes for a thousand. The
    same line opens the work again where it was left. `options` are those of `prepare`.

    >>> elsa_nb.label_folder("my-images")
    """
    from elsa_nb.label.launch import open_panel

    return open_panel(prepare(folder, **options))


def prepare(
    folder: Path | str,
    *,
    encoder: str | None = None,
    pool: Path | str | None = None,
    session: Path | str | None = None,
    name: str | Sequence[str] = (),
    like: str | Path | Sequence[str | Path] = (),
    strict: bool = False,
    **settings: Any,
) -> "Job":
    """Find or make the vectors of a folder and return what the panel is made of.

    `encoder` is a name that `elsa-nb encoders` lists, or the path of weights of one's own (default: the best that is
    here or can be fetched); `pool` names vectors that are there already. `session` is the file that gets the answers
    (default: the folder's name and place, in the working folder). `name` are names of files that are examples, or
    patterns of files to be shown first; `like` files of images, from anywhere, that look like what is sought. `strict`
    stops at an image that cannot be read. `settings` are those of `launch.make_job`: `labels`, `seeds`, `annotator`,
    `page`, `strategy`, `metric`, `budget`.
    """
    from elsa_nb.label import first_examples, launch

    folder = Path(folder)
    like = [like] if isinstance(like, str | Path) else list(like)
    names = [name] if isinstance(name, str) else list(name)
    place, made_by = (Path(pool), encoder) if pool else _vectors(folder, encoder, strict)
    first: Sequence[int] = ()
    if like:
        if made_by is None:
            raise ValueError("--like needs the encoder that made the pool: give --encoder too.")
        from elsa_nb.images.extraction.embed import ExampleEncoder

        opened = Pool.open(place)
        examples = ExampleEncoder(made_by, opened.provenance.get("decoding"))
        first = first_examples.rows_like_images(opened.vectors, examples, like, launch.SAMPLE_ITEMS)
    session = session or f"{folder_title(folder)}.sqlite"
    return launch.make_job(folder, place, Path(session), names=names, first=first, **settings)


def _vectors(folder: Path, encoder: str | None, strict: bool) -> tuple[Path, str]:
    """Return the pool of a folder's embeddings, and the name of the encoder that made it."""
    if (found := find_pool(folder, encoder)) is not None:
        place, name = found
        print(f"The vectors of {folder} are here: {len(Pool.open(place, verify=False)):,} images, by {name}.")
        return found
    from elsa_nb.images.extraction.embed import embed_one  # only now: torch takes seconds to load

    return embed_one(folder, encoder, strict=strict)
