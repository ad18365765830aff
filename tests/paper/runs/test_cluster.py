"""A sweep on a Dask cluster gives the rows of one process; workers and the scheduler may die."""

import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
from test_runner import write_root

from elsa_nb.paper.runs import cluster, runner

# Six units of nine searches: three classes, two encoders; each unit's file is its number.
PLAN = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from elsa_nb.paper.runs import cluster, runner, validity
from elsa_nb.paper.experiments.catalogue import sweep
plan = replace(sweep("components", "quick"), seeds=(5,))
places = runner.places_of(plan, "quick")
source = validity.provenance(places.values())
units = list(plan.units(places["vicreg"].class_names))[:6]
def files(folder):
    return [(unit, places[unit[0].encoder], Path(folder) / f"{number}.rows") for number, unit in enumerate(units)]
"""
ALONE = "for unit, place, file in files(sys.argv[1]): runner.store_unit(unit, place, file)"
LOCAL = """
import subprocess
from dask.distributed import Client, LocalCluster
with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as local:
    lacking = subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_worker", local.scheduler_address, "--no-nanny", "--no-dashboard"],
        env=os.environ | {"ELSA_ROOT": sys.argv[2]}, stderr=subprocess.DEVNULL,
    )
    with Client(local) as client:
        client.wait_for_workers(3)
    pids = [w.pid for w in local.workers.values()]
    done = 0
    for count in cluster.run_units(files(sys.argv[1]), local.scheduler_address, source):
        done += 1
        if done == 1:
            os.kill(pids[0], signal.SIGKILL)
    assert done == 6
    lacking.terminate()
    lacking.wait()
"""
REMOTE = """
for count in cluster.run_units(files(sys.argv[1]), sys.argv[2], source): pass
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Return a data root with a small pool, and the rows of its units run in one process."""
    folder = write_root(tmp_path_factory.mktemp("cluster"), n=700, classes=6, each=105)
    run(folder, PLAN + ALONE, folder / "alone")
    return folder


def start(root, code, *arguments):
    environment = os.environ | {"ELSA_ROOT": str(root), "ELSA_PROGRESS": "0", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(root, code, *arguments):
    process = start(root, code, *arguments)
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    return errors


def rows(folder):
    frames = [runner.read_part(folder / f"{number}.rows") for number in range(6)]
    return pd.concat(frames, ignore_index=True).drop(columns="seconds")


@pytest.mark.first
@pytest.mark.slow
def test_of_three_workers_one_is_killed_and_one_has_no_pools_and_the_rows_are_those_of_one_process(root, tmp_path):
    said = run(root, PLAN + LOCAL, tmp_path, tmp_path / "elsewhere")
    # Once if it was given a unit at all: the others may have been quicker. That it is named is tested below.
    assert said.count("is left out: this worker needs the pool") <= 1
    pd.testing.assert_frame_equal(rows(tmp_path), rows(root / "alone"))
    assert list(root.glob("data/cache/neighbours/*/card.json"))  # a worker makes its lists, a unit by itself does not


@pytest.mark.thorough
def test_a_lost_scheduler_is_told_and_what_was_stored_is_whole(root, tmp_path):
    scheduler = (
        "from dask.distributed import LocalCluster\nimport sys, time\n"
        "local = LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None)\n"
        "print(local.scheduler_address, flush=True)\ntime.sleep(300)"
    )
    first = start(root, scheduler)
    client = start(root, PLAN + REMOTE, tmp_path, first.stdout.readline().strip())
    while not list(tmp_path.glob("*.rows")) and client.poll() is None:
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    _, errors = client.communicate(timeout=120)
    first.communicate()
    assert client.returncode == 1
    assert "ConnectionError: the Dask scheduler" in errors
    stored = sorted(tmp_path.glob("*.rows"))
    assert 0 < len(stored) < 6
    for file in stored:
        one, same = runner.read_part(file), runner.read_part(root / "alone" / file.name)
        pd.testing.assert_frame_equal(one.drop(columns="seconds"), same.drop(columns="seconds"))


@pytest.mark.slow
def test_an_address_where_nobody_answers_is_one_sentence(monkeypatch):
    import dask.distributed

    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.raises(ConnectionError, match="no Dask scheduler answers"),
    ):
        source = {"code": "", "versions": {}, "pools": {}, "device": "cpu"}
        next(cluster.run_units([], "tcp://127.0.0.1:9", source))


@pytest.mark.slow
def test_where_no_worker_has_the_pools_the_run_ends_with_the_reason(root, tmp_path):
    alone = """
from dask.distributed import LocalCluster
os.environ["ELSA_ROOT"] = sys.argv[2]
with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as local:
    try:
        next(cluster.run_units(files(sys.argv[1]), local.scheduler_address, source))
    except ValueError as error:
        print("refused:", error, file=sys.stderr)
"""
    said = run(root, PLAN + alone, tmp_path, tmp_path / "elsewhere")
    assert "refused: none of 1 workers can run these searches." in said
    assert "this worker needs the pool" in said
    assert not list(tmp_path.glob("*.rows"))


def test_a_worker_with_other_code_refuses():
    with pytest.raises(ValueError, match="this worker's code are not the client's"):
        cluster.check_same_source('{"code": "other", "versions": {}, "pools": {}}', "quick")
