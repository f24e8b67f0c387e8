"""StyleGAN2's networks: the published counts, modulation, resampling layers, and the spread of groups."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from figment.networks.layers.equalised import Linear, normalised
from figment.networks.layers.mapping import Mapping
from figment.networks.layers.minibatch_stddev import with_spread
from figment.networks.stylegan2 import (
    ClassDirection,
    Convolution,
    Discriminator,
    Down,
    Generator,
    ModulatedConvolution,
)


def count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def test_a_class_is_a_direction_of_length_one_among_features():
    """Against its words: features through a layer, times the mapped class, over the root of F."""
    head, x = ClassDirection(16, 3), torch.randn(5, 16)
    labels = torch.tensor([0, 1, 2, 1, 0])
    mapped = normalised(head.embed(F.one_hot(labels, 3).float()))
    assert mapped.square().mean(1).tolist() == pytest.approx([1] * 5, rel=1e-4)
    for layer in head.layers:
        mapped = F.leaky_relu(layer(mapped), 0.2) * 2**0.5
    expected = torch.einsum("nf,nf->n", head.linear(x), mapped) / 4
    assert torch.allclose(head(x, labels), expected, atol=1e-5)


def test_blocks_without_a_way_around_are_their_two_layers():
    x = torch.randn(2, 8, 8, 8)
    torch.manual_seed(1)
    whole = Down(8, 8)
    torch.manual_seed(1)
    alone = Down(8, 8, residual=False)
    around = whole.aside(x)
    assert torch.allclose(whole(x), (alone(x) + around) / 2**0.5, atol=1e-5)


@pytest.mark.parametrize(("args", "expected"), [((8,), 2_101_248), ((2,), 525_312)])
def test_counts_of_mappings(args, expected):
    with torch.device("meta"):
        assert count(Mapping(512, *args)) == expected
        assert count(Mapping(512, 2, 10)) == 793_088


@pytest.mark.parametrize("resolution", [32, 64])
def test_shapes(resolution: int):
    size = {"width": 8, "resolution": resolution, "channels": 3}
    net = Generator(latent=8, mapping_layers=2, **size)
    assert net.layers == {32: 8, 64: 10}[resolution]
    images = net(torch.randn(4, net.layers, 8))
    assert images.shape == (4, 3, resolution, resolution)
    judge = Discriminator(dropout=0.0, **size)
    assert judge.features(images).shape == (4, 8)
    assert judge(images).shape == (4,)


def test_latents_and_classes_are_normalised():
    mapping = Mapping(8, 2, classes=3)
    z, one_hot = torch.randn(4, 8), F.one_hot(torch.arange(4) % 3, 3).float()
    styles = mapping(torch.cat([z, one_hot], 1))
    assert torch.allclose(mapping(torch.cat([5 * z, one_hot], 1)), styles, atol=1e-4)
    assert not torch.allclose(mapping(torch.cat([z, one_hot.roll(1, 1)], 1)), styles, atol=1e-2)


def test_equalised_layers_keep_the_length_of_what_comes_in_at_any_rate():
    x, maps = torch.randn(512, 256), torch.randn(8, 64, 16, 16)
    for rate in (1.0, 0.01):
        layer = Linear(256, 256, rate=rate)
        assert layer(x).std().item() == pytest.approx(1, rel=0.05)
        assert layer.weight.std().item() == pytest.approx(1 / rate, rel=0.05)
    inside = Convolution(64, 64, 3)(maps)[..., 1:-1, 1:-1]
    assert inside.std().item() == pytest.approx(1, rel=0.1)
    assert Convolution(64, 32, 3, down=True)(maps).shape == (8, 32, 8, 8)


@pytest.mark.parametrize("up", [False, True])
def test_modulating_maps_is_modulating_weights(up: bool):
    """Against the paper's own form, eqs. 1 and 3: each image's own weights, one convolution an image."""
    layer = ModulatedConvolution(6, 5, 3, style=4, up=up)
    x, w = torch.randn(3, 6, 8, 8), torch.randn(3, 4)
    expected = []
    for image, style in zip(x, layer.style(w), strict=True):
        own = layer.weight * layer.scale * style[None, :, None, None]
        own = own / (own.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        lengths = own.flatten(1).norm(dim=1)
        assert torch.allclose(lengths, torch.ones(5), atol=1e-5)
        if up:
            out = layer.blur(F.conv_transpose2d(image[None], own.transpose(0, 1), stride=2))
        else:
            out = F.conv2d(image[None], own, padding=1)
        expected.append(out)
    found = layer(x, w)
    assert found.shape == (3, 5, 16, 16) if up else (3, 5, 8, 8)
    assert torch.allclose(found, torch.cat(expected), atol=1e-4)


def test_the_scale_of_a_style_is_lost_in_demodulation_only():
    x, w = torch.randn(2, 6, 8, 8), torch.randn(2, 4)
    for demodulate in (True, False):
        layer = ModulatedConvolution(6, 5, 3, style=4, demodulate=demodulate)
        once = layer(x, w)
        with torch.no_grad():
            layer.style.weight *= 3
            layer.style.bias *= 3
        thrice = layer(x, w)
        assert torch.allclose(thrice, once if demodulate else 3 * once, atol=1e-3)


def test_the_picture_is_the_sum_of_all_resolutions_doubled():
    net = Generator(latent=4, mapping_layers=1, width=4, resolution=32, channels=3).eval()
    styles, parts = torch.randn(2, net.layers, 4), []
    hooks = [p.register_forward_hook(lambda *given: parts.append(given[2])) for p in net.pictures]
    picture = net(styles)
    for hook in hooks:
        hook.remove()
    total = parts[0]
    for part in parts[1:]:
        total = net.enlarge(total) + part
    assert [part.shape[-1] for part in parts] == [4, 8, 16, 32]
    assert torch.allclose(picture, total)


def test_noise_counts_once_it_has_a_strength():
    net = Generator(latent=4, mapping_layers=1, width=4, resolution=32, channels=3)
    styles = torch.randn(2, net.layers, 4)
    assert torch.equal(net(styles), net.eval()(styles))  # all strengths start at 0
    assert [layer.noise.shape[-1] for layer in net.ups] == [8, 16, 32]


def test_the_spread_is_that_of_four_neighbours():
    x = torch.randn(8, 3, 4, 4)
    found = with_spread(x)
    assert found.shape == (8, 4, 4, 4) and torch.equal(found[:, :3], x)
    expected = x[:4].std(dim=0, correction=0).mean()
    assert torch.allclose(found[:4, 3], expected.expand(4, 4, 4), atol=1e-5)
    assert torch.equal(found[4:], with_spread(x[4:]))
    whole = x.std(dim=0, correction=0).mean().expand(8, 4, 4)
    assert torch.allclose(
        with_spread(x, 32)[:, 3], whole, atol=1e-5
    )  # of all, where they are fewer
    assert not with_spread(x[:1].expand(4, -1, -1, -1))[:, 3].gt(1e-3).any()
