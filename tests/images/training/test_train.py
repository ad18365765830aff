"""LARS and the schedule against their definitions, augmentations, and a training that survives interruption."""

import json
import math
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from elsa_nb import store
from elsa_nb.errors import CorruptFileError
from elsa_nb.images.encoders.small_resnet import Architecture
from elsa_nb.images.sources.glyphs import Glyphs
from elsa_nb.images.training import quality
from elsa_nb.images.training.batches import batch_rows
from elsa_nb.images.training.config import TrainingConfig
from elsa_nb.images.training.glyph_augmentations import GlyphAugmentation
from elsa_nb.images.training.methods import SwAVSettings
from elsa_nb.images.training.optimisers import LARS, make_optimiser, set_learning_rate, steps_schedule, warm_up_cosine
from elsa_nb.images.training.quality import collapse, linear_probe, purity
from elsa_nb.images.training.recipes import glyph_recipe
from elsa_nb.images.training.train import run_training

TINY = Architecture(widths=(8, 16), blocks=(1, 1), projector=(8, 8, 6))  # multiples of 8: see test_methods
CONFIG = TrainingConfig(architecture=TINY, epochs=2, batch=16, checkpoint_every=3, log_every=2, precision="float32")


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, size=(90, 32, 32), dtype=np.uint8)


def test_lars_equals_its_update_written_in_numpy():
    rng = np.random.default_rng(5)
    shapes = [(4, 3), (3,), (2, 2, 3, 3), (5, 2)]
    weights = [rng.normal(size=shape) for shape in shapes[:3]] + [np.zeros(shapes[3])]  # a weight of norm 0 too
    params = [torch.tensor(w, dtype=torch.float64, requires_grad=True) for w in weights]
    optimiser = LARS(params, lr=0.3, momentum=0.9, weight_decay=1e-2, trust=1e-3)
    memory = [np.zeros_like(w) for w in weights]
    for _ in range(4):
        gradients = [rng.normal(size=w.shape) for w in weights]
        for i, g in enumerate(gradients):
            params[i].grad = torch.tensor(g)
            dp, q = g, 1.0
            if weights[i].ndim != 1:
                dp = g + 1e-2 * weights[i]
                p_norm, dp_norm = np.sqrt((weights[i] ** 2).sum()), np.sqrt((dp**2).sum())
                q = 1e-3 * p_norm / dp_norm if p_norm > 0 and dp_norm > 0 else 1.0
            memory[i] = 0.9 * memory[i] + q * dp
            weights[i] = weights[i] - 0.3 * memory[i]
        optimiser.step()
        for param, w in zip(params, weights, strict=True):
            np.testing.assert_allclose(param.detach().numpy(), w, rtol=1e-12)


def test_lars_leaves_weights_without_gradient_alone_and_refuses_bad_settings():
    weight = torch.ones(2, 2, requires_grad=True)
    LARS([weight], lr=1.0).step()
    assert weight.detach().tolist() == [[1, 1], [1, 1]]
    weight.grad = torch.zeros(2, 2)
    LARS([weight], lr=1.0, weight_decay=0).step()  # norm of the step is 0: no division
    assert weight.detach().tolist() == [[1, 1], [1, 1]]
    with pytest.raises(ValueError, match="lr -1"):
        LARS([weight], lr=-1.0)


def test_optimiser_groups_decay_matrices_only_and_slow_barlow_twins_vectors():
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    matrices, vectors = make_optimiser(model, "adamw", "vicreg", 1e-3, 0.1).param_groups
    assert (matrices["weight_decay"], vectors["weight_decay"]) == (0.1, 0.0)
    assert [len(matrices["params"]), len(vectors["params"])] == [1, 3]
    optimiser = make_optimiser(model, "lars", "barlow-twins", 0.2, 1e-6)
    set_learning_rate(optimiser, 0.5)
    assert [group["lr"] for group in optimiser.param_groups] == pytest.approx([0.1, 0.0024])
    assert make_optimiser(model, "lars", "vicreg", 0.2, 1e-6).param_groups[1]["lr"] == 0.2
    with pytest.raises(ValueError, match=r"'adam'.*adamw"):
        make_optimiser(model, "adam", "vicreg", 1e-3, 0.1)


