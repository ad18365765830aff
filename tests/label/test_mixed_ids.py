"""A pool may hold ids of many looks: one that is no file is found by its own text alone, whatever stands beside it."""

from hypothesis import given
from hypothesis import strategies as st

from elsa_nb.label.label_files.names import Names

_NO_FILE = st.one_of(
    st.integers(0, 30).map("{}.5".format),
    st.integers(0, 3).map("python-3.{}".format),
    st.integers(0, 3).map("https://shop.org/list?page={}".format),
    st.text("Cc/\\()O.", max_size=6).map("{}=C".format),
    st.sampled_from(["Panthera leo (Linnaeus, 1758)", "panthera leo", "50%", "a, b", "?", "x/1", "X/1"]),
)
_FILE = st.integers(0, 3).map("photos/{}.jpg".format)
_WAYS = ["{}", "photos/{}", "{}.jpg", "{}?w=3", "C/{}", "{}.Cl", " {} "]


@given(st.lists(_NO_FILE | _FILE, min_size=1, max_size=8, unique=True), _NO_FILE | _FILE, st.sampled_from(_WAYS))
def test_an_id_that_is_no_file_is_found_by_its_own_text_alone(pool, name, way):
    """Folders may stand in front of it, as in exports for other programs, unless it may be a number or a formula."""
    name = way.format(name)
    if isinstance(row := Names(pool).find(name), int) and not (item := pool[row].strip()).endswith(".jpg"):
        led = "=" not in item and "(" not in item and not item.replace(".", "").isdigit()
        assert name.strip() in ((item, f"photos/{item}", f"C/{item}") if led else (item,))
