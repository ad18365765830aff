"""The floors under Table 5: a network with random weights, and raw pixels."""

import numpy as np
import pytest
import torch

from elsa_nb.images.encoders.baselines import RawPixels, Untrained, load_floor
from elsa_nb.images.encoders.by_name import load_encoder
from elsa_nb.images.encoders.small_resnet import Architecture, scaled_to_one
from elsa_nb.images.extraction.extract import encode
from elsa_nb.profiles import profile


class Noise:
    """Five grey images of 32 x 32 noise."""

    ids, sha256 = np.arange(5), "noise"

    def __len__(self):
        return 5

    def images(self, rows=None):
        drawn = np.random.default_rng(3).integers(256, size=(5, 32, 32)).astype(np.uint8)
        return drawn if rows is None else drawn[rows]


def test_raw_pixels_are_the_pixels():
    vectors = encode(Noise(), load_encoder("floor:raw-pixels"))
    assert list(vectors) == ["embedding"]
    np.testing.assert_allclose(vectors["embedding"], Noise().images().reshape(5, 1024) / 255, rtol=1e-6)
    with pytest.raises(ValueError, match=r"shape \(1, 8, 8\) has 64 values; the pool holds 1024"):
        RawPixels()(torch.zeros(1, 1, 8, 8))


def test_an_untrained_network_is_the_same_every_time_and_drawn_from_its_seed():
    torch.manual_seed(1)
    one = load_encoder("floor:untrained")
    torch.manual_seed(2)
    other = load_encoder("floor:untrained")
    assert one.sha256 == other.sha256
    assert one.sha256 == "bb1ad08fe4d7fccc0b5522adf95cb1e4b07f19a67026c849fd6e92883f5940e9"
    assert Untrained(seed=1).sha256 != one.sha256
    np.testing.assert_array_equal(encode(Noise(), one)["embedding"], encode(Noise(), other)["embedding"])


def test_an_untrained_network_is_that_of_the_trained_encoders_with_its_blocks_switched_on():
    network = load_encoder("floor:untrained")
    assert network.dimensions == {"embedding": Architecture().embedding}
    assert not network.training
    images = scaled_to_one(Noise().images())
    with torch.inference_mode():
        (seen,) = network(images)
        network.backbone.layer1[0].bn2.weight.zero_()
        (without,) = network(images)
    assert seen.isfinite().all()
    assert (seen.std(dim=0) > 0).float().mean() > 0.75  # ReLU leaves some channels dark
    assert not torch.allclose(seen, without)


def test_a_floor_of_another_name_is_refused():
    with pytest.raises(ValueError, match="floor 'noise' is not known; allowed: untrained, raw-pixels"):
        load_floor("noise")


@pytest.mark.parametrize(("name", "floors"), [("quick", ["raw-pixels"]), ("full", ["untrained", "raw-pixels"])])
def test_the_floors_are_among_the_encoders_of_the_glyphs(name, floors):
    encoders = dict(profile(name).datasets[0].encoders)
    assert [load_encoder(encoders[floor]).name for floor in floors] == floors
