"""Run the notebooks headlessly, one after another or two at once, and skip those whose last run is still valid.

`elsa-nb reproduce` calls `run_notebooks`, `elsa-nb notebooks` calls `execute_notebook`.
"""

import ast
import base64
import io
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import nbformat
import papermill
from jupyter_client.manager import AsyncKernelManager
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from PIL import Image

import elsa_nb
from elsa_nb import store
from elsa_nb.errors import CorruptFileError
from elsa_nb.paper.runs.processes import in_processes
from elsa_nb.profiles import Profile

# A kernel warns on its start that the wire within this machine is not encrypted, and calls it an error at its end that
# it was interrupted, which is how every kernel is ended. What fails in a cell comes another way: papermill raises it.
_QUIET = ("--IPKernelApp.log_level=CRITICAL",)
_LAST_WORDS = 4000  # letters of what a kernel said before it died
# 01 makes the vectors that those after it read, and 12 measures times; the last shows what all others have left.
_BY_ITSELF = ("01-embeddings", "12-complexity")


def notebook_paths() -> list[Path]:
    """Return the notebooks in the order of their numbers."""
    return sorted(store.NOTEBOOKS.glob("[0-9][0-9]-*.ipynb"))


def run_notebooks(profile: Profile, parameters: dict[str, Any], jobs: int = 1) -> None:
    """Run every notebook in `profile`; print a line for each, with the progress of its sweeps while it runs.

    Up to `jobs` run at once; what has to run alone does. The executed copies go to `build/<profile>/notebooks`. A
    notebook that was run before with the same source, code, data and parameters is not run again. Raises ValueError for
    a parameter that a notebook does not have and for less than one job, and papermill's error, with the cell that
    failed, for one that does not run through.
    """
    if jobs < 1:
        raise ValueError(f"{jobs} notebooks at once; give 1 or more")
    parameters = parameters | {"profile": profile.name}
    paths = notebook_paths()
    for path in paths:
        check_parameters(path, parameters)
    lines = {path: f"[{i}/{len(paths)}] {path.stem}" for i, path in enumerate(paths, 1)}
    for _, group in groupby(paths, lambda path: path.stem if path.stem in _BY_ITSELF or path == paths[-1] else ""):
        source = _fingerprint(parameters)
        tasks = [(path, profile.build / "notebooks" / path.name, parameters, source, lines[path]) for path in group]
        for _ in in_processes(_run_notebook, tasks, jobs):
            pass


def _run_notebook(path: Path, executed: Path, parameters: dict[str, Any], source: str, line: str) -> None:
    """Run one notebook unless its executed copy is still valid; `source` is the `_fingerprint` of what all rest on."""
    key = store.sha256_bytes(f"{source}{_code_of(path)}".encode())
    if _is_done(executed, key):
        print(f"{line}: reused, nothing it depends on has changed", flush=True)
        return
    print(line, flush=True)
    started = time.perf_counter()
    execute_notebook(path, executed, parameters)
    store.write_card(executed.with_suffix(".json"), {"key": key})
    print(f"{line}: done in {time.perf_counter() - started:.0f} s", flush=True)


def execute_notebook(path: Path, executed: Path, parameters: dict[str, Any]) -> None:
    """Run one notebook with papermill and write the executed copy, freed of times and paths, to `executed`."""
    executed.parent.mkdir(parents=True, exist_ok=True)
    logging.getLogger("papermill").setLevel(logging.WARNING)
    temporary = executed.with_name(f".{executed.stem}.part.ipynb")
    said = temporary.with_suffix(".said")
    said.write_bytes(b"")
    try:
        with _progress_to_terminal(temporary.with_suffix(".progress")):
            papermill.execute_notebook(
                path,
                temporary,
                parameters,
                cwd=store.ROOT if store.INSTALLED else path.parent,
                kernel_name="python3",
                progress_bar=False,
                extra_arguments=list(_QUIET),
                kernel_manager_class=_kernel_that_writes_to(said),
            )
        node = nbformat.read(temporary, as_version=4)
        node, _ = CoalesceStreamsPreprocessor().preprocess(node, {})  # a busy kernel breaks off where it likes
        for part in (node, *node.cells):
            for noise in ("papermill", "execution"):
                part.metadata.pop(noise, None)
        for cell in node.cells:
            cell.source = cell.source.rstrip()
            _keep_pictures_small(cell)
        node.metadata.pop("widgets", None)
        store.write_atomically(executed, (nbformat.writes(node).rstrip() + "\n").encode())
    except RuntimeError:  # the kernel died
        sys.stderr.write(said.read_text("utf-8", errors="replace")[-_LAST_WORDS:])
        raise
    finally:
        temporary.unlink(missing_ok=True)
        said.unlink(missing_ok=True)


