"""The Faces study's networks against its printed tables."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from figment.networks.faces import Discriminator, Generator


def count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def test_counts_are_the_studys():
    with torch.device("meta"):
        generator = Generator(latent=4096, resolution=64, channels=3)
        discriminator = Discriminator(resolution=64, channels=3, dropout=0.0)
    assert count(generator) == 16_850_691
    moving = [b for name, b in generator.named_buffers() if "running" in name]
    assert count(generator) + sum(b.numel() for b in moving) == 16_859_139
    assert count(discriminator) == 6_423_553


def test_layers_are_the_studys():
    """The printed table: name, output without the batch, trainable parameters."""
    net = Generator(latent=4096, resolution=64, channels=3).eval()
    table = []
    x = torch.randn(1, 4096)
    for layer in net.layers:
        x = layer(x)
        table.append((type(layer).__name__, tuple(x.shape[1:]), count(layer)))
    assert table == [
        ("Linear", (4096,), 16_781_312),
        ("LeakyReLU", (4096,), 0),
        ("BatchNorm1d", (4096,), 8_192),
        ("Unflatten", (16, 16, 16), 0),
        ("UpConvolution", (128, 32, 32), 51_328),
        ("LeakyReLU", (128, 32, 32), 0),
        ("BatchNorm2d", (128, 32, 32), 256),
        ("UpConvolution", (3, 64, 64), 9_603),
        ("Tanh", (3, 64, 64), 0),
    ]


def test_norms_and_initial_weights_are_kerass():
    net = Generator(latent=64, resolution=32, channels=3)
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    assert [(norm.momentum, norm.eps) for norm in norms] == [(0.01, 1e-3)] * 2
    first = net.layers[0]
    bound = (6 / (64 + 1024)) ** 0.5
    assert 0.98 * bound < first.weight.abs().max() <= bound
    assert not first.bias.any()
    assert not Discriminator(resolution=8, channels=1, dropout=0.0).layers[0].bias.any()


@pytest.mark.parametrize(("resolution", "channels"), [(32, 1), (64, 3), (48, 3)])
def test_shapes_and_range_at_other_sizes(resolution: int, channels: int):
    generator = Generator(latent=16, resolution=resolution, channels=channels)
    discriminator = Discriminator(resolution=resolution, channels=channels, dropout=0.3)
    images = generator(3 * torch.randn(4, 16))
    assert images.shape == (4, channels, resolution, resolution)
    assert images.abs().max() <= 1
    assert discriminator(images).shape == (4,)
    assert discriminator.features(images).shape == (4, 256)


def test_gradients_reach_every_weight():
    generator = Generator(latent=8, resolution=16, channels=3)
    discriminator = Discriminator(resolution=16, channels=3, dropout=0.0)
    discriminator(generator(torch.randn(4, 8))).sum().backward()
    for name, weight in [*generator.named_parameters(), *discriminator.named_parameters()]:
        assert weight.grad is not None and weight.grad.any(), name
