"""Every reader of files, fed with damaged ones: `python -m benchmarks.faults` counts what happens.

A reader is a file that a `make` writes into an empty folder, and a `read` that returns what the program takes from it.
Damage is a few flipped bits, a cut, a hole of zeros, something put in, or another file's bytes. A reader may return
the same as before, or raise one sentence that names the file. Anything else is counted: a *raw* error, a *hang*, and
*other values* without a word, where a checksum could tell (`sealed`) and where the format has none.
"""

import io
import shutil
import signal
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from elsa_nb import prepared, store
from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.images.encoders.checkpoints import read_checkpoint
from elsa_nb.images.extraction.kept import read_files
from elsa_nb.images.sources.packs import Pack
from elsa_nb.paper.comparison import verdicts
from elsa_nb.paper.measures import printed
from elsa_nb.paper.runs import runner, simulation, verification
from elsa_nb.paper.runs.grid import Sweep
from elsa_nb.pictures.decoding import Decoding, UnreadableError
from elsa_nb.pool import Pool
from elsa_nb.vector_files import read_ids, read_vectors

PATIENCE = 20  # seconds of the processor, or fifteen times as many of the clock, until a reader counts as hanging
VECTORS = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float16)
NAMES = np.array([f"folder/item {i}.jpg" for i in range(40)])


@dataclass(frozen=True)
class Reader:
    """A kind of file: `make(folder)` writes one, `read(folder)` returns what is taken from it, `files` are damaged."""

    files: tuple[str, ...]
    make: Callable[[Path], object]
    read: Callable[[Path], Any]
    sealed: bool = False  # a checksum of ours can tell every change


def _pool(folder: Path) -> None:
    Pool.from_arrays(VECTORS, NAMES, name="it", provenance={"by": "me", "n": 3}, recipe="r").save(folder)


def _read_pool(folder: Path) -> Any:
    pool = Pool.open(folder)
    return np.array(pool.vectors), pool.ids, pool.name, pool.space, pool.provenance, pool.recipe, pool.sha256


def _lists(folder: Path) -> None:
    pool = Pool.from_arrays(VECTORS, NAMES)
    rows = np.argsort(VECTORS.astype(np.float64) @ VECTORS.T.astype(np.float64), axis=1).astype(np.int32)[:, :9]
    prepared._store(folder, (rows, np.sqrt(np.abs(rows.astype(np.float64)))), pool)


def _read_lists(folder: Path) -> Any:
    return tuple(map(np.array, prepared._read(folder, Pool.from_arrays(VECTORS, NAMES))))


FRAME = pd.DataFrame({"target": [f"class {i}" for i in range(30)], "found": range(30), "seconds": np.arange(30) / 7})


def _results(folder: Path) -> None:
    runner.SweepFiles("it", "quick", folder).save(FRAME, Sweep("it", ("vicreg",)), {"search": 1, "pools": {"a": "b"}})


def _read_results(folder: Path) -> Any:
    files = runner.SweepFiles("it", "quick", folder)
    return files.rows().to_dict("list"), files.card()["provenance"]


def _pack(folder: Path) -> None:
    files = []
    for shade in range(8):
        stream = io.BytesIO()
        Image.new("RGB", (16, 16), (shade * 20, 90, 200)).save(stream, "JPEG")
        files.append(stream.getvalue())
    Pack.from_parts(
        "it",
        np.frombuffer(b"".join(files), np.uint8),
        np.cumsum([0, *map(len, files)]),
        np.arange(8) % 3,
        np.zeros(8, np.uint8),
        ["a", "b", "c"],
        ["train"],
    ).save(folder)


def _read_pack(folder: Path) -> Any:
    pack = Pack.open("it", folder)
    return pack.images(), pack.targets, pack.classes, pack.splits


def _checkpoint(folder: Path, **how: Any) -> None:
    import torch

    torch.manual_seed(0)
    state = {"state_dict": {"conv1.weight": torch.randn(4, 3, 3, 3), "bn1.bias": torch.zeros(4)}, "epoch": 3}
    torch.save(state, folder / "it.pth", **how)


def _safetensors(folder: Path) -> None:
    import torch
    from safetensors.torch import save_file

    save_file({"conv1.weight": torch.randn(4, 3, 3, 3), "vectors": torch.randn(9, 4)}, folder / "it.safetensors")


def _read_checkpoint(folder: Path, name: str = "it.pth") -> Any:
    loaded = read_checkpoint(folder / name)
    return _plain(loaded)


def _plain(value: Any) -> Any:
    if hasattr(value, "items"):
        return {str(key): _plain(each) for key, each in value.items()}
    return value.detach().numpy() if hasattr(value, "detach") else value


def _encoder(folder: Path) -> None:
    import torch

    from elsa_nb.images.encoders.small_resnet import Architecture, Encoder, save_encoder

    torch.manual_seed(0)
    small = Architecture(widths=(8, 8, 8, 8), projector=(8, 8, 8))
    save_encoder(Encoder(small, name="it"), {"method": "none"}, folder)


