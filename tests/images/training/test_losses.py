"""The losses against values worked out by hand, plain loops over their definitions, and numbers by others."""

import math

import numpy as np
import pytest
import torch

from elsa_nb.images.training.losses import (
    assignments,
    barlow_twins_loss,
    cosine_loss,
    direction_spread,
    info_nce_loss,
    off_diagonal,
    swapped_prediction_loss,
    vicreg_loss,
)


def vicreg_by_loops(a, b):
    """Write the definition out, entry by entry, in float64."""
    n, d = a.shape
    s = sum((a[i, j] - b[i, j]) ** 2 for i in range(n) for j in range(d)) / (n * d)
    v = c = 0.0
    for z in (a, b):
        mean = [sum(z[i, j] for i in range(n)) / n for j in range(d)]
        cov = [
            [sum((z[i, j] - mean[j]) * (z[i, k] - mean[k]) for i in range(n)) / (n - 1) for k in range(d)]
            for j in range(d)
        ]
        v += sum(max(0.0, 1 - math.sqrt(cov[j][j] + 1e-4)) for j in range(d)) / d / 2
        c += sum(cov[j][k] ** 2 for j in range(d) for k in range(d) if j != k) / d
    return 25 * s + 25 * v + c, s, v, c


def barlow_by_loops(a, b):
    n, d = a.shape
    standard = []
    for z in (a, b):
        mean = [sum(z[i, j] for i in range(n)) / n for j in range(d)]
        var = [sum((z[i, j] - mean[j]) ** 2 for i in range(n)) / n for j in range(d)]
        standard.append([[(z[i, j] - mean[j]) / math.sqrt(var[j] + 1e-5) for j in range(d)] for i in range(n)])
    c = [[sum(standard[0][i][j] * standard[1][i][k] for i in range(n)) / n for k in range(d)] for j in range(d)]
    on = sum((c[j][j] - 1) ** 2 for j in range(d))
    off = sum(c[j][k] ** 2 for j in range(d) for k in range(d) if j != k)
    return on + 0.0051 * off, on, off


@pytest.mark.parametrize(("n", "d", "scale"), [(2, 2, 1.0), (7, 5, 0.3), (16, 3, 4.0)])
def test_losses_equal_their_definitions_written_as_loops(n, d, scale):
    rng = np.random.default_rng(n)
    a = rng.normal(size=(n, d)) * scale + 1
    b = a + rng.normal(size=(n, d)) * 0.5
    mine = vicreg_loss(torch.tensor(a), torch.tensor(b))
    told = [mine[key].item() for key in ("loss", "invariance", "variance", "covariance")]
    np.testing.assert_allclose(told, vicreg_by_loops(a, b), rtol=2e-5, atol=1e-6)
    mine = barlow_twins_loss(torch.tensor(a), torch.tensor(b))
    told = [mine[key].item() for key in ("loss", "invariance", "redundancy")]
    np.testing.assert_allclose(told, barlow_by_loops(a, b), rtol=2e-4, atol=1e-5)


def test_vicreg_by_hand():
    """Two rows (0, 0) and (2, 2): variances 2 (no hinge), covariance 2 in each off-diagonal entry of both views."""
    z = torch.tensor([[0.0, 0.0], [2.0, 2.0]])
    parts = vicreg_loss(z, z)
    assert parts["invariance"].item() == parts["variance"].item() == 0
    assert parts["covariance"].item() == pytest.approx(2 * (2 * 2**2) / 2)
    assert parts["loss"].item() == pytest.approx(8.0)
    assert vicreg_loss(z, z + 3)["invariance"].item() == pytest.approx(9.0)  # no other part sees a shift
    assert vicreg_loss(z, z + 3)["loss"].item() == pytest.approx(25 * 9 + 8)


def test_vicreg_of_collapsed_views():
    """All rows alike: each view's deviation is sqrt(1e-4) = 0.01, so the variance term is (0.99 + 0.99) / 2."""
    z = torch.ones(8, 4)
    parts = vicreg_loss(z, z)
    assert parts["variance"].item() == pytest.approx(0.99, abs=1e-6)
    assert parts["loss"].item() == pytest.approx(25 * 0.99, abs=1e-4)


