"""Tables as they are read: words and units where frames have short names."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from elsa_nb.paper.measures.wording import readable


def test_columns_levels_and_values_that_are_names_become_words():
    frame = pd.DataFrame(
        {"metric": ["discovery_rate", "labels"], "reading": ["paper", "paper"], "by_chance": [0.5, 2.0], "low_80": 1}
    ).set_index(["reading", "metric"])
    shown = readable(frame, by_chance="as good by chance")
    assert list(shown.columns) == ["as good by chance", "to 80 %, 95 % low"]
    assert shown.index.tolist() == [("paper", "discovery rate"), ("paper", "labels")]
    flat = readable(frame.reset_index().rename_axis(columns="n"))
    assert flat["metric"].tolist() == ["discovery rate", "labels"]
    assert flat.columns.name == "encoders counted"


def test_the_frame_itself_and_its_numbers_stay():
    frame = pd.DataFrame({"linear_top1": [86.1], "role": ["n"]}, index=pd.Index([3], name="target"))
    before = frame.copy()
    shown = readable(frame)
    pd.testing.assert_frame_equal(frame, before)
    assert shown.to_numpy().tolist() == [[86.1, "n"]] and shown.index.name == "class" and shown.index.tolist() == [3]


@given(st.text("abc def", min_size=60, max_size=400).filter(lambda text: text == " ".join(text.split())))
def test_no_text_of_a_table_to_be_read_is_cut_off(text):
    for frame in (pd.DataFrame({"note": [text]}), pd.DataFrame({"n": [1]}, index=[text]), pd.DataFrame({text: [1]})):
        shown = readable(frame)
        assert text in shown._repr_html_()
        assert text in repr(shown)


def test_a_cell_without_a_value_is_empty_where_it_is_shown():
    frame = pd.DataFrame({"a": [1.5, None], "b": pd.array([None, 2], "Int64"), "c": ["NaN?", "x"]})
    shown = readable(frame)._repr_html_()
    assert shown.count("<td></td>") == 2
    assert "<td>1.5</td>" in shown
    assert "<td>2</td>" in shown
    assert "<td>NaN?</td>" in shown
