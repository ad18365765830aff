"""The machine: what it is, and how fast it reads memory and multiplies matrices, measured in the same run."""

import os
import platform
import subprocess
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import torch

from benchmarks.timing import seconds

PACKAGES = ("numpy", "torch", "faiss-cpu", "numba", "scikit-learn", "scikit-activeml", "modAL-python", "small-text")
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Machine:
    """What the figures were measured on; they are compared with its three rates as limits."""

    processor: str
    cores: int
    memory_gb: float
    gpu: str | None
    reading_gb_s: float
    sgemm_gflops: float
    bf16_gflops: float
    matrix_units: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    python: str = platform.python_version()

    @property
    def device(self) -> str:
        """One line for the table; the rates tell machines of one name apart, and one that was shared."""
        rates = f"memory read at {self.reading_gb_s:.0f} GB/s, products at {self.sgemm_gflops:.0f} GFLOP/s"
        return f"{self.processor}, {self.cores} cores, {rates}"

    def as_dict(self) -> dict:
        """Return all of it, for machine.json."""
        return asdict(self)

    def seconds_at_limit(self, *, gigabytes: float = 0.0, gigaflops: float = 0.0) -> float:
        """Return how long the memory and the arithmetic alone need: the longer of the two."""
        return max(gigabytes / self.reading_gb_s, gigaflops / self.sgemm_gflops)


def measure(*, quick: bool = False) -> Machine:
    """Describe this machine and measure its three rates (a second or two; `quick`: roughly)."""
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_gb=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        gpu=torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        reading_gb_s=round(_reading(16 if quick else 512), 1),
        sgemm_gflops=round(_product(512 if quick else 2048, torch.float32), 1),
        bf16_gflops=round(_product(512 if quick else 2048, torch.bfloat16), 1),
        matrix_units=tuple(flag for flag in ("amx_bf16", "avx512_bf16", "avx512f", "avx2") if flag in _flags()),
        versions={name: found for name in PACKAGES if (found := _version(name))},
    )


def commit() -> str:
    """Return the short commit of the checkout, with a plus where files differ from it."""
    try:
        told = subprocess.run(
            ["git", "describe", "--always", "--abbrev=9", "--dirty=+", "--exclude=*"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return told.stdout.strip()


def _reading(megabytes: int) -> float:
    """Return GB/s of reading a matrix once by a matrix-vector product on all cores: the best of five."""
    matrix = np.ones((megabytes * 1024, 256), np.float32)
    vector = np.ones(256, np.float32)
    stored, weights = torch.from_numpy(matrix), torch.from_numpy(vector)
    best = min(seconds(task) for _ in range(5) for task in (lambda: matrix @ vector, lambda: stored @ weights))
    return matrix.nbytes / best / 1e9


def _product(side: int, dtype: torch.dtype) -> float:
    """Return GFLOP/s of square matrix products on all cores: the best of five."""
    a = torch.ones(side, side, dtype=dtype)
    return 2e-9 * side**3 / min(seconds(lambda: a @ a) for _ in range(5))


def _processor() -> str:
    for line in _cpuinfo():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _flags() -> set[str]:
    return next((set(line.split()) for line in _cpuinfo() if line.startswith("flags")), set())


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
