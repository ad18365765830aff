"""Extract with several encoders and worker processes, kill -9 at random moments, resume, compare every byte.

`python tests/images/kill_extraction.py FOLDER KILLS` does it on its own; the test suite does it with few kills.
"""

import multiprocessing
import os
import random
import signal
import sys
import time
from pathlib import Path

import miniature
import photographs
import psutil
import torch

from elsa_nb import store
from elsa_nb.images.encoders.by_name import load_for_pictures
from elsa_nb.images.extraction.embed import embed_folder
from elsa_nb.images.extraction.extract import extract_all
from elsa_nb.images.extraction.kept import KeptVectors
from elsa_nb.images.sources.files import open_folder
from elsa_nb.pool import PoolWriter
from elsa_nb.store import sha256_file

ENCODERS = ("official:vicreg", "official:obow")
BATCH = 2


def prepare(folder, n=64):
    miniature.put_checkpoints(folder / "data" / "checkpoints")
    for i in range(n):
        picture = photographs.scene(i, 320, 240)
        photographs.write(folder / "album" / f"{i % 7}/{i:04d}.jpg", photographs.encoded(picture))


def extract(folder, out, hold_at=None):
    """Go the way of the profiles."""
    begin(folder, out, hold_at)
    encoders = {name.replace(":", "-"): load_for_pictures(name) for name in ENCODERS}
    files = open_folder(folder / "album", progress=False)
    extract_all(files, encoders, name="album", folder=folder / out, batch=BATCH, workers=1, progress=False)


def extract_own(folder, out, hold_at=None):
    """Go the way of a folder of one's own."""
    begin(folder, out, hold_at)
    embed_folder(folder / "album", ENCODERS, folder=folder / out, batch=BATCH, workers=1, progress=False)


def begin(folder, out, hold_at):
    torch.set_num_threads(1)
    store.DATA = folder / "data"
    if hold_at is not None:
        hold(folder / out, hold_at)


def hashes(folder):
    return {str(p.relative_to(folder)): sha256_file(p) for p in sorted(folder.rglob("*")) if p.is_file()}


def blocks(folder):
    """Count the blocks that the slowest of the begun pools has written."""
    journals = list(folder.glob("*/kept.txt")) or list(folder.glob("*/journal.txt"))
    return min((j.read_bytes().count(b"\n") - 1 for j in journals), default=0)


def hold(folder, most):
    """Let this process write no further once all pools in `folder` have so many blocks: it waits for its killer."""
    for kind, name in ((PoolWriter, "write"), (KeptVectors, "append")):
        setattr(kind, name, _held(getattr(kind, name), folder, most))


def _held(write, folder, most):
    def held(self, *arguments):
        if blocks(folder) >= most:
            time.sleep(600)
        write(self, *arguments)

    return held


def start(target, *arguments):
    """Start a process that has the slow imports already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["elsa_nb.images.extraction.embed", "torchvision", "torch.utils.data"])
    process = context.Process(target=target, args=arguments)
    process.start()
    return process


def kill_at(process, folder, least, later=0.0):
    """Kill a process `later` seconds after all pools in `folder` have so many blocks."""
    while blocks(folder) < least:
        assert alive(process), "it ended before it could be killed"
        time.sleep(0.002)
    time.sleep(later)
    family = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    while alive(process):
        time.sleep(0.002)
    _, left = psutil.wait_procs(family, timeout=60)
    assert not left, "its workers outlived it"


def alive(process):
    """Ask by process id: `join` would wait for the orphaned worker, too, which takes seconds to find out."""
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


def kill_and_resume(folder, kills, n=64, seed=0, extract=extract):
    """Return how often the process was killed, after how many rows each time, and whether all came out the same."""
    rng, rows = random.Random(seed), []
    began = time.perf_counter()
    whole = start(extract, folder, "whole")
    whole.join()
    assert whole.exitcode == 0
    steps = n // BATCH / (kills + 1)
    for turn in range(kills):
        goal = rng.uniform(turn * steps, (turn + 1) * steps)
        process = start(extract, folder, "killed", int(goal) + 3)
        kill_at(process, folder / "killed", goal, rng.uniform(0, 0.03))
        rows.append(blocks(folder / "killed") * BATCH)
    last = start(extract, folder, "killed")
    last.join()
    assert last.exitcode == 0
    same = hashes(folder / "killed") == hashes(folder / "whole")
    return {"kills": kills, "rows": rows, "same": same, "seconds": round(time.perf_counter() - began)}


if __name__ == "__main__":
    prepare(Path(sys.argv[1]))
    print(kill_and_resume(Path(sys.argv[1]), int(sys.argv[2])))
