"""The recipes: one architecture and length for all methods here, and the published numbers for full-size runs."""

import pytest

from elsa_nb.images.encoders.small_resnet import METHODS
from elsa_nb.images.training.recipes import base_rate, glyph_recipe, official_recipe, photo_recipe


@pytest.mark.parametrize("recipe", [glyph_recipe, photo_recipe])
def test_bundled_encoders_differ_in_method_and_projector_alone(recipe):
    recipes = {method: recipe(method) for method in METHODS}
    for method, config in recipes.items():
        first = recipes["vicreg"]
        for key in ("epochs", "batch", "optimiser", "lr", "weight_decay", "schedule", "warm_up", "seed"):
            assert getattr(config, key) == getattr(first, key)
        for key in ("widths", "blocks", "stem_stride", "stem_pool", "channels"):
            assert getattr(config.architecture, key) == getattr(first.architecture, key)
        assert config.architecture.method == method
        student = config.views[method == "obow" :]  # the first view is the teacher's
        assert student[:2] == first.views
        assert len(student) == (6 if method in ("swav-multicrop", "obow") else 2)
    with pytest.raises(ValueError, match="'simclr'"):
        recipe("simclr")


@pytest.mark.parametrize(
    ("method", "batch", "epochs", "rate"),
    [
        ("vicreg", 2048, 1000, 0.2),
        ("vicreg", 2048, 100, 0.3),
        ("vicreg", 512, 100, 0.4),
        ("vicreg", 256, 100, 0.5),
        ("vicreg", 128, 100, 0.8),
        ("barlow-twins", 2048, 1000, 0.2),
        ("barlow-twins", 1024, 300, 0.25),
        ("barlow-twins", 512, 300, 0.3),
        ("barlow-twins", 256, 300, 0.4),
        ("barlow-twins", 128, 300, 0.7),
        ("barlow-twins", 64, 300, 1.0),
        ("vicreg", 300, 100, 0.5),
    ],
)
def test_base_rates_are_those_the_authors_name(method, batch, epochs, rate):
    assert base_rate(method, batch, epochs) == rate
    config = official_recipe(method, batch=batch, epochs=epochs)
    assert config.lr == pytest.approx(rate * batch / 256)
    assert (config.optimiser, config.weight_decay, config.final) == ("lars", 1e-6, 1e-3)
    assert config.warm_up * config.epochs == pytest.approx(10)


def test_official_recipes_as_published():
    vicreg, barlow = official_recipe("vicreg"), official_recipe("barlow-twins")
    for config in (vicreg, barlow):
        assert (config.epochs, config.batch, config.lr) == (1000, 2048, pytest.approx(1.6))
        assert config.architecture.projector == (8192, 8192, 8192)
        assert config.architecture.resnet50
        assert [(view.side, view.blur, view.solarise) for view in config.views] == [(224, 1.0, 0.0), (224, 0.1, 0.2)]
    assert barlow.settings.off_diagonal == 0.0051
    symmetric = official_recipe("vicreg", variant="symmetric").views
    assert [(view.blur, view.solarise) for view in symmetric] == [(0.5, 0.1)] * 2
    first, second = official_recipe("moco-v1"), official_recipe("moco-v2")
    assert (first.lr, first.schedule, first.settings.temperature, first.settings.queue) == (0.03, "steps", 0.07, 65536)
    assert (second.lr, second.schedule, second.settings.temperature, second.epochs) == (0.03, "cosine", 0.2, 800)
    assert {first.views[0].blur, second.views[0].blur} == {0.0, 0.5}
    simsiam = official_recipe("simsiam")
    assert (simsiam.lr, simsiam.optimiser, simsiam.settings.predictor, simsiam.final) == (0.1, "sgd", 512, 0.0)
    swav, crops = official_recipe("swav"), official_recipe("swav-multicrop")
    assert (swav.lr, swav.settings.prototypes, swav.settings.frozen, len(swav.views)) == (4.8, 3000, 313, 2)
    assert [view.side for view in crops.views] == [224] * 2 + [96] * 6
    obow = official_recipe("obow")
    assert (obow.lr, obow.optimiser, obow.epochs, obow.warm_up, obow.final) == (0.03, "sgd", 200, 0.05, 1e-3)
    assert (obow.settings.words, obow.settings.kappa, obow.settings.delta, obow.settings.border) == (8192, 8, 1 / 15, 1)
    assert [view.side for view in obow.views] == [224] + [160] * 2 + [96] * 5
    small = official_recipe("swav-multicrop", batch=256, epochs=400)
    assert (small.lr, small.settings.queue) == (0.6, 3840)
