"""Extract with several encoders and worker processes, kill -9 at random moments, resume, compare every byte.

`python tests/images/kill_extraction.py FOLDER KILLS` does it on its own; the test suite does it with few kills.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import miniature
import photographs

from elsa_nb import store
from elsa_nb.images.embedding import embed_folder
from elsa_nb.store import sha256_file

ENCODERS = ("official:vicreg", "official:moco-v2", "official:obow")


def prepare(folder, n=240):
    miniature.put_checkpoints(folder / "data" / "checkpoints")
    for i in range(n):
        photographs.write(
            folder / "album" / f"{i % 7}/{i:04d}.jpg", photographs.encoded(photographs.scene(i, 320, 240))
        )


def extract(folder, out):
    embed_folder(folder / "album", ENCODERS, name="album", folder=folder / out, batch=8, workers=1, progress=False)


def start(folder):
    environment = {**os.environ, "ELSA_ROOT": str(folder), "ELSA_PROGRESS": "0"}
    command = [sys.executable, __file__, str(folder)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def hashes(folder):
    return {str(p.relative_to(folder)): sha256_file(p) for p in sorted(folder.rglob("*")) if p.is_file()}


def kill_and_resume(folder, kills, seed=0):
    """Return how often the process was killed in mid-extraction, and whether all files came out the same."""
    rng, done, rows = random.Random(seed), 0, []
    began = time.perf_counter()
    whole = start(folder)
    whole.stdout.readline()  # imports are over
    ready = time.perf_counter()
    assert whole.wait() == 0
    length = time.perf_counter() - ready
    (folder / "killed").rename(folder / "whole")
    for _ in range(10 * kills):
        if done == kills:
            break
        process = start(folder)
        process.stdout.readline()
        time.sleep(rng.uniform(0, min(1.5, length)))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            done += 1
        process.wait()
        journals = list((folder / "killed").glob("*/journal.txt"))
        rows.append(max((len(j.read_bytes().splitlines()) - 1 for j in journals), default=30) * 8)
        if process.returncode == 0 and done < kills:  # finished before it was killed: once more from the beginning
            assert hashes(folder / "killed") == hashes(folder / "whole")
            for path in (folder / "killed").rglob("*.*"):
                path.unlink()
    last = start(folder)
    last.communicate()
    assert last.returncode == 0
    same = hashes(folder / "killed") == hashes(folder / "whole")
    return {"kills": done, "rows at each": rows, "same": same, "seconds": round(time.perf_counter() - began)}


if __name__ == "__main__":
    place = Path(sys.argv[1])
    if len(sys.argv) > 2:
        prepare(place)
        print(kill_and_resume(place, int(sys.argv[2])))
    else:
        store.DATA = place / "data"
        print("ready", flush=True)
        extract(place, "killed")
