"""The VAE's networks: shapes, and pictures that know nothing of each other."""

from __future__ import annotations

import pytest
import torch

from figment.networks.vae import ConnectedDecoder, ConnectedEncoder, Decoder, Encoder, Spread


@pytest.mark.parametrize(("resolution", "channels"), [(16, 1), (32, 3), (64, 3), (128, 3)])
def test_shapes_and_range(resolution: int, channels: int):
    size = {"latent": 6, "width": 2, "resolution": resolution, "channels": channels}
    images = Decoder(**size)(3 * torch.randn(2, 6))
    assert images.shape == (2, channels, resolution, resolution)
    assert images.abs().max() <= 1
    size.pop("latent")
    assert Encoder(outputs=12, **size)(images).shape == (2, 12)


def test_a_pictures_code_is_its_own():
    encoder = Encoder(outputs=12, width=2, resolution=16, channels=3)
    images = torch.randn(4, 3, 16, 16)
    assert torch.allclose(encoder(images)[:1], encoder(images[:1]), atol=1e-5)


def test_connected_ones_have_the_papers_layers():
    """Kingma & Welling 2014: 784 - 500 - 20 - 500 - 784, of which the encoder's end is twice as wide."""
    encoder = ConnectedEncoder(outputs=40, hidden=(500,), shape=(1, 28, 28))
    decoder = ConnectedDecoder(latent=20, hidden=(500,), shape=(1, 28, 28))
    weights = [sum(w.numel() for w in net.parameters()) for net in (encoder, decoder)]
    assert weights == [785 * 500 + 501 * 40, 21 * 500 + 501 * 784]
    assert decoder(torch.randn(2, 20)).shape == (2, 1, 28, 28)


def test_latents_spread_as_the_codes_gathered():
    """Mean (1, -2), covariance ((4, 1.2), (1.2, 1)): the first batch counts whole, a second by 3/4."""
    spread, mean = Spread(2), torch.tensor([1.0, -2.0])
    covariance = torch.tensor([[4.0, 1.2], [1.2, 1.0]])
    spread.gather(mean, covariance + mean.outer(mean), newest=0.1)
    assert torch.allclose(spread.factor @ spread.factor, covariance, atol=1e-5)
    assert torch.allclose(spread(torch.zeros(1, 2)), mean[None])
    z = torch.randn(7, 2)
    assert torch.allclose(spread.latents(spread(z)), z, atol=1e-5)
    spread.gather(-mean, torch.eye(2) + mean.outer(mean), newest=0.1)
    assert torch.allclose(spread.mean, -mean / 2)
    whole = (covariance + 3 * torch.eye(2) + 3 * mean.outer(mean)) / 4
    assert torch.allclose(spread.covariance, whole, atol=1e-5)


def test_codes_that_fill_no_plane_still_have_a_way_back():
    spread = Spread(3)
    spread.gather(torch.zeros(3), torch.diag(torch.tensor([1.0, 4.0, 0.0])), newest=0.1)
    z = torch.randn(5, 3)
    assert torch.allclose(spread.latents(spread(z)), z, atol=1e-3)
