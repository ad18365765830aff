"""`elsa-nb bench VECTORS LABELS`: which searcher spends fewest labels on vectors whose labels are known."""

import argparse
import shlex
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from elsa_nb.arguments import Parser, maybe_nothing, typed_path
from elsa_nb.counts import count_of
from elsa_nb.option_names import by_command_of_vectors, told_by
from elsa_nb.option_rules import Only
from elsa_nb.pictures.opening import escaped, path_of_id
from elsa_nb.pool import Pool
from elsa_nb.written_files import check_exported

if TYPE_CHECKING:
    from elsa_nb.bench.arms import Arm
    from elsa_nb.bench.comparison import Plan

_PLANNED = ("classes", "seeds", "repeats", "budget", "smallest", "largest")  # options that are fields of `Plan`


def declare_bench(parser: Parser) -> None:
    """Add what the command takes to its parser."""
    what = "a pool, or a file that `elsa-nb pool make` reads"
    parser.add_argument("vectors", type=typed_path, metavar="VECTORS", help=what)
    what = "a table, array, folder or annotation file that gives items a class"
    parser.add_argument("labels", type=typed_path, metavar="LABELS", help=what)
    what = "names of the items in the order of the vectors"
    parser.add_argument("--ids", type=typed_path, metavar="FILE", help=what)
    parser.add_argument(
        "--key", type=maybe_nothing, metavar="NAME", help="which array or column of VECTORS, where it has several"
    )
    parser.add_argument(
        "--item", type=maybe_nothing, metavar="NAME", help="the column of LABELS with items; row: in the vectors' order"
    )
    parser.add_argument("--label", type=maybe_nothing, metavar="NAME", help="the column of LABELS with classes")
    parser.add_argument("--encoding", help="of LABELS, a text (default: found by itself)")
    parser.add_argument("--vectors-encoding", metavar="ENCODING", help="the same of VECTORS and of the names of --ids")
    parser.add_argument("--classes", type=int, default=20, help="how many classes are searched (default: 20)")
    parser.add_argument("--seeds", type=int, default=1, help="examples a search begins with (default: 1)")
    parser.add_argument("--repeats", type=int, default=2, help="searches a class, from other seeds (default: 2)")
    parser.add_argument("--budget", type=int, default=2000, help="labels a search may spend (default: 2000)")
    parser.add_argument("--smallest", type=int, default=20, help="members of the smallest class (default: 20)")
    what = "members of the largest class (default: a tenth of the pool, and at most the budget)"
    parser.add_argument("--largest", type=int, help=what)
    parser.add_argument("--strategy", action="append", default=[], help="only this one; may be repeated")
    what = "the page to write (default: VECTORS' name + -bench.html, here)"
    parser.add_argument("--out", type=typed_path, metavar="FILE", help=what)
    of_file = Only("where VECTORS is a file, not a pool", lambda given: not Path(given["vectors"]).is_dir())
    parser.declare_modes(ids=of_file, key=of_file, vectors_encoding=of_file)
    parser.set_defaults(run=bench_command)


def bench_command(options: argparse.Namespace) -> None:
    """Compare, write the page, and print what it advises; the searches lie beside it, and are not run again."""
    # Only now, and so in all functions here: `elsa-nb --help` does not wait for what compiles.
    from elsa_nb.bench.arms import Spaces, arm_versions
    from elsa_nb.bench.comparison import compare
    from elsa_nb.bench.page import write_page

    page, kept = _written(options)
    plan, arms = _planned(options)
    remarks: list[str] = []
    pool = _pool_of(options, remarks)
    classes = _classes_of(options, pool, remarks)
    print(about := _about(options, pool, classes, plan))
    frame = compare(Spaces(pool), classes, arms, plan, kept, versions=arm_versions())
    print(write_page(page, frame, plan, about, shlex.join(["elsa-nb", "bench", *_told(options)]), remarks))
    print(f"{page} (its searches: {kept})")


def _written(options: argparse.Namespace) -> tuple[Path, Path]:
    """Return the page and the file of its searches; raise ValueError where they would replace what is not theirs."""
    source = Path(options.vectors)
    page = Path(options.out or f"{source.resolve().stem}-bench.html")
    if page.suffix != ".html":
        raise ValueError(f"--out is {page}; the page is a file that ends in .html")
    kept = page.with_suffix(".csv")
    _check_page(page, kept, source, named=options.out is not None)
    for what in ("vectors", "labels", "ids"):
        if (given := getattr(options, what)) is not None and Path(given).resolve() == kept.resolve():
            raise ValueError(f"--out {page} would keep its searches in {kept}, your {what}; give the page another name")
    return page, kept


def _planned(options: argparse.Namespace) -> tuple["Plan", dict[str, "Arm"]]:
    """Return the plan and the searchers to compare, by name; raise ValueError for one that is not known."""
    from elsa_nb.bench.arms import known_arms
    from elsa_nb.bench.comparison import Plan
    from elsa_nb.search.strategies.registry import slug

    plan = Plan(**{name: getattr(options, name) for name in _PLANNED})
    known = known_arms()
    by_slug = {slug(arm): arm for arm in known}
    if strange := [name for name in options.strategy if slug(name) not in by_slug]:
        raise ValueError(f"strategy {strange[0]!r} is not known; allowed: {', '.join(by_slug)}")
    compared = [by_slug[slug(name)] for name in options.strategy] or list(known)
    return plan, {name: known[name] for name in compared}


