"""Profile `paper`, whole: every notebook on a miniature ImageNet-1k and Food-101 with synthetic checkpoints."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from elsa_nb import store
from elsa_nb.paper.publishing import notebooks

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "images"))  # the miniatures are those of the tests of images
import miniature  # noqa: E402
import photographs  # noqa: E402
import run_miniature  # noqa: E402

WNIDS = (*photographs.WNIDS, "n07753592", "n13133613")  # the three classes of Fig. 3 are among them
DISHES = ("apple_pie", "baklava", "ramen", "sushi", "waffles")


@pytest.fixture
def environment(tmp_path):
    """Return the variables that show the notebooks a user's machine in small."""
    photographs.imagenet(tmp_path / "imagenet", classes=WNIDS, each=16)
    photographs.food101(tmp_path / "food", classes=DISHES, each=16)
    miniature.put_checkpoints(tmp_path / "data" / "checkpoints")
    for part in ("claims", "weights", "glyphs"):  # what every copy of the repository has
        (tmp_path / "data" / part).symlink_to(store.ROOT / "data" / part)
    for place in ("pools", "cache/neighbours"):  # of the glyphs: notebook 02 would make its own, in minutes
        (tmp_path / "data" / place).mkdir(parents=True)
        for made in (store.DATA / place).glob("*"):
            (tmp_path / "data" / place / made.name).symlink_to(made)
    (tmp_path / "data" / "results").mkdir()
    # Of the notebooks that are not run here the report shows what they published elsewhere.
    published = tmp_path / "build" / "paper" / "figures"
    published.mkdir(parents=True)
    index = pd.read_csv(store.ROOT / "figures" / "index.csv", dtype=str, keep_default_na=False)
    elsewhere = index[index["notebook"].isin(run_miniature.OWN)]
    elsewhere.to_csv(published / "index.csv", index=False)
    for name in elsewhere["name"]:
        for file in (store.ROOT / "figures").glob(f"{name}.*"):
            shutil.copy(file, published)
    # Shown as they are, whatever the profile.
    for shown in ("phase*-full.*", "choices-*-full.*", "supervised-photos.*", "generated-spaces.csv"):
        for stored in (store.ROOT / "data" / "results").glob(shown):
            (tmp_path / "data" / "results" / stored.name).symlink_to(stored)
    places = {"ROOT": tmp_path, "IMAGENET": tmp_path / "imagenet", "FOOD101": tmp_path / "food"}
    told = {f"ELSA_{name}": str(place) for name, place in places.items()}
    fixed = {"OMP_NUM_THREADS": "1", "ELSA_PROGRESS": "0", "MPLBACKEND": "agg"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ELSA_")}
    return kept | told | fixed


LOOKING = [path.stem for path in notebooks.notebook_paths() if path.stem not in run_miniature.OWN]
# Those that make the profile's pools, search each of its data sets and each of its encoders, and read its classes.
FEW = ["01-embeddings", "05-embedding-spaces", "09-photographs"]


def ran(environment, *names):
    """Run these notebooks, or all, in a process of their own; return the names of those that ran to their ends."""
    command = [sys.executable, str(HERE / "run_miniature.py"), *names]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-3000:]
    return re.findall(r"^([\w-]+): ran", done.stdout, re.MULTILINE)


@pytest.mark.first
@pytest.mark.slow
@pytest.mark.timeout(900)  # a minute of processor time; more on a busy machine
def test_the_notebooks_that_make_pools_and_search_them_run_to_their_ends(environment):
    assert ran(environment, *FEW) == FEW


@pytest.mark.thorough
@pytest.mark.timeout(1800)  # three minutes of processor time
def test_every_notebook_runs_to_its_end(environment):
    assert ran(environment) == [*LOOKING, "report"]
