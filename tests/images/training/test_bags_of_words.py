"""OBoW against its paper, written out as slow loops in numpy: bags, softness, loss, vocabulary, head and teacher."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_methods import SETTINGS, method_of, views_of

from elsa_nb.images.encoders.small_resnet import Architecture, Encoder
from elsa_nb.images.training.bags_of_words import (
    FIRST_DISTANCE,
    Vocabulary,
    WeightGenerator,
    bag_loss,
    bags,
    distances_to_words,
    level_maps,
    level_widths,
    perplexity,
    teacher_momentum,
)
from elsa_nb.images.training.config import TrainingConfig
from elsa_nb.images.training.glyph_augmentations import GlyphAugmentation
from elsa_nb.images.training.methods import OBoWSettings, make_method
from elsa_nb.images.training.train import run_training

HOW = {"delta": 0.1, "decay": 0.9, "border": 0, "window": 3}


def bag_by_loops(maps, words, delta):
    """Write the paper's bag out for one image: maps (d, h, w), words (k, d), in float64."""
    d, h, w = maps.shape
    highest = [0.0] * len(words)
    for row in range(h):
        for column in range(w):
            u = maps[:, row, column]
            distance = [sum((u[c] - word[c]) ** 2 for c in range(d)) for word in words]
            up = [math.exp(-(x - min(distance)) / delta) for x in distance]
            for k in range(len(words)):
                highest[k] = max(highest[k], up[k] / sum(up))
    return [x / sum(highest) for x in highest]


def nearest_by_loops(maps, words):
    """Return the mean over images and locations of the squared distance to the nearest word."""
    d, columns = maps.shape[1], np.moveaxis(maps, 1, -1).reshape(-1, maps.shape[1])
    return np.mean([min(sum((u[c] - word[c]) ** 2 for c in range(d)) for word in words) for u in columns])


def vocabulary(words=7, channels=3, seed=0, **changes):
    torch.manual_seed(seed)
    return Vocabulary(words, channels, **{**HOW, **changes})


def maps_of(n=4, channels=3, side=4, seed=0):
    return np.abs(np.random.default_rng(seed).normal(size=(n, channels, side, side)))


@pytest.mark.parametrize("border", [0, 1])
def test_a_vocabulary_makes_the_papers_bags_with_a_softness_that_follows_its_running_mean(border):
    v, mean = vocabulary(border=border), FIRST_DISTANCE
    for step in range(3):
        maps, words = maps_of(seed=step), v.words.double().numpy()
        inner = maps[:, :, border : 4 - border, border : 4 - border]
        mean = 0.9 * mean + 0.1 * nearest_by_loops(inner, words)
        told = v(torch.tensor(maps).float(), torch.Generator().manual_seed(step))
        assert v.mean_distance.item() == pytest.approx(mean, rel=1e-5)
        expected = [bag_by_loops(one, words, 0.1 * mean) for one in inner]
        np.testing.assert_allclose(told.numpy(), expected, rtol=1e-3, atol=1e-6)
        assert not torch.equal(v.words.double(), torch.tensor(words))  # and then takes new words


def test_bags_by_hand():
    """One location at equal distances: the words share it; two locations on two words: half each; softness blurs."""
    assert bags(torch.full((1, 1, 4), 3.0), 0.1).tolist() == [[0.25] * 4]
    distances = torch.tensor([[[0.0, 9.0, 9.0], [9.0, 0.0, 9.0]]])
    torch.testing.assert_close(bags(distances, 0.1), torch.tensor([[0.5, 0.5, 0.0]]))
    torch.testing.assert_close(bags(distances, 1e6), torch.full((1, 3), 1 / 3), rtol=1e-4, atol=1e-4)
    once, twice = bags(distances[:, :1], 2.0), bags(distances[:, [0, 0, 0]], 2.0)
    torch.testing.assert_close(once, twice)  # the highest over locations: how often a word is there does not count