def _pool_of(options: argparse.Namespace, remarks: list[str]) -> Pool:
    """Return the vectors; what is odd about them is printed, and joins the remarks."""
    source = Path(options.vectors)
    with warnings.catch_warnings(record=True) as odd:
        warnings.simplefilter("always")
        named = {"key": options.key, "encoding": options.vectors_encoding}
        with told_by(by_command_of_vectors):
            pool = Pool.open(source) if source.is_dir() else Pool.from_file(source, options.ids, **named)
    for note in [] if source.is_dir() else pool.provenance["made_from"]["taken"]:
        _remark(f"{source}: {note}.", remarks)
    for warning in odd:
        _remark(f"Look at this: {warning.message}", remarks)
    return pool


def _classes_of(options: argparse.Namespace, pool: Pool, remarks: list[str]) -> dict[str, np.ndarray]:
    """Return the rows of each class; what is odd about the labels is printed, and joins the remarks."""
    from elsa_nb.label.label_files.classes import read_classes

    meant = {name: getattr(options, name) for name in ("item", "label", "encoding")}
    classes, unmatched, notes = read_classes(options.labels, pool.ids, **meant)
    if unmatched:
        one = len(unmatched) == 1
        _remark(
            f"{count_of(len(unmatched), 'line')} of {options.labels} {'names' if one else 'name'} no item of the pool"
            f"{':' if one else ', such as'} {unmatched[0]!r}.",
            remarks,
        )
    for note in notes:
        _remark(f"{note[0].upper()}{note[1:]}.", remarks)
    return {escaped(name): rows for name, rows in classes.items()}


def _remark(text: str, remarks: list[str]) -> None:
    """Print a remark now, and keep it for the page."""
    remarks.append(text)
    print(text)


def _about(options: argparse.Namespace, pool: Pool, classes: dict[str, np.ndarray], plan: "Plan") -> str:
    """Say what is compared and what is not; raise ValueError where no class can be."""
    from elsa_nb.bench.comparison import chosen_classes, sizes_compared, span

    targets = chosen_classes(classes, pool.n, plan)
    bare = pool.n - len(np.unique(np.concatenate(list(classes.values()))))
    about = (
        f"{Path(options.vectors).name}: {count_of(pool.n, 'vector')} of {count_of(pool.d, 'value')}; {len(targets)} of "
        f"{count_of(len(classes), 'class', 'classes')}, of "
        f"{span([len(classes[each]) for each in targets])} members; "
        f"{count_of(plan.repeats, 'search', 'searches')} a class from {count_of(plan.seeds, 'random example')}, "
        f"{count_of(plan.budget, 'label')} at most."
    )
    smallest, largest = sizes_compared(pool.n, plan)
    why = "--smallest" if smallest == plan.smallest else "--seeds: one is to be found beside them"
    members = np.array([len(rows) for rows in classes.values()])
    for count, told in (
        (np.count_nonzero(members < smallest), f"fewer than {smallest:,} members ({why})"),
        (np.count_nonzero(members > largest), f"more than {largest:,} members (--largest)"),
    ):
        about += f" Not compared: {count_of(count, 'class', 'classes')} of {told}." if count else ""
    if bare:
        about += (
            f" {bare:,} item{'s have' if bare > 1 else ' has'} no class in {Path(options.labels).name} and count"
            f"{'' if bare > 1 else 's'} as not of any: where nobody looked at them, leave them out of the vectors."
        )
    return about


def _check_page(page: Path, kept: Path, source: Path, *, named: bool) -> None:
    """Raise ValueError where the page would replace a file that is none or was changed, or another's, if not `named`.

    The searches beside it are extended, whoever changed them: what is there is kept, a line at a time.
    """
    from elsa_nb.bench.page import ANOTHER_PAGE, page_command

    if page.is_dir():
        raise ValueError(f"--out {page} is a folder; give the name of a file in it that ends in .html")
    if kept.is_dir():
        raise ValueError(f"{kept} is a folder, and the searches of {page} are kept under that name; give another --out")
    if not page.exists():
        return
    if not (command := page_command(page)):
        raise ValueError(f"{page} is there already and is no page of a comparison; give another name with --out")
    check_exported(page, cure=ANOTHER_PAGE)
    before = [(page.parent / each).resolve() for each in (command[2], path_of_id(command[2]))]  # it may be escaped
    if not named and source.resolve() not in before:
        raise ValueError(f"{page} is the page of {command[2]}; give that of {source} another name with --out")


def _told(options: argparse.Namespace) -> list[str]:
    """Return the arguments that made the page, those left out by default not among them."""
    parser = Parser()
    declare_bench(parser)
    told = [options.vectors, options.labels]
    names = ("ids", "key", "item", "label", "encoding", "vectors_encoding", *_PLANNED, "out")
    for name in names:
        if (value := getattr(options, name)) != parser.get_default(name):
            told += [f"--{name.replace('_', '-')}", str(value)]
    return told + [part for name in options.strategy for part in ("--strategy", name)]
