"""Headless runs of notebooks: parameters refused, results reused, failures loud, copies clean."""

import base64
import io

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from papermill.exceptions import PapermillExecutionError
from PIL import Image

from elsa_nb import profiles
from elsa_nb.paper.publishing import notebooks
from elsa_nb.paper.style import COLOURS, COMPONENT_COLOURS, STYLE


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks.store, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(profiles, "ROOT", tmp_path)
    (tmp_path / "notebooks").mkdir()
    return tmp_path / "notebooks"


METADATA = {
    "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
    "language_info": {"name": "python"},
}


def write(folder, *sources, name="00-small.ipynb"):
    cells = [new_code_cell(source) for source in sources]
    cells[0].metadata["tags"] = ["parameters"]
    node = new_notebook(cells=cells, metadata=METADATA)
    nbformat.write(node, folder / name)


@pytest.mark.slow
def test_an_executed_notebook_holds_its_figures_in_few_colours(folder):
    """Twenty notebooks hold their pictures in each version of the repository: a figure takes a quarter of the bytes."""
    draw = "import matplotlib.pyplot as plt\nax = plt.figure(figsize=(3, 2), dpi=50).subplots()\nax.plot([0, 1], 'r');"
    write(folder, "profile = 0", draw)
    path = folder / "00-small.ipynb"
    notebooks.execute_notebook(path, path, {})
    (output,) = (each for cell in nbformat.read(path, 4).cells for each in cell.outputs if "image/png" in each.data)
    picture = Image.open(io.BytesIO(base64.b64decode(output.data["image/png"])))
    assert picture.mode == "P" and len(picture.convert("RGB").getcolors()) <= 256
    assert max(red - blue for _, (red, _, blue) in picture.convert("RGB").getcolors()) > 200  # the line is still red


def test_every_line_of_a_figure_keeps_its_colour():
    """ELSA's and NN's were both teal, and the mark of Food-101 that of Tiny-ImageNet: a palette chosen by frequency."""
    lines = sorted({*COLOURS.values(), *COMPONENT_COLOURS.values()})
    with plt.rc_context(STYLE):
        figure, ax = plt.subplots(figsize=(9, 6))
        for i, colour in enumerate(lines):  # thin ones under pale bands, which have most of the shades
            ax.plot(range(200), [i + (place % 7) / 9 for place in range(200)], color=colour, lw=1.2)
            ax.fill_between(range(200), i - 1, i + 2, color=colour, alpha=0.08, lw=0)
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    plt.close(figure)
    data = {"image/png": base64.b64encode(stream.getvalue()).decode()}
    before = np.asarray(Image.open(stream).convert("RGB"), int)
    cell = new_code_cell("", outputs=[new_output("display_data", data)])
    notebooks._keep_pictures_small(cell)
    small = Image.open(io.BytesIO(base64.b64decode(cell.outputs[0].data["image/png"])))
    after = np.asarray(small.convert("RGB"), int)
    assert np.abs(after - before).max() <= 24


@pytest.mark.slow
def test_a_run_is_reused_until_something_changes(folder, capsys):
    profile = profiles.profile("quick")
    write(folder, 'profile = "full"', "print(profile)")
    notebooks.run_notebooks(profile, {})
    executed = profile.build / "notebooks" / "00-small.ipynb"
    assert "quick" in executed.read_text()
    assert "done in" in capsys.readouterr().out
    notebooks.run_notebooks(profile, {})
    assert "reused" in capsys.readouterr().out
    write(folder, 'profile = "full"', "print(profile * 2)")
    notebooks.run_notebooks(profile, {})
    assert "done in" in capsys.readouterr().out
    assert "quickquick" in executed.read_text()


@pytest.mark.slow
def test_a_run_that_goes_well_says_nothing_else_and_leaves_nothing(folder, capfd):
    """By file descriptors: a kernel is another process."""
    profile = profiles.profile("quick")
    write(folder, 'profile = "full"', "print(profile)")
    notebooks.run_notebooks(profile, {})
    told = capfd.readouterr()
    assert told.err == ""
    assert [line.split(":")[0] for line in told.out.splitlines()] == ["[1/1] 00-small"] * 2
    assert [path.name for path in folder.iterdir()] == ["00-small.ipynb"]
    assert sorted(path.name for path in (profile.build / "notebooks").iterdir()) == ["00-small.ipynb", "00-small.json"]


