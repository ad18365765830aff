"""Names that lead out are refused, names that are not UTF-8 found again."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elsa_nb.pictures.opening import RefusedError, escaped, open_inside, unescaped


@given(st.binary(min_size=1, max_size=12).filter(lambda name: not {0, 47} & set(name) and name not in (b".", b"..")))
def test_any_name_is_found_again_by_its_escaped_form(tmp_path_factory, name):
    folder = tmp_path_factory.mktemp("names")
    (folder / os.fsdecode(name)).write_bytes(name)
    written = escaped(os.fsdecode(name))
    written.encode("utf-8")
    with open_inside(folder, written, through_links=False) as stream:
        assert stream.read() == name
    assert os.fsencode(unescaped(folder, written)) == name


@pytest.mark.parametrize("name", ["../a", "b/../../a", "/etc/hostname", "", "a\0", "b", r"\xe9/../../a"])
@pytest.mark.parametrize("through_links", [False, True])
def test_no_name_leads_out(tmp_path, name, through_links):
    (tmp_path / "a").write_text("secret")
    (tmp_path / "in" / "b").mkdir(parents=True)
    with pytest.raises((RefusedError, FileNotFoundError)):
        open_inside(tmp_path / "in", name, through_links=through_links).close()
