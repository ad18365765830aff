"""The house rules of the committed notebooks: thin, in plain words, executed in order, the same everywhere."""

import ast
import copy
import html
import json
import re

import pandas as pd
import pytest

from elsa_nb.store import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FILE_NAME = re.compile(r"\d\d-[a-z0-9]+(-[a-z0-9]+)*\.ipynb")
LONGEST_CELL = 12
LARGEST_NOTEBOOK = 300_000
PICTURES = {"image/png", "image/jpeg", "image/svg+xml"}
FORBIDDEN_STATEMENTS = {
    ast.FunctionDef: "def",
    ast.AsyncFunctionDef: "def",
    ast.ClassDef: "class",
    ast.Try: "try",
    ast.TryStar: "try",
}
FORBIDDEN_MODULES = {"sys", "subprocess", "os", "shutil"}
ABSOLUTE_PATH = re.compile(r"~|/[A-Za-z]|[A-Za-z]:[\\/]|file:")


def text(cell):
    return "".join(cell["source"])


def tags(cell):
    return cell["metadata"].get("tags", [])


def calls_plot(statement):
    """Whether a statement is a bare call of a function named `plot_...`, whose value Jupyter would print."""
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return False
    function = statement.value.func
    return getattr(function, "attr", getattr(function, "id", "")).startswith("plot_")


def code_flaws(cell):
    """List what the rules forbid in the source of one code cell."""
    source = text(cell)
    if not source.strip():
        return ["is empty"]
    found = []
    if (lines := source.count("\n") + 1) > LONGEST_CELL:
        found.append(f"has {lines} lines, at most {LONGEST_CELL} are allowed")
    if re.search(r"^\s*[!%]", source, re.M):
        return [*found, "holds a shell command or a magic"]
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        return [*found, f"is not Python: {error.msg}"]
    for node in ast.walk(tree):
        if type(node) in FORBIDDEN_STATEMENTS:
            found.append(f"holds {FORBIDDEN_STATEMENTS[type(node)]}: code belongs in the package")
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            found += [f"imports {n}" for n in names if n.partition(".")[0] in FORBIDDEN_MODULES]
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and ABSOLUTE_PATH.match(node.value):
            found.append(f"holds the absolute path {node.value!r}")
    # nbval runs cells outside the history, where Jupyter does not see the `;` that silences a cell's last value.
    if source.rstrip().endswith(";"):
        found.append("ends in `;`, which nbval does not honour: assign the value instead")
    elif tree.body and calls_plot(tree.body[-1]):
        found.append("ends in a bare plot, whose value would be printed: assign it")
    return found


def output_flaws(cell):
    """List what the rules forbid in the outputs of one code cell."""
    found = []
    for output in cell["outputs"]:
        if output["output_type"] == "error":
            found.append(f"shows the error {output['ename']}")
        if output["output_type"] == "stream" and output["name"] == "stderr":
            found.append("shows standard error (warnings, progress)")
    return found


def shows_figure(cell):
    outputs = [set(output.get("data", {})) for output in cell.get("outputs", [])]
    return any(PICTURES & kinds for kinds in outputs)


def parameter_flaws(cells):
    marked = [cell for cell in cells if "parameters" in tags(cell)]
    if len(marked) != 1:
        return [f"{len(marked)} cells are tagged `parameters`, exactly one is needed"]
    if marked[0]["cell_type"] != "code":
        return ["the cell tagged `parameters` is not code"]
    for node in ast.parse(text(marked[0])).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if getattr(target, "id", "") == "profile":
            good = isinstance(node.value, ast.Constant) and node.value.value == "quick"
            return [] if good else ['the default is not profile = "quick"']
    return ["the cell tagged `parameters` does not set `profile`"]


