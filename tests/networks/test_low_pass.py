"""Resampling through [1, 3, 3, 1]: bilinear inside, zeros beyond the border."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from figment.networks.layers.low_pass import Blur, Double, Halve


def test_doubling_is_bilinear_inside():
    x = torch.randn(2, 3, 8, 8)
    plain = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
    assert torch.allclose(Double()(x)[..., 1:-1, 1:-1], plain[..., 1:-1, 1:-1], atol=1e-6)


def test_a_constant_stays_but_for_the_border():
    twice, half = Double()(torch.ones(1, 1, 4, 4))[0, 0], Halve()(torch.ones(1, 1, 8, 8))[0, 0]
    assert twice[0, 0] == 9 / 16 and (twice[0, 1:-1] == 3 / 4).all()
    assert (twice[1:-1, 1:-1] == 1).all()
    assert half[0, 0] == 49 / 64 and (half[0, 1:-1] == 7 / 8).all()
    assert (half[1:-1, 1:-1] == 1).all()


def test_halving_is_the_transpose_of_doubling():
    x, y = torch.randn(1, 2, 4, 4), torch.randn(1, 2, 8, 8)
    assert torch.allclose((Double()(x) * y).sum(), 4 * (x * Halve()(y)).sum(), rtol=1e-4)


def test_blur_and_its_padding():
    assert Blur(2)(torch.ones(1, 1, 8, 8)).shape == (1, 1, 9, 9)
    assert Blur(1, gain=4.0)(torch.ones(1, 1, 9, 9))[0, 0, 4, 4] == 4
    assert not Double().state_dict()


def test_they_can_be_differentiated_twice():
    x = torch.randn(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    for layer in (Double(), Halve(), Blur(2)):
        assert torch.autograd.gradcheck(layer.double(), x)
        assert torch.autograd.gradgradcheck(layer, x)


def test_a_gradient_in_autocast_has_its_pictures_type():
    x = torch.randn(1, 2, 4, 4, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        y = Halve()(x)
    (slope,) = torch.autograd.grad(y.float().sum(), x)
    plain = torch.autograd.grad(Halve()(x).sum(), x)[0]
    assert slope.dtype == torch.float32
    assert torch.allclose(slope, plain, atol=0.01)