@pytest.mark.slow
def test_a_kernel_that_ends_with_words_of_its_own_is_not_heard_unless_it_dies(folder, capfd):
    """Its libraries write past the notebook: now and then about a socket that was closed when it was ended."""
    profile = profiles.profile("quick")
    late = "import atexit, os, sys\natexit.register(lambda: os.write(sys.__stderr__.fileno(), b'ERROR:library'))"
    write(folder, 'profile = "full"', late)
    notebooks.run_notebooks(profile, {})
    assert capfd.readouterr().err == ""
    write(folder, 'profile = "full"', "import os\nos.write(2, b'no memory is left')\nos._exit(9)")
    with pytest.raises(RuntimeError, match="Kernel died"):
        notebooks.run_notebooks(profile, {})
    assert "no memory is left" in capfd.readouterr().err
    assert [path.name for path in (profile.build / "notebooks").iterdir() if path.name.startswith(".")] == []


@pytest.mark.slow
def test_executed_copies_hold_no_times_and_no_paths(folder):
    profile = profiles.profile("quick")
    write(folder, 'profile = "full"', "print(profile)")
    notebooks.run_notebooks(profile, {})
    text = (profile.build / "notebooks" / "00-small.ipynb").read_text()
    assert "papermill" not in nbformat.reads(text, as_version=4).metadata
    assert "start_time" not in text
    assert str(folder) not in text


@pytest.mark.slow
def test_what_is_printed_in_a_row_is_one_output_wherever_it_was_broken_off(folder):
    in_pieces = "import time\nprint('16', end='', flush=True)\ntime.sleep(0.5)\nprint(' of 19')"
    write(folder, 'profile = "full"', in_pieces)
    profile = profiles.profile("quick")
    notebooks.run_notebooks(profile, {})
    executed = nbformat.read(profile.build / "notebooks" / "00-small.ipynb", as_version=4)
    assert [output.text for output in executed.cells[-1].outputs] == ["16 of 19\n"]


@pytest.mark.slow
def test_two_at_once_but_those_that_need_quiet_and_the_last(folder, monkeypatch, capfd):
    """Two wait for one another: they end only when both run. The others would find a mark of theirs."""
    monkeypatch.setattr(notebooks, "_BY_ITSELF", ("00-first",))
    wait = (
        "from pathlib import Path\nimport time\nPath('{0}').touch()\n"
        "while not Path('{1}').exists():\n    time.sleep(0.01)"
    )
    alone = "from pathlib import Path\nassert len(list(Path().glob('?'))) == {0}"
    written = {
        "00-first": alone.format(0),
        "01-one": wait.format("a", "b"),
        "02-two": wait.format("b", "a"),
        "03-last": alone.format(2),
    }
    for name, source in written.items():
        write(folder, 'profile = "quick"', source, name=f"{name}.ipynb")
    notebooks.run_notebooks(profiles.profile("quick"), {}, jobs=2)
    told = capfd.readouterr()
    assert told.err == ""
    assert sorted(line.split(":")[0] for line in told.out.splitlines()) == sorted(
        [f"[{i}/4] {name}" for i, name in enumerate(written, 1)] * 2
    )
    with pytest.raises(ValueError, match="0 notebooks at once; give 1 or more"):
        notebooks.run_notebooks(profiles.profile("quick"), {}, jobs=0)


def test_an_unknown_parameter_is_refused_before_anything_runs(folder):
    write(folder, 'profile = "quick"')
    with pytest.raises(ValueError, match=r"parameter 'profil' is not one of 00-small.ipynb's; allowed: profile"):
        notebooks.run_notebooks(profiles.profile("quick"), {"profil": "full"})
    assert not (folder.parent / "build").exists()


@pytest.mark.slow
def test_a_failing_cell_fails_the_run_and_leaves_no_copy(folder):
    profile = profiles.profile("quick")
    write(folder, 'profile = "quick"', "1 / 0")
    with pytest.raises(PapermillExecutionError, match="ZeroDivisionError"):
        notebooks.run_notebooks(profile, {})
    assert not list((profile.build / "notebooks").glob("*"))


def test_what_runs_by_itself_is_there():
    assert set(notebooks._BY_ITSELF) < {path.stem for path in notebooks.notebook_paths()}
