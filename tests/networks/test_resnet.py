"""Residual networks: the published counts, one block more at 64 px, and what can be plugged in."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn

from figment.networks.layers.attention import SelfAttention
from figment.networks.layers.conditional_norm import by_class
from figment.networks.layers.projection import Projection
from figment.networks.layers.spectral_norm import SpectralNorm, spectral
from figment.networks.resnet import Discriminator, Generator, mean_pool, sum_pool


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
    assert count(discriminator(width=128, pool=sum_pool, wrap=spectral)) == 1_053_825
    assert count(discriminator(width=128, classes=10)) == 1_053_825 + 1_290


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


def test_labels_reach_conditional_norms():
    net = generator(norm=partial(by_class, classes=3)).eval()
    z, zeros = torch.randn(2, 8), torch.zeros(2, dtype=torch.long)
    torch.testing.assert_close(net(z, zeros), net(z, zeros + 1))  # classes start alike
    nn.init.normal_(net.blocks[0].norm1.shift.weight)
    assert not torch.allclose(net(z, zeros), net(z, zeros + 1))


def test_a_projection_head_adds_the_inner_product_with_the_class():
    critic = discriminator(pool=sum_pool, head=lambda wide: Projection(wide, 3))
    x, a, b = torch.randn(2, 3, 32, 32), torch.tensor([0, 0]), torch.tensor([2, 1])
    rows = critic.head.embedding.weight
    expected = ((rows[a] - rows[b]) * critic.features(x)).sum(1)
    torch.testing.assert_close(critic(x, a) - critic(x, b), expected)


def test_the_auxiliary_classifier_sees_the_heads_features():
    critic = discriminator(classes=10)
    features = critic.features(torch.randn(2, 3, 32, 32))
    assert critic.classifier(features).shape == (2, 10)
    assert critic.head(features).shape == (2, 1)


def test_attention_works_on_half_the_resolution():
    for net, x in (
        (generator(attention=SelfAttention), torch.randn(2, 8)),
        (discriminator(attention=SelfAttention), torch.randn(2, 3, 32, 32)),
    ):
        seen = []
        net.attention.register_forward_pre_hook(lambda _, args, s=seen: s.append(args[0].shape))
        net(x)
        assert seen == [(2, 4, 16, 16)]


def test_spectral_norm_wraps_every_weight():
    critic = discriminator(wrap=spectral, classes=3)
    layers = [m for m in critic.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    norms = [m for m in critic.modules() if isinstance(m, SpectralNorm)]
    assert len(norms) == len(layers) == 12


def test_initial_weights():
    """3x3 convolutions of blocks are wider by sqrt 2 than Glorot's bound, all else within it."""
    net = generator(width=64)
    inside, outside = net.blocks[0].convolution1.weight, net.to_image.weight
    assert inside.abs().max().item() == pytest.approx((12 / (9 * 128)) ** 0.5, rel=0.01)
    assert outside.abs().max().item() == pytest.approx((6 / (9 * 67)) ** 0.5, rel=0.01)
    assert not net.start.bias.any()


@pytest.mark.parametrize("wrap", [lambda layer: layer, spectral])
def test_gradients_reach_every_weight(wrap):
    torch.manual_seed(0)
    attention = partial(SelfAttention, wrap=wrap)
    up = generator(norm=partial(by_class, classes=3), attention=attention, wrap=wrap)
    down = discriminator(
        head=lambda wide: Projection(wide, 3, wrap=wrap), attention=attention, wrap=wrap
    )
    for net in (up, down):
        nn.init.ones_(net.attention.gamma)  # at its start of 0 nothing behind it would learn
    labels = torch.tensor([0, 1, 2, 0])
    down(up(torch.randn(4, 8), labels), labels).square().sum().backward()
    for name, weight in [*up.named_parameters(), *down.named_parameters()]:
        assert weight.grad is not None and weight.grad.any(), name