def _keep_pictures_small(cell: nbformat.NotebookNode) -> None:
    """Store the PNG outputs of a cell in at most 256 colours: a quarter of the bytes, and figures look the same.

    The palette covers all colours evenly. One that counts pixels spends itself on shades of what is frequent, and gives
    a thin line the colour of another, so that it is no longer what the legend says.
    """
    for output in cell.get("outputs", []):
        if png := output.get("data", {}).get("image/png"):
            with Image.open(io.BytesIO(base64.b64decode(png))) as picture:
                small = picture.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
            stream = io.BytesIO()
            small.save(stream, "PNG", optimize=True)
            output["data"]["image/png"] = base64.b64encode(stream.getvalue()).decode()


def _kernel_that_writes_to(said: Path) -> type[AsyncKernelManager]:
    """Return a kind of kernel whose own process writes its errors to the file `said` instead of here.

    Now and then it reports the way it was ended as an error, in words of its libraries. Only what it says before it
    dies is worth reading.
    """

    class Kernel(AsyncKernelManager):
        async def start_kernel(self, **options: Any) -> None:
            with said.open("ab") as stream:
                await super().start_kernel(**options, stderr=stream)

    return Kernel


def check_parameters(path: Path, parameters: dict[str, Any]) -> None:
    """Raise ValueError for a parameter the notebook does not declare: papermill itself only warns, and runs on."""
    known = declared_parameters(path)
    for name in parameters:
        if name not in known:
            raise ValueError(f"parameter {name!r} is not one of {path.name}'s; allowed: {', '.join(sorted(known))}")


def declared_parameters(path: Path) -> set[str]:
    """Return the names assigned in the notebook's cell tagged `parameters`."""
    names: set[str] = set()
    for cell in nbformat.read(path, as_version=4).cells:
        if "parameters" in cell.metadata.get("tags", []):
            for node in ast.parse(cell.source).body:
                if isinstance(node, ast.Assign):
                    names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def _code_of(path: Path) -> str:
    cells = nbformat.read(path, as_version=4).cells
    return "\0".join(c.source for c in cells if "injected-parameters" not in c.metadata.get("tags", []))


def _fingerprint(parameters: dict[str, Any]) -> str:
    """Return a hash of what every notebook depends on: the package, the bundled data, the parameters."""
    inputs = sorted(Path(elsa_nb.__file__).parent.glob("**/*.py"))
    results = ("results/*-full.json", "results/*-photos.json", "results/toy.json", "results/generated-spaces.csv")
    for pattern in ("glyphs/*", "weights/*", "claims/*.csv", *results):
        inputs += store.located(pattern)
    for pattern in ("whats_missing*.csv", "people_who_err*.csv", "equal_budgets*.csv", "trained_again*"):
        inputs += sorted(store.NOTEBOOKS.parent.glob(f"benchmarks/results/{pattern}"))
    parts = [f"{path.name}:{store.sha256_file(path)}" for path in inputs]
    return store.sha256_bytes("\n".join([*parts, repr(sorted(parameters.items()))]).encode())


def _is_done(executed: Path, key: str) -> bool:
    card = executed.with_suffix(".json")
    if not (executed.exists() and card.exists()):
        return False
    try:
        return store.read_card(card, "the card of an executed notebook", "Delete it.").get("key") == key
    except CorruptFileError:
        return False


@contextmanager
def _progress_to_terminal(report: Path) -> Iterator[None]:
    """Let the kernel's progress bars appear here: it appends them to a file, a thread prints the newest state."""
    report.write_text("")
    before = os.environ.get("ELSA_PROGRESS_FILE")
    os.environ["ELSA_PROGRESS_FILE"] = str(report)
    over = threading.Event()
    thread = threading.Thread(target=_follow, args=(report, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        report.unlink(missing_ok=True)
        if before is None:
            del os.environ["ELSA_PROGRESS_FILE"]
        else:
            os.environ["ELSA_PROGRESS_FILE"] = before


def _follow(report: Path, over: threading.Event) -> None:
    """Print the newest progress line: in place on a terminal, every half minute elsewhere."""
    live, shown = sys.stderr.isatty(), ""
    while not over.wait(1 if live else 30):
        lines = report.read_text(encoding="utf-8", errors="replace").replace("\r", "\n").split("\n")
        newest = next((line.strip() for line in reversed(lines) if line.strip()), "")
        if newest != shown:
            shown = newest
            print(
                f"\r\033[K    {shown}" if live else f"    {shown}",
                end="" if live else "\n",
                file=sys.stderr,
                flush=True,
            )
    if live and shown:
        print("\r\033[K", end="", file=sys.stderr, flush=True)
