"""What a fuzzing campaign (`make fuzz`) came upon, read again: all that were finds, and some inputs of each reader."""

import zipfile

import numpy as np
import pytest

from benchmarks import damage
from benchmarks.fuzz import KEPT, place_of
from benchmarks.fuzzed_readers import COUNTED, FUZZED, Fuzzed

with zipfile.ZipFile(KEPT) as kept:
    INPUTS = {name: kept.read(name) for name in kept.namelist()}
READ = [name for name in FUZZED if any(place.startswith(f"{place_of(name)}/") for place in INPUTS)]


@pytest.mark.parametrize("name", READ)
def test_what_a_campaign_came_upon_is_read_or_refused_in_one_sentence(name, tmp_path):
    inputs = [data for place, data in INPUTS.items() if place.partition("/")[0] == place_of(name)]
    (tmp_path / "it").mkdir()
    counts = np.zeros(len(COUNTED), np.int64)
    with damage.places_kept():
        target = Fuzzed(name, tmp_path / "it", tmp_path / "finds", counts)
        for data in inputs:
            target(data)
    assert not [path.read_text() for path in tmp_path.glob("finds/*.txt")]
    assert counts[0] == len(inputs)
