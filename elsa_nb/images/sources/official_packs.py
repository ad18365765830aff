"""The packs of the profile `photos`, made by users for themselves from the official archives: `elsa-nb data get`."""

import io
import pickle
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from elsa_nb.errors import CorruptFileError, check_known
from elsa_nb.images.downloads import download
from elsa_nb.images.sources.decoding import open_rgb
from elsa_nb.images.sources.locations import data_folder
from elsa_nb.images.sources.packs import Pack
from elsa_nb.progress import bar

JPEG_SIDE = 64
Images = Iterator[tuple[str, str, bytes]]  # class, split, the bytes of a small JPEG


@dataclass(frozen=True)
class Origin:
    """Where a data set comes from: the pack made of it, its address, published MD5 and terms, and how it is read."""

    pack: str
    url: str
    md5: str
    terms: str
    read: Callable[[Path], Images]
    size: str


def make_pack(name: str) -> Path:
    """Download the data set `name` if its archive is not here yet, and write its pack; return the pack's path.

    Both go to the folder that ELSA_DATA names, the archive to `downloads` in it. A pack that is there is left
    alone. Raises ValueError for an unknown name, MissingDataError without a folder or a connection.
    """
    check_known("data set", name, SOURCES)
    source, folder = SOURCES[name], data_folder()
    path = folder / f"{source.pack}.npz"
    if path.exists():
        return path
    archive = folder / "downloads" / source.url.rpartition("/")[2]
    print(f"{name}: {source.url}, {source.size} ({source.terms})", flush=True)
    download(source.url, archive, md5=source.md5, card={"terms": source.terms})
    try:
        images = list(bar(source.read(archive), f"packing {name}", unit=" images"))
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, KeyError) as error:
        raise CorruptFileError(
            f"{archive} cannot be read ({error}). Delete it; the same command gets it again."
        ) from error
    return pack_of(source.pack, images).save(folder)


def pack_of(name: str, images: list[tuple[str, str, bytes]]) -> Pack:
    """Make a pack of (class, split, JPEG) triples, in their order."""
    if not images:
        raise CorruptFileError(f"The archive of {name} holds no images where they were looked for.")
    classes, splits = (sorted({image[i] for image in images}) for i in (0, 1))
    files = [image[2] for image in images]
    return Pack.from_parts(
        name,
        jpeg=np.frombuffer(b"".join(files), np.uint8).copy(),
        offset=np.cumsum([0, *map(len, files)]),
        label=[classes.index(image[0]) for image in images],
        split=[splits.index(image[1]) for image in images],
        classes=classes,
        splits=splits,
    )


def small_jpeg(picture: Image.Image, side: int = JPEG_SIDE) -> bytes:
    """Return the middle square of a picture, `side` pixels wide, as a JPEG of Pillow's usual quality."""
    edge = min(picture.size)
    left, top = (picture.width - edge) // 2, (picture.height - edge) // 2
    square = picture.resize((side, side), Image.Resampling.BICUBIC, box=(left, top, left + edge, top + edge))
    stream = io.BytesIO()
    square.save(stream, "JPEG")
    return stream.getvalue()


def _food_101(archive: Path) -> Images:
    """Read the test split, whose labels were reviewed, in the order of class and name."""
    found: dict[str, bytes] = {}
    wanted: set[str] | None = None
    with tarfile.open(archive, "r:gz") as tar:  # one pass: the archive cannot be read out of order
        for entry in tar:
            if entry.name.endswith("meta/test.txt"):
                wanted = set(tar.extractfile(entry).read().decode().split())
            elif entry.isfile() and entry.name.endswith(".jpg") and "/images/" in entry.name:
                name = entry.name.partition("/images/")[2].removesuffix(".jpg")
                if wanted is None or name in wanted:
                    found[name] = small_jpeg(open_rgb(tar.extractfile(entry).read(), name))
    if wanted is None:
        raise CorruptFileError(f"{archive} holds no meta/test.txt: it is not Food-101.")
    for name in sorted(wanted & set(found)):
        yield name.partition("/")[0], "test", found[name]


def _tiny_imagenet(archive: Path) -> Images:
    """Read the first 250 training images of each class, as they are."""
    pattern = re.compile(r"tiny-imagenet-200/train/(n\d{8})/images/n\d{8}_(\d+)\.JPEG")
    with zipfile.ZipFile(archive) as files:
        found = [(m[1], int(m[2]), name) for name in files.namelist() if (m := pattern.fullmatch(name))]
        for wnid, number, name in sorted(found):
            if number < 250:
                yield wnid, "train", files.read(name)


def _cifar_10(archive: Path) -> Images:
    """Read all images, class by class, keeping the original order: the k-th of a class stays the k-th."""
    with tarfile.open(archive, "r:gz") as tar:
        parts = {Path(e.name).name: tar.extractfile(e).read() for e in tar if e.isfile()}
    names = [name.decode() for name in _plain(parts["batches.meta"])[b"label_names"]]
    for split, batches in (("train", [f"data_batch_{i}" for i in range(1, 6)]), ("test", ["test_batch"])):
        loaded = [_plain(parts[batch]) for batch in batches]
        pixels = np.concatenate([each[b"data"] for each in loaded]).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        labels = np.concatenate([each[b"labels"] for each in loaded])
        for row in np.argsort(labels, kind="stable"):
            yield names[labels[row]], split, small_jpeg(Image.fromarray(pixels[row]), 32)


class _Arrays(pickle.Unpickler):
    """Read dictionaries of NumPy arrays, and nothing that could run."""

    def find_class(self, module: str, name: str) -> object:
        if (module.replace("numpy._core", "numpy.core"), name) in {
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
            ("_codecs", "encode"),
        }:
            return super().find_class(module.replace("numpy.core", "numpy._core"), name)
        raise CorruptFileError(f"The archive of CIFAR-10 asks to run {module}.{name}, which data do not need.")


def _plain(data: bytes) -> dict:
    return _Arrays(io.BytesIO(data), encoding="bytes").load()


SOURCES = {
    "food-101": Origin(
        "food-101-64px-testsplit",
        "http://data.vision.ee.ethz.ch/cvl/food-101.tar.gz",
        "85eeb15f3717b99a5da872d97d918f87",
        "images of Foodspotting, for research",
        _food_101,
        "5 GB",
    ),
    "tiny-imagenet": Origin(
        "tiny-imagenet-200-slice250",
        "http://cs231n.stanford.edu/tiny-imagenet-200.zip",
        "90528d7ca1a48142e341f4ef8d21d0de",
        "terms of ImageNet: non-commercial research",
        _tiny_imagenet,
        "237 MB",
    ),
    "cifar-10": Origin(
        "cifar-10-jpeg",
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        "c58f30108f718f92721af3b95e74349a",
        "no licence stated",
        _cifar_10,
        "170 MB",
    ),
}
