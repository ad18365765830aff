"""Where seeds lie follows from what was drawn: the same seeds as the searches had, measured in their class."""

import numpy as np
import pandas as pd
import pytest

from elsa_nb.paper.runs import place as places
from elsa_nb.paper.runs import seed_places
from elsa_nb.paper.runs.grid import Setting
from elsa_nb.paper.runs.place import Place
from elsa_nb.paper.runs.simulation import draw_seeds
from elsa_nb.pool import Pool
from elsa_nb.prepared import Prepared
from elsa_nb.search.neighbours.lists import Neighbours


def drawn(target, seeds, repeat=0):
    return {"sweep": "some", "share": 0.0, "target": target, "seeds": seeds, "repeat": repeat}


@pytest.fixture(params=[True, False], ids=["lists", "no lists"])
def pool(request, monkeypatch):
    """Hold a class of 40 around 0 with one member far away among others, and 200 others around that place."""
    rng = np.random.default_rng(5)
    vectors = np.concatenate([rng.normal(0, 1, (40, 3)), [[50, 0, 0]], rng.normal([50, 0, 0], 1, (200, 3))])
    names = pd.Series(["mine"] * 41 + ["other"] * 200)
    held = Pool.from_arrays(vectors.astype(np.float32))
    neighbours = Neighbours(held.vectors)
    if request.param:
        neighbours.lists = neighbours.exact(np.arange(len(names)), 20)
    base = Prepared(held, neighbours)
    monkeypatch.setattr(Place, "prepared", lambda self: base)
    monkeypatch.setattr(places, "class_names", lambda dataset: names)
    return vectors, names


def test_the_seeds_are_those_of_the_searches_and_an_outlying_one_is_alone(pool):
    vectors, names = pool
    runs = pd.DataFrame([drawn("mine", n, repeat) for n in (1, 5) for repeat in range(30)])
    found = seed_places.seed_places("full", runs)
    assert found[seed_places.DRAWN_BY].to_dict("records") == runs[seed_places.DRAWN_BY].to_dict("records")
    members = vectors[:41]
    reach = np.linalg.norm(members - members.mean(0), axis=1)
    for line in found.itertuples():
        setting = Setting("some", "", "vicreg", "projection", "", "mine", line.seeds, line.repeat)
        rng = np.random.default_rng(setting.seed_sequence.spawn(3)[0])
        seeds = draw_seeds((names == "mine").to_numpy(), line.seeds, rng, "mine")
        assert line.alone == pytest.approx((seeds == 40).mean())
        assert line.outward == pytest.approx(np.mean([(reach < reach[seed]).mean() for seed in seeds]), abs=0.03)
        assert (line.apart > 5) == (40 in seeds) if line.seeds > 1 else np.isnan(line.apart)
    assert (found["alone"] > 0).any()


@pytest.mark.parametrize("other", [{"sweep": "another"}, {"share": 0.001}])
def test_draws_of_other_pools_are_refused(other):
    with pytest.raises(ValueError, match="give those of one sweep in whole pools"):
        seed_places.seed_places("full", pd.DataFrame([drawn("mine", 1), drawn("mine", 1) | other]))
