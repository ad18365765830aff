"""What the figures rest on: times, exponents, the synthetic pool, and processes whose memory is watched."""

import importlib
import os
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import isolated, rivals, timing
from benchmarks.goals import LINES, RIVALS, SIZES, rival
from benchmarks.synthetic import Clustered
from elsa_nb.errors import MissingDataError
from elsa_nb.pool import Pool, PoolWriter
from elsa_nb.store import ROOT


def test_the_percentile_and_the_exponent():
    assert timing.p95(range(1, 101)) == 95
    assert timing.p95([3.0]) == 3.0
    assert timing.median([3, 1, 2]) == 2
    assert timing.exponent([10, 20, 40], [3 * 10**1.5, 3 * 20**1.5, 3 * 40**1.5]) == pytest.approx(1.5)
    with pytest.raises(ValueError, match="two sizes or more"):
        timing.exponent([10], [1.0])


def test_class_sizes_are_like_imagenets():
    sizes = Clustered(1_281_167, 2048).sizes()
    assert sizes.sum() == 1_281_167
    assert len(sizes) == 1000
    assert 700 < sizes.min() < 740
    assert 1290 < sizes.max() < 1320
    assert np.median(sizes) > 1290


def test_the_pool_is_clustered_and_its_spectrum_decays():
    vectors, labels = Clustered(3000, 40, classes=12).arrays()
    centred = vectors - vectors.mean(0)
    centres = np.array([centred[labels == c].mean(0) for c in range(12)])
    assert (centres[labels] ** 2).sum() > 0.3 * (centred**2).sum()
    within = np.linalg.svd(centred - centres[labels], compute_uv=False) ** 2
    assert within[0] > 5 * within[20] > 5 * within[35]


def test_a_pool_on_disk_is_the_one_in_memory_also_when_its_writing_was_cut_short(tmp_path):
    spec = Clustered(20_000, 8, classes=12, dtype="float16")
    vectors, labels = spec.arrays()
    told = {"name": spec.name, "space": "synthetic", "recipe": repr(spec)}
    with PoolWriter(tmp_path / spec.name, np.arange(spec.n).astype(str), spec.d, dtype="float16", **told) as writer:
        writer.write(spec.rows(0, 8192, labels))
    written = (tmp_path / spec.name / "vectors.part").stat().st_mtime_ns
    assert np.array_equal(spec.pool(tmp_path).vectors, vectors)
    assert np.array_equal(Pool.open(tmp_path / spec.name).vectors, vectors)
    assert (tmp_path / spec.name / "vectors.npy").stat().st_mtime_ns > written
    assert spec.pool(tmp_path).sha256 == Pool.open(tmp_path / spec.name).sha256


def test_a_pool_that_does_not_fit_the_disk_is_refused(tmp_path):
    with pytest.raises(MissingDataError, match="GB are free"):
        Clustered(2_000_000_000, 8192).pool(tmp_path)
    assert not list(tmp_path.iterdir())


def test_memory_of_another_process_is_watched_and_limited():
    answer = isolated.call("benchmarks.isolated:hold", gigabytes=0.3, seconds=0.3)
    assert answer["held"] == 0.3
    assert 0.3 < answer["private_gb"] < 0.6
    assert answer["private_gb"] <= answer["resident_gb"] + 0.05
    with pytest.raises(isolated.MeasurementFailedError, match=r"MemoryError|allocate.*limit: 1 GB"):
        isolated.call("benchmarks.isolated:hold", memory_gb=1.0, gigabytes=2.0, seconds=0.0)


@pytest.mark.parametrize("module", sorted(path.stem for path in (ROOT / "benchmarks").glob("[a-z]*.py")))
def test_every_benchmark_can_be_imported(module):
    """Some are started by hand only: a name that was moved away from them would be noticed there."""
    importlib.import_module(f"benchmarks.{module}")


def test_every_rival_has_a_program_and_a_line():
    assert set(rivals.PROGRAMS) == set(RIVALS)
    assert all(rival(name, n) in LINES for name in RIVALS for n in SIZES)
    assert set(rivals.DIMENSION) == set(SIZES)


def test_agreement_counts_rows_asked_in_the_same_round():
    ours = [np.array([1, 2, 3]), np.array([4, 5])]
    theirs = [np.array([3, 2, 9]), np.array([1, 4])]
    assert rivals.agreement(ours, theirs) == (3, 5)


def run(*arguments, root):
    environment = os.environ | {"ELSA_ROOT": str(root), "OMP_NUM_THREADS": "1", "ELSA_PROGRESS": "0"}
    command = [sys.executable, "-m", "benchmarks", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_smoke_run_of_one_part(tmp_path):
    done = run("--quick", "--out", tmp_path / "out", "graph", root=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "graph took" in done.stdout
    assert "limit:" in done.stdout
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["machine.json", "summary.csv"]


@pytest.mark.thorough
@pytest.mark.timeout(900)
def test_a_smoke_run_of_every_part(tmp_path):
    everything = ["rounds", "sweep", "graph", "rivals", "growth", "gpu", "harvest-searches", "harvest-large"]
    everything += ["harvest-10m", "harvest-100m", "rounds-large", "larger-than-memory"]
    done = run("--quick", "--out", tmp_path / "out", *everything, root=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILED" not in done.stderr
    for part in everything:
        assert f"{part} took" in done.stdout
    for part in ("rounds", "graph", "rivals"):
        assert "limit:" in done.stdout[done.stdout.index(f"\n{part} (") :]
    assert "4 searches at once" in done.stdout  # of the part that wants a GPU, on torch's processor backend if need be
    assert "4 of 4" in done.stdout
    assert "500 of 500 rows asked are the same" in done.stdout
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["machine.json", "summary.csv"]


def test_wrong_names_and_a_smoke_run_over_the_results_are_refused(tmp_path):
    assert "allowed: rounds, sweep" in run("roundz", root=tmp_path).stderr
    assert "--out FOLDER" in run("--quick", root=tmp_path).stderr
