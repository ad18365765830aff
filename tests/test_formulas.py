"""No CSV file that is written here makes a spreadsheet compute what somebody called a file or a class."""

from hypothesis import given
from hypothesis import strategies as st

from elsa_nb.formulas import meant, safe


@given(st.text("'=+-@\t\ra1 ", max_size=6))
def test_a_text_is_marked_where_it_would_be_computed_and_comes_back_as_it_was(text):
    assert not safe(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert meant(safe(text)) == text


def test_only_texts_are_marked():
    assert [safe(value) for value in (-0.5, -3, None, True, "a", "'a'", "")] == [-0.5, -3, None, True, "a", "'a'", ""]
