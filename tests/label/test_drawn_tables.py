"""Tables and lists out of pages of notes: drawn with bars and rules, or with boxes to tick."""

import pandas as pd
import pytest

from elsa_nb.label.label_files.reader import read_labels

IDS = ["owls/a b.jpg", "owls/b|c.jpg", "d_e.jpg"]
LABELS = {0: 1, 1: 0}
DRAWN = {
    "Markdown": "| Item | Label |\n|---|---|\n| owls/a b.jpg | 1 |\n| owls/b\\|c.jpg | 0 |\n",
    "short rules": "|item|label|\n|-|-|\n|owls/a b.jpg|yes|\n|owls/b\\|c.jpg|no|\n",
    "no outer bars": "item | label\n:--- | :---:\nowls/a b.jpg | 1.0\nowls/b\\|c.jpg | 0.0\n",
    "code and bold": "| image | label |\r\n| :-- | --: |\r\n| `owls/a b.jpg` | **x** |\r\n| owls/b\\|c.jpg | |\r\n",
    "links": '|item|label|\n|--|--|\n|![an owl](owls/a b.jpg "big")|1|\n|[no owl](<owls/b\\|c.jpg>)|0|\n',
    "in a page": "# May\n\nLabels | by ann:\n\n| item | label |\n|--|--|\n| owls/a b.jpg | 1 |\n\nand\n\n"
    "| item | label |\n|--|--|\n| owls/b\\|c.jpg | 0 |\n",
    "org-mode": "| item | label |\n|------+-------|\n| owls/a b.jpg | 1 |\n| owls/b\\|c.jpg | 0 |\n",
    "psql": " item | label \n------+-------\n owls/a b.jpg | t \n owls/b\\|c.jpg | f \n(2 rows)\n",
    "mysql": "+------+---+\n| item | label |\n+------+---+\n| owls/a b.jpg | 1 |\n"
    "| owls/b\\|c.jpg | 0 |\n+------+---+\n",
    "boxes": "┌──────┬───────┐\n│ item │ label │\n├──────┼───────┤\n│ owls/a b.jpg │ 1 │\n"
    "│ owls/b\\|c.jpg │ 0 │\n└──────┴───────┘\n",
}


def read(folder, text, **options):
    (folder / "labels.md").write_text(text, encoding="utf-8", newline="")
    return read_labels(folder / "labels.md", IDS, **options)


@pytest.mark.parametrize("kind", DRAWN)
def test_tables_are_read_however_they_are_drawn(tmp_path, kind):
    labels = {0: 1} if kind == "code and bold" else LABELS
    found = read(tmp_path, DRAWN[kind])
    assert (found.given, found.unmatched) == ({None: labels}, [])


@pytest.mark.parametrize("form", ["github", "pipe", "grid", "psql", "outline", "orgtbl", "pretty", "presto"])
def test_what_pandas_draws_is_read(tmp_path, form):
    tabulate = pytest.importorskip("tabulate")
    frame = pd.DataFrame({"item": [IDS[0], IDS[2]], "label": [1.0, 0.0]})
    text = tabulate.tabulate(frame, headers="keys", tablefmt=form, showindex=False)
    assert read(tmp_path, text).given == {None: {0: 1, 2: 0}}


def test_two_tables_of_different_kinds_are_not_mixed(tmp_path):
    second = "\n| item | keeper |\n|--|--|\n| d_e.jpg | ann |\n"
    with pytest.raises(ValueError, match=r"several tables.*line 1 \(Item, Label\) and on line 6 \(item, keeper\)"):
        read(tmp_path, DRAWN["Markdown"] + second)
    with pytest.raises(ValueError, match="line 3 has 3 cells and the header of its table 2"):
        read(tmp_path, "| item | label |\n|--|--|\n| owls/b|c.jpg | 1 |\n")


def test_bars_without_a_rule_are_separators(tmp_path):
    assert read(tmp_path, "item|label|note\nowls/a b.jpg|1|-\nd_e.jpg|0|--\n").given == {None: {0: 1, 2: 0}}


def test_boxes_to_tick(tmp_path):
    found = read(tmp_path, "- [x] owls/a b.jpg\n- [ ] d_e.jpg\n- [X] gone.jpg\n")
    assert (found.given, found.empty, len(found.unmatched)) == ({None: {0: 1}}, 1, 1)
    with pytest.raises(ValueError, match="every='positive'"):
        read(tmp_path, "* `owls/a b.jpg`\n* d_e.jpg\n")
    assert read(tmp_path, "* `owls/a b.jpg`\n* d_e.jpg\n", every="positive").rows() == [0, 2]
