"""A name is looked up whatever is given as one: what no dictionary can be asked for is not known, and that is said."""

from functools import partial

import numpy as np
import pytest

from elsa_nb.errors import check_known
from elsa_nb.images.encoders.baselines import load_floor
from elsa_nb.images.encoders.by_name import load_encoder
from elsa_nb.images.encoders.published import official
from elsa_nb.images.encoders.small_resnet import load_trained
from elsa_nb.images.sources.by_name import open_dataset
from elsa_nb.images.sources.imagenet import open_imagenet
from elsa_nb.images.sources.official_packs import make_pack
from elsa_nb.paper.experiments.catalogue import sweep
from elsa_nb.paper.experiments.toy.space import toy_config
from elsa_nb.profiles import profile
from elsa_nb.search.heads.head import HeadConfig
from elsa_nb.search.neighbours.lists import Neighbours
from elsa_nb.search.strategies.registry import strategy

LOOKED_UP = {
    "profile": profile,
    "data set": open_dataset,
    "pack": make_pack,
    "encoder": load_encoder,
    "trained": load_trained,
    "official": official,
    "floor": load_floor,
    "split": partial(open_imagenet, "."),
    "strategy": strategy,
    "backend": lambda name: Neighbours(np.eye(3, dtype=np.float32), backend=name),
    "head": lambda name: HeadConfig(kind=name),
    "sweep": lambda name: sweep(name, "quick"),
    "profile of a sweep": partial(sweep, "components"),
    "reading": toy_config,
    "arm": partial(toy_config, "paper"),
}


@pytest.mark.parametrize("look_up", LOOKED_UP)
@pytest.mark.parametrize("name", [["quick"], {}])
def test_a_name_that_is_none_is_refused_in_a_sentence(look_up, name):
    with pytest.raises(ValueError, match=r"(\['quick'\]|\{\}).*(allowed|ones are|ones:|lists the names)"):
        LOOKED_UP[look_up](name)


def test_what_is_known_passes():
    check_known("fruit", "pear", {"apple": 1, "pear": 2})
    with pytest.raises(ValueError, match="fruit 'plum' is not known; allowed: apple, pear"):
        check_known("fruit", "plum", ("apple", "pear"))