def test_optimisers_of_the_other_methods():
    """SwAV's LARS treats vectors as weights; SGD decays all; what is frozen is left out and a fixed rate stays."""
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    groups = make_optimiser(model, "lars", "swav", 0.6, 1e-6).param_groups
    assert [(group["scale_vectors"], group["weight_decay"]) for group in groups] == [(True, 1e-6)] * 2
    assert not make_optimiser(model, "lars", "vicreg", 0.6, 1e-6).param_groups[1]["scale_vectors"]
    model[0].bias.requires_grad_(False)
    optimiser = make_optimiser(model, "sgd", "simsiam", 0.05, 1e-4, fixed_rate=("1",))
    assert [(len(g["params"]), g["weight_decay"], g["fixed"]) for g in optimiser.param_groups] == [
        (1, 1e-4, False),
        (2, 1e-4, True),
    ]
    set_learning_rate(optimiser, 0.1)
    assert [group["lr"] for group in optimiser.param_groups] == pytest.approx([0.005, 0.05])
    vector = torch.tensor([3.0, 4.0], requires_grad=True)
    vector.grad = torch.tensor([0.0, 1.0])
    LARS([vector], lr=1.0, weight_decay=0.0, trust=1e-3, scale_vectors=True).step()
    assert vector.detach().tolist() == pytest.approx([3.0, 4.0 - 1e-3 * 5])


def test_schedule_at_its_end_points():
    assert warm_up_cosine(0, 100, 10) == 0
    assert warm_up_cosine(5, 100, 10) == 0.5
    assert warm_up_cosine(10, 100, 10) == 1
    assert warm_up_cosine(55, 100, 10) == pytest.approx((1 + 0.001) / 2)
    assert warm_up_cosine(100, 100, 10) == pytest.approx(0.001)
    assert warm_up_cosine(0, 100, 0) == 1
    with pytest.raises(ValueError, match="101"):
        warm_up_cosine(101, 100, 10)


def test_the_stepwise_schedule_falls_at_sixty_and_eighty_percent():
    factors = [steps_schedule(step, 200) for step in (0, 119, 120, 159, 160, 200)]
    assert factors == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])
    with pytest.raises(ValueError, match="201"):
        steps_schedule(201, 200)


