"""Semi-supervised GANs' networks: the discriminator is a classifier of K classes (Salimans et al. 2016).

Its K logits are those of the real classes; the logit of "fake" is fixed at 0, so the picture is real
with probability Z / (Z + 1), Z the sum of the logits' exponentials: the logit of that is their
log-sum-exp (section 5). Layers are those of the authors' code, fully connected for MNIST, convolutional
for CIFAR-10 and SVHN, weights normalised. Before the first move `calibrate` (see ``layers.calibration``)
is to fit them as that code does: both discriminators on 500 images, the convolutional generator on 100
latents (the MNIST one is left as it starts).

The MNIST code works on pixels in [0, 1]. Here pictures are in [-1, 1]: its generator's sigmoid is
stretched on the way out, its discriminator's pixels are moved back on the way in.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn

from figment.networks.layers.discriminator import FeatureDiscriminator
from figment.networks.layers.dropout import Dropout
from figment.networks.layers.initial import glorot, normal
from figment.networks.layers.noise import GaussianNoise
from figment.networks.layers.uniform import uniform_latents
from figment.networks.layers.weight_norm import WeightNorm
from figment.pixels import to_float


class Classifier(FeatureDiscriminator):
    """What both discriminators share: images [N, C, R, R] -> logits [N] of being real.

    `body` makes features, `head` class logits of them.
    """

    body: nn.Sequential

    def features(self, x: Tensor) -> Tensor:
        """Return the last hidden layer [N, F] before its noise, for feature matching."""
        return self.body(x)

    def classify(self, x: Tensor) -> Tensor:
        """Return the class logits [N, K], in float32; their softmax is the classes' probability."""
        return self.head(self.features(x)).float()

    def verdict(self, features: Tensor, *condition: Tensor) -> Tensor:
        return self.head(features).float().logsumexp(1)  # [N, K] -> [N]


class Discriminator(Classifier):
    """The MNIST code's: layers of 1000, 500, 250, 250, 250 ReLUs; Gaussian noise before each.

    `noise` is its standard deviation on the pixels in [0, 1] and on the hidden layers: .3 and .5.
    1 538 770 parameters at 28 px in grey with 10 classes.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, ...],
        classes: int,
        hidden: tuple[int, ...] = (1000, 500, 250, 250, 250),
        noise: tuple[float, float] = (0.3, 0.5),
    ) -> None:
        super().__init__()
        on_pixels, on_units = noise
        self.body = nn.Sequential(nn.Flatten(), UnitRange(), GaussianNoise(on_pixels))
        for wide_in, wide_out in pairwise((math.prod(shape), *hidden)):
            self.body.extend([_dense(wide_in, wide_out), nn.ReLU(), GaussianNoise(on_units)])
        del self.body[-1]  # features come without their noise
        self.head = nn.Sequential(
            GaussianNoise(on_units), _dense(hidden[-1], classes, learn_scale=True)
        )


class ConvDiscriminator(Classifier):
    """The CIFAR-10 and SVHN code's: nine convolutions, LeakyReLU(.2), the mean over the map.

    Three 3x3 layers of `widths[0]` channels, three of `widths[1]`, the third of each halving the map; a
    3x3 layer without padding and two 1x1 layers. `widths` are (96, 192) for CIFAR-10, (64, 128) for
    SVHN. `dropout` is the share of units dropped after each three, `input_dropout` that of pixels: .5
    and .2. Any resolution from 12 px.
    """

    def __init__(
        self,
        *,
        widths: tuple[int, int],
        channels: int,
        classes: int,
        dropout: float = 0.5,
        input_dropout: float = 0.2,
    ) -> None:
        super().__init__()
        narrow, wide = widths
        self.body = nn.Sequential(
            Dropout(input_dropout),
            *_three(channels, narrow),
            Dropout(dropout),
            *_three(narrow, wide),
            Dropout(dropout),
            *_activated(nn.Conv2d(wide, wide, 3)),
            *_activated(nn.Conv2d(wide, wide, 1)),
            *_activated(nn.Conv2d(wide, wide, 1)),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),  # [N, wide]
        )
        last = nn.Linear(wide, classes).apply(normal(0.05))
        self.head = nn.Sequential(WeightNorm(last, spread=0.1))


class Generator(nn.Module):
    """The MNIST code's: latents [N, L] from N(0, 1), made uniform on (0, 1) -> images in [-1, 1].

    Hidden layers of 500 softplus units with batch norm, which has no gain; the last layer's weights are
    normalised, with a scale that learns; sigmoid. 694 568 parameters at 28 px in grey.
    """

    def __init__(
        self, *, latent: int, shape: tuple[int, ...], hidden: tuple[int, ...] = (500, 500)
    ) -> None:
        super().__init__()
        self.shape = shape
        self.layers = nn.Sequential()
        for wide_in, wide_out in pairwise((latent, *hidden)):
            linear = nn.Linear(wide_in, wide_out, bias=False)
            self.layers.extend([linear, ShiftNorm(nn.BatchNorm1d, wide_out), nn.Softplus()])
        last = nn.Linear(hidden[-1], math.prod(shape), bias=False)
        self.layers.append(WeightNorm(last, spread=None))
        self.apply(glorot)

    def forward(self, z: Tensor) -> Tensor:
        x = 2 * self.layers(uniform_latents(z, 0, 1)).sigmoid() - 1
        return x.unflatten(1, self.shape)  # [N, C, R, R]


class ConvGenerator(nn.Module):
    """The CIFAR-10 and SVHN code's: latents as above -> images [N, C, R, R] in [-1, 1].

    A linear layer makes a map of 4 `width` channels and R / 8 pixels a side, 5x5 transposed convolutions
    to 2 `width`, `width` and the picture's channels double it; ReLU, batch norm without gain; the last is
    weight normalised, tanh. `width` is 128 in that code.
    """

    def __init__(self, *, latent: int, resolution: int, channels: int, width: int = 128) -> None:
        super().__init__()
        grid, most = resolution // 8, 4 * width
        self.layers = nn.Sequential(
            nn.Linear(latent, most * grid * grid, bias=False),
            ShiftNorm(nn.BatchNorm1d, most * grid * grid),
            nn.ReLU(inplace=True),
            nn.Unflatten(1, (most, grid, grid)),
            nn.ConvTranspose2d(most, 2 * width, 5, 2, 2, 1, bias=False),
            ShiftNorm(nn.BatchNorm2d, 2 * width),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(2 * width, width, 5, 2, 2, 1, bias=False),
            ShiftNorm(nn.BatchNorm2d, width),
            nn.ReLU(inplace=True),
        )
        last = nn.ConvTranspose2d(width, channels, 5, 2, 2, 1, bias=False)
        self.layers.append(WeightNorm(last, spread=0.1))
        self.apply(normal(0.05))

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(uniform_latents(z, 0, 1)).tanh()  # [N, C, R, R]


class Average(nn.Module):
    """The mean of a network's weights over its moves, all of it buffers (Polyak & Juditsky 1992).

    As a module it tells classes: images [N, C, R, R] in [-1, 1] -> class logits [N, K]. After n moves
    the newest weights count `rate`, or 3 / n while that is more: a start that the authors' code, which
    begins at 0, does without. `net` is a copy in evaluation mode.
    """

    moves: Tensor

    def __init__(self, net: Classifier) -> None:
        super().__init__()
        self.net = _frozen(copy.deepcopy(net)).eval()
        self.register_buffer("moves", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        return self.net.classify(x)

    @torch.no_grad()
    def follow(self, net: nn.Module, rate: float) -> None:
        """Take the network's present weights into the mean."""
        self.moves += 1
        share = max(rate, min(1.0, 3 / int(self.moves)))
        mine, others = self.net.state_dict(), net.state_dict()
        torch._foreach_lerp_(list(mine.values()), [others[name] for name in mine], share)


