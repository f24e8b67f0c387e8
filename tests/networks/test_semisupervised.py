"""Semi-supervised networks: layers, the K+1st class, noise, and the data-dependent start."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from figment.networks.layers.calibration import calibrate
from figment.networks.layers.weight_norm import WeightNorm
from figment.networks.semisupervised import (
    ConvDiscriminator,
    ConvGenerator,
    Discriminator,
    Generator,
    ShiftNorm,
)

MNIST = (1, 28, 28)
CIFAR, SVHN = (96, 192), (64, 128)


def count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def small() -> list[tuple[nn.Module, nn.Module]]:
    """Both pairs, small: the dense one in grey, the convolutional one in colour."""
    dense = Discriminator(shape=(1, 8, 8), classes=10, hidden=(20, 12))
    return [
        (Generator(latent=5, shape=(1, 8, 8), hidden=(9, 9)), dense),
        (
            ConvGenerator(latent=5, resolution=16, channels=3),
            ConvDiscriminator(widths=(6, 8), channels=3, classes=10),
        ),
    ]


def test_counts_follow_from_the_layers():
    """Weights, a bias a unit, and a scale a unit where it learns: in the last layers only."""
    dense = [784 * 1000, 1000 * 500, 500 * 250, 250 * 250, 250 * 250, 250 * 10]
    assert count(Discriminator(shape=MNIST, classes=10)) == sum(dense) + 2260 + 10 == 1_538_770
    assert count(Generator(latent=100, shape=MNIST)) == 694_568
    for (narrow, wide), total in ((CIFAR, 1_406_804), (SVHN, 626_580)):
        threes = [3 * narrow, narrow**2, narrow**2, narrow * wide, wide**2, wide**2, wide**2]
        weights = 9 * sum(threes) + 2 * wide**2 + wide * 10
        biases = 3 * narrow + 6 * wide + 10
        net = ConvDiscriminator(widths=(narrow, wide), channels=3, classes=10)
        assert count(net) == weights + biases + 10 == total
    up = ConvGenerator(latent=100, resolution=32, channels=3)
    deconvolutions = 25 * (512 * 256 + 256 * 128 + 128 * 3)
    assert count(up) == 100 * 8192 + deconvolutions + 8192 + 256 + 128 + 3 + 3


def test_ten_logits_of_zero():
    """Real with probability 10/11, whatever the image."""
    for generator, discriminator in small():
        last = discriminator.head[-1]
        nn.init.zeros_(last.scale)
        fakes = generator(torch.randn(3, 5))
        assert not discriminator.classify(fakes).any()
        logits = discriminator(fakes)
        assert logits.tolist() == pytest.approx([2.302585] * 3, abs=1e-6)
        assert logits.sigmoid().tolist() == pytest.approx([10 / 11] * 3, abs=1e-6)


def test_the_logit_is_the_log_sum_exp_of_the_classes():
    """A constant on all class logits changes "real", not the classes; large ones do not overflow."""
    for generator, discriminator in small():
        discriminator.eval()
        fakes = generator(torch.randn(3, 5)).detach()
        classes, logits = discriminator.classify(fakes), discriminator(fakes)
        torch.testing.assert_close(logits, classes.exp().sum(1).log())
        discriminator.head[-1].bias.data += 200
        raised = discriminator.classify(fakes)
        torch.testing.assert_close(raised.softmax(1), classes.softmax(1), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(discriminator(fakes), logits + 200)


def test_shapes_and_range():
    for (generator, discriminator), features in zip(small(), (12, 8), strict=True):
        images = generator(3 * torch.randn(4, 5))
        assert images.abs().max() <= 1
        assert discriminator.features(images).shape == (4, features)
        assert discriminator.classify(images).shape == (4, 10)
        assert discriminator(images).shape == (4,)
    assert generator(torch.randn(2, 5)).shape == (2, 3, 16, 16)
    wide = ConvGenerator(latent=5, resolution=32, channels=3)
    assert wide(torch.randn(2, 5)).shape == (2, 3, 32, 32)
    assert Generator(latent=5, shape=MNIST)(torch.randn(2, 5)).shape == (2, *MNIST)


def test_noise_while_training_only():
    for generator, discriminator in small():
        x = generator(torch.randn(4, 5)).detach()
        assert not torch.equal(discriminator(x), discriminator(x))
        discriminator.eval()
        assert torch.equal(discriminator(x), discriminator(x))


def test_noise_is_on_pixels_in_0_to_1_and_before_every_layer():
    net = Discriminator(shape=MNIST, classes=10)
    sigmas = [layer.sigma for layer in net.modules() if hasattr(layer, "sigma")]
    assert sigmas == [0.3, *[0.5] * 5]
    pixels = net.body[:2](torch.tensor([-1.0, 1.0]).expand(1, 1, 1, 2))
    assert pixels.tolist() == [[0.0, 1.0]]


def test_calibration_starts_every_unit_alike():
    """Mean 0 and the wanted spread, layer after layer, on the batch it is given."""
    for generator, discriminator in small():
        x = generator(torch.randn(64, 5)).detach()
        layers = [m for m in discriminator.modules() if isinstance(m, WeightNorm)]
        seen: list[tuple[float, torch.Tensor]] = []
        for layer in layers:
            layer.register_forward_hook(lambda own, _, y, seen=seen: seen.append((own.spread, y)))
        calibrate(discriminator, x)
        assert len(seen) == len(layers)
        for spread, y in seen:
            units = y.movedim(1, 0).flatten(1)
            assert units.mean(1).abs().max() < 1e-4
            assert units.std(1, correction=0).sub(spread).abs().max() < 1e-2 * spread


def test_the_convolutional_generators_start_is_quiet_and_the_dense_ones_its_own():
    (dense, _), (wide, _) = small()
    calibrate(dense, torch.randn(64, 5))
    assert torch.equal(dense.layers[-1].scale, torch.ones(64))
    seen = []
    wide.layers[-1].register_forward_hook(lambda *args: seen.append(args[2]))
    calibrate(wide, torch.randn(64, 5))
    assert seen[0].std().item() == pytest.approx(0.1, rel=1e-2)


def test_only_the_last_scale_learns():
    for _, discriminator in small():
        learning = [name for name, _ in discriminator.named_parameters() if "scale" in name]
        assert len(learning) == 1 and learning[0].startswith("head.")
        assert len([n for n in discriminator.state_dict() if n.endswith("scale")]) > 2


def test_shift_norm_has_no_gain():
    norm = ShiftNorm(nn.BatchNorm2d, 3)
    assert [name for name, _ in norm.named_parameters()] == ["bias"]
    norm.bias.data.fill_(2)
    y = norm(5 + 7 * torch.randn(8, 3, 4, 4))
    torch.testing.assert_close(y.mean((0, 2, 3)), torch.full((3,), 2.0))
    torch.testing.assert_close(y.var((0, 2, 3), correction=0), torch.ones(3), rtol=1e-4, atol=0)


def test_gradients_reach_every_weight():
    torch.manual_seed(0)
    for generator, discriminator in small():
        discriminator(generator(torch.randn(6, 5))).square().sum().backward()
        for name, weight in [*generator.named_parameters(), *discriminator.named_parameters()]:
            assert weight.grad is not None and weight.grad.any(), name
