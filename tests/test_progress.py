"""A bar is seen where a person looks: in a notebook it leaves no red line of what went to stderr."""

import sys
import types

import pytest

from elsa_nb import progress
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


@pytest.fixture
def nobody(monkeypatch):
    """Let there be no terminal and no notebook, and half a minute be over at once."""
    for name in ("ELSA_PROGRESS", "ELSA_PROGRESS_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(progress, "EVERY", 0)
    return monkeypatch


def test_where_nobody_looks_it_says_now_and_then_how_far_it_is(nobody, capsys):
    told = "{desc}: {percentage:3.0f}% |{bar}| {n_fmt} of {total_fmt} images, {remaining} left"
    with bar(None, "embedding images", total=200, bar_format=told) as shown:
        for _ in range(4):
            shown.update(50)
    lines = capsys.readouterr().err.splitlines()
    assert "embedding images:  50% 100 of 200 images, 00:00 left" in lines
    assert not any("|" in line or "\r" in line for line in lines)
    assert list(bar(iter("abc"), "reading")) == list("abc")  # of unknown length
    assert "reading: 3it" in capsys.readouterr().err


def test_what_is_over_within_half_a_minute_says_nothing_there(nobody, capsys):
    nobody.setattr(progress, "EVERY", 30)
    list(bar(range(1000), "embedding"))
    nobody.setattr(progress, "EVERY", 0)
    list(bar(range(1000), "embedding", False))
    nobody.setenv("ELSA_PROGRESS", "0")
    list(bar(range(1000), "embedding"))
    assert capsys.readouterr().err == ""


def test_bars_for_a_file_leave_none_open(tmp_path, monkeypatch):
    report = tmp_path / "report.txt"
    monkeypatch.setenv("ELSA_PROGRESS_FILE", str(report))
    opened, real = [], progress.Path.open
    monkeypatch.setattr(progress.Path, "open", lambda *given, **how: opened.append(real(*given, **how)) or opened[-1])
    for what in ("first", "second"):
        assert list(bar(range(3), what)) == [0, 1, 2]
    assert opened
    assert all(stream.closed for stream in opened)
    assert {"first", "second"} <= set(report.read_text().replace("\r", " ").replace(":", " ").split())
