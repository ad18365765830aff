"""Progress bars: where they are shown."""

import sys

from elsa_nb.progress import bar


def test_a_bar_of_a_notebook_is_no_error_output(monkeypatch, capsys):
    monkeypatch.delenv("ELSA_PROGRESS_FILE", raising=False)
    for name in ("ipykernel", "elsewhere"):
        monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
        monkeypatch.setitem(sys.modules, name, sys)
        assert list(bar([1, 2], "embedding", True)) == [1, 2]
        said = capsys.readouterr()
        assert ("embedding" in said.out, "embedding" in said.err) == (name == "ipykernel", name != "ipykernel")
