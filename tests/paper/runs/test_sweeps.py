"""What a sweep searches is what its fields say, once each; fields that contradict each other are refused."""

import numpy as np
import pandas as pd
import pytest

from elsa_nb.paper.runs.grid import Change, Sweep, changed
from elsa_nb.search.config import ELSA

NAMES = pd.Series(np.repeat(["fox", "owl"], 100))
SMALL = {"encoders": ("vicreg",), "readings": ("paper",), "repeats": 1, "n_classes": 1}


def searched(**fields):
    return [(each.arm, each.seeds) for unit in Sweep("s", **SMALL | fields).units(NAMES) for each in unit]


def test_rivals_search_from_their_own_numbers_of_seeds():
    rivals = {"rivals": ("Harvest",), "rival_seeds": (5,)}
    assert searched(seeds=(1,), **rivals) == [("ELSA", 1), ("Harvest", 5)]
    assert searched(seeds=(1, 5), **rivals) == [("ELSA", 1), ("ELSA", 5), ("Harvest", 5)]
    assert searched(seeds=(), readings=(), **rivals) == [("Harvest", 5)]
    assert searched(seeds=(1,), rivals=("Harvest",)) == [("ELSA", 1), ("Harvest", 1)]
    assert searched(seeds=(1,), rival_seeds=(5,)) == [("ELSA", 1)]  # there is no rival


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"seeds": (1, 1)}, "seeds: 1 stands there twice"),
        ({"arms": ("ELSA", "ELSA")}, "arms: 'ELSA' stands there twice"),
        ({"changes": (Change("a=5"), Change("a=5"))}, "changes: .*twice"),
        ({"chosen": "by name", "targets": ("owl", "owl")}, "targets: 'owl' stands there twice"),
        ({"targets": ("owl",)}, 'targets names classes, .*say chosen = "by name"'),
        ({"chosen": "by name"}, "targets names no class"),
        ({"changes": (Change("a=5", ("released-code",)),)}, "of no reading or arm that is searched"),
        ({"changes": (Change("a=5", (), ("NN",)),)}, "of no reading or arm that is searched"),
        ({"changes": (Change("a=25, a=50"),)}, "sets a twice"),
    ],
)
def test_fields_that_contradict_or_repeat_are_refused(fields, match):
    with pytest.raises(ValueError, match=match):
        searched(**fields)


def test_each_field_is_changed_once():
    assert changed(ELSA, "a=25, b=10").a == 25
    with pytest.raises(ValueError, match="sets a twice"):
        changed(ELSA, "a=25, a=50")