def flaws(notebook):
    """List every breach of the rules in a notebook given as loaded from JSON."""
    cells = notebook["cells"]
    found = parameter_flaws(cells)
    if notebook["metadata"].get("kernelspec", {}).get("name") != "python3":
        found.append("the kernel is not `python3`")
    if not cells or cells[0]["cell_type"] != "markdown":
        found.append("it does not open with a markdown cell")
    for index, cell in enumerate(cells):
        if "injected-parameters" in tags(cell) and "parameters" not in tags(cells[index - 1]):
            found.append(f"cell {index} was injected, but not right after the cell tagged `parameters`")
        if cell["cell_type"] != "code":
            continue
        found += [f"cell {index} {flaw}" for flaw in code_flaws(cell) + output_flaws(cell)]
        if shows_figure(cell):
            around = {"before": cells[index - 1 : index], "after": cells[index + 1 : index + 2]}
            for side, neighbour in around.items():
                if not neighbour or neighbour[0]["cell_type"] != "markdown":
                    found.append(f"cell {index} shows a figure without words {side} it")
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    if [cell["execution_count"] for cell in code] != list(range(1, len(code) + 1)):
        found.append("it was not executed once from top to bottom")
    if not any(cell["outputs"] for cell in code):
        found.append("its outputs were stripped")
    return found


def test_there_are_notebooks():
    assert NOTEBOOKS, "notebooks/ holds no notebook"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_obeys_the_rules(path):
    assert FILE_NAME.fullmatch(path.name), "a name is NN-words-in-lower-case.ipynb"
    assert path.stat().st_size < LARGEST_NOTEBOOK
    assert flaws(json.loads(path.read_text())) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_figure_that_is_saved_is_shown(path):
    """Prose that says what to look for needs the picture right there: all figures but the first were missing."""
    for cell in json.loads(path.read_text())["cells"]:
        if cell["cell_type"] == "code" and "save_figure(" in text(cell):
            assert any(PICTURES & output.get("data", {}).keys() for output in cell["outputs"]), text(cell)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_tables_are_headed_in_words(path):
    """`exhibits.readable` names columns; `alpha_1` and `alpha_2` are how prose writes the symbols of the paper."""
    for cell in json.loads(path.read_text())["cells"]:
        tables = "".join("".join(output.get("data", {}).get("text/html", "")) for output in cell.get("outputs", []))
        headings = {html.unescape(heading) for heading in re.findall(r"<th[^>]*>([^<]*)</th>", tables)}
        short = {each for each in headings if re.search("[a-z]_[a-z0-9]", re.sub("alpha_[12]", "", each))}
        assert short == set(), text(cell)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_text_in_a_table_is_cut_off(path):
    """A frame with more than a few words in a cell is shown by `exhibits.readable`, which keeps them all."""
    for cell in json.loads(path.read_text())["cells"]:
        for output in cell.get("outputs", []):
            shown = "".join(output.get("data", {}).get("text/html", ""))
            assert re.findall(r"<t[dh][^>]*>([^<]{30,}\.\.\.)</t[dh]>", shown) == [], text(cell)


