"""The velocity's U-Net: shapes, the time that it is told, pictures that know nothing of each other."""

from __future__ import annotations

import math

import pytest
import torch

from figment.networks.unet import UNet, groups, waves


@pytest.mark.parametrize(("resolution", "channels"), [(16, 1), (24, 3)])
def test_shapes_and_that_all_of_the_picture_counts(resolution: int, channels: int):
    net = UNet(width=4, channels=channels)
    x = torch.randn(2, channels, resolution, resolution, requires_grad=True)
    out = net(x, torch.tensor([0.2, 0.7]))
    assert out.shape == x.shape
    out[0].sum().backward()
    assert x.grad is not None and x.grad[0].abs().min() > 0 and not x.grad[1].any()


def test_the_time_is_told_to_each_picture():
    net, x = UNet(width=4, channels=1), torch.randn(1, 1, 16, 16).expand(2, -1, -1, -1)
    same, other = net(x, torch.tensor([0.5, 0.5])), net(x, torch.tensor([0.5, 0.9]))
    assert torch.allclose(same[0], same[1]) and torch.allclose(same[0], other[0], atol=1e-6)
    assert (other[1] - other[0]).abs().max() > 1e-4


def test_waves_are_quarter_turns_and_faster():
    found = waves(torch.tensor([0.0, 1.0]), 3)
    assert found[0].tolist() == [0, 0, 0, 1, 1, 1]
    turns = [math.pi / 2 * rate for rate in (1, 10, 100)]
    expected = torch.tensor([math.sin(turn) for turn in turns] + [math.cos(turn) for turn in turns])
    assert torch.allclose(found[1], expected, atol=1e-4)


def test_groups_divide_the_channels():
    assert [groups(channels) for channels in (64, 32, 24, 12, 8, 6, 5)] == [8, 8, 4, 2, 2, 1, 1]


def test_noise_passes_a_network_that_is_narrower_than_it():
    """A picture's patch has 12 numbers, and four channels cannot carry them: what takes noise away must."""
    net = UNet(width=4, channels=3)
    with torch.no_grad():
        for weight in (*net.last[2].parameters(), net.passed.weight):
            weight.zero_()
        net.passed.bias.fill_(-1.0)
    x = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert torch.equal(net(x, torch.tensor([0.1, 0.7])), -x)