class Labelled(nn.Module):
    """The labelled pictures: uint8 [N, C, R, R] and their classes [N], in any order."""

    images: Tensor
    labels: Tensor

    def __init__(self, count: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("images", torch.zeros(count, *shape, dtype=torch.uint8))
        self.register_buffer("labels", torch.zeros(count, dtype=torch.int64))

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return the chosen pictures [B, C, R, R] in [-1, 1] and their classes [B]."""
        return to_float(self.images[rows]), self.labels[rows]


class ShiftNorm(nn.Module):
    """Batch norm with a bias and no gain; `norm` is torch's class for the shape."""

    def __init__(self, norm: type[nn.BatchNorm1d] | type[nn.BatchNorm2d], channels: int) -> None:
        super().__init__()
        self.norm = norm(channels, eps=1e-6, affine=False)
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x) + self.bias.view(-1, *[1] * (x.ndim - 2))


class UnitRange(nn.Module):
    """[-1, 1] -> [0, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        return (x + 1) / 2


def _three(wide_in: int, wide: int) -> Iterator[nn.Module]:
    """Three 3x3 convolutions, the last of which halves the map."""
    for stride, channels in ((1, wide_in), (1, wide), (2, wide)):
        yield from _activated(nn.Conv2d(channels, wide, 3, stride, padding=1))


def _activated(layer: nn.Conv2d) -> list[nn.Module]:
    layer.apply(normal(0.05))
    return [WeightNorm(layer, learn_scale=False), nn.LeakyReLU(0.2)]


def _dense(wide_in: int, wide_out: int, *, learn_scale: bool = False) -> WeightNorm:
    # Only directions count, but their length sets the pace at which they learn.
    return WeightNorm(nn.Linear(wide_in, wide_out).apply(normal(0.1)), learn_scale=learn_scale)


def _frozen(net: Classifier) -> Classifier:
    """Make every parameter a buffer of the same name: no player's move is to change it."""
    for module in net.modules():
        for name, weight in list(module.named_parameters(recurse=False)):
            delattr(module, name)
            module.register_buffer(name, weight.detach().clone())
    return net