@given(st.integers(1, 5), st.integers(1, 9), st.integers(1, 6), st.floats(1e-3, 1e3), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_bags_sum_to_one_and_no_order_of_locations_or_words_matters(m, places, k, delta, seed):
    rng = np.random.default_rng(seed)
    distances = torch.tensor(rng.gamma(1.0, 10.0, size=(m, places, k))).float()
    bag = bags(distances, delta)
    assert torch.isfinite(bag).all()
    assert (bag >= 0).all()
    torch.testing.assert_close(bag.sum(dim=1), torch.ones(m))
    torch.testing.assert_close(bags(distances[:, rng.permutation(places)], delta), bag)
    order = rng.permutation(k)
    torch.testing.assert_close(bags(distances[:, :, order], delta), bag[:, order])
    assert (perplexity(bag) >= 1 - 1e-4).all()
    assert (perplexity(bag) <= k * (1 + 1e-4)).all()


def test_the_loss_is_the_cross_entropy_written_as_loops():
    rng = np.random.default_rng(1)
    scores, bag = rng.normal(size=(5, 6)) * 4, rng.dirichlet(np.ones(6), size=5)
    told = 0.0
    for row, target in zip(scores, bag, strict=True):
        ln_sum = math.log(sum(math.exp(x) for x in row))
        told -= sum(target[k] * (row[k] - ln_sum) for k in range(6)) / 5
    assert bag_loss(torch.tensor(scores), torch.tensor(bag)).item() == pytest.approx(told)
    flat = bag_loss(torch.zeros(5, 6), torch.tensor(bag).float())
    assert flat.item() == pytest.approx(math.log(6), rel=1e-5)
    best = bag_loss(torch.tensor(bag).log(), torch.tensor(bag))  # no less than what the bags hold
    assert best.item() == pytest.approx(perplexity(torch.tensor(bag)).log().mean().item())


def test_distances_to_words_are_exact_and_never_negative():
    u, words = torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.tensor([[3.0, 4.0], [0.0, 1.0]])
    assert distances_to_words(u, words).tolist() == [[25.0, 1.0], [0.0, 18.0]]
    near = torch.full((1, 8), 100.1)
    assert distances_to_words(near, near + 1e-5).min() >= 0


def test_new_words_replace_the_oldest_in_their_order():
    v = vocabulary(words=7)
    first = v.words.clone()
    rows = [torch.full((3, 3), float(i)) + torch.arange(3.0)[:, None] / 10 for i in (1, 2, 3)]
    for part in rows:
        v.enqueue(part)
    # Nine words came into seven places: the third batch fills the last one and goes on at the start.
    torch.testing.assert_close(v.words, torch.stack([rows[2][1], rows[2][2], rows[0][2], *rows[1], rows[2][0]]))
    assert v.place.item() == 2
    assert (first >= 0).all()
    many = torch.arange(30.0).view(10, 3)
    v.enqueue(many)
    kept = {tuple(row) for row in v.words.tolist()}
    assert kept == {tuple(row) for row in many[3:].tolist()}
    assert v.words[(v.place - 1) % 7].tolist() == many[9].tolist()


def test_a_new_word_is_a_local_mean_at_a_place_drawn_by_chance():
    v, maps = vocabulary(), maps_of(n=60, side=5)
    told = v.chosen(torch.tensor(maps), torch.Generator().manual_seed(2)).numpy()
    places = [(row, column) for row in range(3) for column in range(3)]  # a 3 x 3 window fits nine times into 5 x 5
    drawn = []
    for one, word in zip(maps, told, strict=True):
        means = [one[:, r : r + 3, c : c + 3].mean(axis=(1, 2)) for r, c in places]
        (hit,) = [i for i, mean in enumerate(means) if np.allclose(mean, word)]
        drawn.append(hit)
    assert set(drawn) == set(range(9))
    small = maps_of(n=2, side=2)
    whole = v.chosen(torch.tensor(small), torch.Generator()).numpy()
    np.testing.assert_allclose(whole, small.mean(axis=(2, 3)))  # the window is no larger than the map


def test_a_border_that_is_all_of_a_map_is_refused_before_anything_changes():
    v = vocabulary(border=1)
    before = copy.deepcopy(v.state_dict())
    with pytest.raises(ValueError, match=r"border of 1 leaves nothing of a map of \(2, 2\)"):
        v(torch.rand(3, 3, 2, 2), torch.Generator())
    assert all(torch.equal(value, before[key]) for key, value in v.state_dict().items())


def test_weights_follow_the_words_whatever_their_place_and_length():
    torch.manual_seed(4)
    make, words = WeightGenerator(3, 6, kappa=5.0), torch.rand(9, 3)
    with torch.no_grad():
        weights = make(words)
        torch.testing.assert_close(weights.norm(dim=1), torch.full((9,), 5.0))
        order = torch.randperm(9)
        torch.testing.assert_close(make(words[order]), weights[order])
        torch.testing.assert_close(make(words * torch.arange(1.0, 10)[:, None]), weights)
        # Layer by layer, in numpy.
        v = words.numpy() / np.linalg.norm(words.numpy(), axis=1, keepdims=True)
        hidden = v @ make.first.weight.numpy().T
        hidden = np.maximum((hidden - hidden.mean(axis=0)) / np.sqrt(hidden.var(axis=0) + 1e-5), 0)
        out = hidden @ make.last.weight.numpy().T + make.last.bias.numpy()
        told = 5 * out / np.linalg.norm(out, axis=1, keepdims=True)
        np.testing.assert_allclose(weights.numpy(), told, rtol=1e-3, atol=1e-4)


def test_the_teachers_momentum_rises_to_one_by_a_cosine():
    told = [teacher_momentum(step, 100, 0.99) for step in (0, 25, 50, 75, 100, 120)]
    assert told == pytest.approx([0.99, 1 - 0.01 * (1 + math.sqrt(0.5)) / 2, 0.995, 1 - 0.01 * 0.1464466, 1, 1])
    assert teacher_momentum(50, None, 0.99) == 0.99


def test_the_maps_are_those_of_the_last_layers_in_both_networks():
    encoder = Encoder(Architecture("obow", widths=(8, 16, 24), blocks=(1, 2, 1), projector=())).eval()
    x = torch.rand(2, 1, 32, 32)
    with torch.inference_mode():
        earlier, last = level_maps(encoder, x, 2)
        torch.testing.assert_close(last.mean(dim=(2, 3)), encoder(x)[0])
    assert (earlier.shape, last.shape) == ((2, 16, 8, 8), (2, 24, 4, 4))
    assert level_widths(encoder, 2) == [16, 24]
    assert not any(part._forward_hooks for part in encoder.modules())
    with pytest.raises(ValueError, match="levels is 4; the encoder has 3"):
        level_widths(encoder, 4)
    with torch.device("meta"):
        large = Encoder(Architecture("obow", channels=3, resnet50=True, projector=()))
        maps = level_maps(large, torch.empty(2, 3, 224, 224), 2)
    assert [list(part.shape[1:]) for part in maps] == [[1024, 14, 14], [2048, 7, 7]]
    assert level_widths(large, 2) == [1024, 2048]


def test_a_step_is_the_papers_from_the_teachers_view_to_the_students_loss():
    method, views = method_of("obow"), views_of("obow")
    twin = copy.deepcopy(method)
    parts = method(views, torch.Generator().manual_seed(1))
    with torch.no_grad():
        weights = [make(v.words) for make, v in zip(twin.generators, twin.vocabularies, strict=True)]
        maps = [part.double().numpy() for part in level_maps(twin.teacher, views[0], 2)]
        targets = []
        for v, part in zip(twin.vocabularies, maps, strict=True):
            words = v.words.double().numpy()
            mean = 0.99 * FIRST_DISTANCE + 0.01 * nearest_by_loops(part, words)
            targets.append([bag_by_loops(one, words, mean / 15) for one in part])
        # The views of 16 pixels go through the student together, and share their batch normalisation's statistics.
        large = twin.encoder(torch.cat(views[1:3]))[0].chunk(2)
        crops = [*large, twin.encoder(views[3])[0]]
        told = 0.0
        for z in crops:
            for w, target in zip(weights, targets, strict=True):
                told += bag_loss((z @ w.T).double(), torch.tensor(target)).item() / len(crops)
    assert parts["loss"].item() == pytest.approx(told, rel=1e-4)


def test_the_teacher_follows_by_its_momentum_and_gets_no_gradient():
    torch.manual_seed(3)
    architecture = Architecture("obow", widths=(8, 16), blocks=(1, 1), projector=())
    method = make_method(Encoder(architecture), OBoWSettings(words=48, border=0, momentum=0.5), steps=4)
    with torch.no_grad():
        method.encoder.backbone.bn1.bias += 1.0
    told = method.teacher.backbone.bn1.bias.clone()
    for step in range(4):
        method(views_of("obow", seed=step), torch.Generator().manual_seed(step))["loss"].backward()
        told = torch.lerp(told, method.encoder.backbone.bn1.bias.detach(), 1 - teacher_momentum(step, 4, 0.5))
        torch.testing.assert_close(method.teacher.backbone.bn1.bias, told)
    assert all(p.grad is None and not p.requires_grad for p in method.teacher.parameters())
    still = copy.deepcopy(dict(method.teacher.named_parameters()))
    method(views_of("obow", seed=9), torch.Generator())  # beyond the last step the momentum is 1
    assert all(torch.equal(p, still[key]) for key, p in method.teacher.named_parameters())


def test_the_figures_tell_collapse():
    """A teacher that sees every image alike fills each bag with the same words; a student, its spread falls to 0."""
    method, views = method_of("obow"), views_of("obow")
    parts = method(views, torch.Generator())
    assert 1 < parts["words_an_image"] <= parts["words_used"] <= SETTINGS["obow"].words + 1e-3
    assert parts["spread"] > 0.01
    same = [view[:1].expand(len(view), -1, -1, -1) for view in views]
    alike = method(same, torch.Generator())
    assert alike["words_used"].item() == pytest.approx(alike["words_an_image"].item(), rel=1e-4)
    assert alike["spread"].item() == pytest.approx(0, abs=1e-4)


@pytest.mark.slow
def test_training_learns_to_predict_bags_better_than_by_equal_shares(tmp_path):
    rng = np.random.default_rng(0)
    images = np.zeros((128, 32, 32), np.uint8)
    for image in images:
        for row, column, height, width in rng.integers((2, 2, 3, 3), (20, 20, 10, 10), size=(3, 4)):
            image[row : row + height, column : column + width] = 255
    still = {key: 0.0 for key in vars(GlyphAugmentation()) if key != "rotation"}
    view = GlyphAugmentation(rotation=3.0, **still)
    architecture = Architecture("obow", widths=(8, 16), blocks=(1, 1), projector=())
    how = OBoWSettings(words=64, border=1, delta=0.1, kappa=5.0)
    config = TrainingConfig(architecture, (view, view), how, epochs=6, batch=32, log_every=1, precision="float32")
    _, record = run_training(images, config, tmp_path, log=lambda line: None)
    losses = [line["loss"] for line in record["loss_curve"]]
    assert np.mean(losses[-4:]) < 0.95 * 2 * math.log(64) < np.mean(losses[:4])
