"""Penalties on slopes, mostly of the linear critic C(x) = w·x, whose slope is w everywhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from figment import mesh
from figment.networks.dcgan import Discriminator
from figment.penalties import (
    dragan,
    gradient_penalty,
    hold_statistics,
    r1,
    r2,
    squared_slope,
    zero_centred,
)

STEEP, FLAT = (3.0, 4.0), (0.3, 0.4)
Slope = Callable[[Callable[[Tensor], Tensor], Tensor, Tensor], Tensor]
SLOPES: dict[str, Slope] = {
    "squared_slope": lambda judge, reals, fakes: squared_slope(judge, reals),
    "r1": lambda judge, reals, fakes: r1(judge, reals),
    "r2": lambda judge, reals, fakes: r2(judge, fakes),
    "gradient_penalty": gradient_penalty,
    "zero_centred": zero_centred,
    "dragan": lambda judge, reals, fakes: dragan(judge, reals),
}
every_slope = pytest.mark.parametrize("name", SLOPES)


def linear(w: tuple[float, ...]) -> Callable[[Tensor], Tensor]:
    return lambda x: x @ torch.tensor(w, dtype=x.dtype)


@pytest.mark.parametrize(
    ("w", "name", "weight", "value"),
    [
        (STEEP, "gradient_penalty", 10, 160),
        (FLAT, "gradient_penalty", 10, 2.5),
        ((0.6, 0.8), "gradient_penalty", 10, 0),
        (STEEP, "dragan", 10, 160),
        (FLAT, "dragan", 10, 2.5),
        (STEEP, "r1", 10, 125),
        (STEEP, "r2", 10, 125),
        (STEEP, "zero_centred", 10, 250),
        (STEEP, "squared_slope", 1, 25),
        ((0.0, 0.0), "r1", 10, 0),
        ((0.0, 0.0), "gradient_penalty", 10, 10),
    ],
)
def test_values_of_a_linear_critic(w, name, weight, value):
    reals, fakes = torch.randn(2, 5, 2)
    penalty = weight * SLOPES[name](linear(w), reals, fakes)
    assert penalty.tolist() == pytest.approx([value] * 5, rel=1e-5, abs=1e-4)


@pytest.mark.parametrize(("w", "value"), [(STEEP, 160), (FLAT, 0)])
def test_one_sided_lets_the_critic_be_flat(w, value):
    reals, fakes = torch.randn(2, 5, 2)
    penalty = 10 * gradient_penalty(linear(w), reals, fakes, one_sided=True)
    assert penalty.tolist() == pytest.approx([value] * 5, abs=1e-4)


@every_slope
def test_slope_belongs_to_its_image(small, name):
    """One value an image; where no image sees another, the others change nothing."""
    judge, reals, fakes = small(), torch.randn(4, 1, 8, 8), torch.randn(4, 1, 8, 8)
    all_of_them = SLOPES[name](judge, reals, fakes)
    assert all_of_them.shape == (4,)
    if name in ("squared_slope", "r1", "r2"):  # the others draw a point
        alone = [SLOPES[name](judge, r[None], f[None]) for r, f in zip(reals, fakes, strict=True)]
        assert torch.allclose(all_of_them, torch.cat(alone), rtol=1e-5)


@every_slope
def test_gradient_for_the_weights_is_right_to_second_order(small, name):
    """Against finite differences of the penalty itself."""
    judge = small().double()
    reals, fakes = torch.randn(2, 3, 1, 8, 8, dtype=torch.float64)
    weight = judge[1].weight

    def value() -> Tensor:
        torch.manual_seed(2)
        return SLOPES[name](judge, reals, fakes).mean()

    (slope,) = torch.autograd.grad(value(), weight)
    step, way = 1e-5, torch.randn_like(weight)
    with torch.no_grad():
        weight += step * way
        above = value()
        weight -= 2 * step * way
        below = value()
    assert not above.requires_grad  # asked for without gradients, there is no graph
    assert ((above - below) / (2 * step)).item() == pytest.approx((slope * way).sum().item())


@every_slope
def test_float32_under_autocast(small, name):
    judge, reals, fakes = small(), torch.randn(4, 1, 8, 8), torch.randn(4, 1, 8, 8).bfloat16()
    torch.manual_seed(3)
    full = SLOPES[name](judge, reals, fakes.float())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert judge(reals).dtype == torch.bfloat16
        torch.manual_seed(3)
        low = SLOPES[name](judge, reals, fakes)
    assert low.dtype == torch.float32
    assert torch.equal(low, full)


@every_slope
def test_slopes_of_two_processes_are_those_of_one(small, name, both_halves, monkeypatch):
    judge, reals, fakes = small(), torch.randn(6, 1, 8, 8), torch.randn(6, 1, 8, 8)
    torch.manual_seed(1)
    whole = SLOPES[name](judge, reals, fakes)
    moments = torch.stack([reals.mean(), reals.square().mean()])
    monkeypatch.setattr(mesh, "average", lambda tensors: tensors[0].copy_(moments))
    halves = both_halves(lambda mine: SLOPES[name](judge, reals[mine], fakes[mine]))
    assert torch.allclose(halves, whole, rtol=1e-5)


@pytest.mark.parametrize("penalty", [gradient_penalty, zero_centred])
def test_interpolates_are_one_draw_a_pair(penalty):
    """Every point lies on the line from its fake to its real, each at its own place."""
    seen = []
    reals, fakes = torch.ones(64, 1, 8, 8), -torch.ones(64, 1, 8, 8)
    penalty(lambda x: seen.append(x.detach()) or x.flatten(1).sum(1), reals, fakes)
    places = seen[0][:, 0, 0, 0]
    assert torch.equal(seen[0], places[:, None, None, None].expand(64, 1, 8, 8))
    assert len(places.unique()) == 64 and places.abs().max() < 1
    assert abs(places.mean()) < 0.25  # uniform on [-1, 1]: standard error .07


def test_dragan_noise_is_centred_and_bounded():
    seen = []
    reals = torch.randn(256, 1, 8, 8) + 3
    dragan(lambda x: seen.append(x.detach()) or x.flatten(1).sum(1), reals)
    noise = seen[0] - reals
    assert noise.abs().max() < 0.5 * reals.std()
    assert noise.mean().abs() < 0.01  # one-sided noise has a mean of .125
    lengths = noise.abs().flatten(1).amax(1)
    assert lengths.min() < 0.05 and lengths.max() > 0.4  # a length of its own for each image


@every_slope
def test_a_flat_critic_has_finite_gradients(name):
    """The length of a slope has no derivative at 0, which is where a critic starts from zero weights."""
    w = torch.zeros(2, requires_grad=True)
    reals, fakes = torch.randn(2, 5, 2)
    (slope,) = torch.autograd.grad(SLOPES[name](lambda x: x @ w, reals, fakes).mean(), w)
    assert slope.tolist() == [0, 0]


def test_slope_of_a_convolutional_network_reaches_all_weights():
    """Batch norm, in-place activations and dropout included."""
    net = Discriminator(resolution=32, channels=1, width=4, dropout=0.3)
    with hold_statistics(net):
        penalty = r1(net, torch.randn(4, 1, 32, 32))
    penalty.mean().backward()
    slopes = [w.grad for name, w in net.named_parameters() if not name.endswith("bias")]
    assert all(slope is not None and torch.isfinite(slope).all() for slope in slopes)
    assert sum(slope.abs().sum() for slope in slopes if slope is not None) > 0


@pytest.mark.parametrize("training", [True, False])
def test_held_statistics_change_neither_themselves_nor_the_output(small, training):
    net, images = small(norm=True).train(training), torch.randn(6, 1, 8, 8)
    net(images * 2 + 1)
    before = {name: buffer.clone() for name, buffer in net.named_buffers()}
    with hold_statistics(net):
        held = net(images)
        r1(net, images)
    assert all(torch.equal(buffer, before[name]) for name, buffer in net.named_buffers())
    assert torch.equal(held, net(images))
    moved = any(not torch.equal(b, before[name]) for name, b in net.named_buffers())
    assert moved == training  # afterwards all is as it was


def test_norms_without_running_statistics_stay_without():
    norm = nn.BatchNorm1d(3, track_running_stats=False)
    with hold_statistics(norm):
        pass
    assert not norm.track_running_stats
