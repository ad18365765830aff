"""The rooms stay apart: the import rules hold, they would catch a breach, and importing the package is light."""

import os
import shutil
import subprocess
import sys

import pytest

from elsa_nb.store import ROOT

HEAVY = ("torch", "torchvision", "faiss", "ipywidgets", "anywidget", "matplotlib", "pandas")


def lint_imports(folder):
    # The package is the one in `folder`, also where another copy is installed.
    return subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path):
    shutil.copytree(ROOT / "elsa_nb", tmp_path / "elsa_nb", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_import_rules_hold():
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_a_copy_without_a_breach_passes(copy):
    assert lint_imports(copy).returncode == 0


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("pool", "import elsa_nb.search"),
        ("store", "import elsa_nb.pool"),
        ("search/breach", "import elsa_nb.paper"),
        ("search/breach", "import elsa_nb.images"),
        ("images/downloads", "import elsa_nb.search"),
        ("images/downloads", "import elsa_nb.paper"),
        ("paper/breach", "import elsa_nb.label.panel"),
        ("label/items", "import elsa_nb.images"),
        ("label/items", "import elsa_nb.paper"),
        ("paper/breach", "import elsa_nb.cli"),
        ("paper/breach", "import elsa_nb.bench"),
        ("bench/arms", "import elsa_nb.paper.measures.medians"),
        ("bench/arms", "import elsa_nb.label.session"),
        ("bench/command", "import elsa_nb.label.session"),
        ("pool", "def late():\n    import torch"),
        ("search/breach", "import faiss"),
        ("paper/breach", "from torch import nn"),
        ("paper/breach", "import ipywidgets"),
        ("search/breach", "from PIL import Image"),
        ("helpers", "import json"),
        ("images/helpers", "import json"),
        ("images/sources/rows", "import elsa_nb.images.encoders.protocol"),
        ("images/encoders/protocol", "import elsa_nb.images.extraction.embed"),
        ("images/extraction/embed", "import elsa_nb.images.training.config"),
        ("images/glyph_pool/build", "import elsa_nb.images.extraction.embed"),
        ("label/session", "import elsa_nb.label.controller"),
        ("label/controller", "import elsa_nb.label.widget"),
        ("paper/breach", "import json"),
        ("paper/runs/breach", "import elsa_nb.paper.measures.medians"),
        ("paper/style", "import elsa_nb.paper.measures.medians"),
        ("paper/measures/breach", "import elsa_nb.paper.experiments.catalogue"),
        ("paper/experiments/catalogue", "import elsa_nb.paper.comparison.verdicts"),
        ("paper/experiments/noise/tables", "import elsa_nb.paper.experiments.components.tables"),
        ("paper/comparison/breach", "import elsa_nb.paper.publishing.exhibits"),
    ],
)
@pytest.mark.slow
def test_a_breach_is_caught(copy, module, line):
    with (copy / "elsa_nb" / f"{module}.py").open("a") as stream:
        stream.write(f"\n{line}\n")
    assert lint_imports(copy).returncode == 1


def test_the_label_room_may_draw_widgets(copy):
    (copy / "elsa_nb" / "label" / "panel.py").write_text("import ipywidgets\nimport elsa_nb.search\n")
    assert lint_imports(copy).returncode == 0


def test_importing_the_package_is_light():
    code = f"import sys, elsa_nb; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_the_search_room_loads_no_backend_until_asked():
    code = (
        "import sys, pkgutil, importlib, elsa_nb.search as room\n"
        "for m in pkgutil.walk_packages(room.__path__, 'elsa_nb.search.'): importlib.import_module(m.name)\n"
        "print([m for m in ('torch', 'faiss', 'ipywidgets', 'matplotlib', 'scipy.stats') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.parametrize("module", ["elsa_nb.label.panel", "elsa_nb.paper.experiments.catalogue"])
def test_what_is_slow_to_load_waits_until_it_is_used(module):
    """A panel, and each process of a sweep, would wait for it."""
    code = f"import sys, {module}; print([m for m in ('torch', 'scipy.stats') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
