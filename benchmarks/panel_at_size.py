"""`python -m benchmarks.panel_at_size`: the panel on 20,000 images, 1,500 answers by keyboard, without a browser.

Made on the spot: small JPEGs, and vectors in which 2 of 100 images lie together. A process of its own, with what a
kernel has loaded, opens the panel as `elsa-nb label` does and is sent the messages that a browser sends: one key
per answer, Enter for the next page, and requests for the pictures of this page and the next two. A page turn is the
time from Enter until the kernel has sent the next page and all its pictures. What the browser does with them is not
included. The processor time that the kernel spent on it is measured, too: other work on the machine changes it little.
"""

import argparse
import csv
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from benchmarks import summary
from elsa_nb import store

IMAGES, ANSWERS, DIMENSION, SHARE = 20_000, 1_500, 384, 0.02
PAGE = 24
PAUSE = 0.1  # seconds between two keys: a person who is in a hurry
GOALS = {"memory": 500, "page turn p95": 150}


def make(folder: Path, images: int) -> np.ndarray:
    """Write `images` JPEGs of 96 pixels and their pool into `folder`; return which are of the class, bool (images,)."""
    from PIL import Image

    from elsa_nb.pool import Pool

    rng = np.random.default_rng(0)
    wanted = rng.random(images) < SHARE
    (folder / "images").mkdir()
    names = [f"{row:05d}.jpg" for row in range(images)]
    for name in names:
        pixels = np.kron(rng.integers(0, 256, (8, 8, 3), np.uint8), np.ones((12, 12, 1), np.uint8))
        Image.fromarray(pixels).save(folder / "images" / name)
    vectors = rng.normal(size=(images, DIMENSION)).astype(np.float32)
    vectors[wanted] += 3 * rng.normal(size=DIMENSION).astype(np.float32) / 2
    Pool.from_arrays(vectors, names).save(folder / "pool")
    return wanted


def drive(folder: Path, answers: int) -> dict[str, float]:
    """Label `answers` cards on the panel of `folder`; return memory (MB) and the quantiles of page turns (ms)."""
    import ipykernel.kernelapp  # noqa: F401 - a kernel has it loaded
    import psutil

    from elsa_nb.label import jobs
    from elsa_nb.label.panel import _Window

    wanted = np.load(folder / "wanted.npy")
    example = f"{np.flatnonzero(wanted)[0]:05d}.jpg"
    job = jobs.make_job(folder / "images", folder / "pool", folder / "s.sqlite", names=[example], page=PAGE)
    panel = jobs.open_panel(job)
    cards, widget = panel.controller.cards, panel.widget
    sent, came = set(), threading.Condition()

    def receive(message: dict, buffers: object = ()) -> None:
        if message["kind"] == "cards":
            with came:
                sent.update(picture["row"] for picture in message["pictures"])
                came.notify_all()

    widget.send = receive
    window, process = _Window(widget), psutil.Process()
    turns, worked, memory, given = [], [], 0, 0
    began, busy = time.monotonic(), time.process_time()
    while not cards.over and given < answers:
        first, end = cards.page(cards.cursor)
        rows = {p: panel.controller.card(p)["row"] for p in range(first, min(end + 2 * PAGE, len(cards.labels)))}
        window.say("want", positions=[p for p, row in rows.items() if row not in sent], rows=[], side=224)
        rows = {row for p, row in rows.items() if p < end}
        with came:
            if not came.wait_for(lambda rows=rows: rows <= sent, timeout=300):
                raise TimeoutError(f"the pictures of page {len(turns) + 1} did not come within 300 s")
        if given:
            turns.append(1000 * (time.monotonic() - began))
            worked.append(1000 * (time.process_time() - busy))
        for position in [p for p in range(first, end) if cards.labels[p] == -2]:
            time.sleep(PAUSE)
            window.send({"op": "label", "v": int(wanted[panel.controller.card(position)["row"]])})
            given += 1
        memory = max(memory, process.memory_info().rss / 1e6)
        began, busy = time.monotonic(), time.process_time()
        window.send({"op": "next"})
        while cards.waiting:
            time.sleep(0.001)
    found = panel.figures["positives"]
    panel.close()
    middle, late, worst = np.percentile(turns, [50, 95, 100])
    return {
        "memory": memory,
        "page turn p50": middle,
        "page turn p95": late,
        "page turn, slowest": worst,
        "page turn p95, processor": np.percentile(worked, 95),
        "answers": given,
        "found": found,
        "to find": int(wanted.sum()),
        "pages turned": len(turns),
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and write benchmarks/results/panel_at_size.csv."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.panel_at_size", description=__doc__)
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--answers", type=int, default=ANSWERS)
    parser.add_argument("--out", type=Path, default=summary.RESULTS, help="folder for panel_at_size.csv")
    parser.add_argument("--drive", type=Path, help=argparse.SUPPRESS)  # the process that is measured
    options = parser.parse_args(arguments)
    if options.drive:
        print(json.dumps(drive(options.drive, options.answers)))
        return 0
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="elsa-panel-") as name:
        folder = Path(name)
        np.save(folder / "wanted.npy", make(folder, options.images))
        command = [sys.executable, "-m", "benchmarks.panel_at_size", "--drive", name, "--answers", str(options.answers)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    measured = json.loads(done.stdout.splitlines()[-1])
    units = {"memory": "MB", "answers": "", "found": "", "to find": "", "pages turned": ""}
    rows = [("images", options.images, "", "")]
    rows += [(key, round(value, 1), units.get(key, "ms"), GOALS.get(key, "")) for key, value in measured.items()]
    rows += [("load before", round(load, 1), f"of {os.cpu_count()} cores", "")]
    rows += [("load after", round(os.getloadavg()[0], 1), "", "")]
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([("figure", "value", "unit", "goal below"), *rows])
    store.write_atomically(options.out / "panel_at_size.csv", stream.getvalue().encode())
    for figure, value, unit, goal in rows:
        print(f"{figure:25} {value:10,} {unit}{f'   (goal: below {goal})' if goal else ''}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
