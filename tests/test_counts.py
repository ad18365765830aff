"""One of a thing is no plural, wherever a person reads it."""

import numpy as np
import pytest

from elsa_nb import cli
from elsa_nb.counts import count_of
from elsa_nb.label.agreement import Agreement
from elsa_nb.label.cards import check_page_size
from elsa_nb.pool import Pool
from elsa_nb.vectors import as_vectors, remarks


def test_numbers_agree_with_their_words():
    assert [count_of(n, "item") for n in (0, 1, 1200)] == ["0 items", "1 item", "1,200 items"]
    assert [count_of(n, "class is", "classes are") for n in (1, 2)] == ["1 class is", "2 classes are"]


def test_a_pool_of_one_is_said_as_one(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.ones((1, 1), np.float32))
    assert cli.main(["pool", "make", "x.npy"]) == 0
    assert capsys.readouterr().out.endswith("1 vector of 1 value, id 0: --pool x-pool\n")
    assert repr(Pool.open("x-pool")) == "<Pool 'x': 1 row of 1 float32, embedding, id '0'>"
    assert remarks(np.zeros((1, 2), np.float32)) == ["1 of 1 vector is all zero: was this item encoded?"]
    assert "(1 different one)" in remarks(np.ones((2, 2), np.float32))[0]
    assert "both answered 1 item, 0 differently" in str(Agreement("ann", "bob", 1, 1))


def test_what_was_given_is_called_what_a_person_knows_it_by(tmp_path):
    np.save(tmp_path / "x.npy", np.float32(3))
    with pytest.raises(ValueError, match=r"x.npy: vectors are a single float32; a pool takes"):
        Pool.from_file(tmp_path / "x.npy")
    with pytest.raises(ValueError, match="vectors are of type NoneType"):
        as_vectors(None)
    with pytest.raises(ValueError, match="page = 0; allowed: 12, 24"):
        check_page_size(0)
