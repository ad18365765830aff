"""The heads: what they minimise, against scikit-learn, torch and finite differences."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from elsa_nb.search.heads import logistic
from elsa_nb.search.heads.features import Features
from elsa_nb.search.heads.head import HeadConfig, LinearHead, MLPHead, logits_together, train
from elsa_nb.search.heads.logistic import confidence


def logistic_regression(x, y, l2, **options):
    return LinearHead(*logistic.logistic_regression(x, y, l2, **options))


def sample(m, d, share=0.3, apart=1.0, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(m) < max(1, round(share * m))
    x = rng.normal(size=(m, d))
    x[y] += apart
    order = rng.permutation(m)
    return x[order], y[order]


def gradient(x, y, l2, fitted):
    """Differentiate the objective of `logistic_regression`, written once more."""
    cost = np.where(y, len(y) / (2 * y.sum()), len(y) / (2 * (~y).sum()))
    error = cost * (1 / (1 + np.exp(-(x @ fitted.weights + fitted.bias))) - y)
    return np.append(x.T @ error + l2 * fitted.weights, error.sum())


SHAPES = [(40, 3), (200, 12), (12, 12), (13, 12), (7, 30), (60, 300), (2, 5), (2, 1)]


@pytest.mark.parametrize("l2", [0.01, 1.0, 100.0])
@pytest.mark.parametrize(("m", "d"), SHAPES)
def test_logistic_regression_is_that_of_scikit_learn(m, d, l2):
    x, y = sample(m, d)
    fitted = logistic_regression(x, y, l2)
    theirs = LogisticRegression(class_weight="balanced", C=1 / l2, solver="newton-cholesky", tol=1e-12, max_iter=500)
    theirs.fit(x, y)
    np.testing.assert_allclose(fitted.weights, theirs.coef_[0], rtol=1e-6, atol=1e-8)
    assert fitted.bias == pytest.approx(theirs.intercept_[0], rel=1e-6, abs=1e-8)


@settings(max_examples=100)
@given(
    m=st.integers(2, 80),
    d=st.integers(1, 40),
    share=st.floats(0.01, 0.99),
    apart=st.sampled_from([0.0, 1.0, 30.0]),  # 30: separable, far
    l2=st.sampled_from([1e-6, 1e-2, 1.0, 1e3]),
    seed=st.integers(0, 99),
)
def test_the_gradient_vanishes_at_the_answer(m, d, share, apart, l2, seed):
    x, y = sample(m, d, min(share, 1 - 1 / m), apart, seed)
    fitted = logistic_regression(x, y, l2)
    assert abs(gradient(x, y, l2, fitted)).max() < 1e-9 * m


def test_newton_converges_in_a_few_steps(monkeypatch):
    """Rounding once sent the line search into a hundred idle steps just before the end."""
    solved = []
    step = logistic._newton_step
    monkeypatch.setattr(logistic, "_newton_step", lambda *system: solved.append(1) or step(*system))
    for seed in range(150):
        x, y = sample((2, 3, 60, 300)[seed % 4], (1, 2, 5, 100)[seed // 4 % 4], 0.5, (0, 1, 50)[seed % 3], seed)
        del solved[:]
        logistic_regression(x, y, 1.0)
        assert len(solved) <= 25


def test_separable_samples_give_finite_weights():
    x = np.array([[-3.0], [-2.0], [2.0], [3.0]])
    fitted = logistic_regression(x, x[:, 0] > 0, 1.0)
    assert fitted.bias == pytest.approx(0, abs=1e-9)
    assert 0.5 < fitted.weights[0] < 5


def test_both_classes_weigh_the_same():
    """Copies of the negatives move nothing but the strength of the penalty."""
    x, y = sample(30, 4)
    once = logistic_regression(x, y, 1.0)
    many = logistic_regression(
        np.concatenate([x, np.repeat(x[~y], 4, 0)]), np.append(y, np.zeros(4 * (~y).sum())) > 0, 1
    )
    m, larger = 30, 30 + 4 * (~y).sum()
    scaled = logistic_regression(x, y, 1.0 * m / larger)
    np.testing.assert_allclose(many.weights, scaled.weights, rtol=1e-6)
    assert not np.allclose(many.weights, once.weights, rtol=1e-3)


def test_the_span_of_few_samples_is_enough():
    """With fewer samples than dimensions the short way and the long way agree."""
    x, y = sample(9, 20)
    short = logistic_regression(x, y, 0.7)
    padded = np.column_stack([x, np.zeros((9, 1))])
    np.testing.assert_allclose(logistic_regression(padded, y, 0.7).weights[:20], short.weights, rtol=1e-9)
    assert abs(gradient(x, y, 0.7, short)).max() < 1e-10


LARGE_SAMPLES = {
    "mixed": {"apart": 0.2},
    "separable": {"apart": 2.0},
    "rare": {"share": 0.02},
    "few": {"m": 60},
    "strong": {"l2": 1e3},
    "weak": {"l2": 1e-2},
    "tiny": {"l2": 1e-7},
    "correlated": {"common": 30.0},
    "all but equal": {"common": 1e3, "l2": 1e-2},
    "far": {"apart": 30.0},
}


def large_sample(m=200, d=80, share=0.3, apart=0.5, common=0.0, l2=1.0):
    x, y = sample(m, d, share, apart)
    return x + common * np.random.default_rng(9).normal(size=(m, 1)), y, l2


@pytest.fixture
def small_is_large(monkeypatch):
    monkeypatch.setattr(logistic, "_LARGE", 30)
    monkeypatch.setattr(logistic, "_DIRECTIONS", 8)


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("kind", LARGE_SAMPLES)
def test_the_gradient_vanishes_in_large_dimensions(small_is_large, monkeypatch, kind, warm):
    x, y, l2 = large_sample(**LARGE_SAMPLES[kind])
    start = np.random.default_rng(1).normal(size=x.shape[1]) if kind == "tiny" else None
    if warm:
        start = logistic_regression(x[5:], y[5:], l2).weights
    fitted = logistic_regression(x, y, l2, start=start)
    # Sums of large features cannot vanish further than their rounding.
    assert abs(gradient(x, y, l2, fitted)).max() < 2e-12 * len(x) * max(1, abs(x).max() / 10)
    monkeypatch.setattr(logistic, "_LARGE", np.inf)
    exact = logistic_regression(x, y, l2)
    distance = np.linalg.norm(fitted.weights - exact.weights)
    close = {"far": 1e-7, "tiny": 1e-4}.get(kind, 1e-8)  # badly conditioned: a vanishing gradient says less
    assert distance < close * np.linalg.norm(exact.weights)


@pytest.mark.parametrize(("m", "d"), [(700, 650), (650, 700), (1300, 650)])
def test_large_dimensions_need_few_products_and_no_factor(monkeypatch, m, d):
    x, y = sample(m, d, apart=0.1)
    x *= np.arange(1, d + 1) ** -0.5 * 8  # a spectrum that falls off, as that of images does
    exact_step, solve, products = logistic._newton_step, logistic._solve, []
    monkeypatch.setattr(logistic, "_newton_step", None)

    def counting(*system):
        step, used = solve(*system)
        products.append(used)
        return step, used

    monkeypatch.setattr(logistic, "_solve", counting)
    fitted = logistic_regression(x, y, 1.0)
    assert len(products) <= 25
    assert sum(products) <= 250
    del products[:]
    again = logistic_regression(x, y, 1.0, start=fitted.weights * (1 + 1e-3), start_bias=fitted.bias)
    assert sum(products) <= 160
    monkeypatch.setattr(logistic, "_LARGE", np.inf)
    monkeypatch.setattr(logistic, "_newton_step", exact_step)
    exact = logistic_regression(x, y, 1.0)
    for found in (fitted, again):
        assert np.linalg.norm(found.weights - exact.weights) < 1e-8 * np.linalg.norm(exact.weights)
        assert found.bias == pytest.approx(exact.bias, rel=1e-8, abs=1e-9)


@pytest.mark.parametrize(("m", "d"), [(40, 3), (300, 60), (60, 300), (900, 256)])
@pytest.mark.parametrize(
    ("l2", "close"), [(1.0, 1e-8), (1e-7, 1e-4)]
)  # badly conditioned: a vanishing gradient says less
def test_a_curvature_of_single_precision_leads_to_the_same_answer(m, d, l2, close):
    x, y = sample(m, d, apart=0.1)
    exact = logistic_regression(x, y, l2)
    coarse = logistic_regression(x, y, l2, coarse=True)
    again = logistic_regression(x, y, l2, start=exact.weights, start_bias=exact.bias, coarse=True)
    for found in (coarse, again):
        assert np.linalg.norm(found.weights - exact.weights) < close * np.linalg.norm(exact.weights)
        assert found.bias == pytest.approx(exact.bias, rel=close, abs=close)


@pytest.mark.parametrize("products", [0, 1, 20])
def test_where_products_run_out_newton_goes_on(small_is_large, monkeypatch, products):
    monkeypatch.setattr(logistic, "_MOST_PRODUCTS", products)
    x, y, l2 = large_sample()
    assert abs(gradient(x, y, l2, logistic_regression(x, y, l2))).max() < 2e-12 * len(x)


def test_small_dimensions_are_solved_by_newton_alone(monkeypatch):
    monkeypatch.setattr(logistic, "_by_conjugate_gradients", None)
    for m, d in ((700, 256), (500, 2000), (600, 600)):
        logistic_regression(*sample(m, d), 1.0, most_steps=1)


def test_confidence_is_the_logistic_function_without_overflow():
    logits = np.array([-800.0, -2.0, 0.0, 2.0, 800.0])
    np.testing.assert_allclose(confidence(logits), [0, 1 / (1 + np.exp(2)), 0.5, 1 / (1 + np.exp(-2)), 1], atol=1e-15)


@pytest.fixture
def vectors():
    return np.random.default_rng(0).normal(size=(70, 6)).astype(np.float32) * 3 + 5


def test_features_have_unit_mean_variance_and_no_mean(vectors):
    features = Features(vectors)
    x = features.take(np.arange(70))
    assert x.dtype == np.float64
    np.testing.assert_allclose(x.mean(0), 0, atol=1e-6)
    assert x.var(0).mean() == pytest.approx(1, rel=1e-6)


def test_a_head_that_is_asked_again_reads_no_vectors_and_gives_the_same(vectors, monkeypatch):
    """A round asks the head for its question, and again for the scores on the page."""
    features, passes = Features(vectors), []
    once = features._products
    monkeypatch.setattr(features, "_products", lambda *given: passes.append(1) or once(*given))
    rng = np.random.default_rng(1)
    one, other = LinearHead(rng.normal(size=6), 0.3), LinearHead(rng.normal(size=6), 0.3)
    first = one.logits(features)
    kept = first.copy()
    first[:] = 0  # whoever got them may write to them
    np.testing.assert_array_equal(copy.deepcopy(one).logits(features), kept)
    assert len(passes) == 1
    np.testing.assert_array_equal(logits_together([(one, features), (other, features)])[0], kept)
    assert not np.array_equal(other.logits(features), kept)
    np.testing.assert_allclose(LinearHead(one.weights, 0.4).logits(features), kept + 0.1)
    np.testing.assert_array_equal(one.logits(features), kept)
    assert len(passes) == 5


def test_project_equals_the_scaled_features(vectors):
    features = Features(vectors)
    rng = np.random.default_rng(1)
    x = features.take(np.arange(70))
    weights, bias = rng.normal(size=6), 0.3
    np.testing.assert_allclose(features.project(weights[None], np.array([bias]))[0], x @ weights + bias, atol=2e-5)
    many, biases = rng.normal(size=(6, 4)), rng.normal(size=4)
    np.testing.assert_allclose(features.project(many.T, biases), (x @ many + biases).T, atol=2e-5)


@pytest.mark.parametrize("kind", ["logistic", "linear-sgd", "mlp"])
@pytest.mark.parametrize(("factor", "shift"), [(2.0**-9, 0.0), (64.0, 0.0), (1.0, 40.0)])
def test_a_head_does_not_see_the_scale_or_place_of_the_pool(vectors, kind, factor, shift):
    def scores(pool):
        config = HeadConfig(kind, steps=30)
        rng = np.random.default_rng(3)
        features = Features(pool)
        return train(features, np.arange(5), np.arange(5, 20), config, rng).logits(features)

    np.testing.assert_allclose(scores(vectors * np.float32(factor) + np.float32(shift)), scores(vectors), atol=2e-4)


def test_a_pool_of_equal_vectors_has_equal_scores():
    features = Features(np.full((9, 3), 7.0, np.float32))
    scores = train(features, np.array([0]), np.array([1]), HeadConfig(), np.random.default_rng(0)).logits(features)
    assert len(set(scores)) == 1
    assert abs(scores[0]) < 1e-12


@pytest.mark.parametrize("d", [1, 5, 17, 300])
def test_equal_rows_have_equal_scores_wherever_they_are(d):
    rng = np.random.default_rng(d)
    for n in range(5, 80, 7):
        features = Features(np.repeat(rng.normal(size=(1, d)), n, 0))
        assert len(set(LinearHead(rng.normal(size=d), 0.1).logits(features))) == 1
        mlp = MLPHead(rng.normal(size=(d, 9)), rng.normal(size=9), rng.normal(size=9), 0.1)
        assert len(set(mlp.logits(features))) == 1


@pytest.mark.parametrize("positives", [4, 7, 8, 15, 16, 30])
def test_linear_sgd_takes_the_steps_of_torch_adamw(vectors, positives):
    features = Features(vectors)
    config = HeadConfig("linear-sgd", steps=25, learning_rate=0.03, weight_decay=0.2)
    plus, minus = np.arange(positives), np.arange(40, 60)
    first = train(features, plus, minus, config, np.random.default_rng(5))
    second = train(features, plus, minus, config, np.random.default_rng(6), first)  # goes on from there

    rng = np.random.default_rng(5)
    bound = 1 / np.sqrt(6)
    layer = torch.nn.Linear(6, 1, dtype=torch.float64)
    with torch.no_grad():
        layer.weight[0] = torch.from_numpy(rng.uniform(-bound, bound, 6))
        layer.bias[0] = rng.uniform(-bound, bound)
    size = 4 if positives < 8 else 8 if positives < 16 else 16
    target = torch.repeat_interleave(torch.tensor([1.0, 0.0], dtype=torch.float64), size)
    for fitted, draws in ((first, rng), (second, np.random.default_rng(6))):
        optimiser = torch.optim.AdamW(layer.parameters(), lr=0.03, weight_decay=0.2)
        for _ in range(25):
            rows = np.append(plus[draws.integers(positives, size=size)], minus[draws.integers(20, size=size)])
            logits = layer(torch.from_numpy(features.take(rows)))[:, 0]
            optimiser.zero_grad()
            torch.nn.functional.binary_cross_entropy_with_logits(logits, target).backward()
            optimiser.step()
        np.testing.assert_allclose(fitted.weights, layer.weight[0].detach().numpy(), rtol=1e-9)
        assert fitted.bias == pytest.approx(layer.bias.item(), rel=1e-9)


@pytest.mark.parametrize(("positives", "size"), [(4, 4), (9, 8), (30, 16)])
def test_mlp_takes_the_steps_of_torch_adamw(vectors, positives, size):
    features = Features(vectors)
    config = HeadConfig("mlp", steps=20, learning_rate=0.01, hidden=3)
    plus, minus = np.arange(positives), np.arange(40, 60)
    fitted = train(features, plus, minus, config, np.random.default_rng(5))
    again = train(features, plus, minus, config, np.random.default_rng(5), fitted)
    np.testing.assert_array_equal(fitted.weights, again.weights)  # a fresh start each time

    rng = np.random.default_rng(5)
    hidden, out = torch.nn.Linear(6, 3, dtype=torch.float64), torch.nn.Linear(3, 1, dtype=torch.float64)
    with torch.no_grad():
        hidden.weight[:] = torch.from_numpy(rng.uniform(-1 / np.sqrt(6), 1 / np.sqrt(6), (6, 3)).T)
        hidden.bias[:] = torch.from_numpy(rng.uniform(-1 / np.sqrt(6), 1 / np.sqrt(6), 3))
        out.weight[0] = torch.from_numpy(rng.uniform(-1 / np.sqrt(3), 1 / np.sqrt(3), 3))
        out.bias[0] = rng.uniform(-1 / np.sqrt(3), 1 / np.sqrt(3))
    model = torch.nn.Sequential(hidden, torch.nn.ReLU(), out)
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.05)
    target = torch.repeat_interleave(torch.tensor([1.0, 0.0], dtype=torch.float64), size)
    for _ in range(20):
        rows = np.append(plus[rng.integers(positives, size=size)], minus[rng.integers(20, size=size)])
        optimiser.zero_grad()
        logits = model(torch.from_numpy(features.take(rows)))[:, 0]
        torch.nn.functional.binary_cross_entropy_with_logits(logits, target).backward()
        optimiser.step()
    with torch.no_grad():
        expected = model(torch.from_numpy(features.take(np.arange(70))))[:, 0].numpy()
        for found, layer in (
            (fitted.weights.T, hidden.weight),
            (fitted.biases, hidden.bias),
            (fitted.output, out.weight[0]),
        ):
            np.testing.assert_allclose(found, layer.numpy(), rtol=1e-9, atol=1e-12)
        assert fitted.bias == pytest.approx(out.bias.item(), rel=1e-9)
    assert isinstance(fitted, MLPHead)
    np.testing.assert_allclose(fitted.logits(features), expected, atol=1e-5)


@pytest.mark.parametrize("kind", ["linear-sgd", "mlp"])
def test_adamw_learns_to_tell_clusters_apart(kind):
    rng = np.random.default_rng(0)
    features = Features(np.concatenate([rng.normal(size=(30, 4)) + 3, rng.normal(size=(70, 4))]))
    config = HeadConfig(kind, steps=400, learning_rate=0.01)
    logits = train(features, np.arange(10), np.arange(50, 80), config, rng).logits(features)
    assert (logits[:30] > 0).mean() > 0.95
    assert (logits[30:] < 0).mean() > 0.95


@pytest.mark.parametrize("kind", ["logistic", "linear-sgd", "mlp"])
def test_nothing_to_learn_from_leaves_the_head_as_it_was(vectors, kind):
    features, rng = Features(vectors), np.random.default_rng(0)
    config = HeadConfig(kind, steps=2, least_positives=4)
    previous, none = LinearHead(np.ones(6), 0.0), np.empty(0, np.int64)
    state = rng.bit_generator.state
    for positives, negatives in ((np.arange(9), none), (np.arange(3), np.arange(9, 20)), (none, none)):
        assert train(features, positives, negatives, config, rng, previous) is previous
        assert train(features, positives, negatives, config, rng) is None
    assert rng.bit_generator.state == state
    assert train(features, np.arange(4), np.array([9]), config, rng, previous) is not previous


def test_the_logistic_head_depends_on_nothing_but_its_labels(vectors):
    features = Features(vectors)
    one = train(features, np.arange(5), np.arange(9, 20), HeadConfig(), np.random.default_rng(0))
    other = train(features, np.arange(5)[::-1], np.arange(9, 20), HeadConfig(), np.random.default_rng(1), one)
    np.testing.assert_allclose(one.weights, other.weights, rtol=1e-9)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"kind": "svm"}, "'svm'.*logistic, linear-sgd, mlp"),
        ({"l2": 0}, "l2 = 0; allowed: more than 0"),
        ({"l2": float("nan")}, "l2 = nan"),
        ({"steps": 0}, "steps = 0"),
        ({"learning_rate": -1.0}, "learning_rate = -1.0"),
        ({"hidden": 0}, "hidden = 0"),
        ({"least_positives": 0}, "least_positives = 0"),
        ({"weight_decay": -0.1}, "weight_decay = -0.1; allowed: 0 or more"),
    ],
)
def test_bad_settings_name_the_value_and_what_is_allowed(settings, match):
    with pytest.raises(ValueError, match=match):
        HeadConfig(**settings)


@pytest.mark.parametrize("factor", [1e-40, 1e38])
def test_vectors_at_the_ends_of_float32_are_scored_as_others_are(factor):
    vectors = np.random.default_rng(0).uniform(-3, 3, size=(40, 5)).astype(np.float32)
    head = LinearHead(np.arange(-40.0, 60, 20), 0.5)
    expected = head.logits(Features(vectors))
    assert head.logits(Features(vectors * np.float32(factor))) == pytest.approx(expected, abs=0.02)
