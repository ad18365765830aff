"""What every part is given: the machine, whether this is a smoke run, and where it may write."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import Machine
from elsa_nb.store import DATA

CACHE = DATA / "cache" / "bench"  # generated pools; git-ignored, made again when deleted


@dataclass(frozen=True)
class Context:
    """One run of the benchmark."""

    machine: Machine
    quick: bool = False

    def say(self, text: str) -> None:
        """Print one line at once."""
        print(f"    {text}", flush=True)

    def limit(self, what: str, measured: float, *, gigabytes: float = 0.0, gigaflops: float = 0.0) -> None:
        """Say how far `measured` seconds are from what memory and arithmetic alone would take."""
        least = self.machine.seconds_at_limit(gigabytes=gigabytes, gigaflops=gigaflops)
        self.say(
            f"limit: {what}: {gigabytes:.3g} GB to read at {self.machine.reading_gb_s:.0f} GB/s and {gigaflops:.3g} "
            f"GFLOP at {self.machine.sgemm_gflops:.0f} GFLOP/s take {least:.3g} s; measured {measured:.3g} s "
            f"({measured / least:.1f} times that)"
        )

    @property
    def cache(self) -> Path:
        """The folder of generated pools: in a smoke run one of its own."""
        return CACHE / "quick" if self.quick else CACHE
