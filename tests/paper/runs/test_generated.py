"""Generated pools: the same bytes from the same settings, as pure as wanted, and open to sweeps like any other."""

from dataclasses import replace

import numpy as np
import pytest

from elsa_nb.errors import MissingDataError
from elsa_nb.paper.experiments.phase.spaces import measure_space, wanted_spreads
from elsa_nb.paper.experiments.phase.sweep import GRID
from elsa_nb.paper.runs import generated, simulation
from elsa_nb.paper.runs.generated import GENERATED_SETS, Blend, Generated, write
from elsa_nb.paper.runs.place import Place, class_names
from elsa_nb.search.neighbours.lists import Neighbours

SIZES = {20: 20, 150: 10}
SMALL = Generated("tiny", SIZES, {"purity-0.9": Blend(dict.fromkeys(SIZES, 0.3), 40)})


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.setattr(generated, "DATA", tmp_path)
    monkeypatch.setattr(generated, "BLOCK", 600)
    monkeypatch.setitem(GENERATED_SETS, "tiny", SMALL)
    class_names.cache_clear()
    return tmp_path


def test_a_pool_that_was_begun_goes_on_to_the_same_bytes(here, monkeypatch):
    whole = write(SMALL, "purity-0.9")
    kept = np.array(whole.vectors)
    other = replace(SMALL, name="again")
    block, rows = 600, other.rows
    monkeypatch.setattr(
        Generated, "rows", lambda self, blend, start, axes: rows(blend, start, axes) if start < 2 * block else 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        write(other, "purity-0.9")
    monkeypatch.setattr(Generated, "rows", lambda self, *rest: rows(*rest))
    np.testing.assert_array_equal(write(other, "purity-0.9").vectors, kept)
    assert not (other.folder("purity-0.9") / "vectors.part").exists()


@pytest.mark.usefixtures("here")
def test_classes_are_as_large_as_their_names_say():
    pool, names = write(SMALL, "purity-0.9"), class_names("tiny")
    assert (len(pool), pool.vectors.dtype.name) == (1900, "float16")
    sizes = names.value_counts()
    assert len(sizes) == 30
    assert all(count == int(name.split("-")[0]) for name, count in sizes.items())
    assert pool.recipe != SMALL.recipe(Blend(dict.fromkeys(SIZES, 0.31), 40))


@pytest.mark.usefixtures("here")
def test_a_wider_spread_is_less_pure_and_the_wanted_one_is_found():
    measured = []
    for purity in (0.8, 0.3):
        blend = Blend(wanted_spreads(SMALL, purity, members_each=200, steps=7), 40)
        vectors = SMALL.latents(blend)
        told = measure_space(vectors, SMALL.labels, 10)
        assert told["purity"] == pytest.approx(purity, abs=0.12)
        measured.append(told)
    pure, blurred = measured
    assert pure["joined"] > blurred["joined"]
    assert pure["alone"] < blurred["alone"]
    assert 1 < pure["dimension"] < generated.RANK


@pytest.mark.usefixtures("here")
def test_a_sweep_searches_them_without_lists_that_nobody_made(monkeypatch):
    monkeypatch.setattr(Neighbours, "build", lambda *_, **__: pytest.fail("a search makes no lists"))
    place = Place.of("full", "purity-0.9", "embedding", "tiny")
    with pytest.raises(MissingDataError, match=r"tiny-purity-0.9-embedding is not here: `python -m .*phase` makes it"):
        place.check_here()
    write(SMALL, "purity-0.9")
    plan = replace(GRID, encoders=("purity-0.9",), n_classes=1, dataset="tiny")
    unit = next(iter(plan.units(place.class_names)))
    rows = simulation.run_unit([one for one in unit if one.arm == "NN"], place)
    assert [(row["reading"], bool(row["change"])) for row in rows] == [
        ("paper", False),
        ("paper", True),
        ("released-code", False),
    ]
    assert all(row["class_size"] in SIZES and row["pool_size"] == 1900 for row in rows)


def test_what_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"has no pool 'purity-1'; allowed: purity-0\.9"):
        SMALL.blend("purity-1")
    with pytest.raises(ValueError, match="d = 8; allowed: 32 or more"):
        SMALL.axes(8)


def test_the_large_ones_have_imagenets_size():
    large = GENERATED_SETS["generated-imagenet"]
    assert (large.n, len(large.names)) == (1_281_167, 1000)
    assert {blend.d for blend in large.blends.values()} == {512, 2048}
