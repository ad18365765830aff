"""What is installed: pyproject.toml, requirements.lock and environment.yml agree with each other and with the imports.

environment.yml is checked statically: its specifications are parsed by a conda implementation and compared with
pyproject.toml. Nothing here solves it against a channel.
"""

import ast
import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import EntryPoint, packages_distributions

import pytest
import rattler
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from rattler.exceptions import InvalidMatchSpecError

import elsa_nb
from elsa_nb.store import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
CONDA_TO_PYPI = {"pytorch": "torch"}

# Declared, but not imported by elsa_nb: who uses it instead.
NOT_IMPORTED = {
    "jupyterlab": "people open the notebooks in it",
    "ipywidgets": "tqdm and the labelling panel draw with it in a notebook",
    "voila": "elsa-nb label runs it",
    "pyarrow": "pandas reads and writes Parquet with it",
    "torchvision": "the architecture of the paper's checkpoints, for the profile `paper`",
}


def requirements(lines):
    """Return the requirements by name; those that name our own extras are of other lines."""
    return {canonicalize_name(r.name): r for r in map(Requirement, lines) if r.name != PROJECT["name"]}


CORE = requirements(PROJECT["dependencies"])
# What `elsa-nb reproduce` needs, and so a machine on which everything is to run.
RUNTIME = CORE | requirements(line for extra in ("label", "images", "reproduce") for line in EXTRAS[extra])
ALL = RUNTIME | requirements(line for extra in EXTRAS.values() for line in extra)


# --- pyproject.toml against the code


@cache  # it reads the metadata of every package that is here
def installed():
    return packages_distributions()


def imported(sources):
    """Names of the third-party distributions imported anywhere in `sources`, lazily or not."""
    modules = set()
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules.add(node.module.partition(".")[0])
    own = {"elsa_nb", "benchmarks"} | {path.stem for path in (ROOT / "tests").rglob("*.py")}
    distributions = installed()
    found = {m: distributions.get(m, [m]) for m in modules - set(sys.stdlib_module_names) - own}
    return {canonicalize_name(names[0]) for names in found.values()}


def python_sources(folder):
    return [path.read_text() for path in sorted((ROOT / folder).rglob("*.py"))]


def notebook_sources():
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text())["cells"]
        yield from ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def test_everything_imported_is_declared():
    # Imported where asked for, with a word on what to install.
    optional = ("cpu", "gpu", "dask", "timm", "photos", "text", "files", "huggingface")
    allowed = set(RUNTIME) | set(requirements(line for extra in optional for line in EXTRAS[extra]))
    assert imported(python_sources("elsa_nb")) <= allowed
    assert imported(notebook_sources()) <= allowed
    assert imported(python_sources("tests")) <= set(ALL)
    assert imported(python_sources("benchmarks")) <= set(ALL)


def test_everything_declared_is_imported_or_explained():
    assert set(RUNTIME) - imported(python_sources("elsa_nb")) <= set(NOT_IMPORTED)
    assert set(NOT_IMPORTED) <= set(RUNTIME)


def test_searching_needs_no_more_than_the_core():
    searching = [path.read_text() for path in sorted((ROOT / "elsa_nb").glob("*.py")) if path.name != "cli.py"]
    assert imported([*searching, *python_sources("elsa_nb/search"), *python_sources("elsa_nb/pictures")]) <= {
        *CORE,
        *("torch", "faiss-cpu", "h5py", "dask"),  # imported where asked for
    }
    assert not {"torch", "torchvision", "ipywidgets", "jupyterlab", "matplotlib"} & set(CORE)


def test_the_scan_of_imports_sees_lazy_and_aliased_ones():
    assert imported(["def f():\n    import numpy.linalg as la\n    from PIL import Image\n    import os\n"]) == {
        "numpy",
        "pillow",
    }


def test_every_dependency_has_a_range_and_a_reason():
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    for name, requirement in ALL.items():
        assert requirement.specifier, f"{name} has no range"
        assert requirement.url is None
        reasons = [line for line in lines if re.match(rf'\s*"{re.escape(requirement.name)}(?:\[\w+\])?[<>=]', line)]
        assert reasons, f"{name} does not stand on a line of its own"
        for line in reasons:
            assert len(line.partition("#")[2].split()) >= 2, f"no reason beside {name}"


def test_the_command_points_at_a_function():
    assert callable(EntryPoint("elsa-nb", PROJECT["scripts"]["elsa-nb"], "console_scripts").load())


def test_one_version_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {PROJECT["version"], str(citation["version"]), elsa_nb.__version__} == {elsa_nb.__version__}
    assert f"## [{elsa_nb.__version__}]" in (ROOT / "CHANGELOG.md").read_text()


# --- requirements.lock

LOCK = (ROOT / "requirements.lock").read_text()
LOCKED = re.findall(r"^(\S+)==(\S+)(?: ; ([^\\\n]+?))? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", LOCK, re.M)


def test_the_lock_holds_pins_with_hashes_and_nothing_else():
    rest = re.sub(r"^(?:#.*|\S+==\S+.*|    --hash=sha256:[0-9a-f]{64}(?: \\)?)\n", "", LOCK, flags=re.M)
    assert rest == "", "index addresses, local paths and unpinned lines have no place in the lock"
    assert len(LOCKED) == len(re.findall(r"^[^#\s]", LOCK, re.M)), "a pin without a hash"
    names = [canonicalize_name(name) for name, *_ in LOCKED]
    assert len(names) == len(set(names)), "two versions of one package"


