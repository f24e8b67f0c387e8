"""FastGAN's networks: gates, gated units, what decoders draw."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from figment.networks.fastgan import Discriminator, Excitation, Generator, leap, quarters

SIZE = {"width": 1, "resolution": 64, "channels": 3}


@pytest.mark.parametrize("resolution", [32, 64, 128])
def test_shapes(resolution: int):
    size = {**SIZE, "resolution": resolution}
    images = Generator(latent=8, classes=2, **size)(torch.randn(2, 10))
    assert images.shape == (2, 3, resolution, resolution)
    assert images.abs().max() <= 1
    judge = Discriminator(dropout=0.0, **size)
    assert judge.features(images).shape == (2, 2 * 16 * 16)  # 4x4 maps of 16 channels, twice
    assert judge(images).shape == (2,)


def test_maps_of_4_to_32_pixels_gate_those_of_16_times_as_many_pixels_a_side():
    size = {**SIZE, "resolution": 512, "width": 16}
    with torch.device("meta"):
        found = Generator(latent=8, **size).excitations
    assert list(found) == ["64", "128", "256", "512"]
    assert found["64"].layers[1].weight.shape == (32, 256, 4, 4)
    assert leap(32) == 8


def test_a_gate_lies_between_0_and_1_and_scales_whole_channels():
    layer = Excitation(3, 5)
    large, small = torch.randn(2, 5, 8, 8), torch.randn(2, 3, 6, 6)
    gates = layer.gates(small)
    assert gates.shape == (2, 5, 1, 1)
    assert gates.min() > 0 and gates.max() < 1
    assert torch.equal(layer(large, small), large * gates)


def test_the_length_of_a_latent_changes_nothing():
    net = Generator(latent=8, **SIZE).eval()
    z = torch.randn(2, 8)
    assert torch.allclose(net(z), net(3 * z), atol=1e-6)


def test_quarters_are_those_of_their_corner():
    x = torch.arange(16.0).reshape(1, 1, 4, 4).expand(4, 1, 4, 4)
    found = quarters(x, torch.arange(4))
    assert found[:, 0, 0, 0].tolist() == [0, 2, 8, 10]
    assert found[3].tolist() == [[[10, 11], [14, 15]]]


class Constant(nn.Module):
    """A decoder that draws one grey."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        assert maps.shape[2:] == (8, 8)
        return torch.full((len(maps), 3, 32, 32), self.value)


def test_what_is_drawn_again_is_compared_with_the_half_and_the_quarter():
    judge = Discriminator(dropout=0.0, **SIZE)
    judge.whole, judge.quarter = Constant(0.5), Constant(0.0)
    image = torch.zeros(2, 3, 64, 64)
    image[1, :, 32:, 32:] = 1.0  # its last quarter is white, a quarter of the half-size whole
    far = judge.decode(image, torch.tensor([0, 3]))
    assert far.tolist() == pytest.approx([0.5, 0.5 + 1.0])
