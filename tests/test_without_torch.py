"""Torch is for encoders and training: searching and labelling do without it, and on systems that lack POSIX's calls."""

import subprocess
import sys
import textwrap

import pytest

from elsa_nb.store import ROOT

FORBID = """
import sys
class Forbidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "torchvision", "safetensors", "timm", "open_clip", "faiss"):
            raise ModuleNotFoundError(f"no {name}", name=name)
sys.meta_path.insert(0, Forbidden())
"""
README = (ROOT / "README.md").read_text().partition("## The loop")[2].partition("```python\n")[2].partition("```")[0]
LABEL = """
import numpy as np
from pathlib import Path
from PIL import Image
from elsa_nb import Pool, cli, own_folder
from elsa_nb.label import jobs
names = [f"{i:02}.png" for i in range(60)]
Path("pictures").mkdir()
for i, name in enumerate(names):
    Image.new("RGB", (16, 16), (4 * i, 0, 0)).save(Path("pictures") / name)
Pool.from_arrays(np.random.default_rng(0).normal(size=(60, 8)), names).save("pool")
options = cli._parser().parse_args(["label", "pictures", "--pool", "pool", "--session", "it.sqlite"])
keys = ("encoder", "pool", "session", "name", "like", "text", "strict", "seeds", "labels", "annotator")
job = own_folder.prepare(options.folder, **{key: getattr(options, key) for key in keys})
panel = jobs.open_panel(job)
print("panel of", type(panel).__name__)
"""


def run(code, folder):
    return subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(("code", "printed"), [(README, "found with"), (LABEL, "panel of")], ids=["loop", "label"])
def test_the_loop_and_the_panel_run_without_torch(tmp_path, code, printed):
    done = run(FORBID + code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert printed in done.stdout


def test_what_needs_torch_says_how_to_get_it(tmp_path):
    (tmp_path / "pictures").mkdir()
    code = "from elsa_nb.cli import main; raise SystemExit(main(['embed', '--images', 'pictures']))"
    done = run(FORBID + code, tmp_path)
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "elsa-nb: this needs the package torch, which is not installed: pip install 'elsa_nb[images]'"
    )


NO_POSIX = textwrap.dedent("""
    import mmap, os, signal, socket, sys
    import filelock, numba, psutil  # these know other systems themselves
    absent = ((mmap, "MADV_DONTNEED"), (os, "sysconf"), (socket, "AF_UNIX"), (os, "fork"), (signal, "SIGHUP"))
    for module, name in absent:
        if hasattr(module, name):
            delattr(module, name)
    sys.modules["fcntl"] = sys.modules["resource"] = None  # not to be imported from here on
    import importlib, pkgutil, elsa_nb.search, elsa_nb.prepared, elsa_nb.cli, elsa_nb.label.server_process
    for found in pkgutil.walk_packages(elsa_nb.search.__path__, "elsa_nb.search."):
        importlib.import_module(found.name)
    from elsa_nb.search import kernels
    import numpy as np
    np.save("vectors.npy", np.ones((5, 4), np.float16))
    vectors = np.load("vectors.npy", mmap_mode="r")
    kernels.KEPT_SHARE = 0.0  # every file is too large to keep
    kernels.release(vectors)
    print(kernels.project(vectors, np.ones((1, 4)))[0, 0])
""")


@pytest.mark.slow
def test_the_search_needs_nothing_that_only_posix_has(tmp_path):
    done = run(NO_POSIX, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "4.0"
