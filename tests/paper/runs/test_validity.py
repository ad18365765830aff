"""What a stored row is valid for: its configuration comes back from the text that a row keeps of it."""

import json
from dataclasses import asdict

import pytest

from elsa_nb.paper.runs import validity
from elsa_nb.search.strategies.registry import strategies


@pytest.mark.parametrize("name", list(strategies()))
def test_the_configuration_of_every_strategy_comes_back_from_its_text(name):
    config = strategies()[name].config_class()
    assert validity.config_of(name, json.dumps(asdict(config))) == config
    assert hash(validity.config_of(name, json.dumps(asdict(config)))) == hash(config)  # by which keys are remembered


def test_a_field_that_is_no_more_is_told():
    with pytest.raises(TypeError, match="patience"):
        validity.config_of("Harvest", '{"patience": 3}')
