"""One name, one meaning: what two modules of the package both define in public, and why that is meant."""

import ast
from collections import defaultdict

from elsa_nb.store import ROOT

# A name that several modules define, and why it may be. Whoever renames one takes its line out.
MEANT = {
    "EXHIBITS": "every folder of an experiment has one, and the catalogue collects them",
    "SWEEPS": "every folder of an experiment has one, and the catalogue collects them",
    "main": "what runs where a module is a command",
    "read": "one for each format of earlier labels, called as `xml_files.read`, `folders.read`",
    "prepare": "a pool with its lists, and a folder with its pool",
    "check": "of values that a caller gave: a strategy, a request to search",
    "NEGATIVE": "the contract's answer, and the same number on a card of the panel",
    "POSITIVE": "the contract's answer, and the same number on a card of the panel",
    "UNSURE": "the contract's answer, and the same number on a card of the panel",
    "Pictures": "what a source has to offer, and the panel's items that are pictures of a source",
    "METRICS": "a search's measures; distances between vectors that the labelling job takes",
}


def public_names(text):
    """Return the functions, classes and constants that a module's text defines at its top, without an underscore."""
    names = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            parts = [part for target in targets for part in ast.walk(target)]
            names |= {part.id for part in parts if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    return {name for name in names if not name.startswith("_")}


def test_what_counts_as_a_public_name():
    text = (
        "import os\nA, (B, _c) = 1, (2, 3)\nD: int = 4\nos.e = 5\ndef f(g): h = 1\nclass I:\n    j = 2\ndef _k(): ..."
    )
    assert public_names(text) == {"A", "B", "D", "f", "I"}


def test_a_public_name_has_one_meaning():
    modules = defaultdict(list)
    for path in sorted((ROOT / "elsa_nb").rglob("*.py")):
        for name in public_names(path.read_text(encoding="utf-8")):
            modules[name].append(str(path.relative_to(ROOT)))
    several = {name: where for name, where in modules.items() if len(where) > 1}
    unmeant = {name: where for name, where in several.items() if name not in MEANT}
    assert unmeant == {}, "give each a name that says its noun, or say in MEANT why they are one"
    assert MEANT.keys() - several.keys() == set(), "take out of MEANT what is defined once"
