"""Sessions of earlier versions, which numbered the rows of data frames that are called by their index now."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elsa_nb.cli import main
from elsa_nb.label import Texts, identity
from elsa_nb.label.answers import Answer
from elsa_nb.label.import_labels import import_labels
from elsa_nb.label.session import Session
from elsa_nb.pool import Pool

N = 60
SHUFFLED = np.random.default_rng(0).permutation(N).astype(str).tolist()
APART = [str(2 * row + 10) for row in range(N)]  # some of them are row numbers, too
WORDS = [f"row-{row}" for row in range(N)]


class Unknown:
    """Items that do not tell their contents."""

    def __init__(self, ids):
        self.ids = ids


def _texts(order):
    return [f"text {row}" for row in order]


@pytest.fixture
def numbered(tmp_path):
    """Return a function that makes a session over numbered items, the first 20 of them answered."""

    def make(items, name="old.sqlite"):
        with Session(tmp_path / name) as session:
            session.acquire()
            identity.remember(session, identity.settle(session, items, items.ids), items.ids)
            session.write([Answer(str(row), -2, row % 2, position=row, row=row) for row in range(20)])
        return tmp_path / name

    return make


@pytest.mark.parametrize("ids", [SHUFFLED, APART, WORDS], ids=["shuffled", "apart", "words"])
@pytest.mark.parametrize(
    "items", [Texts(_texts(range(N))), Unknown([str(row) for row in range(N)])], ids=["texts", "unknown"]
)
def test_answers_by_row_number_go_to_the_same_rows_by_the_cure_in_the_refusal(
    numbered, tmp_path, monkeypatch, ids, items
):
    path = numbered(items)
    with Session(path) as session, pytest.raises(ValueError, match=r"by row numbers.*image_id") as refused:
        identity.settle(session, items, ids)
    monkeypatch.chdir(tmp_path)
    Pool.from_arrays(np.random.default_rng(0).normal(size=(N, 4)), ids).save("POOL")
    command = str(refused.value).split("`")[1].split()
    assert command[0] == "elsa-nb"
    assert main(command[1:]) == 0
    with Session("NEW.sqlite") as session:
        assert session.known() == {ids[row]: row % 2 for row in range(20)}
        identity.settle(session, items, ids)


def test_without_a_word_on_rows_nothing_is_imported_by_the_numbers(numbered, tmp_path):
    path = numbered(Texts(_texts(range(N))))
    with Session(tmp_path / "new.sqlite") as session:
        with pytest.raises(ValueError, match=r"item='row' takes the answers by row.*item='item' by name"):
            import_labels(session, path, SHUFFLED)
        assert session.known() == {}
        import_labels(session, path, SHUFFLED, item="item")
        assert session.known() == {str(row): row % 2 for row in range(20)}
        with pytest.raises(ValueError, match=r"which row each item had: it remembers 60 items, and 61 are here"):
            import_labels(session, path, [*SHUFFLED, "x"], item="row")
        with pytest.raises(ValueError, match="allowed: row, item"):
            import_labels(session, path, SHUFFLED, item="name")


def test_numbered_items_in_another_order_go_by_name_where_their_contents_say_so(numbered):
    with Session(numbered(Texts(_texts(range(N))))) as session:
        settled = identity.settle(session, Texts(_texts(SHUFFLED)), SHUFFLED)
    assert [SHUFFLED[row] for row in settled.carried] == [str(row) for row in range(20)]


@pytest.mark.parametrize("ids", [SHUFFLED, WORDS], ids=["shuffled", "words"])
def test_other_items_in_the_rows_are_other_items(numbered, ids):
    things, other = Texts(_texts(range(N))), Texts(_texts(range(1000, 1000 + N)))
    with Session(numbered(things)) as session, pytest.raises(ValueError, match="answers about other items") as refused:
        identity.settle(session, other, ids)
    assert "--item row" not in str(refused.value)


def test_an_import_by_names_is_refused_where_the_contents_contradict_it(numbered, tmp_path):
    path = numbered(Texts(_texts(range(N))))
    with Session(numbered(Texts(_texts(range(1000, 1000 + N))), "other.sqlite")) as session:
        before = session.known()
        with pytest.raises(ValueError, match=r"other items of the same names: '0' is something else in .*other.sqlite"):
            import_labels(session, path, [str(row) for row in range(N)], replace=True)
        assert session.known() == before
        with pytest.raises(ValueError, match="something else there") as refused:
            identity.settle(session, Texts(_texts(range(N))), [str(row) for row in range(N)])
    assert "labels import" not in str(refused.value)


def test_labels_are_not_imported_by_ids_into_a_session_that_knows_numbers(numbered, tmp_path, monkeypatch, capsys):
    path = numbered(Texts(_texts(range(N))))
    monkeypatch.chdir(tmp_path)
    Pool.from_arrays(np.random.default_rng(0).normal(size=(N, 4)), SHUFFLED).save("POOL")
    (tmp_path / "more.csv").write_text("item,label\n30,1\n")
    assert main(["labels", "import", str(path), "more.csv", "--pool", "POOL"]) != 0
    assert "by row numbers" in capsys.readouterr().err
    with Session(path) as session:
        assert len(session.known()) == 20


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(6)), known=st.integers(0, 6), named=st.sampled_from(["im{}.jpg", "{}1", "0{}"]))
def test_answers_are_taken_by_row_only_where_no_name_has_moved(tmp_path_factory, order, known, named):
    folder = tmp_path_factory.mktemp("sessions")
    before = [named.format(row) for row in range(6)]
    # So many of the names are here still, in an order of their own; the others have new ones.
    here = [before[row] if row < known else f"new-{row}" for row in order]
    with Session(folder / "old.sqlite") as session:
        session.acquire()
        items = Unknown(before)
        identity.remember(session, identity.settle(session, items, before), before)
        session.write([Answer(name, -2, row % 2, position=row, row=row) for row, name in enumerate(before)])
    moved = any(row < known and place != row for place, row in enumerate(order))
    with Session(folder / "new.sqlite") as session:
        if moved:
            with pytest.raises(ValueError, match=r"in other rows: .* was in row \d.*item='item' takes the answers by"):
                import_labels(session, folder / "old.sqlite", here, item="row")
            assert session.known() == {}
        else:
            import_labels(session, folder / "old.sqlite", here, item="row")
            assert session.known() == {name: row % 2 for row, name in enumerate(here)}