def test_the_lock_satisfies_pyproject():
    versions = {canonicalize_name(name): version for name, version, *_ in LOCKED}
    extras = requirements(line for extra, lines in EXTRAS.items() if extra != "gpu" for line in lines)
    for name, requirement in (RUNTIME | extras).items():
        assert name in versions, f"{name} is not locked: make lock"
        assert requirement.specifier.contains(versions[name]), f"{name} {versions[name]}: make lock"
    assert (versions["torch"], versions["torchvision"]) == ("2.14.1", "0.29.1")


def test_never_two_kinds_of_faiss():
    assert [name for name, *_ in LOCKED if name.startswith("faiss")] == ["faiss-cpu"]
    assert not any(name.startswith("faiss") for name in [*RUNTIME, *requirements(EXTRAS["dev"])])
    assert [spec.name.normalized for spec in conda_specs() if "faiss" in spec.name.normalized] == ["faiss-gpu"]


# --- environment.yml

ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text())


def conda_specs(environment=ENVIRONMENT):
    return [rattler.MatchSpec(line, strict=True) for line in environment["dependencies"] if isinstance(line, str)]


def pip_lines(environment=ENVIRONMENT):
    return [line for part in environment["dependencies"] if isinstance(part, dict) for line in part["pip"]]


def specifiers(spec):
    """Translate a conda version (">=2.1,<3", "2.14.*") into pip's."""
    return SpecifierSet(",".join(p if p[0] in "<>=!" else f"=={p}" for p in (spec.version or "").split(",") if p))


def flaws(environment):
    """List what is wrong with an environment as loaded from YAML."""
    unknown = set(environment) - {"name", "channels", "dependencies", "variables", "platforms"}
    found = [f"key {key}" for key in sorted(unknown)]
    if not environment.get("channels"):
        found.append("no channels")
    try:
        conda = [spec.name.normalized for spec in conda_specs(environment)]
        pip = [canonicalize_name(Requirement(x).name) for x in pip_lines(environment) if not x.startswith("-")]
    except (InvalidMatchSpecError, ValueError) as error:
        return [*found, f"specification: {error}"]
    if pip_lines(environment) and "pip" not in conda:
        found.append("a pip section without pip")
    names = [CONDA_TO_PYPI.get(name, name) for name in conda] + pip
    return found + [f"twice: {name}" for name in sorted({n for n in names if names.count(n) > 1})]


def test_environment_is_well_formed():
    assert flaws(ENVIRONMENT) == []


def test_environment_holds_what_the_tests_need():
    """What `make lock` puts into requirements.lock, conda's own packages aside."""
    locked = re.search(r"^LOCKED := (.+)$", (ROOT / "Makefile").read_text(), re.M)[1].split()
    ((line,),) = [re.findall(r"^-e \.\[(.+)\]$", line) for line in pip_lines()]
    assert set(line.split(",")) == set(locked) - {"label", "images", "reproduce", "cpu"}
    assert set(locked) == set(EXTRAS) - {"gpu"}


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        ({"prefix": "somewhere"}, "key prefix"),
        ({"channels": []}, "no channels"),
        ({"dependencies": ["pip", "python=>3.11,<,"]}, "specification: .*"),
        ({"dependencies": ["pip", "ipywidgets=8.1.*"]}, "specification: .*"),
        ({"dependencies": ["numpy", {"pip": ["papermill"]}]}, "a pip section without pip"),
        ({"dependencies": ["pip", {"pip": ["papermill=>2"]}]}, "specification: .*"),
        ({"dependencies": ["pip", "pytorch", {"pip": ["torch>=2"]}]}, "twice: torch"),
        ({"dependencies": ["numpy", "numpy >=2"]}, "twice: numpy"),
    ],
)
def test_the_check_of_the_environment_sees_flaws(change, flaw):
    found = flaws(ENVIRONMENT | change)
    assert len(found) == 1
    assert re.fullmatch(flaw, found[0], re.S)


def test_environment_has_the_ranges_of_pyproject():
    theirs = {CONDA_TO_PYPI.get(s.name.normalized, s.name.normalized): specifiers(s) for s in conda_specs()}
    ours = {name: r.specifier for name, r in (RUNTIME | requirements(EXTRAS["gpu"])).items()}
    assert theirs.pop("pip") == SpecifierSet()
    assert str(theirs.pop("python")) == "==3.11.*"
    assert SpecifierSet(PROJECT["requires-python"]).contains("3.11.0")
    assert theirs == ours


# --- Makefile


def test_make_help_lists_every_target():
    makefile = (ROOT / "Makefile").read_text()
    phony = set(re.search(r"^\.PHONY: (.+)$", makefile, re.M)[1].split())
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^  make (\S+)\s+\S", shown, re.M)) == phony


def test_ci_runs_what_a_user_runs():
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert [line.split("  #")[0] for line in lines if line.startswith("make ")] == ["make lint reproduce test"]
    assert "set -euo pipefail" in lines


def test_the_workflow_runs_what_ci_runs_and_tries_the_wheel_on_every_python_that_is_promised():
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text())["jobs"]
    steps = jobs["everything"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == [".ci/run"]
    assert SpecifierSet(PROJECT["requires-python"]).contains(steps[1]["with"]["python-version"])
    promised = [line.split()[-1] for line in PROJECT["classifiers"] if re.search(r"Python :: 3\.\d+$", line)]
    assert jobs["wheel"]["strategy"]["matrix"]["python"] == promised
    assert all((ROOT / step["run"].split()[1]).is_file() for step in jobs["wheel"]["steps"][3:])