def test_augmentation_keeps_shape_range_and_follows_its_generator():
    images = torch.zeros(40, 1, 32, 32)
    images[:, :, 8:24, 12:20] = 1.0
    views = [GlyphAugmentation()(images, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    torch.testing.assert_close(views[0], views[1], rtol=0, atol=0)
    assert not torch.equal(views[0], views[2])
    assert views[0].shape == images.shape
    assert views[0].min() >= -1e-6
    assert views[0].max() <= 1 + 1e-6
    assert (views[0][0] - views[0][1]).abs().max() > 0.1  # images of one batch differ


CHANGES = ("rotation", "shear", "zoom", "stretch", "shift", "elastic", "bold", "thin", "blur", "fade", "erase")
NOTHING = dict.fromkeys(CHANGES, 0.0)


def bar():
    images = torch.zeros(64, 1, 32, 32)
    images[:, :, 6:26, 13:17] = 1.0
    return images


def test_no_augmentation_gives_the_image_back():
    view = GlyphAugmentation(**NOTHING)(bar(), torch.Generator().manual_seed(0))
    torch.testing.assert_close(view, bar(), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("what", "size"), [("bold", 1.0), ("thin", 0.6)])
def test_strokes_change_one_way_only(what, size):
    view = GlyphAugmentation(**NOTHING | {what: size})(bar(), torch.Generator().manual_seed(0))
    change = (view - bar()).sum(dim=(1, 2, 3))
    assert (change >= -1e-3).all() if what == "bold" else (change <= 1e-3).all()
    assert change.abs().max() > 5


def test_nothing_is_mirrored_and_rotation_stays_within_its_range():
    """A bar's principal axis after rotation by at most 12 degrees, read off its second moments."""
    view = GlyphAugmentation(**NOTHING | {"rotation": 12.0})(bar(), torch.Generator().manual_seed(0))[:, 0]
    y, x = torch.meshgrid(torch.arange(32.0) - 15.5, torch.arange(32.0) - 15.5, indexing="ij")
    xx, yy, xy = ((view * term).sum(dim=(1, 2)) for term in (x * x, y * y, x * y))
    angle = torch.rad2deg(0.5 * torch.atan2(2 * xy, yy - xx))
    assert angle.abs().max() < 13
    assert angle.max() > 8
    assert angle.min() < -8
    heavy_left = bar()
    heavy_left[:, :, 6:26, 8:13] = 1.0
    view = GlyphAugmentation()(heavy_left, torch.Generator().manual_seed(0))[:, 0]
    assert ((view * x).sum(dim=(1, 2)) < 0).float().mean() > 0.7


def test_every_row_is_used_at_most_once_an_epoch_and_the_short_batch_is_dropped():
    rows = [batch_rows(90, CONFIG, step) for step in range(10)]
    assert all(len(r) == 16 for r in rows)
    first, second = np.concatenate(rows[:5]), np.concatenate(rows[5:])
    assert len(np.unique(first)) == len(np.unique(second)) == 80
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("method", ["vicreg", "barlow-twins"])
@pytest.mark.parametrize("optimiser", ["adamw", "lars"])
def test_an_interrupted_training_ends_as_an_uninterrupted_one(tmp_path, images, method, optimiser):
    config = replace(CONFIG, architecture=replace(TINY, method=method), optimiser=optimiser)
    whole, record = run_training(images, config, tmp_path / "whole", log=lambda line: None)

    def stop(encoder, step):
        if step == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_training(images, config, tmp_path / "cut", log=lambda line: None, after_checkpoint=stop)
    lines = []
    again, resumed = run_training(images, config, tmp_path / "cut", log=lines.append)
    assert [json.loads(line)["step"] for line in lines] == [8, 10]
    assert [line["step"] for line in resumed["loss_curve"]] == [2, 4, 6, 8, 10]
    assert [x["loss"] for x in resumed["loss_curve"]] == [x["loss"] for x in record["loss_curve"]]
    for key, value in whole.state_dict().items():
        torch.testing.assert_close(again.state_dict()[key], value, rtol=0, atol=0)
    assert not again.training


@pytest.fixture
def one_torch_thread():
    """Give torch one thread, as the processes have that are started here: sums depend on how many there are."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.slow
def test_every_step_has_one_line_and_a_killed_run_leaves_no_step_twice(tmp_path, images, one_torch_thread):
    """SIGKILL, at whatever moment: the log and the weights are those of a run that nobody killed."""
    whole, _ = run_training(images, CONFIG, tmp_path / "whole", log=lambda line: None)
    np.save(tmp_path / "images.npy", images)
    script = (
        "import sys, os, signal, torch, numpy as np\n"
        "torch.set_num_threads(1)\n"
        "from pathlib import Path\n"
        "from elsa_nb.images.training import train as training\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from test_train import CONFIG\n"
        "step = training.training_step\n"
        "def die(*args):\n"
        "    if args[-1] == int(sys.argv[3]):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return step(*args)\n"
        "training.training_step = die\n"
        "folder = Path(sys.argv[2])\n"
        "training.run_training(np.load(folder / 'images.npy'), CONFIG, folder / 'cut', log=lambda line: None)\n"
    )
    here = str(Path(__file__).parent)
    killed = subprocess.run([sys.executable, "-c", script, here, str(tmp_path), "8"], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len((tmp_path / "cut" / "log.jsonl").read_text().splitlines()) == 8  # two beyond the checkpoint at 6
    again, _ = run_training(images, CONFIG, tmp_path / "cut", log=lambda line: None)
    assert (tmp_path / "cut" / "log.jsonl").read_text() == (tmp_path / "whole" / "log.jsonl").read_text()
    lines = [json.loads(line) for line in (tmp_path / "cut" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 11))
    assert {"loss", "invariance", "variance", "covariance", "spread"} <= set(lines[0])
    for key, value in whole.state_dict().items():
        torch.testing.assert_close(again.state_dict()[key], value, rtol=0, atol=0)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["vicreg", "barlow-twins"])
def test_the_first_losses_are_those_of_the_code_that_trained_the_bundled_encoders(tmp_path, method):
    """Taken with that code (the commit in the cards) on the bundled glyphs, recipe as in the card, in float32."""
    told = {"vicreg": [21.35939, 21.2204], "barlow-twins": [154.61845, 144.94379]}[method]
    config = replace(glyph_recipe(method), precision="float32", log_every=1)
    glyphs, seen = Glyphs.open(), []
    card = store.read_json(store.DATA / "weights" / f"{method}.json")
    for key in ("batch", "epochs", "lr", "optimiser", "seed", "warm_up", "weight_decay"):
        assert getattr(config, key) == card["config"][key]
    assert asdict(config.views[0]) == asdict(config.views[1]) == card["config"]["augmentation"]

    def log(line):
        seen.append(json.loads(line)["loss"])
        if len(seen) == len(told):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_training(glyphs.images(), config, tmp_path, log=log)
    assert seen == pytest.approx(told, rel=1e-4)


def test_a_checkpoint_of_another_run_or_a_damaged_one_is_refused(tmp_path, images):
    run_training(images, CONFIG, tmp_path, log=lambda line: None)
    with pytest.raises(ValueError, match="other images or settings"):
        run_training(images, replace(CONFIG, lr=1e-3), tmp_path, log=lambda line: None)
    with pytest.raises(ValueError, match="other images or settings"):
        run_training(images[::-1], CONFIG, tmp_path, log=lambda line: None)
    (tmp_path / "checkpoint.pt").write_bytes(b"PK\x03\x04 no more")
    with pytest.raises(CorruptFileError, match=r"checkpoint\.pt"):
        run_training(images, CONFIG, tmp_path, log=lambda line: None)


ENDLESS = [{name: value} for name in ("lr", "weight_decay", "final") for value in (float("nan"), float("inf"))]


def test_bad_settings_are_refused(tmp_path, images):
    words = {"optimiser": "adam", "precision": "float16", "schedule": "none", "views": CONFIG.views[:1]}
    for bad in [*({k: v} for k, v in words.items()), {"batch": 1}, {"epochs": 0}, {"lr": 0}, {"warm_up": 1}, *ENDLESS]:
        with pytest.raises(ValueError, match="expected"):
            replace(CONFIG, **bad)
    with pytest.raises(ValueError, match="15 images"):
        run_training(images[:15], CONFIG, tmp_path)
    with pytest.raises(ValueError, match="vicreg got SwAVSettings; it takes VICRegSettings"):
        run_training(images, replace(CONFIG, settings=SwAVSettings()), tmp_path)


def test_a_loss_that_is_not_finite_stops_the_training(tmp_path, images):
    with pytest.raises(FloatingPointError, match="lower lr"):
        run_training(images, replace(CONFIG, optimiser="lars", lr=1e30), tmp_path, log=lambda line: None)


def test_training_lowers_the_loss(tmp_path):
    x = np.zeros((128, 32, 32), np.uint8)
    rng = np.random.default_rng(0)
    for image in x:
        for _ in range(3):
            r, c = rng.integers(2, 20, size=2)
            image[r : r + rng.integers(3, 10), c : c + rng.integers(3, 10)] = 255
    gentle = GlyphAugmentation(**NOTHING | {"rotation": 3.0})
    for method in ("vicreg", "barlow-twins"):
        architecture = replace(TINY, method=method)
        config = replace(CONFIG, architecture=architecture, views=(gentle, gentle), epochs=10, batch=32, log_every=4)
        _, record = run_training(x, config, tmp_path / method, log=lambda line: None)
        losses = [line["loss"] for line in record["loss_curve"]]
        assert np.mean(losses[-3:]) < 0.9 * np.mean(losses[:3])


@pytest.mark.parametrize("block", [7, 16, 60])
def test_purity_by_loops(block, monkeypatch):
    monkeypatch.setattr(quality, "_BLOCK", block)
    rng = np.random.default_rng(7)
    vectors, labels = rng.normal(size=(60, 3)), rng.integers(0, 4, size=60)
    shares = []
    for i in range(60):
        others = sorted((math.dist(vectors[i], vectors[j]), j) for j in range(60) if j != i)[:10]
        shares.append(np.mean([labels[j] == labels[i] for _, j in others]))
    assert purity(vectors, labels) == pytest.approx(np.mean(shares), abs=1e-6)
    with pytest.raises(ValueError, match="k is 60"):
        purity(vectors, labels, k=60)


def test_linear_probe_and_collapse_tell_good_vectors_from_bad():
    rng = np.random.default_rng(8)
    labels = np.repeat(np.arange(5), 80)
    good = np.eye(5)[labels] * 6 + rng.normal(size=(400, 5))
    assert linear_probe(good, labels, epochs=40) > 0.95
    assert linear_probe(rng.normal(size=(400, 5)), labels, epochs=40) < 0.4
    line = rng.normal(size=(400, 1)) @ rng.normal(size=(1, 5))
    assert collapse(line)["effective_rank"] == 1
    assert collapse(rng.normal(size=(4000, 5)))["effective_rank"] > 4.9
    assert collapse(np.ones((50, 5)))["std_mean"] == 0
