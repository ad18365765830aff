"""What may be tracked: files of a sane size, modules of one idea, names by the rules, no path of anybody's machine."""

import re
import subprocess

import pytest

from elsa_nb.paper.experiments.toy.stored import PATH as TOY
from elsa_nb.paper.runs.runner import results_file
from elsa_nb.paper.runs.verification import CANARIES, committed_results
from elsa_nb.store import ROOT

LARGEST_FILE = 16_000_000
LONGEST_MODULE = 400
VAGUE_NAMES = {"utils", "helpers", "common", "misc"}

# Folders in which people and build machines keep things; system folders (/usr/share/fonts) are the same everywhere.
_PLACES = "home|Users|root|work|workspace|builds|mnt|opt|srv|tmp|private|content"
MACHINE_PATH = re.compile(rf"(?<![\w.:/~*$}})-])/(?:{_PLACES})/[\w.]+|\b[A-Za-z]:\\\\?(?:Users|Temp)\b")
SPACES = CANARIES.parent / "generated-spaces.csv"  # what generated pools are like, for notebook 16
WORTH = CANARIES.parent / "encoder-worth-full.json"  # what encoders are worth by labels, for notebook 05


@pytest.fixture(scope="module")
def tracked():
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


def text_of(path):
    """Return a file's text, or None for a binary file."""
    data = path.read_bytes()
    return None if b"\0" in data[:8192] else data.decode(errors="replace")


def test_no_tracked_file_is_huge(tracked):
    assert [str(p) for p in tracked if p.stat().st_size > LARGEST_FILE] == []


def test_what_stored_results_are_verified_by_is_tracked(tracked):
    results = {results_file(*each) for each in committed_results()}
    cards = {path.with_suffix(".json") for path in results}
    assert results
    others = {CANARIES, TOY, SPACES, WORTH}
    assert {path for path in tracked if path.parent == CANARIES.parent} == others | results | cards


def test_no_path_of_a_machine_is_tracked(tracked):
    own = f"{ROOT}/"
    found = []
    for path in tracked:
        text = text_of(path)
        if text is None or path.name == "test_repository.py":
            continue
        if match := MACHINE_PATH.search(text):
            found.append(f"{path.relative_to(ROOT)}: {match[0]}")
        elif own in text:
            found.append(f"{path.relative_to(ROOT)}: the path of this checkout")
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        'open("/home/ann/data")',
        "see /Users/bo/x",
        "(/tmp/run1)",
        '"/root/.cache"',
        r"C:\Users\bo",
        r'"C:\\Users\\bo"',
        "a=/opt/thing",
    ],
)
def test_the_search_for_machine_paths_sees(text):
    assert MACHINE_PATH.search(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/home/page",
        "data/tmp/x",
        "../root/x",
        "$(BIN)/opt/x",
        "/usr/share/fonts/truetype",
        "~/pictures/x",
        "a / tmp / b",
        "s/home/x",
    ],
)
def test_the_search_for_machine_paths_leaves_alone(text):
    assert not MACHINE_PATH.search(text)


def test_modules_are_short():
    lengths = {p: p.read_text().count("\n") for p in (ROOT / "elsa_nb").rglob("*.py")}
    assert {str(p.relative_to(ROOT)): n for p, n in lengths.items() if n > LONGEST_MODULE} == {}


def test_modules_are_named_for_an_idea():
    assert [str(p) for p in (ROOT / "elsa_nb").rglob("*") if p.stem in VAGUE_NAMES] == []


def test_tests_mirror_the_package(tracked):
    rooms = {p.name for p in (ROOT / "elsa_nb").iterdir() if (p / "__init__.py").exists()}
    folders = {
        p.relative_to(ROOT).parts[1] for p in tracked if len(p.relative_to(ROOT).parts) > 2 and p.match("tests/*/*.py")
    }
    beside = {"browser", "benchmarks", "canaries", "docs"}  # a real browser, `make verify`, what is not of the package
    assert folders <= rooms | beside
