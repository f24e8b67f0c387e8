"""Residual networks: the published counts, one block more at 64 px, and what can be plugged in."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from figment.gan import GAN
from figment.networks import surgery
from figment.networks.layers.attention import SelfAttention
from figment.networks.layers.conditional_norm import ConditionalBatchNorm
from figment.networks.layers.projection import Projection
from figment.networks.layers.spectral_norm import SpectralNorm
from figment.networks.resnet import Discriminator, Generator, mean_pool, plain, sum_pool


def count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def generator(*, width: int = 4, latent: int = 8, resolution: int = 32, **parts) -> Generator:
    return Generator(latent=latent, width=width, resolution=resolution, channels=3, **parts)


def discriminator(*, width: int = 4, resolution: int = 32, **parts) -> Discriminator:
    parts = {"pool": mean_pool, "dropout": 0.0, **parts}
    return Discriminator(width=width, resolution=resolution, channels=3, **parts)


def test_counts_are_the_published_ones():
    assert count(generator(latent=128, width=128)) == 1_204_483  # WGAN-GP
    assert count(generator(latent=128, width=256)) == 4_276_739  # SNGAN
    assert count(discriminator(width=128)) == 1_053_825
    judged = GAN(conditioning="classifier", classes=10).head(plain)
    assert count(discriminator(width=128, head=judged)) == 1_053_825 + 1_290


def test_64_pixels_take_one_block_more():
    """Of the generator 1 246 976 parameters at width 256, of the discriminator 311 680 at 128."""
    up = [count(generator(latent=128, width=256, resolution=r)) for r in (32, 64)]
    down = [count(discriminator(width=128, resolution=r)) for r in (32, 64)]
    assert up[1] - up[0] == 1_246_976
    assert down[1] - down[0] == 311_680


@pytest.mark.parametrize("resolution", [16, 32, 64])
def test_shapes_and_range(resolution: int):
    images = generator(resolution=resolution)(3 * torch.randn(2, 8))
    assert images.shape == (2, 3, resolution, resolution)
    assert images.abs().max() <= 1
    critic = discriminator(resolution=resolution)
    assert critic(images).shape == (2,)
    assert critic.features(images).shape == (2, 4)


def test_the_sum_over_64_pixels_is_64_means():
    critic = discriminator()
    x = torch.randn(2, 3, 32, 32)
    mean = critic.features(x)
    critic.pool = sum_pool
    torch.testing.assert_close(critic.features(x), 64 * mean)


def test_labels_reach_the_norms_of_the_blocks_and_not_the_last_one():
    net = generator().eval()
    assert surgery.by_classes(net, 3) == 6
    norms = [m for m in net.modules() if isinstance(m, ConditionalBatchNorm)]
    assert len(norms) == 6
    assert type(net.end[0]) is nn.BatchNorm2d
    z, zeros = torch.randn(2, 8), torch.zeros(2, dtype=torch.long)
    torch.testing.assert_close(net(z, zeros), net(z, zeros + 1))  # classes start alike
    for norm in norms:
        before = net(z, zeros) - net(z, zeros + 1)
        nn.init.normal_(norm.shift.weight)
        assert not torch.allclose(net(z, zeros) - net(z, zeros + 1), before)


def test_a_projection_head_adds_the_inner_product_with_the_class():
    critic = discriminator(pool=sum_pool, head=lambda wide: Projection(wide, 3))
    x, a, b = torch.randn(2, 3, 32, 32), torch.tensor([0, 0]), torch.tensor([2, 1])
    rows = critic.head.embedding.weight
    expected = ((rows[a] - rows[b]) * critic.features(x)).sum(1)
    torch.testing.assert_close(critic(x, a) - critic(x, b), expected)


def test_the_auxiliary_classifier_sees_the_heads_features():
    critic = discriminator(head=GAN(conditioning="classifier", classes=10).head(plain))
    features = critic.features(torch.randn(2, 3, 32, 32))
    rows = critic.head.classes
    assert rows.weight.shape == (10, 4)
    torch.testing.assert_close(critic.head.classify(features), features @ rows.weight.T + rows.bias)
    assert critic.verdict(features).shape == (2,)


@pytest.mark.parametrize("attend", [8, 16])
def test_attention_looks_at_maps_of_the_side_that_is_asked_for(attend: int):
    for net, x in (
        (generator(attend=attend), torch.randn(2, 8)),
        (discriminator(attend=attend), torch.randn(2, 3, 32, 32)),
    ):
        seen = []
        (attention,) = [m for m in net.modules() if isinstance(m, SelfAttention)]
        attention.register_forward_pre_hook(lambda _, args, s=seen: s.append(args[0].shape))
        net(x)
        assert seen == [(2, 4, attend, attend)]


def test_spectral_norm_reaches_every_weight():
    critic = discriminator(head=GAN(conditioning="classifier", classes=3).head(plain))
    layers = [m for m in critic.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert surgery.spectrally(critic) == len(layers) == 12
    assert len([m for m in critic.modules() if isinstance(m, SpectralNorm)]) == 12


def test_initial_weights():
    """3x3 convolutions of blocks are wider by sqrt 2 than Glorot's bound, all else within it."""
    net = generator(width=64)
    inside, outside = net.blocks[0].convolution1.weight, net.end[2].weight
    assert inside.abs().max().item() == pytest.approx((12 / (9 * 128)) ** 0.5, rel=0.01)
    assert outside.abs().max().item() == pytest.approx((6 / (9 * 67)) ** 0.5, rel=0.01)
    assert not net.start[0].bias.any()
    head = discriminator(width=64).head
    assert (6 / 65) ** 0.5 * 0.8 < head.weight.abs().max() <= (6 / 65) ** 0.5
    assert not head.bias.any()


@pytest.mark.parametrize("spectral", [False, True])
def test_gradients_reach_every_weight(spectral: bool):
    torch.manual_seed(0)
    up, down = generator(attend=16), discriminator(head=lambda wide: Projection(wide, 3), attend=16)
    surgery.by_classes(up, 3)
    for net in (up, down):
        if spectral:
            surgery.spectrally(net)
        for attention in (m for m in net.modules() if isinstance(m, SelfAttention)):
            nn.init.ones_(attention.gamma)  # at its start of 0 nothing behind it would learn
    labels = torch.tensor([0, 1, 2, 0])
    down(up(torch.randn(4, 8), labels), labels).square().sum().backward()
    for name, weight in [*up.named_parameters(), *down.named_parameters()]:
        assert weight.grad is not None and weight.grad.any(), name