def test_the_numbers_of_the_notebooks_are_distinct():
    numbers = [path.name[:2] for path in NOTEBOOKS]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize(
    ("notebook", "published", "columns"),
    [
        ("01-embeddings", "purity", {"encoder": "{}", "space": "{}", "purity": "{:.2f}"}),
        ("05-embedding-spaces", "table05", {"encoder": "{}", "linear_top1": "{:.1f}", "purity": "{:.2f}"}),
    ],
)
def test_what_a_notebook_of_all_encoders_shows_is_what_is_published(notebook, published, columns):
    """Without the vectors of ten encoders, which take minutes: what is committed agrees with itself."""
    cells = json.loads((ROOT / "notebooks" / f"{notebook}.ipynb").read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    shown = "\n".join("".join(output.get("data", {}).get("text/plain", "")) for output in outputs)
    frame = pd.read_csv(ROOT / "figures" / f"{published}.csv").drop_duplicates(list(columns))
    assert len(frame) >= 10
    for row in frame.to_dict("records"):
        values = [form.format(row[column]) for column, form in columns.items()]
        assert re.search(rf"\b{values[0]}\b.*\b{r'.*'.join(values[1:])}\b", shown), f"{values} is not shown"


# --- the checker itself


def code(source, count, outputs=(), **metadata):
    shape = {"cell_type": "code", "execution_count": count, "outputs": list(outputs)}
    return shape | {"source": source.splitlines(keepends=True), "metadata": metadata}


def words(source="What to look for."):
    return {"cell_type": "markdown", "metadata": {}, "source": [source]}


FIGURE = {"output_type": "display_data", "data": {"image/png": "", "text/plain": "<Figure>"}, "metadata": {}}

GOOD = {
    "metadata": {"kernelspec": {"name": "python3"}},
    "cells": [
        words("# Title"),
        code('profile = "quick"', 1, tags=["parameters"]),
        words(),
        code("import elsa_nb\nax = elsa_nb.plot_curve(1 / 2, label='recall / labels')", 2, [FIGURE]),
        words("What was seen."),
    ],
}


def changed(edit):
    notebook = copy.deepcopy(GOOD)
    edit(notebook)
    return notebook


def with_cell(source, outputs=()):
    return changed(lambda nb: nb["cells"].append(code(source, 3, outputs)))


def test_a_good_notebook_passes():
    assert flaws(GOOD) == []
    assert flaws(with_cell("'data/x', 'a/b', 'and/or', 'https://example.org'")) == []
    injected = changed(lambda nb: nb["cells"].insert(2, code('profile = "full"', 2, tags=["injected-parameters"])))
    injected["cells"][4]["execution_count"] = 3
    assert flaws(injected) == []
    typed = changed(lambda nb: nb["cells"][1].update(source=['profile: str = "quick"  # or full']))
    assert flaws(typed) == []


@pytest.mark.parametrize(
    ("source", "flaw"),
    [
        ("def f():\n    return 1", "def"),
        ("class A:\n    pass", "class"),
        ("try:\n    x = 1\nexcept ValueError:\n    pass", "try"),
        ("import sys", "imports sys"),
        ("from os import path", "imports os"),
        ("import sys\nsys.path.append('..')", "imports sys"),
        ("!ls", "shell"),
        ("%matplotlib inline", "magic"),
        ("    !pip install x", "shell"),
        ("open('/somewhere/x')", "absolute path"),
        ("open('~/x')", "absolute path"),
        (r"open('C:\\x')", "absolute path"),
        ("x = 1\n" * 12 + "x", "13 lines"),
        ("plot_curve(frame)", "a bare plot"),
        ("ax = figures.plot_curve(frame)\nfigures.plot_curve(frame)", "a bare plot"),
        ("figures.plot_curve(frame).set_title('x');", "ends in `;`"),
        ("", "is empty"),
        ("x = = 1", "not Python"),
    ],
)
def test_bad_code_is_named(source, flaw):
    found = flaws(with_cell(source))
    assert len(found) == 1
    assert found[0].startswith("cell 5")
    assert flaw in found[0]


@pytest.mark.parametrize(
    ("outputs", "flaw"),
    [
        ([{"output_type": "error", "ename": "KeyError", "evalue": "", "traceback": []}], "KeyError"),
        ([{"output_type": "stream", "name": "stderr", "text": ["warning"]}], "standard error"),
        ([FIGURE], "without words"),
    ],
)
def test_bad_outputs_are_named(outputs, flaw):
    found = flaws(with_cell("x = 1", outputs))
    assert found
    assert all(flaw in f for f in found)


@pytest.mark.parametrize(
    ("edit", "flaw"),
    [
        (lambda nb: nb["cells"][1]["metadata"].clear(), "0 cells are tagged"),
        (lambda nb: nb["cells"][3]["metadata"].update(tags=["parameters"]), "2 cells are tagged"),
        (lambda nb: nb["cells"][3]["metadata"].update(tags=["injected-parameters"]), "injected"),
        (lambda nb: nb["cells"][1].update(source=['profile = "full"']), 'not profile = "quick"'),
        (lambda nb: nb["cells"][1].update(source=["seeds = 5"]), "does not set `profile`"),
        (lambda nb: nb["metadata"]["kernelspec"].update(name="elsa"), "kernel"),
        (lambda nb: nb["metadata"].clear(), "kernel"),
        (lambda nb: nb["cells"].pop(0), "markdown"),
        (lambda nb: nb["cells"].pop(2), "without words before"),
        (lambda nb: nb["cells"].pop(4), "without words after"),
        (lambda nb: nb["cells"][3].update(execution_count=7), "top to bottom"),
        (lambda nb: nb["cells"][3].update(execution_count=None), "top to bottom"),
        (lambda nb: nb["cells"][3].update(outputs=[]), "stripped"),
    ],
)
def test_bad_structure_is_named(edit, flaw):
    found = flaws(changed(edit))
    assert len(found) == 1
    assert flaw in found[0]
