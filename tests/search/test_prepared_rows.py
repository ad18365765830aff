"""Preparation: standardise, reduce, half-whiten, unit length; in blocks, of any vectors, without a surprise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from elsa_nb.search.heads import prepared_rows
from elsa_nb.search.heads.prepared_rows import Preparation, PreparedRows


def vectors(n=300, d=12, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) * rng.uniform(0.1, 9, d) + rng.normal(size=d)).astype(
        np.float32
    )


def literal(x, dimensions=256, power=0.25):
    """Prepare by the book, in double precision."""
    x = x.astype(np.float64)
    x = (x - x.mean(0)) / x.std(0)
    values, axes = np.linalg.eigh(x.T @ x / len(x))
    values, axes = values[::-1][:dimensions], axes[:, ::-1][:, :dimensions]
    z = x @ axes / values**power
    return z / np.linalg.norm(z, axis=1, keepdims=True)


@pytest.mark.parametrize("dimensions", [256, 5])
@pytest.mark.parametrize("power", [0, 0.25, 0.5])
def test_cosines_are_those_of_a_literal_preparation(dimensions, power):
    x = vectors()
    z, expected = PreparedRows.of(x, dimensions=dimensions, power=power).vectors, literal(x, dimensions, power)
    assert z.dtype == np.float32
    assert z.shape == (300, min(12, dimensions))
    assert z @ z.T == pytest.approx(expected @ expected.T, abs=1e-4)


def test_blocks_and_a_mapped_file_change_nothing_but_rounding(tmp_path, monkeypatch):
    x = vectors(n=1000)
    whole = PreparedRows.of(x).vectors
    np.save(tmp_path / "x.npy", x)
    assert (PreparedRows.of(np.load(tmp_path / "x.npy", mmap_mode="r")).vectors == whole).all()
    monkeypatch.setattr(prepared_rows, "_BLOCK", 7)
    in_blocks = PreparedRows.of(x).vectors
    assert in_blocks @ in_blocks.T == pytest.approx(whole @ whole.T, abs=1e-5)


def test_half_precision_is_prepared_as_what_it_stores():
    half = vectors().astype(np.float16)
    assert (PreparedRows.of(half).vectors == PreparedRows.of(half.astype(np.float32)).vectors).all()


@pytest.mark.parametrize("given", [np.float64, np.asfortranarray, np.ndarray.tolist])
def test_vectors_are_prepared_as_a_pool_stores_them(given):
    assert (PreparedRows.of(given(vectors())).vectors == PreparedRows.of(vectors()).vectors).all()


def test_a_dimension_in_another_unit_changes_nothing():
    x = vectors()
    other = x * np.where(np.arange(12) == 3, np.float32(1024), np.float32(1))
    one, two = PreparedRows.of(x).vectors, PreparedRows.of(other).vectors
    assert one @ one.T == pytest.approx(two @ two.T, abs=1e-5)


def test_the_cosine_in_two_encoders_is_the_mean_of_theirs():
    x, y = vectors(d=12), vectors(d=5, seed=1)
    both, first, second = (PreparedRows.of(*of).vectors for of in ((x, y), (x,), (y,)))
    assert both.shape == (300, 17)
    assert both @ both.T == pytest.approx((first @ first.T + second @ second.T) / 2, abs=1e-5)


def test_equal_rows_are_told_and_prepared_to_the_same_bits():
    x = vectors()
    x[[250, 7, 299]], x[100] = x[3], x[40]
    rows = PreparedRows.of(x)
    assert rows.twins.tolist() == [3, 7, 40, 100, 250, 299]
    assert (
        rows.twin_groups.tolist() == [rows.twin_groups[0]] * 2 + [rows.twin_groups[2]] * 2 + [rows.twin_groups[0]] * 2
    )
    assert rows.twin_groups[0] != rows.twin_groups[2]
    assert (rows.vectors[[7, 250, 299]] == rows.vectors[3]).all()
    y = vectors(seed=1)
    y[7] = y[3]
    assert PreparedRows.of(x, y).twins.tolist() == [3, 7]  # equal in both encoders


def test_rows_whose_hashes_meet_by_chance_are_no_twins(monkeypatch):
    monkeypatch.setattr(prepared_rows, "_hash_rows", lambda words, hashes: hashes.fill(1))
    x = vectors(n=20)
    x[5] = x[0]
    assert PreparedRows.of(x).twins.tolist() == [0, 5]


@pytest.mark.parametrize(
    "x",
    [np.zeros((4, 3), np.float32), np.ones((2, 1), np.float32), np.ones((1, 5), np.float32)],
    ids=["zeros", "one dimension, equal rows", "one row"],
)
def test_rows_that_do_not_differ_are_zero(x):
    rows = PreparedRows.of(x)
    assert not rows.vectors.any()
    assert len(rows.twins) in (0, len(x))


@settings(max_examples=40, deadline=None)
@given(
    arrays.arrays(
        st.sampled_from([np.float16, np.float32]),
        st.tuples(st.integers(1, 12), st.integers(1, 6)),
        elements=st.sampled_from([0, 1, -1, 0.5, 3, 1000, -2000, 1e-4]),
    )
)
def test_whatever_the_vectors_rows_are_finite_and_of_length_one_or_zero(x):
    rows = PreparedRows.of(x)
    lengths = np.linalg.norm(rows.vectors.astype(float), axis=1)
    assert np.isfinite(rows.vectors).all()
    assert ((abs(lengths - 1) < 1e-5) | (lengths == 0)).all()
    _, counts = np.unique(x, axis=0, return_counts=True)
    assert len(rows.twins) == counts[counts > 1].sum()


def test_numbers_at_the_ends_of_float32_are_prepared_as_others_are():
    x = np.where(np.random.default_rng(0).random((300, 4)) < 0.3, -3, 3).astype(np.float32)
    assert PreparedRows.of(x * np.float32(1.1e38)).vectors == pytest.approx(PreparedRows.of(x).vectors, abs=1e-5)
    x[:, 3], x[7, 3] = 0, 1e-44  # what varies so little is constant
    assert PreparedRows.of(x).vectors == pytest.approx(PreparedRows.of(x[:, :3]).vectors, abs=1e-5)


def test_what_cannot_be_prepared_is_refused():
    with pytest.raises(ValueError, match=r"the value 1e\+38 in column . is .* standard deviations from the mean"):
        Preparation.of(vectors() * np.float32(1e-30))(np.full((2, 12), 1e38, np.float32))
    with pytest.raises(ValueError, match="no vectors given"):
        PreparedRows.of()
    with pytest.raises(ValueError, match="encoders of 300 and 20 rows; give vectors of the same items"):
        PreparedRows.of(vectors(), vectors(n=20))


def test_lists_are_prepared_as_arrays_are():
    rows = [[1.0, 2.0], [3.0, 5.0], [0.0, 1.0]]
    assert np.array_equal(PreparedRows.of(rows).vectors, PreparedRows.of(np.array(rows, np.float32)).vectors)
