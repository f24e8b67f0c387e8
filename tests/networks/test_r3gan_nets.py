"""R3GAN's networks: the published counts, and how they start."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from figment.networks.r3gan import Block, ByClass, Discriminator, Generator, Size


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
    size = Size(width, resolution, 3)
    with torch.device("meta"):
        assert count(Generator(size, latent=64)) == generator
        assert count(Discriminator(size, dropout=0.0)) == discriminator


def test_classes_cost_what_they_do_in_the_paper():
    with torch.device("meta"):
        size = Size(768, 32, 3)
        assert count(Generator(size, latent=64, classes=10)) == 20_781_952
        judge = Discriminator(size, dropout=0.0, head=lambda features: ByClass(features, 10))
    assert count(judge) == 21_280_512


@pytest.mark.parametrize(
    ("size", "widths"),
    [
        (Size(768, 256, 3), [768] * 4 + [384, 192, 96]),
        (Size(64, 64, 3, widest=4), [64, 32, 16, 8, 4]),
        (Size(64, 64, 3, widest=8, finest=32), [64, 64, 32, 16]),
    ],
)
def test_widths_are_halved_above_the_widest_map(size: Size, widths: list[int]):
    assert size.widths == widths


@pytest.mark.parametrize("finest", [8, 16])
def test_a_finest_map_smaller_than_the_picture_has_no_blocks_above(finest: int):
    size = Size(16, 32, 3, blocks=1, finest=finest)
    net, judge = Generator(size, latent=8), Discriminator(size, dropout=0.0)
    seen = []
    for block in [m for m in (*net.modules(), *judge.modules()) if isinstance(m, Block)]:
        block.register_forward_hook(lambda _, given, out: seen.append(out.shape[2]))
    images = net(torch.randn(2, 8))
    assert images.shape == (2, 3, 32, 32)
    assert judge(images).shape == (2,)
    sides = [side for side in (4, 8, 16) if side <= finest]
    assert seen == sides + sides[::-1]


def test_a_class_judges_by_a_product_with_its_row():
    head = ByClass(3, 2)
    x = torch.tensor([[1.0, 2.0, 3.0]]).repeat(2, 1)
    with torch.no_grad():
        head.linear.weight.copy_(torch.eye(3))
        head.embedding.weight.copy_(torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]))
    logits = head(x, torch.tensor([0, 1]))
    assert logits.tolist() == pytest.approx([1 / 3**0.5, 5 / 3**0.5])


@pytest.mark.parametrize("resolution", [32, 64])
def test_shapes(resolution: int):
    size = Size(16, resolution, 3)
    images = Generator(size, latent=8, classes=2)(torch.randn(2, 10))
    assert images.shape == (2, 3, resolution, resolution)
    judge = Discriminator(size, dropout=0.0)
    assert judge.features(images).shape == (2, 16)
    assert judge(images).shape == (2,)


def test_a_new_block_does_nothing_and_a_new_generator_is_linear():
    x, z = torch.randn(2, 8, 4, 4), torch.randn(3, 8)
    assert torch.equal(Block(8, 8)(x), x)
    net = Generator(Size(8, 32, 3), latent=8)
    assert torch.allclose(net(2 * z), 2 * net(z), atol=1e-5)


@pytest.mark.parametrize(("blocks", "gain"), [(8, 0.824567), (10, 0.779827), (14, 0.716913)])
def test_weights_shrink_with_the_number_of_blocks(blocks: int, gain: float):
    layers = Block(256, blocks).layers
    assert layers[0].weight.std().item() == pytest.approx(gain / 256**0.5, rel=0.02)
    assert layers[2].weight.std().item() == pytest.approx(gain / 144**0.5, rel=0.02)
    assert not layers[0].bias.any() and not layers[4].weight.any()


def test_the_heads_have_no_bias_and_no_tanh():
    net = Generator(Size(8, 32, 3), latent=8)
    assert net(100 * torch.randn(2, 8)).abs().max() > 1
    head = Discriminator(Size(8, 32, 3), dropout=0.0).head
    assert isinstance(head, nn.Linear) and head.bias is None