def _read_encoder(folder: Path) -> Any:
    from elsa_nb.images.encoders.small_resnet import load_trained

    return _plain(load_trained("it", folder).state_dict())


def _claims(folder: Path) -> None:
    for name in ("claims.csv", "table04.csv"):
        (folder / name).write_bytes((store.DATA / "claims" / name).read_bytes())


def _read_claims(folder: Path) -> Any:
    verdicts.CLAIMS = printed.CLAIMS = folder
    return printed.printed_cells(4).to_dict("list"), verdicts.list_claims().to_dict("list")


def _canaries(folder: Path) -> None:
    searches = {"components-full": ["a | b", "c | d"]}
    store.write_card(
        folder / "canaries.json", {"named by": "x", "searches": searches, "logs": {"x86": {"a": ["1", "2"]}}}
    )


def _read_canaries(folder: Path) -> Any:
    verification.CANARIES = folder / "canaries.json"
    return verification._card()


def _files(folder: Path) -> None:
    card = {"making": "m", "root": "/r", "ids": NAMES.tolist(), "stamps": [[i, i] for i in range(40)]}
    store.write_card(folder / "files.json", card | {"about": {"recipe": "r"}, "left_out": {"x": [1, 2]}})


def _vectors(folder: Path, ending: str) -> None:
    path, frame = folder / f"it.{ending}", pd.DataFrame(VECTORS.astype(np.float32)).add_prefix("embedding_")
    if ending == "npy":
        np.save(path, VECTORS)
    elif ending == "npz":
        np.savez_compressed(path, vectors=VECTORS, ids=NAMES)
    elif ending == "csv":
        frame.assign(item=NAMES).to_csv(path, index=False)
    elif ending == "tsv":
        frame.assign(item=NAMES).to_csv(path, index=False, sep="\t")
    elif ending in ("parquet", "feather"):
        getattr(frame.assign(item=NAMES), f"to_{ending}")(path)
    elif ending in ("json", "jsonl"):
        frame.assign(item=NAMES).to_json(path, orient="records", lines=ending == "jsonl")
    elif ending == "h5":
        import h5py

        with h5py.File(path, "w") as file:
            file["vectors"], file["ids"] = VECTORS, [name.encode() for name in NAMES]
    elif ending == "faiss":
        import faiss

        index = faiss.IndexFlatL2(VECTORS.shape[1])
        index.add(VECTORS.astype(np.float32))
        faiss.write_index(index, str(path))
    else:
        _safetensors(folder)


def _read_vectors(folder: Path, ending: str) -> Any:
    path = folder / f"it.{ending}"
    held = read_vectors(path, "vectors" if ending in ("npz", "safetensors") else None)
    return np.array(held.vectors), None if held.ids is None else list(held.ids)


def _picture(folder: Path, kind: str) -> None:
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (24, 24, 3), np.uint8)).save(folder / f"it.{kind}")


def _read_picture(folder: Path, kind: str) -> Any:
    path = folder / f"it.{kind}"
    with path.open("rb") as stream:
        try:
            return np.asarray(Decoding().picture(stream))
        except UnreadableError as error:  # a few words; the reader of a folder puts the name in front
            raise CorruptFileError(f"{path}: {error}") from None


def _kinds(make: Callable, read: Callable, kinds: tuple[str, ...], what: str) -> dict[str, Reader]:
    def one(kind: str) -> Reader:
        return Reader((f"it.{kind}",), lambda folder: make(folder, kind), lambda folder: read(folder, kind))

    return {f"{what} .{kind}": one(kind) for kind in kinds}


