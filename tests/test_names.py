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


# Private by their names, and yet what a library offers for this; or there is no other way, and the line says why.
OFFERED = {"_replace", "_asdict", "_fields", "os._exit", "argparse._AppendAction", "nn.modules.batchnorm._BatchNorm"}
OFFERED |= {"table._fingerprint"}


def private_names_of_others(text):
    """Return the private attributes that a module's text takes from elsewhere: it defines no such name itself."""
    tree = ast.parse(text)
    own, taken = set(), []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            own.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            own.add(node.target.id)
        elif isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.endswith("__"):
            if ast.unparse(node.value) in ("self", "cls"):
                own.add(node.attr)
            else:
                taken.append(node)
        elif isinstance(node, ast.ImportFrom):
            taken += [ast.Attribute(ast.Name(str(node.module)), a.name) for a in node.names if a.name.startswith("_")]
    return [
        ast.unparse(node)
        for node in taken
        if not node.attr.endswith("__") and node.attr not in own and OFFERED.isdisjoint((node.attr, ast.unparse(node)))
    ]


def test_what_counts_as_a_private_name_of_another_module():
    text = (
        "from a import _b, c\n"
        "class D:\n    def _e(self, d):\n        self._f = d._f + d._g + d.__len__()\n        d._e(d._replace())"
    )
    assert private_names_of_others(text) == ["a._b", "d._g"]


def test_no_module_uses_private_names_of_another():
    taken = {p: private_names_of_others(p.read_text(encoding="utf-8")) for p in (ROOT / "elsa_nb").rglob("*.py")}
    found = {str(path.relative_to(ROOT)): names for path, names in taken.items() if names}
    assert found == {}, "make them public, with a docstring, or go another way"
