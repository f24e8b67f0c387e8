"""ProGAN's and StyleGAN's networks: equalised layers, pixel norm, AdaIN, noise, up-sampling at once."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from figment.networks.growing import Down, stage_of
from figment.networks.layers.equalised import Convolution, Linear, normalised
from figment.networks.layers.low_pass import Soften
from figment.networks.layers.resample import enlarge
from figment.networks.progan import Generator, repeated
from figment.networks.stylegan import Generator as StyleGenerator
from figment.networks.stylegan import adain


def test_equalised_layers_scale_by_gain_and_inputs():
    x, maps = torch.randn(4096, 64), torch.randn(16, 64, 16, 16)
    assert Linear(64, 64, gain=2**0.5, bias=False)(x).var().item() == pytest.approx(2, rel=0.1)
    inside = Convolution(64, 64, 3)(maps)[..., 1:-1, 1:-1]
    assert inside.var().item() == pytest.approx(2, rel=0.1)
    assert Convolution(64, 64, 1, gain=1.0)(maps).var().item() == pytest.approx(1, rel=0.1)


def test_a_step_of_adam_changes_layers_of_all_sizes_alike():
    """Weights by the rate, what a layer does by rate · gain / √inputs."""
    for inputs in (16, 256):
        layer = Linear(inputs, 1, gain=2**0.5)
        before = layer(torch.eye(inputs)).detach()
        adam = torch.optim.Adam(layer.parameters(), lr=0.01)
        layer(torch.ones(1, inputs)).sum().backward()
        layer.bias.grad = None
        adam.step()
        change = (layer(torch.eye(inputs)) - before).abs()
        expected = torch.full_like(change, 0.01 * (2 / inputs) ** 0.5)
        assert torch.allclose(change, expected, rtol=1e-2)


def test_pixel_norm_makes_channels_of_length_one():
    maps = 5 * torch.randn(2, 8, 4, 4)
    assert torch.allclose(normalised(maps).square().mean(1), torch.ones(2, 4, 4), atol=1e-5)


def test_doubling_at_once_is_doubling_and_convolving():
    layer, x = Convolution(3, 5, 3), torch.randn(2, 3, 8, 8)
    torch.nn.init.normal_(layer.bias)
    assert torch.allclose(repeated(x, layer), layer(enlarge(x)), atol=1e-5)


def test_the_blur_is_1_2_1():
    dot = torch.zeros(1, 1, 5, 5)
    dot[0, 0, 2, 2] = 16
    row = torch.tensor([1.0, 2.0, 1.0])
    assert torch.equal(Soften()(dot)[0, 0, 1:4, 1:4], row[:, None] * row)


def test_adain_gives_mean_and_spread():
    x, scale, shift = torch.randn(2, 3, 16, 16), torch.randn(2, 3), torch.randn(2, 3)
    found = adain(7 * x + 5, scale, shift)
    assert torch.allclose(found.mean((2, 3)), shift, atol=1e-5)
    assert torch.allclose(found.std((2, 3), correction=0), (scale + 1).abs(), atol=1e-4)


def test_adain_makes_of_flat_maps_their_mean_alone():
    """To the last digit: the spread of a flat map magnifies ten-thousandfold what sums round off."""
    flat, shift = 1 + torch.rand(2, 64, 1, 1), torch.randn(2, 64)
    found = adain(flat.expand(-1, -1, 4, 4), torch.zeros(2, 64), shift)
    assert torch.equal(found, shift[:, :, None, None].expand_as(found))


def test_the_share_of_the_newest_layers():
    assert [stage_of(level) for level in (0.0, 1.0, 2.25)] == [(0, 1.0), (1, 1.0), (3, 0.25)]


def style_generator() -> StyleGenerator:
    return StyleGenerator(latent=8, mapping_layers=2, width=8, resolution=16, channels=3)


def test_noise_counts_once_it_has_a_strength():
    net = style_generator()
    net.grow(2.0)
    styles = torch.randn(1, net.layers, 8).expand(2, -1, -1)
    assert net.layers == 6
    assert torch.allclose(*net(styles), atol=1e-6)  # all strengths start at 0
    for finish in net.finishes:
        torch.nn.init.ones_(finish.strength)
    assert not torch.allclose(*net(styles), atol=1e-2)
    assert torch.allclose(*net.eval()(styles), atol=1e-5)


def test_styles_of_stages_to_come_are_not_looked_at():
    net, styles = style_generator(), torch.randn(2, 6, 8)
    net.grow(1.0)
    net.eval()
    other = styles.clone()
    other[:, 4:] = 0
    assert torch.equal(net(styles), net(other))
    other[:, 3:] = 0
    assert not torch.allclose(net(styles), net(other), atol=1e-3)


def test_latents_of_any_length_are_one():
    net, z = Generator(inputs=8, width=8, resolution=16, channels=3), torch.randn(2, 8)
    net.grow(2.0)
    assert net(z).shape == (2, 3, 16, 16)
    assert torch.allclose(net(5 * z), net(z), atol=1e-4)
    first = F.leaky_relu(net.dense(normalised(z)), 0.2)
    assert first.square().mean().item() == pytest.approx(1 / 16, rel=0.5)  # gain √2 / 4


@pytest.mark.parametrize("soft", [False, True])
def test_the_mean_comes_last_in_progan_and_before_the_bias_in_stylegan(soft: bool):
    block = Down(3, 5, soft=soft)
    torch.nn.init.normal_(block.wider.bias)
    x = torch.randn(2, 3, 8, 8)
    y = F.leaky_relu(block.same(x), 0.2)
    if soft:
        weight, bias = block.wider.weight * block.wider.scale, block.wider.bias
        small = F.avg_pool2d(F.conv2d(Soften()(y), weight, padding=1), 2)
        expected = F.leaky_relu(small + bias[:, None, None], 0.2)
    else:
        expected = F.avg_pool2d(F.leaky_relu(block.wider(y), 0.2), 2)
    torch.testing.assert_close(block(x), expected)
