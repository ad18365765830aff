"""Both losses against values worked out by hand and against plain loops over their definitions."""

import math

import numpy as np
import pytest
import torch

from elsa_nb.images.losses import barlow_twins_loss, off_diagonal, vicreg_loss


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
