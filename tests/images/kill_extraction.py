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
import torch

from elsa_nb import store
from elsa_nb.images.extraction.embed import embed_folder
from elsa_nb.store import sha256_file

ENCODERS = ("official:vicreg", "official:obow")
BATCH = 2


def prepare(folder, n=64):
    miniature.put_checkpoints(folder / "data" / "checkpoints")
    for i in range(n):
        picture = photographs.scene(i, 320, 240)
        photographs.write(folder / "album" / f"{i % 7}/{i:04d}.jpg", photographs.encoded(picture))


def extract(folder, out):
    torch.set_num_threads(1)
    store.DATA = folder / "data"
    embed_folder(folder / "album", ENCODERS, name="album", folder=folder / out, batch=BATCH, workers=1, progress=False)


def hashes(folder):
    return {str(p.relative_to(folder)): sha256_file(p) for p in sorted(folder.rglob("*")) if p.is_file()}


def blocks(folder):
    """Count the blocks that the slowest of the begun pools has written."""
    journals = list(folder.glob("*/journal.txt"))
    return min((j.read_bytes().count(b"\n") - 1 for j in journals), default=0)


def alive(process):
    """Ask by process id: `join` would wait for the orphaned worker, too, which takes seconds to find out."""
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


def kill_and_resume(folder, kills, n=64, seed=0):
    """Return how often the process was killed, after how many rows each time, and whether all came out the same."""
    rng, rows = random.Random(seed), []
    context = multiprocessing.get_context("forkserver")
    slow_imports = ["elsa_nb.images.extraction.embed", "torchvision", "torch.utils.data"]
    context.set_forkserver_preload(slow_imports)
    began = time.perf_counter()

    def run(out):
        process = context.Process(target=extract, args=(folder, out))
        process.start()
        return process

    whole = run("whole")
    whole.join()
    assert whole.exitcode == 0
    steps = n // BATCH / (kills + 1)
    for turn in range(kills):
        process = run("killed")
        goal = rng.uniform(turn * steps, (turn + 1) * steps)
        while blocks(folder / "killed") < goal and alive(process):
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.03))
        os.kill(process.pid, signal.SIGKILL)
        while alive(process):
            time.sleep(0.002)
        rows.append(blocks(folder / "killed") * BATCH)
    last = run("killed")
    last.join()
    assert last.exitcode == 0
    same = hashes(folder / "killed") == hashes(folder / "whole")
    return {"kills": kills, "rows": rows, "same": same, "seconds": round(time.perf_counter() - began)}


if __name__ == "__main__":
    prepare(Path(sys.argv[1]))
    print(kill_and_resume(Path(sys.argv[1]), int(sys.argv[2])))
