"""A bar is seen where a person looks: in a notebook it leaves no red line of what went to stderr."""

import sys
import types

import pytest

from elsa_nb.progress import bar


class Shell:
    """IPython as it is in a kernel, or in a terminal."""

    def __init__(self, kernel: bool):
        if kernel:
            self.kernel = object()


@pytest.mark.parametrize("kernel", [True, False])
def test_a_bar_goes_where_a_person_looks(monkeypatch, capsys, kernel):
    monkeypatch.delenv("ELSA_PROGRESS_FILE", raising=False)
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))  # imported, whoever runs this
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: Shell(kernel)))
    list(bar(range(3), "embedding", True))
    said = capsys.readouterr()
    assert ("embedding" in said.out, "embedding" in said.err) == (kernel, not kernel)
