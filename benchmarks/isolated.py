"""Measure in a separate process: its memory is limited and watched, and a failure is an answer, not the end.

The child is `python -m benchmarks.isolated MODULE FUNCTION`, its arguments JSON on standard input; it prints what the
function returns as one line of JSON. Memory is counted in two ways: `private_gb` is what only this process holds,
`resident_gb` also counts mapped pages of files, which the system takes back when it needs them.
"""

import importlib
import json
import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

CHECKOUT = Path(__file__).resolve().parent.parent


class MeasurementFailedError(RuntimeError):
    """The measured process did not end well: it says why."""


def call(
    function: str,
    *,
    memory_gb: float | None = None,
    timeout: float = 7200,
    environment: dict[str, str] | None = None,
    **arguments: Any,
) -> dict[str, Any]:
    """Run `function` ("module:name") with `arguments` in a fresh process; return its answer and its peak memory.

    The answer gains `private_gb` and `resident_gb`. `memory_gb` limits what the process may hold for itself,
    `environment` are variables set for it alone. Raises `MeasurementFailedError` with the last line of its errors where
    it fails.
    """
    module, _, name = function.partition(":")
    child = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.isolated", module, name, str(memory_gb or 0)],
        cwd=CHECKOUT,
        env=os.environ | (environment or {}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watch = _Watch(child.pid)
    watch.start()
    try:
        out, errors = child.communicate(json.dumps(arguments), timeout=timeout)
    except subprocess.TimeoutExpired as error:
        raise MeasurementFailedError(f"not done after {timeout:.0f} s") from error
    finally:
        child.kill()
        watch.join()
    if child.returncode:
        last = errors.strip().splitlines()[-1] if errors.strip() else f"ended with status {child.returncode}"
        limit = f" (limit: {memory_gb:.3g} GB)" if memory_gb else ""
        raise MeasurementFailedError(last[:200] + limit)
    answer = json.loads(out.strip().splitlines()[-1])
    return answer | {"private_gb": watch.private_gb, "resident_gb": watch.resident_gb}


class _Watch(threading.Thread):
    """Look at the memory of a process twenty times a second, and keep the peaks."""

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self._status = Path(f"/proc/{pid}/status")
        self.private_gb = self.resident_gb = 0.0

    def run(self) -> None:
        while True:
            try:
                lines = self._status.read_text(encoding="ascii").splitlines()
            except OSError:
                return
            entries = dict(line.split(":", 1) for line in lines if ":" in line)
            if "RssAnon" not in entries:  # ended, not yet collected
                return
            private, resident = (int(entries[name].split()[0]) * 1024 / 1e9 for name in ("RssAnon", "VmHWM"))
            self.private_gb, self.resident_gb = max(self.private_gb, private), max(self.resident_gb, resident)
            time.sleep(0.05)


def hold(gigabytes: float, seconds: float) -> dict:
    """Hold this much memory for a while, to test the watching."""
    block = np.ones(int(gigabytes * 1e9), np.uint8)
    time.sleep(seconds)
    return {"held": block.nbytes / 1e9}


def _main(module: str, name: str, memory_gb: str) -> None:
    if limit := float(memory_gb):
        held = int(limit * 1e9)
        resource.setrlimit(resource.RLIMIT_DATA, (held, held))
    arguments = json.loads(sys.stdin.read())
    answer = getattr(importlib.import_module(module), name)(**arguments)
    print(json.dumps(answer), flush=True)
    os._exit(0)  # libraries that clean up for seconds are not part of the measurement


if __name__ == "__main__":
    _main(*sys.argv[1:])
