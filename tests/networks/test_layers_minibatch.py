"""Layers that look across a batch: minibatch discrimination, minibatch stddev, packing."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from figment.errors import UserError
from figment.networks.layers import minibatch_discrimination as mbd
from figment.networks.layers.calibration import calibrate
from figment.networks.layers.minibatch_discrimination import MinibatchDiscrimination, nearness
from figment.networks.layers.minibatch_stddev import MinibatchStddev, group_size
from figment.networks.layers.packing import pack


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def by_definition(rows: Tensor) -> Tensor:
    """sum_j exp(-|M_i - M_j|_1) with every difference written out: [B, N, C] -> [N, B]."""
    return torch.exp(-(rows[:, :, None] - rows[:, None]).abs().sum(3)).sum(2).mT


# -- minibatch discrimination ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"include_self": False}, [0.75, 1, 0.75]),
        ({}, [1.75, 2, 1.75]),
        ({"include_self": False, "reduce": "mean"}, [0.375, 0.5, 0.375]),
        ({"reduce": "mean"}, [1.75 / 3, 2 / 3, 1.75 / 3]),
    ],
)
def test_three_numbers(options, expected):
    """x = (0, ln 2, ln 4), T = 1: Salimans et al. 2016, section 3.2, by hand."""
    layer = MinibatchDiscrimination(1, 1, 1, **options)
    torch.nn.init.ones_(layer.weight)
    y = layer(torch.tensor([[0.0], [math.log(2)], [math.log(4)]]))
    assert y[:, 0].tolist() == pytest.approx([0, math.log(2), math.log(4)])
    assert y[:, 1].tolist() == pytest.approx(expected)


def test_an_image_alone_and_a_batch_of_copies():
    x = torch.randn(1, 5)
    for count, include_self in ((1, True), (1, False), (6, True), (6, False)):
        layer = MinibatchDiscrimination(5, 3, 2, include_self=include_self)
        near = layer(x.repeat(count, 1))[:, 5:]
        torch.testing.assert_close(near, torch.full((count, 3), count - (not include_self) + 0.0))


def test_order_of_the_batch_does_not_matter():
    layer, x, order = MinibatchDiscrimination(5, 4, 3), torch.randn(7, 5), torch.randperm(7)
    torch.testing.assert_close(layer(x)[order], layer(x[order]))


def test_the_cats_studys_layer_has_its_parameters():
    layer = MinibatchDiscrimination(512, 256, 16)
    assert sum(p.numel() for p in layer.parameters()) == 2_097_152
    assert layer(torch.randn(2, 512)).shape == (2, 768)


@pytest.mark.parametrize("chunk", [1 << 25, 100, 1])
def test_values_and_gradients_at_any_chunk(chunk, monkeypatch):
    monkeypatch.setattr(mbd, "CHUNK", chunk)
    rows = torch.randn(3, 9, 4, dtype=torch.float64, requires_grad=True)
    near, expected = nearness(rows), by_definition(rows)
    torch.testing.assert_close(near, expected)
    grad = torch.randn_like(near)
    (ours,) = torch.autograd.grad(near, rows, grad)
    (theirs,) = torch.autograd.grad(expected, rows, grad)
    torch.testing.assert_close(ours, theirs)


def test_no_piece_is_larger_than_a_chunk(monkeypatch):
    monkeypatch.setattr(mbd, "CHUNK", 60)
    sizes = []
    whole = torch.cdist

    def spied(a: Tensor, b: Tensor, p: float) -> Tensor:
        distances = whole(a, b, p=p)
        sizes.append(distances.numel())
        return distances

    monkeypatch.setattr(torch, "cdist", spied)
    rows = torch.randn(3, 10, 4, requires_grad=True)
    nearness(rows).sum().backward()
    assert max(sizes) <= 60 and len(sizes) > 10


@pytest.mark.parametrize("chunk", [1 << 25, 1])
def test_derivatives_of_both_orders_are_exact(chunk, monkeypatch):
    monkeypatch.setattr(mbd, "CHUNK", chunk)
    rows = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(nearness, (rows,))
    assert torch.autograd.gradgradcheck(nearness, (rows,))


def test_plain_slopes_are_the_librarys():
    a = torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True)
    b = torch.randn(2, 5, 4, dtype=torch.float64, requires_grad=True)
    distances = torch.cdist(a, b, p=1)
    grad = torch.randn_like(distances)
    for ours, theirs in zip(
        mbd._slopes(a, b, grad), torch.autograd.grad(distances, (a, b), grad), strict=True
    ):
        torch.testing.assert_close(ours, theirs)


def test_features_live_at_the_start_and_not_from_unit_weights():
    x = torch.randn(64, 512)
    near = MinibatchDiscrimination(512, 32, 16, include_self=False)(x)[:, 512:]
    far = MinibatchDiscrimination(512, 32, 16, include_self=False, std=1.0)(x)[:, 512:]
    assert near.mean() > 1e-8 > 1e-30 > far.mean()


def test_calibrated_the_nearest_other_is_two_away():
    layer, x = MinibatchDiscrimination(512, 32, 16), torch.randn(64, 512)
    calibrate(layer, x)
    rows = layer.project(x)
    distances = torch.cdist(rows, rows, p=1) + 1e6 * torch.eye(64)
    torch.testing.assert_close(distances.amin(2).mean(1), torch.full((32,), 2.0))


def test_discrimination_works_in_bfloat16():
    layer, x = MinibatchDiscrimination(6, 4, 3), torch.randn(5, 6)
    with torch.autocast("cpu", torch.bfloat16):
        low = layer(x)
    torch.testing.assert_close(low, layer(x), atol=0.05, rtol=0)


# -- minibatch standard deviation -----------------------------------------------------------------


def test_zeros_and_twos_deviate_by_one():
    x = torch.tensor([0.0, 2.0])[:, None, None, None].expand(2, 3, 4, 4)
    y = MinibatchStddev(2)(x)
    assert y.shape == (2, 4, 4, 4)
    assert torch.equal(y[:, :3], x)
    torch.testing.assert_close(y[:, 3], torch.ones(2, 4, 4))


def test_groups_are_strided_and_their_order_does_not_matter():
    x = torch.randn(8, 2, 3, 3)
    layer = MinibatchStddev(4)  # groups 0 2 4 6 and 1 3 5 7
    maps = layer(x)[:, 2, 0, 0]
    for member in range(8):
        group = x[member % 2 :: 2]
        expected = (group.var(0, correction=0) + 1e-8).sqrt().mean()
        assert maps[member].item() == pytest.approx(expected.item(), rel=1e-5)
    within = x[[2, 5, 6, 1, 0, 3, 4, 7]]
    torch.testing.assert_close(layer(within)[:, 2, 0, 0], maps)


def test_several_features_share_the_channels_out():
    x = torch.zeros(2, 4, 2, 2)
    x[1, 2:] = 6  # the second half of the channels differs by 6: deviation 3
    maps = MinibatchStddev(2, features=2)(x)[:, 4:, 0, 0]
    torch.testing.assert_close(maps, torch.tensor([[1e-4, 3.0]] * 2))


def test_gradients_of_copies_are_finite():
    x = torch.ones(4, 2, 3, 3, requires_grad=True)
    MinibatchStddev(4)(x).sum().backward()
    assert x.grad is not None and x.grad.isfinite().all()


@given(st.integers(1, 64), st.integers(1, 8))
def test_group_size(batch, largest):
    size = group_size(batch, largest)
    assert batch % size == 0 and size <= largest
    assert not any(batch % other == 0 for other in range(size + 1, min(batch, largest) + 1))


# -- packing --------------------------------------------------------------------------------------


def test_neighbours_are_packed_along_channels():
    x = torch.randn(6, 2, 4, 4)
    packed = pack(x, 3)
    assert packed.shape == (2, 6, 4, 4)
    assert torch.equal(packed[1, 2:4], x[4])
    points = torch.randn(6, 2)
    assert torch.equal(pack(points, 2)[2], torch.cat([points[4], points[5]]))
    assert torch.equal(pack(x, 1), x)
    layout = x.contiguous(memory_format=torch.channels_last)
    assert torch.equal(pack(layout, 3), packed)


def test_a_batch_that_does_not_divide_is_refused():
    with pytest.raises(UserError, match="--batch to a multiple"):
        pack(torch.zeros(7, 2), 2)