def test_vicreg_weights_and_gamma_are_obeyed():
    z, w = torch.randn(9, 4, generator=torch.Generator().manual_seed(1)), torch.zeros(9, 4)
    parts = vicreg_loss(z, w, invariance=2, variance=3, covariance=5, gamma=2.0)
    told = 2 * parts["invariance"] + 3 * parts["variance"] + 5 * parts["covariance"]
    assert parts["loss"].item() == pytest.approx(told.item())
    assert parts["variance"].item() > vicreg_loss(z, w)["variance"].item()


def test_barlow_twins_by_hand():
    """Identical views of two uncorrelated +-1 columns give C = I / (1 + eps); a sign flip gives C = -I."""
    z = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    assert barlow_twins_loss(z, z)["loss"].item() == pytest.approx(0, abs=1e-8)
    assert barlow_twins_loss(z, -z)["loss"].item() == pytest.approx(8, rel=1e-4)
    same = z[:, [0, 0]]
    parts = barlow_twins_loss(same, same)
    assert parts["redundancy"].item() == pytest.approx(2, rel=1e-4)
    assert parts["loss"].item() == pytest.approx(0.0051 * 2, rel=1e-3)


def test_barlow_twins_ignores_scale_and_shift_of_each_dimension():
    generator = torch.Generator().manual_seed(2)
    a, b = torch.randn(32, 6, generator=generator), torch.randn(32, 6, generator=generator)
    scaled = a * torch.tensor([1.0, 2, 3, 4, 5, 6]) + 10
    assert barlow_twins_loss(a, b)["loss"].item() == pytest.approx(
        barlow_twins_loss(scaled, b)["loss"].item(), rel=1e-4
    )


@pytest.mark.parametrize("loss", [vicreg_loss, barlow_twins_loss])
def test_gradients_equal_finite_differences(loss):
    generator = torch.Generator().manual_seed(3)
    a = (torch.randn(6, 3, generator=generator) * 0.7).requires_grad_()
    b = torch.randn(6, 3, generator=generator)
    loss(a, b)["loss"].backward()
    step = 1e-2
    for i, j in ((0, 0), (2, 1), (5, 2)):
        bump = torch.zeros_like(b)
        bump[i, j] = step
        with torch.no_grad():
            slope = (loss(a + bump, b)["loss"] - loss(a - bump, b)["loss"]) / (2 * step)
        assert a.grad[i, j].item() == pytest.approx(slope.item(), rel=2e-2, abs=1e-2)


