"""A run of the tests writes no file that git tracks, and what executed notebooks publish is what is committed."""

import importlib.util
import os
import shutil
import subprocess
import sys

import pytest

from elsa_nb.store import ROOT

GOOD = "def test_good(tmp_path):\n    (tmp_path / 'a.csv').write_text('new')\n"
BAD = "from pathlib import Path\ndef test_bad():\n    Path('figures/a.csv').write_text('new')\n"
PUBLISHES = """
import os
from pathlib import Path
def test_published():
    place = Path(os.environ["ELSA_FIGURES"])
    assert (place / "a.csv").read_text() == "arm,found\\nELSA,1.5\\n"
    (place / "a.csv").write_text("arm,found\\nELSA,{}\\n")
"""


@pytest.fixture
def checkout(tmp_path):
    """Make a checkout with one committed figure and this repository's rules for tests."""
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "a.csv").write_text("arm,found\nELSA,1.5\n")
    shutil.copy(ROOT / "conftest.py", tmp_path)
    for command in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


def run(checkout, test, *options):
    (checkout / "test_it.py").write_text(test)
    told = {name: value for name, value in os.environ.items() if name != "ELSA_FIGURES"}
    told["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # those that are not wanted take seconds to load
    wanted = [name for option, name in (("--nbval", "nbval.plugin"), ("-n", "xdist")) if option in options]
    plugins = [part for name in (*wanted, "no:cacheprovider") for part in ("-p", name)]
    command = [sys.executable, "-m", "pytest", "-q", *plugins, *options, "test_it.py"]
    return subprocess.run(command, cwd=checkout, env=told, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["one process", "xdist"])
def test_a_test_that_writes_a_tracked_file_fails_the_run_by_its_name(checkout, options):
    if not options:
        assert run(checkout, GOOD).returncode == 0
    done = run(checkout, BAD, *options)
    assert done.returncode == 1
    assert "files that git tracks were written" in done.stdout
    assert "figures/a.csv" in done.stdout


@pytest.mark.slow
def test_what_notebooks_publish_goes_into_a_copy(checkout):
    done = run(checkout, PUBLISHES.replace("{}", "1.500001"), "--nbval")
    assert done.returncode == 0, done.stdout
    assert (checkout / "figures" / "a.csv").read_text().endswith("ELSA,1.5\n")
    assert (checkout / "build" / "nbval" / "figures" / "a.csv").read_text().endswith("ELSA,1.500001\n")


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["one process", "xdist"])
def test_a_notebook_that_publishes_other_rows_than_the_committed_fails_the_run_by_their_name(checkout, options):
    done = run(checkout, PUBLISHES.replace("{}", "1.6"), "--nbval", *options)
    assert done.returncode == 1
    assert "figures/ shows other rows than the notebooks make" in done.stdout
    assert "a.csv" in done.stdout


@pytest.mark.parametrize(
    ("table", "same"),
    [
        ("arm,found\nELSA,1.5\n", True),
        ("arm,found\nELSA,1.50001\n", True),
        ("arm,found\nELSA,1.51\n", False),
        ("arm,found\nNN,1.5\n", False),
        ("arm,found\nELSA,\n", False),
        ("arm,found\nELSA,-\n", False),
        ("arm,finds\nELSA,1.5\n", False),
        ("arm,found\nELSA,1.5\nNN,2\n", False),
    ],
)
def test_rows_are_the_same_but_for_last_digits(tmp_path, table, same):
    found = importlib.util.spec_from_file_location("rules", ROOT / "conftest.py")
    rules = importlib.util.module_from_spec(found)
    found.loader.exec_module(rules)
    (tmp_path / "one.csv").write_text("arm,found\nELSA,1.5\n")
    (tmp_path / "other.csv").write_text(table)
    assert rules.same_rows(tmp_path / "one.csv", tmp_path / "other.csv") == same


def test_figures_go_where_the_variable_says(tmp_path):
    code = "from elsa_nb.profiles import profile; print(profile('full').figures)"
    told = os.environ | {"ELSA_FIGURES": str(tmp_path / "shown")}
    done = subprocess.run([sys.executable, "-c", code], env=told, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(tmp_path / "shown")
