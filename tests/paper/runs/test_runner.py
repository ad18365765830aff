"""Whole sweeps on a tiny pool, in processes of their own: the same rows however they are run, stopped or resumed."""

import io
import json
import lzma
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from elsa_nb import store
from elsa_nb.pool import Pool

N, CLASSES = 900, 7
# Eight units of nine searches: four classes in each of two encoders.
PLAN = """
from dataclasses import replace
from elsa_nb.paper.runs import runner
from elsa_nb.paper.experiments.catalogue import sweep
plan = replace(sweep("components", "quick"), seeds=(5,), n_classes=4)
"""
RUN = PLAN + "runner.run(plan, 'quick', workers={workers})"


def write_glyphs(folder, names):
    """Write a pool of blank images with the labels `names` in the format of the bundled one."""
    folder.mkdir(parents=True)
    pixels = bytes(512 * len(names))
    column = pa.array(names).dictionary_encode()
    table = io.BytesIO()
    pq.write_table(pa.table(dict.fromkeys(("name", "character", "drawn", "face", "package"), column)), table)
    files = {"images.bin": lzma.compress(pixels), "labels.parquet": table.getvalue()}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    hashes = {name: store.sha256_bytes(data) for name, data in files.items()}
    manifest = {"n": len(names), "pixels_sha256": store.sha256_bytes(pixels), "files": hashes}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def write_root(folder, n, classes, each):
    """Write a data root: the pools of both encoders, `n` rows, classes of `each` in three clusters, a rest."""
    rng = np.random.default_rng(0)
    label = np.minimum(np.arange(n) // each, classes)
    rng.shuffle(label)
    write_glyphs(folder / "data" / "glyphs", [f"class {i}" for i in label])
    centres = rng.normal(size=(classes + 1, 3, 6)) * 2
    for encoder in ("vicreg", "barlow-twins"):
        for space in ("embedding", "projection"):
            vectors = centres[label, rng.integers(3, size=n)] + rng.normal(size=(n, 6))
            pool = Pool.from_arrays(vectors.astype(np.float16), name=f"glyphs-{encoder}-{space}", space=space)
            pool.save(folder / "data" / "pools" / f"glyphs-{encoder}-{space}")
    return folder


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """Return a data root with a pool of 900 rows, 7 classes of 120 in three clusters each, and no results."""
    return write_root(tmp_path_factory.mktemp("fresh"), n=N, classes=CLASSES, each=120)


@pytest.fixture
def root(fresh, tmp_path):
    """Return a copy without results."""
    return shutil.copytree(fresh, tmp_path / "root")


@pytest.fixture(scope="module")
def finished(fresh, tmp_path_factory):
    """Return a copy with the results of one worker, and what that run printed."""
    folder = shutil.copytree(fresh, tmp_path_factory.mktemp("finished") / "root")
    return folder, run(folder, workers=1)


@pytest.fixture
def done(finished, tmp_path):
    """Return a copy with results."""
    return shutil.copytree(finished[0], tmp_path / "done")


def start(root, code):
    environment = os.environ | {"ELSA_ROOT": str(root), "ELSA_PROGRESS": "0", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process):
    out, error = process.communicate(timeout=240)
    return process.returncode, out, error


def run(root, workers=1):
    code, out, error = finish(start(root, RUN.format(workers=workers)))
    assert code == 0, error
    return out


def results(root):
    frame = pd.read_parquet(root / "data" / "results" / "components-quick.parquet")
    return frame.drop(columns="seconds")


@pytest.mark.slow
def test_rows_say_where_they_come_from(finished):
    root, printed = finished
    assert "88 searches in" in printed
    assert "computed for the first time" in printed
    rows = results(root)
    assert len(rows) == 8 * (2 * 4 + 3)
    measures = ["labels", "found", "discovery_rate", "labelling_efficiency", "rounds"]
    assert not rows[measures].isna().any().any()
    for column in ("config", "seed", "pool_recipe", "pool_sha256", "code", "versions", "log_sha256"):
        assert (rows[column].str.len() > 5).all()
    assert not list(root.glob("data/results/.parts/*/*"))


@pytest.mark.thorough
def test_rows_do_not_depend_on_the_number_of_workers(root, finished):
    run(root, workers=2)
    pd.testing.assert_frame_equal(results(root), results(finished[0]))


@pytest.mark.thorough
def test_a_second_run_reuses_the_results_and_says_so(done):
    assert "88 searches reused" in run(done, workers=2)


@pytest.mark.first
@pytest.mark.slow
def test_nothing_is_lost_or_counted_twice_when_a_run_is_killed(root, finished):
    parts = root / "data" / "results" / ".parts" / "components-quick"
    for least in (1, 4):  # killed once at least so many units are on disk
        process = start(root, RUN.format(workers=2))
        while len(list(parts.glob("*.rows"))) < least and process.poll() is None:
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert list(parts.glob("*.rows"))
    run(root, workers=2)
    pd.testing.assert_frame_equal(results(root), results(finished[0]))
    assert not list(parts.glob("*.rows"))


@pytest.mark.slow
def test_a_changed_pool_is_noticed_and_its_results_are_made_again(done):
    before = results(done)
    folder = done / "data" / "pools" / "glyphs-vicreg-projection"
    vectors = np.load(folder / "vectors.npy")[::-1]
    for path in folder.iterdir():
        path.unlink()
    Pool.from_arrays(vectors, name="glyphs-vicreg-projection", space="projection").save(folder)
    assert "computed again: pools changed" in run(done)
    after = results(done)
    changed = (after["log_sha256"] != before["log_sha256"]).groupby(after["encoder"]).mean()
    assert changed["barlow-twins"] == 0
    assert changed["vicreg"] > 0.9


GAINS = (
    PLAN
    + """
from elsa_nb.search.strategies.greedy_probe import GreedyProbe
runner.run(replace(plan, arms=plan.arms[:2]), "quick", workers=1)
runner.run(plan, "quick", workers=1)
GreedyProbe.version += 1
runner.run(plan, "quick", workers=1)
runner.run(plan, "quick", workers=1)
"""
)


@pytest.mark.slow
def test_only_what_is_new_or_stale_is_computed(root, finished):
    code, out, error = finish(start(root, GAINS))
    assert code == 0, error
    first, gained, raised, last = out.splitlines()
    assert "56 searches in" in first
    assert "32 searches in" in gained
    assert gained.endswith("(new in the sweep), 56 reused")
    assert "16 searches in" in raised
    assert raised.endswith("(computed again: strategies changed since the stored results), 72 reused")
    assert "88 searches reused" in last
    pd.testing.assert_frame_equal(results(root), results(finished[0]))


@pytest.mark.thorough
def test_stored_searches_are_run_again_and_a_changed_one_is_named(done):
    def verify(*options):
        return finish(start(done, f"from elsa_nb.cli import main; raise SystemExit(main(['verify', *{options}]))"))

    code, out, error = verify("--sample", "6")
    assert (code, error) == (0, "")
    assert "6 stored searches were run again: 6 have the same log." in out
    path = done / "data" / "results" / "components-quick.parquet"
    frame = pd.read_parquet(path)
    frame.loc[7, "log_sha256"] = "0" * 64
    frame.to_parquet(path, index=False)
    card = json.loads(path.with_suffix(".json").read_text()) | {"sha256": store.sha256_file(path)}
    store.write_card(path.with_suffix(".json"), card)
    code, out, error = verify("--row", "components", "7", "--profile", "quick")
    assert code == 1
    assert "OTHER" in out
    assert "1 went another way, and no version of behaviour was raised" in out
    assert error.strip() == "elsa-nb: 1 of 1 stored searches went another way"
    code, out, error = verify("--row", "components", "88", "--profile", "quick")
    assert (code, error.strip()) == (1, "elsa-nb: row '88' of components-quick; allowed: 0 to 87")


@pytest.mark.slow
def test_an_altered_results_file_is_refused(done):
    path = done / "data" / "results" / "components-quick.parquet"
    frame = pd.read_parquet(path)
    frame.loc[0, "discovery_rate"] = 1.0
    frame.to_parquet(path, index=False)
    code, _, error = finish(start(done, RUN.format(workers=1)))
    assert code != 0
    assert "CorruptFileError" in error
    assert "was altered" in error


@pytest.mark.slow
def test_a_missing_pool_is_one_sentence_and_leaves_nothing(root):
    (root / "data" / "pools" / "glyphs-vicreg-projection" / "pool.json").unlink()
    code, _, error = finish(start(root, RUN.format(workers=1)))
    assert code != 0
    last = error.strip().splitlines()[-1]
    assert "profile 'quick' needs" in last
    assert "01-embeddings" in last
    assert not (root / "data" / "results").exists()


@pytest.mark.slow
def test_one_row_can_be_made_again_from_what_it_says(done):
    code = """
import json, numpy as np, pandas as pd
from elsa_nb import store
from elsa_nb.images.sources.glyphs import Glyphs
from elsa_nb.paper.runs.place import Place
from elsa_nb.paper.runs.simulation import run_searches
from elsa_nb.paper.runs.grid import Setting
rows = pd.read_parquet(store.DATA / "results" / "components-quick.parquet").sample(12, random_state=1)
names = Glyphs.open().labels["name"]
for row in rows.to_dict("records"):
    setting = Setting(**{name: row[name] for name in Setting.__dataclass_fields__})
    place = Place.of("quick", setting.encoder, setting.space, setting.dataset)
    again = run_searches([setting], place, (names == setting.target).to_numpy())[0]
    assert again["log_sha256"] == row["log_sha256"], row
    assert again["config"] == row["config"]
print("the same")
"""
    code, out, error = finish(start(done, code))
    assert code == 0, error
    assert out.strip() == "the same"
