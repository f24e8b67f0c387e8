"""Networks without convolutions, or nearly: C3, the plane, the first GAN, stacked MNIST, Theano's DCGAN."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from figment.gan import GAN
from figment.networks import dcgan_theano, maxout, mlp, stacked_mnist
from figment.networks.layers.head import Head, activated
from figment.networks.layers.initial import he, orthogonal
from figment.networks.layers.uniform import uniform_latents

MNIST = (1, 28, 28)


def compare(kernels: int, dimensions: int) -> Head:
    """A head with minibatch discrimination before it."""
    recipe = GAN(minibatch_discrimination=kernels, minibatch_dimensions=dimensions)
    return recipe.head(activated(0.0))


def count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def test_the_cats_studys_minibatch_discrimination():
    with torch.device("meta"):
        net = mlp.Discriminator(
            shape=(3, 64, 64),
            hidden=(2048, 1024, 512),
            dropout=0.3,
            head=GAN(minibatch_discrimination=256).head(activated(0.3)),
        )
    assert count(net) == 29_888_769
    assert count(net.head.compare) == 2_097_152
    assert net.head.verdict[-1].in_features == 768


def test_a_minibatch_head_looks_at_the_whole_batch():
    torch.manual_seed(0)
    x = torch.randn(4, 1, 4, 4)
    other = torch.cat([x[:1], torch.randn(3, 1, 4, 4)])
    for head, alike in (
        ({}, True),
        ({"head": compare(6, 3)}, False),
    ):
        net = mlp.Discriminator(shape=(1, 4, 4), hidden=(8,), dropout=0.0, **head)
        assert net(x).shape == (4,)
        assert torch.allclose(net(x)[0], net(other)[0], atol=1e-6) == alike


def test_features_are_the_last_hidden_layer_before_its_dropout():
    for net, x in (
        (mlp.Discriminator(shape=(1, 4, 4), hidden=(7,), dropout=0.5), torch.randn(3, 1, 4, 4)),
        (mlp.PointDiscriminator(hidden=(7,), dropout=0.5), torch.randn(3, 2)),
    ):
        features = net.features(x)
        assert features.shape == (3, 7)
        assert torch.equal(features, net.features(x))
        net.eval()
        torch.testing.assert_close(net(x), net.head(features).squeeze(1))


@pytest.mark.parametrize(
    ("generator", "discriminator", "counts"),
    [
        (
            {"latent": 256, "hidden": (128, 128), "activation": nn.Tanh},
            {"hidden": (128, 128), "divisor": 1.0, "activation": nn.Tanh},
            (49_666, 17_025),
        ),
        ({"latent": 256, "hidden": (128, 128)}, {"hidden": (128,)}, (49_666, 513)),
        (
            {"latent": 2, "hidden": (512, 512, 512)},
            {"hidden": (512, 512, 512), "divisor": 1.0},
            (527_874, 527_361),
        ),
    ],
    ids=["unrolled notebook", "unrolled paper", "WGAN-GP"],
)
def test_networks_for_the_plane(generator, discriminator, counts):
    up = mlp.PointGenerator(**generator)
    down = mlp.PointDiscriminator(dropout=0.0, **discriminator)
    assert (count(up), count(down)) == counts
    points = up(torch.randn(5, generator["latent"]))
    assert points.shape == (5, 2)
    assert down(points).shape == (5,)


def test_the_input_is_divided():
    """ReLUs without biases are homogeneous, so a quarter of the input is a quarter of the logit."""
    whole = mlp.PointDiscriminator(hidden=(16,), dropout=0.0, divisor=1.0, initialise=he)
    quarter = mlp.PointDiscriminator(hidden=(16,), dropout=0.0)
    quarter.load_state_dict(whole.state_dict())
    x = torch.randn(5, 2)
    torch.testing.assert_close(quarter(x), whole(x) / 4)


def test_packs_of_points():
    net = mlp.PointDiscriminator(hidden=(16,), dropout=0.0, inputs=6)
    assert net(torch.randn(5, 6)).shape == (5,)


def test_initial_weights_in_the_plane():
    up = mlp.PointGenerator(latent=256, hidden=(128, 128), initialise=orthogonal(0.8))
    square = up.layers[2].weight
    torch.testing.assert_close(square @ square.T, 0.64 * torch.eye(128), rtol=1e-4, atol=1e-5)
    assert not up.layers[0].bias.any()
    down = mlp.PointDiscriminator(hidden=(512, 512), dropout=0.0, initialise=he)
    assert down.layers[3].weight.abs().max().item() == pytest.approx((6 / 512) ** 0.5, rel=0.01)


def test_the_first_gan():
    up = maxout.Generator(latent=100, hidden=(1200, 1200), shape=MNIST)
    down = maxout.Discriminator(
        shape=MNIST, hidden=(240, 240), pieces=5, dropout=0.5, input_dropout=0.2
    )
    assert (count(up), count(down)) == (2_503_984, 1_231_441)
    images = up(3 * torch.randn(4, 100))
    assert images.shape == (4, *MNIST)
    assert images.abs().max() <= 1
    assert down(images).shape == (4,)
    assert down.features(images).shape == (4, 240)
    assert [layer.p for layer in down.modules() if hasattr(layer, "p")] == [0.2, 0.5, 0.5]
    for net, bound in ((up, 0.05), (down, 0.005)):
        weights = [m.weight for m in net.modules() if isinstance(m, nn.Linear)]
        for weight in weights[:-1]:
            assert weight.abs().max().item() == pytest.approx(bound, rel=0.001)


def test_maxout_takes_the_largest_piece():
    layer = maxout.Maxout(1, 2, pieces=3)
    layer.linear.weight.data = torch.tensor([1.0, -2.0, 0.0, 0.5, 3.0, -1.0])[:, None]
    nn.init.zeros_(layer.linear.bias)
    assert layer(torch.tensor([[2.0], [-1.0]])).tolist() == [[2.0, 6.0], [2.0, 1.0]]


def test_stacked_mnist():
    up = stacked_mnist.Generator(latent=256, channels=3)
    assert count(up) == 287_875
    images = up(torch.randn(4, 256))
    assert images.shape == (4, 3, 28, 28)
    assert images.abs().max() <= 1
    for width, total in ((2, 585), (4, 1_889)):
        down = stacked_mnist.Discriminator(width=width, channels=3, dropout=0.0)
        assert count(down) == total
        assert down(images).shape == (4,)
        assert down.features(images).shape == (4, 64 * width)


def test_theanos_dcgan():
    up = dcgan_theano.Generator(latent=100, width=128, resolution=64, channels=3)
    down = dcgan_theano.Discriminator(width=128, resolution=64, channels=3, dropout=0.0)
    assert (count(up), count(down)) == (18_885_760, 17_232_768)


@pytest.mark.parametrize("resolution", [32, 64])
def test_theanos_dcgan_shapes_and_start(resolution: int):
    up = dcgan_theano.Generator(latent=10, width=16, resolution=resolution, channels=1)
    down = dcgan_theano.Discriminator(width=16, resolution=resolution, channels=1, dropout=0.1)
    images = up(torch.randn(2, 10))
    assert images.shape == (2, 1, resolution, resolution)
    assert images.abs().max() <= 1
    assert down(images).shape == (2,)
    gains = torch.cat([m.weight for m in up.modules() if isinstance(m, nn.BatchNorm1d)])
    assert gains.mean().item() == pytest.approx(1, abs=0.01)
    assert gains.std().item() == pytest.approx(0.02, rel=0.1)
    linear = up.layers[0].weight
    assert linear.std().item() == pytest.approx(0.02, rel=0.05)
    norms = nn.BatchNorm1d | nn.BatchNorm2d
    for module in (*up.modules(), *down.modules()):
        assert isinstance(module, norms) or getattr(module, "bias", None) is None


def test_uniform_latents():
    z = torch.tensor([-1.959964, 0.0, 1.959964])
    assert uniform_latents(z, 0, 1).tolist() == pytest.approx([0.025, 0.5, 0.975], abs=1e-6)
    assert uniform_latents(z, -1, 1).tolist() == pytest.approx([-0.95, 0.0, 0.95], abs=1e-6)
    assert uniform_latents(torch.tensor([-50.0, 50.0]), 0, 1).tolist() == [0.0, 1.0]


def test_gradients_reach_every_weight():
    torch.manual_seed(0)
    picture = {"dropout": 0.0, "channels": 3}
    pairs = [
        (
            mlp.Generator(latent=5, hidden=(6, 7), shape=(3, 4, 4)),
            mlp.Discriminator(
                shape=(3, 4, 4),
                hidden=(7, 6),
                dropout=0.0,
                head=compare(3, 2),
            ),
        ),
        (
            mlp.PointGenerator(latent=5, hidden=(16,)),
            mlp.PointDiscriminator(hidden=(16,), dropout=0.0),
        ),
        (
            maxout.Generator(latent=5, hidden=(6, 7), shape=(3, 4, 4)),
            maxout.Discriminator(
                shape=(3, 4, 4), hidden=(7, 6), pieces=3, dropout=0.0, input_dropout=0.0
            ),
        ),
        (
            dcgan_theano.Generator(latent=5, width=3, resolution=16, channels=3),
            dcgan_theano.Discriminator(width=3, resolution=16, **picture),
        ),
        (
            stacked_mnist.Generator(latent=5, channels=3),
            stacked_mnist.Discriminator(width=2, **picture),
        ),
    ]
    for up, down in pairs:
        down(up(torch.randn(6, 5))).square().sum().backward()
        for name, weight in [*up.named_parameters(), *down.named_parameters()]:
            assert weight.grad is not None and weight.grad.any(), (type(up), name)
