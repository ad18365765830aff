"""Run every notebook of profile `paper` in one process, the sweeps cut down; print a line a notebook, and what broke.

One process instead of a kernel each: most of the time of so small a run would be imports. ELSA_ROOT, ELSA_IMAGENET
and ELSA_FOOD101 name the miniature; the notebooks to run are the arguments, or all.
"""

import contextlib
import io
import os
import sys
import time
import traceback
from dataclasses import replace

import nbformat
from matplotlib import pyplot as plt

from elsa_nb.paper.experiments.catalogue import SWEEPS
from elsa_nb.paper.experiments.complexity import measure
from elsa_nb.paper.experiments.toy import stored as toy
from elsa_nb.paper.publishing import notebooks
from elsa_nb.paper.publishing.html_report import write_report
from elsa_nb.paper.runs import purity
from elsa_nb.profiles import profile
from elsa_nb.search.metrics import median_interval

CLASSES, MEMBERS = 5, 12
# They look at no profile, or at what is stored whatever the profile: that `make reproduce` runs them is enough.
OWN = {
    *("00-start-here", "02-one-search", "10-label-your-own", "13-your-own-folder", "14-what-is-missing"),
    *("15-people-who-err", "16-phase-diagram", "18-equal-budgets"),
}
TIMED = {"n": (400, 800, 1600), "k": (8, 16, 32), "l": (8, 16, 32), "d": (64, 128), "lists": (200, 400)}
PLAN = measure.SizePlan(**TIMED, memory=(400, 800), rows=800, turns=2)


def cut_down():
    """Ask for a few searches in small classes; everything else is the profile's."""
    for plans in SWEEPS.values():
        if "paper" in plans:
            few = min(CLASSES, plans["paper"].n_classes)
            seeds = tuple(count for count in plans["paper"].seeds if count < MEMBERS)
            plans["paper"] = replace(plans["paper"], n_classes=few, repeats=1, least_members=MEMBERS, seeds=seeds)
    purity.LEAST_CLASS_SIZE = MEMBERS
    measure.plan_of = lambda _: PLAN
    measure.part_calls.__kwdefaults__.update(k=8, l=8)  # queries, of which so small a pool has few
    toy.SPACES = 5  # drawn spaces; they know no profile
    median_interval.__kwdefaults__["resamples"] = 20  # intervals are most of the work otherwise
    os.cpu_count = lambda: 1  # so few searches are not worth processes of their own


def run(path):
    """Run the code of one notebook from an empty namespace; raise what a cell raises."""
    names = {"__name__": "__main__"}
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code" and "injected-parameters" not in cell.metadata.get("tags", []):
            declared = "parameters" in cell.metadata.get("tags", [])
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                exec(compile(cell.source, path.name, "exec"), names)
            if declared:
                names["profile"] = "paper"
    plt.close("all")


def main(names):
    """Run the notebooks, then write the report; return how many broke."""
    cut_down()
    paths = [path for path in notebooks.notebook_paths() if path.stem not in OWN]
    jobs = [(path.stem, lambda path=path: run(path)) for path in paths]
    jobs.append(("report", lambda: write_report(profile("paper"))))
    broken = 0
    for name, job in jobs:
        if names and name not in names:
            continue
        began = time.perf_counter()
        try:
            job()
        except Exception:
            broken += 1
            print(traceback.format_exc(limit=-3))
            print(f"{name}: BROKEN", flush=True)
        else:
            print(f"{name}: ran in {time.perf_counter() - began:.1f} s", flush=True)
    return broken


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) > 0)
