"""The wheel is a product: it carries what it reads, and writes where its user is; the sdist holds what the tests need.

That it works in a new environment and an empty folder takes minutes and a package index: `make try-wheel`.
"""

import json
import os
import subprocess
import sys
import zipfile

import pytest
from hatchling.builders.sdist import SdistBuilder

from elsa_nb.paper.experiments.catalogue import SWEEPS
from elsa_nb.store import ROOT

BUNDLED = (
    *("data/claims", "data/glyphs", "data/weights", "data/results/toy.json"),
    *("notebooks", "benchmarks/results"),
)
LOOK = """
import json
from elsa_nb import cli, store
from elsa_nb.paper.measures.printed import printed_cells
from elsa_nb.paper.runs.runner import stored_results
from elsa_nb.profiles import profile
print(json.dumps({
    "package": store.__file__,
    "claims": len(printed_cells(4)),
    "glyphs": str(store.locate("glyphs")),
    "weights": [path.stem for path in store.located("weights/*.safetensors")],
    "notebooks": sorted(path.name for path in store.NOTEBOOKS.glob("*.ipynb")),
    "written": [str(path) for path in (store.OUTPUT, store.FIGURES, profile("quick").build, profile("full").figures)],
    "photographs": len(stored_results("thinned", "photos")),
    "only in full": len(stored_results("choices-in-pairs", "full")),
    "lost": str(store.locate("weights/none.safetensors")),
    "cache": str(profile("quick").pool_folder("vicreg", "embedding")),
}))
raise SystemExit(cli.main(["notebooks"]))
"""


def tracked(*folders):
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    command = ["git", "ls-files", "-z", *folders]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {name for name in names.split("\0") if name and (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the wheel as `make wheel` does, and unpack it as an installer would."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-build-isolation", "--no-deps", "-w", str(folder)]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True)
    (wheel,) = folder.glob("elsa_nb-*-py3-none-any.whl")
    assert wheel.stat().st_size < 60e6  # package indexes take 100 MB
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def look(site, folder, **variables):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ELSA_", "PYTHON"))}
    told = kept | {"PYTHONPATH": str(site), "HOME": str(folder / "home"), "XDG_CACHE_HOME": str(folder / "cached")}
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", LOOK], cwd=folder, env=told | variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "`elsa-nb notebooks` works on the committed results of a checkout" in done.stderr
    return json.loads(done.stdout)


def test_the_wheel_holds_every_bundled_file_and_all_of_the_package(site):
    held = {path.relative_to(site / "elsa_nb").as_posix() for path in (site / "elsa_nb").rglob("*") if path.is_file()}
    only_full = [f"data/results/{name}-full.*" for name, plans in SWEEPS.items() if set(plans) == {"full"}]
    carried = tracked(*BUNDLED, "data/results/*-photos.*", "data/results/generated-spaces.csv", *only_full)
    bundled = {f"bundled/{name.removeprefix('data/')}" for name in carried}
    package = {name.removeprefix("elsa_nb/") for name in tracked("elsa_nb")}
    assert bundled | package <= held
    assert {name for name in held if name.startswith("bundled/")} == bundled
    assert sorted(path.name for path in site.iterdir())[1:] == ["elsa_nb-0.1.0.dist-info"]


def test_an_installed_package_reads_what_it_carries_and_writes_where_its_user_is(site, tmp_path):
    told = look(site, tmp_path / "empty")
    assert told["package"].startswith(str(site))
    assert told["claims"] > 0
    assert told["photographs"] > 0  # which `elsa-nb reproduce` shows without computing them
    assert told["only in full"] > 0
    assert told["glyphs"] == str(site / "elsa_nb" / "bundled" / "glyphs")
    assert {"vicreg", "barlow-twins"} <= set(told["weights"])
    assert len(told["notebooks"]) == len(list((ROOT / "notebooks").glob("*.ipynb")))
    written = ("data", "figures", "build/quick", "figures")
    assert told["written"] == [str(tmp_path / "empty" / place) for place in written]
    assert told["lost"] == str(tmp_path / "empty" / "data" / "weights" / "none.safetensors")
    assert told["cache"] == str(tmp_path / "empty" / "cached" / "elsa_nb" / "pools" / "glyphs-vicreg-embedding")
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_folder_that_is_named_holds_all_that_is_written_and_goes_before_what_is_bundled(site, tmp_path):
    own = tmp_path / "named" / "data" / "weights" / "vicreg.safetensors"
    own.parent.mkdir(parents=True)
    own.touch()
    told = look(site, tmp_path / "here", ELSA_ROOT=str(tmp_path / "named"))
    assert {path.removeprefix(str(tmp_path)).split("/")[1] for path in (*told["written"], told["cache"])} == {"named"}
    assert told["weights"].count("vicreg") == 1
    assert "simsiam" in told["weights"]


def test_the_sdist_holds_what_git_has_and_nothing_that_git_ignores():
    held = {file.relative_path for file in SdistBuilder(str(ROOT)).recurse_included_files()}
    assert tracked() <= held
    assert not [name for name in held if name.startswith((".venv", "build/", "data/pools", "data/cache"))]