@pytest.mark.parametrize("loss", [vicreg_loss, barlow_twins_loss])
def test_half_precision_projections_are_taken_to_float32_first(loss):
    z = torch.randn(64, 8, generator=torch.Generator().manual_seed(4)).to(torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(z, z.flip(0))["loss"]
    assert value.dtype == torch.float32


@pytest.mark.parametrize("loss", [vicreg_loss, barlow_twins_loss])
@pytest.mark.parametrize("shapes", [((4, 3), (4, 2)), ((1, 3), (1, 3)), ((4,), (4,))])
def test_views_that_do_not_match_are_refused(loss, shapes):
    with pytest.raises(ValueError, match="Two views"):
        loss(*(torch.zeros(shape) for shape in shapes))


def test_off_diagonal_leaves_out_the_diagonal_alone():
    square = torch.arange(9.0).view(3, 3)
    assert off_diagonal(square).flatten().tolist() == [1, 2, 3, 5, 6, 7]
    with pytest.raises(ValueError, match=r"\(2, 3\)"):
        off_diagonal(torch.zeros(2, 3))


def test_info_nce_equals_its_definition_written_as_loops():
    rng = np.random.default_rng(5)
    query, key, queue = rng.normal(size=(6, 4)), rng.normal(size=(6, 4)), rng.normal(size=(9, 4))

    def cos(a, b):
        return sum(a * b) / math.sqrt(sum(a * a) * sum(b * b))

    told, hits = 0.0, 0
    for q, k in zip(query, key, strict=True):
        logits = [cos(q, k) / 0.07] + [cos(q, other) / 0.07 for other in queue]
        told += (math.log(sum(math.exp(x - max(logits)) for x in logits)) + max(logits) - logits[0]) / 6
        hits += logits[0] == max(logits)
    parts = info_nce_loss(*(torch.tensor(x) for x in (query, key, queue)))
    assert parts["loss"].item() == pytest.approx(told, rel=1e-5)
    assert parts["accuracy"].item() == pytest.approx(hits / 6)


def test_info_nce_by_hand():
    """Key on the query, r negatives at right angles: ln(1 + r exp(-1 / t)); r copies of the query: ln(1 + r)."""
    e = torch.eye(3)
    assert info_nce_loss(e[:2], e[:2] * 7, e[2:], temperature=0.5)["loss"].item() == pytest.approx(
        math.log(1 + math.exp(-2)), rel=1e-5
    )
    one = e[[0, 0]]
    assert info_nce_loss(one, one, one.repeat(4, 1))["loss"].item() == pytest.approx(math.log(9), rel=1e-5)


def test_cosine_loss_by_hand_and_its_target_gets_no_gradient():
    p = torch.tensor([[2.0, 0.0], [0.0, 3.0]], requires_grad=True)
    z = torch.tensor([[5.0, 0.0], [1.0, 1.0]], requires_grad=True)
    loss = cosine_loss(p, z)["loss"]
    assert loss.item() == pytest.approx(-(1 + math.sqrt(0.5)) / 2)
    loss.backward()
    assert p.grad is not None
    assert z.grad is None


def test_assignments_by_loops_and_their_margins():
    scores = torch.randn(12, 4, generator=torch.Generator().manual_seed(6)).clamp(-1, 1)
    q = np.exp(scores.numpy().astype(float) / 0.05)
    q /= q.sum()
    for _ in range(3):
        q = q / q.sum(axis=0, keepdims=True) / 4
        q = q / q.sum(axis=1, keepdims=True) / 12
    np.testing.assert_allclose(assignments(scores).numpy(), q * 12, rtol=1e-4, atol=1e-7)
    balanced = assignments(scores, epsilon=0.5, iterations=200)
    torch.testing.assert_close(balanced.sum(dim=1), torch.ones(12))
    torch.testing.assert_close(balanced.sum(dim=0), torch.full((4,), 3.0), rtol=1e-4, atol=1e-4)
    huge = assignments(scores * 1000)
    assert torch.isfinite(huge).all()


def test_swapped_prediction_by_hand():
    """Two certain codes, scores that are flat: ln k whatever the code; a view is never asked about itself."""
    code = torch.tensor([[1.0, 0.0, 0.0, 0.0]])
    flat, sure = torch.zeros(1, 4), torch.tensor([[9.0, 0.0, 0.0, 0.0]])
    assert swapped_prediction_loss([code, code], [flat, flat, flat]).item() == pytest.approx(math.log(4))
    right = swapped_prediction_loss([code, code], [sure, flat]).item()  # half the terms are certain and right
    assert right == pytest.approx(math.log(4) / 2, abs=1e-6)
    alone = swapped_prediction_loss([code, code.flip(1)], [sure, flat]).item()
    assert alone == pytest.approx((math.log(4) + 90) / 2, rel=1e-5)


def test_spread_tells_collapse():
    even = torch.randn(4000, 16, generator=torch.Generator().manual_seed(7))
    assert direction_spread(even).item() == pytest.approx(1, abs=0.02)
    assert direction_spread(torch.ones(50, 16) * torch.rand(50, 1)).item() == pytest.approx(0, abs=1e-5)


def test_the_losses_equal_those_of_lightly():
    """The numbers are those that lightly 1.6.0 gives for the same vectors: an implementation by others."""
    count = np.arange(1, 32 * 16 + 1)
    a, b = (torch.from_numpy(x.reshape(32, 16)).float() for x in (np.sin(count**1.3), np.cos(count**1.2)))
    both = a, a + 0.3 * b
    assert vicreg_loss(*both)["loss"].item() == pytest.approx(8.618038, rel=1e-5)
    assert barlow_twins_loss(*both)["loss"].item() == pytest.approx(0.066535085, rel=1e-4)  # lambda 0.0051
    assert cosine_loss(*both)["loss"].item() == pytest.approx(-0.95601904, rel=1e-5)
    scores = [torch.nn.functional.normalize(x) @ torch.nn.functional.normalize(b[:8]).T for x in (*both, a.flip(0))]
    codes = [assignments(s) for s in scores[:2]]  # temperature 0.1, three Sinkhorn iterations at 0.05
    assert swapped_prediction_loss(codes, scores).item() == pytest.approx(2.6491933, rel=1e-4)
