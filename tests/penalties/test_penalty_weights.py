"""What concerns weights: clipping, orthogonal regularisation, historical averaging."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from figment.networks.layers.minibatch_discrimination import MinibatchDiscrimination
from figment.objectives.adversarial import OBJECTIVES
from figment.penalties import HistoricalMean, clip, off_diagonal, orthogonal


def test_clipping_holds_every_parameter(small):
    net = small(norm=True)
    clip(net, 0.01)
    biggest = [w.abs().max().item() for w in net.parameters()]
    assert max(biggest) == pytest.approx(0.01, rel=1e-6) and len(biggest) == 6
    assert net[2].weight.tolist() == pytest.approx([0.01] * 12)  # batch norm's gains too


def test_clipped_linear_critic_ends_in_a_corner():
    """c sign(mean real - mean fake) in each coordinate, and never outside."""
    critic = nn.Linear(3, 1, bias=False)
    reals, fakes = torch.tensor([[2.0, -1.0, 0.5]]), torch.tensor([[0.0, 0.0, 1.0]])
    for _ in range(200):
        loss = OBJECTIVES["wasserstein"].discriminator(critic(reals), critic(fakes))
        (slope,) = torch.autograd.grad(loss.sum(), critic.weight)
        with torch.no_grad():
            critic.weight -= 0.01 * slope
        clip(critic, 0.1)
        assert critic.weight.abs().max() <= 0.1
    assert critic.weight.tolist() == [pytest.approx([0.1, -0.1, -0.1])]


def with_weight(rows: list[list[float]]) -> nn.Linear:
    layer = nn.Linear(len(rows[0]), len(rows))
    layer.weight.data = torch.tensor(rows)
    return layer


@pytest.mark.parametrize(
    ("rows", "without", "with_lengths"),
    [
        ([[1.0, 1.0], [0.0, 1.0]], 2, 3),
        ([[0.0, 7.0, 0.0], [2.0, 0.0, 0.0]], 0, 48**2 + 3**2),
        ([[0.6, 0.8], [-0.8, 0.6]], 0, 0),
    ],
)
def test_orthogonal_values(rows, without, with_lengths):
    layer = with_weight(rows)
    assert off_diagonal(layer).item() == pytest.approx(without, abs=1e-5)
    assert orthogonal(layer).item() == pytest.approx(with_lengths, abs=1e-5)


def test_off_diagonal_gradient_has_the_factor_4():
    layer = nn.Linear(5, 3).double()
    (slope,) = torch.autograd.grad(off_diagonal(layer), layer.weight)
    w = layer.weight.detach()
    products = w @ w.T
    assert torch.allclose(slope, 4 * (products - products.diag().diag()) @ w)
    nudged, step = w.clone(), 1e-6
    before = off_diagonal(layer).item()
    nudged[1, 2] += step
    layer.weight.data = nudged
    assert (off_diagonal(layer).item() - before) / step == pytest.approx(slope[1, 2].item(), 1e-4)


def test_orthogonal_looks_at_filters_only():
    """Convolutions as [out, rest], transposed ones turned, biases, gains and embeddings left out."""
    convolution = nn.Conv2d(3, 4, 2)
    transposed = nn.ConvTranspose2d(3, 4, 2)
    transposed.weight.data = convolution.weight.data.transpose(0, 1).contiguous()
    assert orthogonal(transposed).item() == pytest.approx(orthogonal(convolution).item())
    kernels = MinibatchDiscrimination(4, 3, 2)
    others = nn.Sequential(nn.Embedding(5, 4), nn.BatchNorm2d(4), nn.Linear(1, 3), kernels)
    assert orthogonal(others).item() == off_diagonal(others).item() == 0
    together = nn.Sequential(convolution, others, transposed)
    assert off_diagonal(together).item() == pytest.approx(2 * off_diagonal(convolution).item())


def test_orthogonal_behind_weight_norm_and_spectral_norm():
    plain = nn.ConvTranspose2d(3, 4, 2)
    value = off_diagonal(plain).item()
    direction = nn.utils.parametrizations.weight_norm(plain)
    assert off_diagonal(nn.Sequential(direction)).item() == pytest.approx(value)
    spectral = nn.utils.parametrizations.spectral_norm(with_weight([[1.0, 1.0], [0.0, 1.0]]))
    assert off_diagonal(spectral).item() == pytest.approx(2)


def test_orthogonal_is_float32_under_autocast():
    layer = nn.Linear(40, 30)
    products = layer.weight @ layer.weight.T
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = off_diagonal(layer).item()
    assert value == pytest.approx((products - products.diag().diag()).square().sum().item(), 1e-6)


class Point(nn.Module):
    def __init__(self, x: float) -> None:
        super().__init__()
        self.x = nn.Parameter(torch.tensor(x))
        self.register_buffer("bystander", torch.tensor(0.0))


@pytest.mark.parametrize(("include_current", "value"), [(False, 2.25), (True, 1.0)])
def test_history_of_1_and_2_now_3(include_current, value):
    point = Point(1.0)
    history = HistoricalMean(point, include_current=include_current)
    point.x.data.fill_(7.0)  # fitted to the data after the history was made
    assert history(point).item() == 0
    for x in (1.0, 2.0):
        point.x.data.fill_(x)
        history.follow(point)
    point.x.data.fill_(3.0)
    point.get_buffer("bystander").fill_(100)
    penalty = history(point)
    assert penalty.item() == pytest.approx(value)
    (slope,) = torch.autograd.grad(penalty, point.x)
    assert slope.item() == pytest.approx(2 * math.sqrt(value))  # the mean is not differentiated


def test_history_is_saved_and_holds_no_parameters(small):
    net = small(norm=True)
    history = HistoricalMean(net)
    for _ in range(3):
        history.follow(net)
        with torch.no_grad():
            for weight in net.parameters():
                weight += torch.randn_like(weight)
    other = HistoricalMean(small(norm=True))
    other.load_state_dict(history.state_dict())
    assert torch.equal(other(net), history(net)) and history(net) > 0
    assert not list(history.parameters())
    assert len(list(history.buffers())) == 1 + len(list(net.parameters()))


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=6), st.floats(-5, 5))
def test_history_is_the_plain_mean(past, now):
    point = Point(past[0])
    history = HistoricalMean(point)
    for x in past:
        point.x.data.fill_(x)
        history.follow(point)
    point.x.data.fill_(now)
    assert history(point).item() == pytest.approx((now - sum(past) / len(past)) ** 2, abs=1e-4)
