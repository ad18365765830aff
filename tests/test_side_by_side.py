"""Several encoders side by side: each counts the same, items keep their names, and a search prepares each by itself."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elsa_nb import cli
from elsa_nb.label.searching import search_from
from elsa_nb.pool import Pool
from elsa_nb.search.heads.prepared_rows import PreparedRows
from elsa_nb.search.oracle import Truth
from elsa_nb.side_by_side import by_direction, join_pools, of_one_length, parts_of

N = 60


def pool_of(seed, d=6, dtype=np.float32, name="one", order=None, **told):
    rng = np.random.default_rng(seed)
    vectors = (rng.normal(size=(N, d)) * rng.uniform(0.1, 30)).astype(dtype)
    order = np.arange(N) if order is None else order
    return Pool.from_arrays(vectors[order], np.array([f"{i}.jpg" for i in range(N)])[order], name=name, **told)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 9), st.sampled_from([np.float16, np.float32])), min_size=2, max_size=4),
    st.integers(0, 9),
)
def test_an_inner_product_is_the_mean_of_the_cosines(tmp_path_factory, encoders, seed):
    order = np.random.default_rng(seed).permutation(N)
    pools = [pool_of(i, d, dtype, order=order if i % 2 else None) for i, (d, dtype) in enumerate(encoders)]
    joined = join_pools(pools, tmp_path_factory.mktemp("joined") / "pool")
    cosines = []
    for pool in pools:
        unit = pool.vectors / np.linalg.norm(pool.vectors.astype(float), axis=1, keepdims=True)
        places = [pool.ids.tolist().index(item) for item in joined.ids]
        cosines.append(unit[places] @ unit[places].T)
    rows = joined.vectors.astype(float)
    assert joined.ids.tolist() == pools[0].ids.tolist()
    assert joined.vectors.dtype == np.result_type(*(dtype for _, dtype in encoders))
    assert rows @ rows.T == pytest.approx(np.mean(cosines, axis=0), abs=4e-3)
    assert joined.widths == tuple(d for d, _ in encoders)


def test_a_joined_pool_opens_saves_and_joins_as_any_other(tmp_path):
    one, two = pool_of(0, name="one"), pool_of(1, 3, name="two", space="projection")
    joined = join_pools([one, two], tmp_path / "both")
    again = Pool.open(tmp_path / "both").save(tmp_path / "copy")
    assert again.columns == joined.columns == (slice(0, 6), slice(6, 9))
    assert again.recipe == joined.recipe
    assert (joined.name, joined.space) == ("one and two", "embedding and projection")
    three = join_pools([joined, pool_of(2, 2, name="three")], tmp_path / "three")
    assert three.widths == (6, 3, 2)
    assert [part["name"] for part in parts_of(three)] == ["one", "two", "three"]
    assert pool_of(0).columns == (slice(0, 6),)
    assert pool_of(0).widths == ()


def test_the_same_call_finds_its_pool_and_another_takes_its_place(tmp_path):
    first = join_pools([pool_of(0), pool_of(1)], tmp_path / "both")
    written = (tmp_path / "both" / "vectors.npy").stat().st_mtime_ns
    assert join_pools([pool_of(0), pool_of(1)], tmp_path / "both").recipe == first.recipe
    assert (tmp_path / "both" / "vectors.npy").stat().st_mtime_ns == written
    assert join_pools([pool_of(0), pool_of(2)], tmp_path / "both").recipe != first.recipe
    assert join_pools([pool_of(2), pool_of(0)], tmp_path / "both").vectors[0, 0] != first.vectors[0, 0]


def test_what_cannot_be_joined_is_refused_and_nothing_is_written(tmp_path):
    one, other = pool_of(0), Pool.from_arrays(np.eye(N), [f"{i}.png" for i in range(N)], name="other")
    with pytest.raises(ValueError, match=r"other lacks 60 items of one, such as '0.jpg'"):
        join_pools([one, other], tmp_path / "both")
    more = Pool.from_arrays(np.eye(N + 1), [*one.ids, "more.jpg"], name="more")
    with pytest.raises(ValueError, match=r"one lacks 1 item of more, such as 'more.jpg'"):
        join_pools([one, more], tmp_path / "both")
    with pytest.raises(ValueError, match="1 pool to join; give two or more"):
        join_pools([one], tmp_path / "both")
    with pytest.raises(ValueError, match="a pool of type str; give pools"):
        join_pools([one, "two"], tmp_path / "both")
    assert not (tmp_path / "both").exists()
    kept = one.save(tmp_path / "one")
    with pytest.raises(ValueError, match="holds a pool of one encoder; name another folder"):
        join_pools([kept, pool_of(1)], tmp_path / "one")
    assert Pool.open(tmp_path / "one").sha256 == kept.sha256


def test_a_search_prepares_the_columns_of_each_encoder_by_themselves(tmp_path, monkeypatch):
    joined = join_pools([pool_of(0, 6), pool_of(1, 3)], tmp_path / "both")
    parts = [np.ascontiguousarray(joined.vectors[:, columns]) for columns in joined.columns]
    expected = PreparedRows.of(*parts)
    rows = PreparedRows.of_pool(joined)
    assert (rows.vectors == expected.vectors).all()
    assert (rows.vectors != PreparedRows.of(joined.vectors).vectors).any()
    monkeypatch.setattr("elsa_nb.search.heads.prepared_rows._BLOCK", 7)  # blocks of a slice of columns
    assert PreparedRows.of_pool(joined).vectors == pytest.approx(expected.vectors, abs=1e-5)


@pytest.mark.parametrize("strategy", ["harvest", "greedy-probe", "elsa"])
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_every_strategy_searches_a_joined_pool(tmp_path, strategy, metric):
    joined = join_pools([pool_of(0), pool_of(1, 3)], tmp_path / "both")
    oracle = Truth(np.arange(N) < 9)
    search = search_from(joined, strategy, metric=metric)([0, 1])
    while (batch := search.query()) is not None:
        search.update(oracle.label(batch.rows))
    assert len(search.positives) > 2


def test_directions_of_a_joined_pool_are_those_of_its_encoders(tmp_path):
    vectors = np.array([[3, 4, 0, 2], [0, 0, 5, 0]], np.float32)
    assert of_one_length(vectors, (slice(0, 2), slice(2, 4))) == pytest.approx(
        np.array([[0.6, 0.8, 0, 1], [0, 0, 1, 0]]) / 2**0.5, abs=1e-6
    )
    assert vectors[0, 0] == 3  # not in place
    one = by_direction(Pool.from_arrays(vectors)).vectors
    assert (one == vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).all()


def test_widths_that_do_not_fit_are_never_searched_by(tmp_path):
    with pytest.raises(ValueError, match=r"widths \(2, 3\) of vectors of 6 values"):
        PreparedRows.of_pool(dataclasses.replace(pool_of(0), widths=(2, 3)))


def test_widths_that_do_not_fit_are_told_of_the_card(tmp_path):
    join_pools([pool_of(0), pool_of(1)], tmp_path / "both")
    card = tmp_path / "both" / "pool.json"
    card.write_text(card.read_text().replace('"widths": [\n  6,\n  6\n ]', '"widths": [\n  6,\n  7\n ]'))
    with pytest.raises(ValueError, match=r"pool\.json"):
        Pool.open(tmp_path / "both")


def test_the_command_joins_pools(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    pool_of(0).save(tmp_path / "one")
    pool_of(1, 3).save(tmp_path / "two")
    assert cli.main(["pool", "join", "one", "two", "--out", "both of them"]) == 0
    assert capsys.readouterr().out == "60 vectors of 9 values by 2 encoders: --pool 'both of them'\n"
    assert cli.main(["pool", "join", "one", "--out", "alone"]) == 1
    assert "1 pool to join" in capsys.readouterr().err
    assert not (tmp_path / "alone").exists()


def test_vectors_of_any_size_come_to_one_length():
    block = np.array([[3e38, 3e38, 1], [1e-30, 0, 1], [3, 4, 1], [0, 0, 1]], np.float32)
    half = 2**-0.5
    found = of_one_length(block, (slice(0, 2), slice(2, 3)))
    assert found[:, :2] == pytest.approx(np.array([[0.5, 0.5], [half, 0], [0.6 * half, 0.8 * half], [0, 0]]), abs=1e-6)
    assert (found[2:] == of_one_length(block[2:], (slice(0, 2), slice(2, 3)))).all()  # the bits of all others


def test_what_is_given_twice_is_refused_and_so_is_a_name_that_is_none(tmp_path):
    one, two = pool_of(0), pool_of(1, name="two")
    both = join_pools([one, two], tmp_path / "both")
    for pools in ([one, one], [both, one], [two, both], [one, dataclasses.replace(one, name="again")]):
        with pytest.raises(ValueError, match=r"the vectors of (one|two|again) are given twice"):
            join_pools(pools, tmp_path / "more")
    with pytest.raises(ValueError, match="1 pool to join"):
        join_pools(one, tmp_path / "more")
    for name in ("", 3):
        with pytest.raises(ValueError, match=r"name = .*; give a text"):
            join_pools([one, two], tmp_path / "more", name=name)
    assert not (tmp_path / "more").exists()


def test_what_was_made_of_others_is_not_replaced(tmp_path):
    one, two, three = pool_of(0), pool_of(1, name="two"), pool_of(2, name="three")
    both = join_pools([one, two], tmp_path / "both")
    for pools in ([both, three], [one, three], [two, one]):
        with pytest.raises(ValueError, match=r"both holds the pool of one and two; name another folder, or delete it"):
            join_pools(pools, tmp_path / "both")
    assert Pool.open(tmp_path / "both").sha256 == both.sha256


def test_another_name_is_taken_where_the_vectors_are_found(tmp_path):
    pools = [pool_of(0), pool_of(1)]
    first = join_pools(pools, tmp_path / "both")
    assert join_pools(pools, tmp_path / "both", name="owls").name == Pool.open(tmp_path / "both").name == "owls"
    assert join_pools(pools, tmp_path / "both").sha256 == first.sha256


@pytest.mark.parametrize("file", ["vectors.npy", "ids.npy"])
def test_a_damaged_pool_is_made_again_of_its_parts(tmp_path, file):
    pools = [pool_of(0), pool_of(1)]
    first = join_pools(pools, tmp_path / "both").sha256
    damaged = bytearray((tmp_path / "both" / file).read_bytes())
    damaged[-1] ^= 255
    (tmp_path / "both" / file).write_bytes(damaged)
    assert join_pools(pools, tmp_path / "both").sha256 == first
    (tmp_path / "both" / file).unlink()
    assert join_pools(pools, tmp_path / "both").sha256 == Pool.open(tmp_path / "both").sha256 == first


def test_pools_of_one_name_are_told_by_their_place(tmp_path):
    few = Pool.from_arrays(np.eye(3), list("abc"))
    more = Pool.from_arrays(np.eye(5), list("abcde"))
    third = Pool.from_arrays(2 * np.eye(3), list("abc"), name="third")
    for pools, said in (
        ([few, more], r"^pool 1 \(arrays\) lacks 2 items of pool 2 \(arrays\), such as 'd'"),
        ([more, third, few], r"^third lacks 2 items of pool 1 \(arrays\)"),
    ):
        with pytest.raises(ValueError, match=said):
            join_pools(pools, tmp_path / "both")
