"""`elsa-nb pool`: a pool of vectors that were made elsewhere (`make`), or of several encoders' pools (`join`)."""

import argparse
import warnings
from pathlib import Path
from shlex import quote

from elsa_nb.arguments import maybe_nothing, typed_path
from elsa_nb.counts import count_of
from elsa_nb.errors import MissingDataError
from elsa_nb.pool import Pool
from elsa_nb.pool_files import check_free
from elsa_nb.side_by_side import join_pools, parts_of


def declare_pool(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes to its parser."""
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    join = actions.add_parser("join", help="put several encoders' vectors of the same items side by side")
    what = "pools of the same items, each by another encoder: where one is weak, a search in both needs fewer labels"
    join.add_argument("pools", type=typed_path, metavar="FOLDER", nargs="+", help=what)
    join.add_argument("--out", type=typed_path, metavar="FOLDER", required=True, help="the pool to make")
    join.add_argument("--name", help="what the vectors are of (default: the names of the pools)")
    join.set_defaults(run=join_command)
    parser = actions.add_parser("make", help="make a pool of a file of vectors")
    parser.set_defaults(run=make_command)
    parser.add_argument(
        "file",
        type=typed_path,
        metavar="FILE",
        help=".npy, .npz, .safetensors, .parquet, .feather, .csv, .jsonl, .h5ad, a flat faiss index",
    )
    what = "the pool to make (default: FILE's name + -pool, here)"
    parser.add_argument("folder", type=typed_path, metavar="FOLDER", nargs="?", help=what)
    what = "names of the items in the order of the vectors: one per line, or a table"
    parser.add_argument("--ids", type=typed_path, metavar="FILE", help=what)
    parser.add_argument(
        "--key", type=maybe_nothing, metavar="NAME", help="which array or column of FILE, where it has several"
    )
    parser.add_argument(
        "--encoding", metavar="NAME", help="encoding of a text table and its names, such as cp1250 or cp932"
    )
    parser.add_argument("--name", help="what the vectors are of (default: FILE's name)")
    parser.add_argument("--space", default="embedding", help="which output of the encoder (default: embedding)")
    parser.add_argument("--replace", action="store_true", help="replace another pool in FOLDER")


def join_command(options: argparse.Namespace) -> None:
    """Make the pool of several encoders, and print how to use it."""
    pool = join_pools([Pool.open(folder) for folder in options.pools], options.out, name=options.name)
    print(f"{_held(pool)} by {len(parts_of(pool))} encoders: --pool {quote(str(options.out))}")


def make_command(options: argparse.Namespace) -> None:
    """Make the pool of a file; print what was taken and how to use it. Refuse to replace another pool unasked."""
    path = Path(options.file)
    folder = Path(options.folder or f"{path.stem}-pool")
    with warnings.catch_warnings(record=True) as odd:
        warnings.simplefilter("always")
        told = {"key": options.key, "encoding": options.encoding, "name": options.name, "space": options.space}
        pool = Pool.from_file(path, options.ids, **told)
    check_free(folder)
    if (folder / "pool.json").exists() and not options.replace:
        try:
            same = Pool.open(folder).sha256 == pool.sha256
        except (MissingDataError, ValueError):
            same = False
        if not same:
            raise ValueError(f"{folder} holds another pool; name another folder, or add --replace.")
    pool.save(folder)
    for note in pool.provenance["made_from"]["taken"]:
        print(f"{path}: {note}.")
    for warning in odd:
        print(f"Look at this: {warning.message}")
    ids = f"id {pool.ids[0]!s}" if pool.n == 1 else f"ids {pool.ids[0]!s} to {pool.ids[-1]!s}"
    print(f"{_held(pool)}, {ids}: --pool {quote(str(folder))}")


def _held(pool: Pool) -> str:
    return f"{count_of(pool.n, 'vector')} of {count_of(pool.d, 'value')}"
