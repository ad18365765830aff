"""What `help()` and the pages of the API show: an example for each public name, a word on each field."""

import dataclasses
import doctest
import re
from importlib import import_module
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

import elsa_nb
from elsa_nb import Pool
from elsa_nb.store import ROOT


def shown():
    """Return the objects that the pages of the API name, members of modules included."""
    found = []
    for page in sorted((ROOT / "docs" / "pages" / "api").glob("*.md")):
        for path in re.findall(r"^::: (\S+)", page.read_text(encoding="utf-8"), re.MULTILINE):
            module, _, name = path.rpartition(".")
            named = getattr(import_module(module), name, None) or import_module(path)
            own = vars(named).values() if isinstance(named, ModuleType) else [named]
            found += [each for each in own if getattr(each, "__module__", "") in (path, module)]
    return found


def has_fields(kind):
    return isinstance(kind, type) and (dataclasses.is_dataclass(kind) or hasattr(kind, "_fields"))


KINDS = [kind for kind in shown() if has_fields(kind) and not kind.__name__.startswith("_")]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_help_tells_every_field(kind):
    fields = getattr(kind, "_fields", None) or [field.name for field in dataclasses.fields(kind)]
    told = re.findall(r"`(\w+)`|^ *(\w+): ", kind.__doc__, re.MULTILINE)
    assert set(fields) <= {name for pair in told for name in pair}


def test_the_pages_show_the_configurations():
    names = {kind.__name__ for kind in KINDS}
    assert {"SearchConfig", "HeadConfig", "HarvestConfig", "ProbeConfig", "Sweep", "Setting", "Pool", "Answer"} <= names


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a working folder with twelve pictures and the pool of their vectors, as examples call them."""
    rng = np.random.default_rng(0)
    (tmp_path / "my-images").mkdir()
    for i in range(12):
        Image.fromarray(rng.integers(0, 255, (8, 8, 3), np.uint8)).save(tmp_path / "my-images" / f"{i}.png")
    Pool.from_arrays(rng.normal(size=(12, 4)), [f"{i}.png" for i in range(12)]).save(tmp_path / "my-pool")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", elsa_nb.__all__)
@pytest.mark.usefixtures("folder")
def test_every_public_name_has_an_example_that_runs(name):
    named = getattr(elsa_nb, name)
    (test,) = doctest.DocTestFinder(recurse=False).find(named, name, globs={})
    assert test.examples
    result = doctest.DocTestRunner().run(test)
    assert result.failed == 0
