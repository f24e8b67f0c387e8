"""R3GAN's networks: the published counts, and how they start."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from figment.networks.r3gan import Block, Discriminator, Generator, widths


def count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


@pytest.mark.parametrize(
    ("width", "resolution", "generator", "discriminator"),
    [
        (96, 32, 527_136, 521_088),
        (768, 32, 20_732_160, 20_683_776),
        (768, 64, 22_429_824, 22_381_440),
        (768, 256, 23_057_952, 23_009_568),
    ],
)
def test_counts_are_the_published_ones(width, resolution, generator, discriminator):
    size = {"width": width, "resolution": resolution, "channels": 3}
    with torch.device("meta"):
        assert count(Generator(latent=64, **size)) == generator
        assert count(Discriminator(dropout=0.0, **size)) == discriminator


def test_classes_cost_what_they_do_in_the_paper():
    with torch.device("meta"):
        net = Generator(latent=64, classes=10, width=768, resolution=32, channels=3)
    assert count(net) == 20_781_952


def test_widths_are_halved_above_32_pixels():
    assert widths(768, 256) == [768] * 4 + [384, 192, 96]


@pytest.mark.parametrize("resolution", [32, 64])
def test_shapes(resolution: int):
    size = {"width": 16, "resolution": resolution, "channels": 3}
    images = Generator(latent=8, classes=2, **size)(torch.randn(2, 10))
    assert images.shape == (2, 3, resolution, resolution)
    judge = Discriminator(dropout=0.0, **size)
    assert judge.features(images).shape == (2, 16)
    assert judge(images).shape == (2,)


def test_a_new_block_does_nothing_and_a_new_generator_is_linear():
    x, z = torch.randn(2, 8, 4, 4), torch.randn(3, 8)
    assert torch.equal(Block(8, 8)(x), x)
    net = Generator(latent=8, width=8, resolution=32, channels=3)
    assert torch.allclose(net(2 * z), 2 * net(z), atol=1e-5)


@pytest.mark.parametrize(("blocks", "gain"), [(8, 0.824567), (10, 0.779827), (14, 0.716913)])
def test_weights_shrink_with_the_number_of_blocks(blocks: int, gain: float):
    layers = Block(256, blocks).layers
    assert layers[0].weight.std().item() == pytest.approx(gain / 256**0.5, rel=0.02)
    assert layers[2].weight.std().item() == pytest.approx(gain / 144**0.5, rel=0.02)
    assert not layers[0].bias.any() and not layers[4].weight.any()


def test_the_heads_have_no_bias_and_no_tanh():
    net = Generator(latent=8, width=8, resolution=32, channels=3)
    assert net(100 * torch.randn(2, 8)).abs().max() > 1
    head = Discriminator(width=8, resolution=32, channels=3, dropout=0.0).head
    assert isinstance(head, nn.Linear) and head.bias is None
