"""Each method learns what it should from its views, remembers what it should, and freezes what it should."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from elsa_nb.images.encoders.small_resnet import METHODS, Architecture, Encoder
from elsa_nb.images.training import losses
from elsa_nb.images.training.config import TrainingConfig
from elsa_nb.images.training.methods import MoCoSettings, OBoWSettings, SimSiamSettings, SwAVSettings, make_method
from elsa_nb.images.training.train import run_training

PROJECTORS = {"vicreg": (8, 8, 6), "barlow-twins": (8, 8, 6), "moco-v1": (6,), "moco-v2": (8, 6)}
PROJECTORS |= {"simsiam": (8, 8, 6), "swav": (8, 6), "swav-multicrop": (8, 6), "obow": ()}
SETTINGS = {"moco-v1": MoCoSettings(momentum=0.9, queue=64, groups=2), "moco-v2": MoCoSettings(0.2, 0.9, 64, 2)}
SETTINGS |= {"simsiam": SimSiamSettings(4), "swav": SwAVSettings(10), "swav-multicrop": SwAVSettings(10)}
SETTINGS |= {"obow": OBoWSettings(words=48, border=0)}
SIDES = {"swav-multicrop": (16, 16, 8, 8), "obow": (16, 16, 16, 8)}  # of the views; else two of 16


def method_of(name, settings=None, widths=(8, 16)):
    # Whatever trains has widths that are multiples of 8. With others, oneDNN 3.12 (torch 2.14) writes beyond its buffer
    # on processors without AVX-512: the weights' gradient of a 1x1 convolution of stride 2, on one thread.
    torch.manual_seed(3)
    architecture = Architecture(name, widths=widths, blocks=(1,) * len(widths), projector=PROJECTORS[name])
    return make_method(Encoder(architecture), settings or SETTINGS.get(name))


def views_of(name, n=16, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.rand(n, 1, side, side, generator=generator) for side in SIDES.get(name, (16, 16))]


@pytest.mark.parametrize("name", METHODS)
def test_every_method_gives_gradients_to_all_it_trains_and_reports_its_spread(name):
    method = method_of(name)
    parts = method(views_of(name), torch.Generator().manual_seed(0))
    assert {"loss", "spread"} <= set(parts)
    assert all(value.ndim == 0 and torch.isfinite(value) for value in parts.values())
    parts["loss"].backward()
    for key, p in method.named_parameters():
        assert (p.grad is not None) == p.requires_grad, key


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_an_interrupted_run_of_every_method_ends_as_an_uninterrupted_one(tmp_path, name):
    images = np.random.default_rng(0).integers(0, 256, size=(40, 32, 32), dtype=np.uint8)
    from elsa_nb.images.training.glyph_augmentations import GlyphAugmentation, GlyphPart

    views = (GlyphAugmentation(),) * 2 + ((GlyphPart(),) if name in SIDES else ())
    config = TrainingConfig(
        method_of(name).encoder.architecture, views, SETTINGS.get(name), epochs=2, batch=16, checkpoint_every=2
    )
    whole, record = run_training(images, config, tmp_path / "whole", log=lambda line: None)

    def stop(encoder, step):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_training(images, config, tmp_path / "cut", log=lambda line: None, after_checkpoint=stop)
    again, resumed = run_training(images, config, tmp_path / "cut", log=lambda line: None)
    assert resumed["loss_curve"][-1]["loss"] == record["loss_curve"][-1]["loss"]
    for key, value in whole.state_dict().items():
        torch.testing.assert_close(again.state_dict()[key], value, rtol=0, atol=0)


def test_moco_queues_its_keys_and_moves_the_key_encoder_slowly():
    method = method_of("moco-v2")
    first = method.queue.clone()
    torch.testing.assert_close(first.norm(dim=1), torch.ones(64))
    with torch.no_grad():
        method.encoder.projector[2].bias += 1.0
    before = method.key_encoder.projector[2].bias.clone()
    keys = []
    method._enqueue, enqueue = lambda k: (keys.append(k), enqueue(k)), method._enqueue
    for step in range(5):  # 5 batches of 16 into 64 places: the first is overwritten
        method(views_of("moco-v2", seed=step), torch.Generator().manual_seed(step))
    told = before + (1 - 0.9**5) * (method.encoder.projector[2].bias - before)
    torch.testing.assert_close(method.key_encoder.projector[2].bias, told)
    assert method.place.item() == 80 % 64
    torch.testing.assert_close(method.queue[:16], torch.nn.functional.normalize(keys[4], dim=1))
    torch.testing.assert_close(method.queue[16:32], torch.nn.functional.normalize(keys[1], dim=1))
    assert not any(p.requires_grad for p in method.key_encoder.parameters())


def test_moco_keys_are_normalised_in_groups_drawn_anew_and_come_back_in_order():
    method = method_of("moco-v1")
    view = views_of("moco-v1")[1]
    order = torch.randperm(16, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        groups = [method.key_encoder(view[rows])[1] for rows in order.chunk(2)]
        told = torch.empty(16, 6)
        told[order] = torch.cat(groups)
    torch.testing.assert_close(method._keys(view, torch.Generator().manual_seed(4)), told)


def test_simsiam_stops_the_gradient_at_the_other_view():
    method = method_of("simsiam")
    views = views_of("simsiam")
    parts = method(views, torch.Generator())
    z = [method.encoder(view)[1] for view in views]
    p = [method.predictor(part) for part in z]
    cosine = torch.nn.functional.cosine_similarity
    told = -(cosine(p[0], z[1].detach()).mean() + cosine(p[1], z[0].detach()).mean()) / 2
    torch.testing.assert_close(parts["loss"], told)


def test_swav_keeps_prototypes_of_length_one_freezes_them_and_uses_a_full_queue():
    settings = replace(SETTINGS["swav"], frozen=2, queue=32, queue_from=1)
    method = method_of("swav", settings)
    seen = []

    def record(scores, **options):
        seen.append(len(scores))
        return keep(scores, **options)

    keep, losses.assignments = losses.assignments, record
    try:
        for step in range(5):
            parts = method(views_of("swav", seed=step), torch.Generator())
            method.zero_grad(set_to_none=True)
            parts["loss"].backward()
            method.after_backward(step)
            assert (method.prototypes.weight.grad is None) == (step < 2)
    finally:
        losses.assignments = keep
    # Steps 1 and 2 fill the queue of 32 with 16 rows each; from step 3 on it takes part.
    assert seen == [16] * 6 + [48] * 4
    torch.testing.assert_close(method.prototypes.weight.norm(dim=1), torch.ones(10))
    assert 1 <= parts["prototypes_used"].item() <= 10.001


def test_settings_of_another_method_are_refused():
    with pytest.raises(ValueError, match="swav got MoCoSettings; it takes SwAVSettings"):
        method_of("swav", MoCoSettings())
