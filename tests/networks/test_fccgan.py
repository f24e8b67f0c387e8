"""FCC-GAN and its baseline: the authors' counts, other sizes and kernels, and no checkerboards."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from figment.metrics.artefacts import checkerboard
from figment.networks.fccgan import (
    DISCRIMINATOR_HIDDEN,
    GENERATOR_HIDDEN,
    BaselineDiscriminator,
    BaselineGenerator,
    Discriminator,
    Generator,
)

CIFAR = {"width": 64, "resolution": 32, "channels": 3, "kernel": 4}
HIDDEN_UP, HIDDEN_DOWN = GENERATOR_HIDDEN[3], DISCRIMINATOR_HIDDEN[4]
UPS = ("transposed", "nearest", "bilinear")
DOWNS = ("strided", "pooled")


def count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def generators(up: str, *, latent: int = 8, **size) -> list[nn.Module]:
    fcc = Generator(latent=latent, hidden=(6, 7), up=up, **size)
    return [fcc, BaselineGenerator(latent=latent, up=up, **size)]


def discriminators(down: str, *, norm_first: bool = True, **size) -> list[nn.Module]:
    kind = {"down": down, "norm_first": norm_first, "dropout": 0.0, **size}
    return [Discriminator(hidden=(7, 6), **kind), BaselineDiscriminator(**kind)]


def test_counts_are_the_authors():
    strided = {"down": "strided", "norm_first": True, "dropout": 0.0, **CIFAR}
    pooled = {"down": "pooled", "norm_first": False, "dropout": 0.0, **CIFAR}
    counts = [
        count(net)
        for net in (
            Generator(latent=100, hidden=HIDDEN_UP, up="transposed", **CIFAR),
            Discriminator(hidden=HIDDEN_DOWN, **strided),
            Discriminator(hidden=HIDDEN_DOWN, **pooled),
            BaselineGenerator(latent=100, up="transposed", **CIFAR),
            BaselineDiscriminator(**strided),
        )
    ]
    assert counts == [2_808_000, 2_790_881, 2_790_753, 1_068_928, 663_424]


def test_the_fully_connected_part_of_the_generator():
    net = Generator(latent=100, hidden=HIDDEN_UP, up="transposed", **CIFAR)
    connected = [m for m in net.modules() if isinstance(m, nn.Linear | nn.BatchNorm1d)]
    assert sum(count(module) for module in connected) == 2_149_184
    assert not isinstance(net.layers[6], nn.ReLU)  # no activation after the norm of the first map


@pytest.mark.parametrize("depth", range(1, 7))
def test_depth_counts_the_fully_connected_layers(depth: int):
    kind = {"width": 2, "resolution": 16, "channels": 1, "kernel": 4}
    up = Generator(latent=5, hidden=GENERATOR_HIDDEN[depth], up="nearest", **kind)
    down = Discriminator(
        hidden=DISCRIMINATOR_HIDDEN[depth], down="pooled", norm_first=False, dropout=0.0, **kind
    )
    for net in (up, down):
        assert sum(isinstance(m, nn.Linear) for m in net.modules()) == depth
    assert down(up(torch.randn(2, 5))).shape == (2,)


@pytest.mark.parametrize("resolution", [32, 128])
@pytest.mark.parametrize("kernel", [3, 4, 5])
@pytest.mark.parametrize("up", UPS)
def test_generators_reach_every_size(resolution: int, kernel: int, up: str):
    """Another resolution widens the first map; there are always three doublings."""
    for net in generators(up, width=2, resolution=resolution, channels=3, kernel=kernel):
        images = net(3 * torch.randn(2, 8))
        assert images.shape == (2, 3, resolution, resolution)
        assert images.abs().max() <= 1
        convolutions = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
        assert len(convolutions) == 3 + isinstance(net, BaselineGenerator)


@pytest.mark.parametrize("resolution", [32, 128])
@pytest.mark.parametrize("kernel", [3, 4, 5])
@pytest.mark.parametrize("down", DOWNS)
def test_discriminators_take_every_size(resolution: int, kernel: int, down: str):
    for net in discriminators(down, width=2, resolution=resolution, channels=3, kernel=kernel):
        x = torch.randn(2, 3, resolution, resolution)
        assert net(x).shape == (2,)
        assert net.features(x).ndim == 2


def test_pooled_order_and_even_padding():
    """Convolution, norm, pool, activation; an even kernel sees one pixel before and two behind."""
    net = Discriminator(
        hidden=(8,), down="pooled", norm_first=False, dropout=0.0, **{**CIFAR, "width": 1}
    )
    names = [type(layer).__name__ for layer in net.layers]
    assert names[:4] == ["Sequential", "AvgPool2d", "LeakyReLU", "Dropout"]
    assert names[4:9] == ["Sequential", "BatchNorm2d", "AvgPool2d", "LeakyReLU", "Dropout"]
    first = net.layers[0]
    nn.init.ones_(first[1].weight)
    for pixel, seen in ((0, [0, 1]), (31, [29, 30, 31])):
        x = torch.zeros(1, 3, 32, 32)
        x[0, 0, pixel, pixel] = 1
        rows = first(x)[0, 0].sum(1).nonzero().flatten()
        assert rows.tolist() == seen


def test_norm_on_the_first_convolution_is_a_choice():
    for down in DOWNS:
        size = {"width": 2, "resolution": 16, "channels": 1, "kernel": 5}
        with_norm, without = (
            [sum(isinstance(m, nn.BatchNorm2d) for m in net.modules()) for net in nets]
            for nets in (
                discriminators(down, norm_first=True, **size),
                discriminators(down, norm_first=False, **size),
            )
        )
        assert (with_norm, without) == ([3, 3], [2, 2])


@pytest.mark.parametrize("kernel", [4, 5])
def test_upsampling_starts_without_checkerboards(kernel: int):
    """At the start, energy at the Nyquist frequency is under half of that of transposed convolutions."""
    torch.manual_seed(0)
    z = torch.randn(16, 8)
    share = {
        up: [
            checkerboard(net(z)).mean().item()
            for net in generators(up, width=16, resolution=32, channels=3, kernel=kernel)
        ]
        for up in UPS
    }
    for up in ("nearest", "bilinear"):
        for smooth, rough in zip(share[up], share["transposed"], strict=True):
            assert smooth < rough / 2, share


@pytest.mark.parametrize("up", UPS)
@pytest.mark.parametrize("down", DOWNS)
def test_gradients_reach_every_weight(up: str, down: str):
    torch.manual_seed(0)
    size = {"width": 4, "resolution": 16, "channels": 3, "kernel": 4}
    for generator, discriminator in zip(
        generators(up, **size), discriminators(down, **size), strict=True
    ):
        # Squares: a sum would lose the gradient in batch norm, which removes the mean.
        discriminator(generator(torch.randn(6, 8))).square().sum().backward()
        for name, weight in [*generator.named_parameters(), *discriminator.named_parameters()]:
            assert weight.grad is not None and weight.grad.any(), name
