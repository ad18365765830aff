"""What the README shows runs as pasted."""

import re

from elsa_nb.store import ROOT


def test_the_loop_runs_as_pasted_and_finds_the_class(capsys):
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition("## The loop")[2]
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    exec(compile(code, "README.md", "exec"), {})
    found, labels = map(int, re.fullmatch(r"(\d+) found with (\d+) labels\n", capsys.readouterr().out).groups())
    assert found == 40
    assert labels < 2000
