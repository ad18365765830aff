"""What is said of answered items that are not here any more: which they are, and whether they are gone."""

from elsa_nb.label import Files, Texts
from elsa_nb.label.gone_items import lost_answers_said


def test_lost_items_are_named_and_those_whose_files_are_there_are_not_called_gone(tmp_path):
    for name in ("here.png", "empty.png"):
        (tmp_path / name).write_bytes(b"")
    items = Files(tmp_path, ["here.png"])
    assert lost_answers_said(items, []) == ""
    assert lost_answers_said(items, ["away.png"]) == (
        "1 answer is about an item that is gone (away.png): it stays in the file."
    )
    assert lost_answers_said(items, ["empty.png"]) == (
        "1 answer is about a file that cannot be read now (empty.png): it stays in the file."
    )
    many = [f"{n}.png" for n in range(5)]
    assert lost_answers_said(items, [*many, "empty.png", "../above.png", "no\0name"]) == (
        "7 answers are about gone items (0.png, 1.png, 2.png, ...): they stay in the file. "
        "1 answer is about a file that cannot be read now (empty.png): it stays in the file."
    )


def test_items_that_are_no_files_are_gone_where_they_are_lost():
    assert "about gone items (b, c): they stay" in lost_answers_said(Texts(["a"]), ["b", "c"])
