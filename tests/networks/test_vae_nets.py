"""The VAE's networks: shapes, and pictures that know nothing of each other."""

from __future__ import annotations

import pytest
import torch

from figment.networks.vae import Decoder, Encoder


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
