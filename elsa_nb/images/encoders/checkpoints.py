"""Reading PyTorch checkpoints that somebody else wrote: their tensors, and nothing that runs.

A checkpoint is a pickle, and a pickle can run code. PyTorch's restricted reader (`weights_only=True`) accepts tensors
and plain containers. Two more names are let through: argparse's Namespace, which holds options, and a function that old
files of VICReg and Barlow Twins mention in their optimiser's state; a stand-in that does nothing replaces it.
"""

import argparse
import io
import pickle
import re
import zipfile
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import load_file

from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.store import check_unpacked, reading

_ZIP = b"PK\x03\x04"
_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03."  # PyTorch's magic number before 1.6, pickled
SAVE_WEIGHTS = "save its weights alone where it was trained: torch.save(model.state_dict(), 'weights.pth')"
_ASKED = re.compile(r"GLOBAL (\S+)")


def exclude_bias_and_norm(*_: Any) -> None:
    """Stand in for the function of the same name in VICReg's and Barlow Twins' training scripts; it is never used."""


def read_checkpoint(path: Path | str, member: str = "", cure: str = "") -> Any:
    """Return what the checkpoint at `path` holds, its tensors on the CPU; no code of the file is run.

    Both of PyTorch's formats are read, as are safetensors and zip archives around a checkpoint (of several files, the
    one whose name ends in `member`). Raises MissingDataError where there is no file, and CorruptFileError for a file
    that is not a checkpoint, ends too early, is damaged inside, or asks for code; the message ends in `cure`.
    """
    cure, path = cure or _CURE, Path(path)
    if not path.is_file():
        raise MissingDataError(f"The checkpoint {path} is not here.")
    with reading(path, "a PyTorch checkpoint", cure):
        return _read(path, member, cure)


def _read(path: Path, member: str, cure: str) -> Any:
    with path.open("rb") as stream:
        start = stream.read(len(_LEGACY))
    if start.startswith(_ZIP):
        inner = _inside(path, member, cure)
        return _load(path if inner is None else io.BytesIO(inner), path, cure)
    if start == _LEGACY:
        return _load(path, path, cure)
    if start[8:10] == b'{"' or path.suffix == ".safetensors":  # eight bytes of length, then JSON
        try:
            return load_file(path)
        except (safetensors.SafetensorError, OSError) as error:
            raise CorruptFileError(f"{path} is not a whole safetensors file ({error}). {cure}") from error
    if start.startswith(b"version https"):
        raise CorruptFileError(f"{path} is a pointer of Git LFS, not the weights: `git lfs pull` gets them.")
    what = "is empty" if not start else f"is not a PyTorch checkpoint: it begins with {start[:12]!r}"
    raise CorruptFileError(f"{path} {what}. {cure}")


def _inside(path: Path, member: str, cure: str) -> bytes | None:
    """Return the checkpoint inside a zip archive; None if the archive itself is a checkpoint of PyTorch's."""
    try:
        with zipfile.ZipFile(path) as archive:
            check_unpacked(archive, path.stat().st_size)
            names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
            if any(name.endswith("/constants.pkl") for name in names):
                raise CorruptFileError(f"{path} is a program of TorchScript, which is not run; {SAVE_WEIGHTS}.")
            if any(name.rpartition("/")[2] == "data.pkl" for name in names):
                damaged = archive.testzip()  # PyTorch itself compares no checksums
                if damaged is not None:
                    raise CorruptFileError(f"{path} is damaged at {damaged}: its checksum does not hold. {cure}")
                return None
            fitting = names if len(names) == 1 else [name for name in names if member and name.endswith(member)]
            if len(fitting) != 1:
                raise CorruptFileError(
                    f"{path} holds {', '.join(names) or 'nothing'}: none of them is known to be the checkpoint. {cure}"
                )
            inner = archive.read(fitting[0])
    except (zipfile.BadZipFile, ValueError, EOFError, OSError) as error:
        if isinstance(error, CorruptFileError):
            raise
        raise CorruptFileError(
            f"{path} begins as an archive but is not whole ({error}): a copy that stopped early or was damaged. {cure}"
        ) from error
    if not inner.startswith((_ZIP, _LEGACY)):
        raise CorruptFileError(f"{fitting[0]} inside {path} is not a PyTorch checkpoint. {cure}")
    return inner


def _load(source: Path | io.BytesIO, path: Path, cure: str) -> Any:
    # DINO, MAE and Lightning keep the options of a training beside its weights: plain values by name, no code.
    allowed = [(exclude_bias_and_norm, "__main__.exclude_bias_and_norm"), argparse.Namespace]
    mapped = isinstance(source, Path) and zipfile.is_zipfile(source)  # leaves the optimiser's tensors on the disk
    try:
        with torch.serialization.safe_globals(allowed):
            return torch.load(source, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        if asked := _ASKED.search(str(error)):
            raise CorruptFileError(
                f"{path} asks to run code ({asked[1]}), which weights do not need. It was not run. If the file is "
                f"your own, {SAVE_WEIGHTS}; if it is from anybody else, do not use it."
            ) from None
        raise CorruptFileError(f"{path} cannot be read as weights ({_short(error)}). {cure}") from error
    except Exception as error:  # damaged bytes can make an unpickler raise anything
        raise CorruptFileError(f"{path} is damaged or ends too early ({_short(error)}). {cure}") from error


def _short(error: Exception) -> str:
    for line in map(str.strip, str(error).splitlines()):
        if line and "Weights only" not in line and "WeightsUnpickler" not in line:
            return line[:160]
    return type(error).__name__


_CURE = "Delete it and get it again, for instance with `elsa-nb encoders get`."