READERS: dict[str, Reader] = {
    "pool": Reader(("vectors.npy", "ids.npy", "pool.json"), _pool, _read_pool, sealed=True),
    "neighbour lists": Reader(("rows.npy", "distances.npy", "card.json"), _lists, _read_lists, sealed=True),
    "results": Reader(("it-quick.parquet", "it-quick.json"), _results, _read_results, sealed=True),
    "piece of a sweep": Reader(
        ("it.rows",),
        lambda folder: store.write_sealed(folder / "it.rows", simulation.as_parquet(FRAME)),
        lambda folder: runner.read_part(folder / "it.rows").to_dict("list"),
        sealed=True,
    ),
    "canaries": Reader(("canaries.json",), _canaries, _read_canaries, sealed=True),
    "files of a folder": Reader(("files.json",), _files, lambda folder: read_files(folder / "files.json"), sealed=True),
    "bundled encoder": Reader(("it.safetensors", "it.json"), _encoder, _read_encoder, sealed=True),
    "pack": Reader(("it.npz",), _pack, _read_pack),
    "checkpoint": Reader(("it.pth",), _checkpoint, _read_checkpoint),
    "old checkpoint": Reader(
        ("it.pth",), lambda folder: _checkpoint(folder, _use_new_zipfile_serialization=False), _read_checkpoint
    ),
    "safetensors": Reader(("it.safetensors",), _safetensors, lambda folder: _read_checkpoint(folder, "it.safetensors")),
    "claims": Reader(("claims.csv", "table04.csv"), _claims, _read_claims),
    "ids": Reader(
        ("it.txt",),
        lambda folder: (folder / "it.txt").write_text("\n".join(NAMES)),
        lambda folder: read_ids(folder / "it.txt"),
    ),
    **_kinds(_vectors, _read_vectors, ("npy", "npz", "csv", "parquet", "safetensors"), "vectors"),
    **_kinds(_vectors, _read_vectors, ("tsv", "feather", "h5", "faiss", "json", "jsonl"), "vectors"),
    **_kinds(_picture, _read_picture, ("png", "jpg", "tiff", "gif", "webp", "bmp"), "picture"),
}


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Return other bytes than `data`, made from them in one of seven ways."""
    n, way = max(1, len(data)), rng.integers(7)
    where = int(rng.integers(n) if rng.random() < 0.5 else rng.integers(min(n, 200)))  # headers deserve half of it
    broken = bytearray(data)
    if way <= 1:
        broken[where] ^= 1 << int(rng.integers(8))
    elif way == 2:
        for at in rng.integers(n, size=8):
            broken[at] = int(rng.integers(256))
    elif way == 3:
        del broken[where:]
    elif way == 4:
        broken[where : where + 64] = bytes(len(broken[where : where + 64]))
    elif way == 5:
        broken[where:where] = rng.bytes(int(rng.integers(1, 40)))
    else:
        return [b"", b"\x00" * n, b"{}", b"[1]", b"null", rng.bytes(n), b"PK\x03\x04" + data][int(rng.integers(7))]
    return bytes(broken)


@contextmanager
def places_kept() -> Iterator[None]:
    """Restore afterwards where the package looks for its files: makers and writers here use folders of their own."""
    places = ((verdicts, "CLAIMS"), (printed, "CLAIMS"), (verification, "CANARIES"))
    before = [(module, name, getattr(module, name)) for module, name in places]
    try:
        yield
    finally:
        for module, name, place in before:
            setattr(module, name, place)


def count_damage(inputs: int, seed: int, readers: dict[str, Reader] | None = None) -> dict[str, Counter]:
    """Feed `inputs` damaged files to the readers in turn; return the outcomes by reader."""
    import tempfile

    readers = readers or READERS
    counts = {name: Counter() for name in readers}
    with tempfile.TemporaryDirectory() as place, places_kept():
        whole = {}
        for number, (name, reader) in enumerate(readers.items()):
            folder = Path(place) / str(number)
            folder.mkdir()
            reader.make(folder)
            whole[name] = folder, reader.read(folder), {file: (folder / file).read_bytes() for file in reader.files}
            restore(folder, whole[name][2])
        rng = np.random.default_rng(seed)
        for turn in range(inputs):
            name = list(readers)[turn % len(readers)]
            folder, before, contents = whole[name]
            file = readers[name].files[int(rng.integers(len(contents)))]
            broken = damaged(contents[file], rng)
            if broken == contents[file]:
                continue
            (folder / file).write_bytes(broken)
            outcome = _outcome(readers[name], folder, before)
            restore(folder, contents)
            counts[name]["inputs"] += 1
            counts[name][outcome] += 1
    return counts


def restore(folder: Path, whole: dict[str, bytes]) -> None:
    """Leave the files of a reader as they were made, and none besides."""
    for path in folder.iterdir():
        if path.name not in whole:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name, content in whole.items():
        (folder / name).write_bytes(content)


def _outcome(reader: Reader, folder: Path, before: Any) -> str:
    try:
        with patience(), warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            now = reader.read(folder)
    except TimeoutError:
        return "hung"
    except (CorruptFileError, MissingDataError, ValueError) as error:
        return "refused" if str(folder) in str(error) and "\n" not in str(error) else f"raw {type(error).__name__}"
    except OSError as error:
        return "refused" if error.filename else f"raw {type(error).__name__}"
    except Exception as error:  # what is looked for
        return f"raw {type(error).__name__}: {error}"
    if equal(now, before):
        return "the same"
    return "other values, silently" if reader.sealed else "other values, no checksum"


def equal(one: Any, other: Any) -> bool:
    """Compare nested values, arrays bit by bit."""
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        one, other = np.asarray(one), np.asarray(other)
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)


@contextmanager
def patience() -> Iterator[None]:
    """Raise TimeoutError in a block that works for more than `PATIENCE` seconds, or waits for fifteen times as long.

    A busy machine is slow, not wrong, so the processor's time counts first. Timers that were set go on afterwards.
    """

    def stop(*_: object) -> None:
        raise TimeoutError

    clocks = ((signal.SIGPROF, signal.ITIMER_PROF, PATIENCE), (signal.SIGALRM, signal.ITIMER_REAL, 15 * PATIENCE))
    before = [(number, signal.signal(number, stop), clock, signal.setitimer(clock, s)) for number, clock, s in clocks]
    try:
        yield
    finally:
        for number, handler, clock, left in before:
            signal.setitimer(clock, 0)
            signal.signal(number, handler)
            signal.setitimer(clock, *left)
