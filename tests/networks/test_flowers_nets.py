"""The Flowers study's networks: the published counts, every map on the way, no grid where there is none."""

from __future__ import annotations

from typing import Any, cast, get_args

import pytest
import torch
from torch import nn

from figment.metrics.artefacts import checkerboard
from figment.networks.flowers import Critic, Generator, Up

UPS = get_args(Up)
STAGES: dict[int, tuple[Up, int, int]] = {
    1: ("unpadded", 28, 0),
    2: ("unpadded", 28, 2),
    3: ("kernel3", 64, 2),
    4: ("kernel4", 64, 2),
    5: ("bilinear", 64, 2),
    6: ("bilinear", 128, 2),
}
"""How maps grow, pixels, classes."""
COUNTS = {
    1: (749_891, 136_769),
    2: (754_499, 138_817),
    3: (672_963, 523_009),
    4: (1_192_643, 928_449),
    5: (1_048_899, 928_449),
    6: (1_123_011, 994_177),
}
"""Of generator and critic, its batch norms counted."""
GROWS = {
    1: [3, 6, 13, 28],
    2: [3, 6, 13, 28],
    3: [3, 7, 15, 31, 64],
    4: [4, 8, 16, 32, 64],
    5: [4, 8, 16, 16, 32, 32, 64, 64, 64],
    6: [4, 8, 16, 16, 32, 32, 64, 64, 128, 128, 128],
}
"""Pixels a side after each of the generator's convolutions."""
SHRINKS = {
    1: [13, 5],
    2: [13, 5],
    3: [31, 15, 7, 3],
    4: [32, 16, 8, 4],
    5: [32, 16, 8, 4],
    6: [64, 32, 16, 8, 4],
}
"""The same of the critic's, down to the last map."""
every_stage = pytest.mark.parametrize("stage", STAGES)
every_way_up = pytest.mark.parametrize("up", UPS)


def count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def players(stage: int, width: int = 64) -> tuple[Generator, Critic]:
    up, resolution, classes = STAGES[stage]
    size: dict[str, Any] = {"width": width, "resolution": resolution, "up": up}
    generator = Generator(latent=64 + classes, channels=3, **size)
    return generator, Critic(channels=3 + classes, dropout=0.0, **size)


def sides(net: nn.Module, x: torch.Tensor) -> list[int]:
    """Pixels a side of what each convolution of the network makes of x, in order."""
    found: list[int] = []
    kinds = nn.Conv2d | nn.ConvTranspose2d
    hooks = [
        module.register_forward_hook(lambda module, given, made: found.append(made.shape[2]))
        for module in net.modules()
        if isinstance(module, kinds)
    ]
    net(x)
    for hook in hooks:
        hook.remove()
    return found


@every_stage
def test_counts_are_the_published_ones(stage: int):
    with torch.device("meta"):
        assert tuple(map(count, players(stage))) == COUNTS[stage]


@every_stage
def test_every_map_has_its_size(stage: int):
    generator, critic = players(stage, width=2)
    z = torch.randn(2, 64 + STAGES[stage][2])
    assert sides(generator, z) == GROWS[stage]
    assert (
        sides(critic, torch.randn(2, 3 + STAGES[stage][2], *[GROWS[stage][-1]] * 2))
        == SHRINKS[stage]
    )


@every_stage
def test_shapes_and_range(stage: int):
    generator, critic = players(stage, width=4)
    images = generator(3 * torch.randn(2, 64 + STAGES[stage][2]))
    resolution, classes = STAGES[stage][1:]
    assert images.shape == (2, 3, resolution, resolution)
    assert images.abs().max() <= 1
    judged = torch.cat([images, torch.ones(2, classes, resolution, resolution)], 1)
    assert critic(judged).shape == (2,)
    assert critic.features(judged).ndim == 2


@every_way_up
@pytest.mark.parametrize("doublings", range(3))
def test_other_resolutions_take_more_or_fewer_blocks(up: Up, doublings: int):
    resolution = (28 if up == "unpadded" else 16) << doublings
    size: dict[str, Any] = {"width": 2, "resolution": resolution, "up": up, "channels": 1}
    images = Generator(latent=5, **size)(torch.randn(2, 5))
    assert images.shape == (2, 1, resolution, resolution)
    assert Critic(dropout=0.1, **size)(images).shape == (2,)


@every_way_up
def test_norm_and_activation_follow_all_but_the_last(up: Up):
    size: dict[str, Any] = {
        "width": 2,
        "resolution": 28 if up == "unpadded" else 64,
        "up": up,
        "channels": 3,
    }
    generator, critic = Generator(latent=5, **size), Critic(dropout=0.0, **size)
    for net, extra in ((generator, 1), (critic, 0)):  # the critic's last is its head
        modules = list(net.modules())
        convolutions = [m for m in modules if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
        norms = [m for m in modules if isinstance(m, nn.BatchNorm2d)]
        assert len(norms) == len(convolutions) - extra
        assert all(convolution.bias is not None for convolution in convolutions)
        widths = [m.out_channels for m in convolutions[: len(norms)]]
        assert [norm.num_features for norm in norms] == widths


def test_the_critic_of_28_pixels_reads_what_its_last_convolution_would():
    """A 4x4 convolution of stride 2 on 5x5 sees the first four rows and columns."""
    torch.manual_seed(0)
    _, critic = players(1, width=2)
    critic.eval()
    head = cast(nn.Linear, critic.head)
    last = nn.Conv2d(4, 1, 4, stride=2)
    last.weight, last.bias = nn.Parameter(head.weight.view(1, 4, 4, 4)), head.bias
    x = torch.randn(3, 3, 28, 28)
    assert torch.allclose(last(critic.layers(x)).flatten(), critic(x), atol=1e-6)


@pytest.mark.parametrize(("seed", "training"), [(0, True), (1, False), (2, False)])
def test_only_bilinear_upsampling_starts_without_a_grid(seed: int, training: bool):
    """At initialisation, energy at the Nyquist frequency of stages 3 and 4 is far above that of 5."""
    torch.manual_seed(seed)
    z = torch.randn(64, 66)
    with torch.no_grad():
        nets = {stage: players(stage)[0].train(training) for stage in (3, 4, 5)}
        score = {stage: checkerboard(net(z)).mean().item() for stage, net in nets.items()}
    assert min(score[3], score[4]) > 20 * score[5], score


def test_upsampling_aligns_pixels_not_corners():
    """The study's first version aligned corners: another picture."""
    from figment.networks.layers.resample import enlarge

    row = torch.tensor([0.0, 4.0]).view(1, 1, 1, 2).expand(1, 1, 2, 2)
    assert enlarge(row, "bilinear")[0, 0, 0].tolist() == [0, 1, 3, 4]


@every_way_up
def test_gradients_reach_every_weight(up: Up):
    torch.manual_seed(0)
    size: dict[str, Any] = {
        "width": 4,
        "resolution": 28 if up == "unpadded" else 16,
        "up": up,
        "channels": 3,
    }
    generator, critic = Generator(latent=8, **size), Critic(dropout=0.0, **size)
    critic(generator(torch.randn(6, 8))).square().sum().backward()
    for name, weight in [*generator.named_parameters(), *critic.named_parameters()]:
        assert weight.grad is not None, name
        # A bias before batch norm moves nothing.
        assert weight.grad.any() or name.endswith("bias"), name
