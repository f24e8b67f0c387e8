"""Latents: addresses, and the truncated normal's deviations (test constants)."""

from __future__ import annotations

import pytest
import torch

from figment.sampling.latents import latents_of


def test_a_seed_is_an_address():
    several = latents_of([3, 7, 11], 100)
    assert torch.equal(latents_of([7], 100)[0], several[1])
    assert not torch.equal(several[0], several[1])


def test_known_values():
    """The latents of a seed may never change: pictures are addressed by them."""
    expected = [[1.595036, -1.004135, -0.903435], [-0.490843, 0.901683, -1.019572]]
    assert latents_of([0, 1], 3).tolist() == [pytest.approx(row, abs=1e-6) for row in expected]


def test_standard_normal():
    z = latents_of(range(2000), 64)
    assert z.mean().item() == pytest.approx(0, abs=0.01)
    assert z.std().item() == pytest.approx(1, abs=0.01)
    assert ((z**4).mean() / (z**2).mean() ** 2).item() == pytest.approx(3, abs=0.1)


@pytest.mark.parametrize(
    ("truncation", "std"),
    [(0.01, 0.005773), (0.5, 0.283882), (1, 0.539560), (1.5, 0.742647), (2, 0.879626)],
)
def test_truncated_deviations(truncation: float, std: float):
    z = latents_of(range(2000), 64, truncation)
    assert z.abs().max() <= truncation
    assert z.std().item() == pytest.approx(std, rel=0.01)


def test_truncation_keeps_the_latents_order():
    """One row a threshold shows the same latents: each coordinate only moves towards zero."""
    z, narrow = latents_of([5], 64)[0], latents_of([5], 64, 1.0)[0]
    assert torch.equal(z.argsort(), narrow.argsort())
    assert torch.equal(z.sign(), narrow.sign())
