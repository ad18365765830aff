"""What the page says and shows in words and numbers is true of what there is, asked of its own script."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from elsa_nb import label

FOLDER = Path(label.__file__).parent
STATE = {"over": False, "overview": True, "last": True, "doors": True, "looking": 3, "answers": 0, "unseen": 0}


@pytest.fixture
def asked(tmp_path):
    """Return a function that evaluates an expression beside scripts of the page."""
    if (node := shutil.which("node")) is None:
        pytest.skip("no node here")

    def ask(expression, *scripts):
        text = "\n".join((FOLDER / script).read_text(encoding="utf-8") for script in scripts)
        (tmp_path / "driver.mjs").write_text(f"{text}\nconsole.log(JSON.stringify({expression}));", encoding="utf-8")
        done = subprocess.run([node, tmp_path / "driver.mjs"], capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return ask


@pytest.mark.parametrize("doors", [True, False])
@pytest.mark.parametrize("shown", [61, 181])  # on one page of 61, or on the last of several
@pytest.mark.parametrize("marked", [0, 1, 2, 3, 5])
def test_a_first_look_promises_others_only_where_there_are_others(asked, marked, shown, doors):
    state = STATE | {"marked": marked, "shown": shown, "open": 61 - marked, "doors": doors}
    for unasked in (0, 40, None):
        said = asked(f"guideOf({json.dumps(state | {'unasked': unasked})})", "guide.js")
        promised = "others" in said["onward"] or "other pictures." in said["text"]
        assert promised == (unasked != 0 and marked < 3)
        if unasked == 0:
            start = f"Start the search with {marked} example{'s' * (marked > 1)} ⏎"
            assert said["onward"] == (start if marked else "None of these: finish ⏎")
            assert "search begins with 3" not in said["text"]


def test_scores_that_differ_read_differently(asked):
    scores = [0.0, 3e-9, 4e-9, 0.00012, 0.00034, 0.0034, 0.05, 0.42, 0.5, 0.9966, 0.99987, 1 - 3e-7, 1.0]
    said = asked(f"{json.dumps(scores)}.map(scoreText)", "figures.js")
    assert len(set(said)) == len(scores)
    assert [said[i] for i in (1, 4, 7, 9)] == [", score 3.0e-9", ", score 0.00034", ", score 0.42", ", score 0.9966"]
    assert max(map(len, said)) <= len(", score 1 - 3.0e-7")
    assert asked("scoreText(null)", "figures.js") == ""


def test_the_pages_of_a_first_look_are_counted_without_those_of_the_search(asked):
    deals = "cards.deal(60, [], true); cards.deal(40, [], true); cards.deal(30, []); cards.deal(5, [], true, [3]);"
    ask = f"(() => {{ const cards = new Cards(12); {deals} return [0, 59, 60].map((p) => lookOf(cards, p)); }})()"
    script = ("cards.js", "layout.js")
    assert asked(ask, *script) == [[1, 2, 100], [1, 2, 100], [2, 2, 100]]


def test_a_card_that_was_passed_shows_what_was_answered_since(asked):
    deals = "cards.deal(3, [], true); cards.apply({op: 'rest'}); cards.deal(3, [[0, 1]], false, [], [[1, 0], [2, 1]]);"
    ask = f"(() => {{ const cards = new Cards(12); {deals} return [0, 1, 2, 3].map((p) => cards.answerAt(p)); }})()"
    assert asked(ask, "cards.js") == [-3, 1, -3, 1]
