"""StyleGAN2's networks: Karras et al. 2020, arXiv:1912.04958, as the authors' code has them.

The generator adds up pictures of all sizes ("skip"), the discriminator is residual. Weights start from
N(0, 1) and are scaled as they are used, so that all learn at one rate ("equalised"). Width 512 at 256 px
with 8 mapping layers of 512 numbers is the authors': 24 767 458 and 24 001 089 parameters.

Noise: while training every image draws its own in every pass. In evaluation it is a picture of noise a
layer, drawn once and kept in a buffer with the weights: so a sample is a function of its latent alone,
and neighbouring latents have neighbouring pictures.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment import mesh
from figment.networks.layers.discriminator import FeatureDiscriminator
from figment.networks.layers.dropout import Dropout
from figment.networks.layers.equalised import Linear, normalised, plain
from figment.networks.layers.head import Head
from figment.networks.layers.low_pass import Blur, Double, Halve
from figment.networks.layers.mapping import Mapping, activated
from figment.networks.layers.minibatch_stddev import with_spread
from figment.randomness_per_image import normal

CLASS_LAYERS = 8
"""Layers that make the discriminator's direction of a class, as in the authors' code."""


def widths(width: int, resolution: int, until: int = 32) -> list[int]:
    """Return the channels of maps of 4, 8, ..., R pixels: `width` up to `until`, then halved each time."""
    sides = [1 << power for power in range(2, resolution.bit_length())]
    return [max(1, width // max(1, side // until)) for side in sides]


class Convolution(nn.Module):
    """[N, in, H, W] -> [N, out, H, W], or half of H and W with `down`; equalised."""

    def __init__(
        self, wide_in: int, wide_out: int, kernel: int, *, down: bool = False, bias: bool = True
    ) -> None:
        super().__init__()
        self.scale = (wide_in * kernel**2) ** -0.5
        self.weight = nn.Parameter(torch.randn(wide_out, wide_in, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(wide_out)) if bias else None
        self.stride, self.padding = (2, 0) if down else (1, kernel // 2)
        self.blur = Blur(2) if down else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight * self.scale
        return F.conv2d(self.blur(x), weight, self.bias, self.stride, self.padding)


class ModulatedConvolution(nn.Module):
    """Maps [N, in, H, W] and styles [N, W] -> [N, out, H, W], or twice H and W with `up`; section 2.2.

    A style scales the channels that come in; `demodulate` divides those that go out by what that does to
    their length, if all that comes in has length 1. Both are done to the maps, not to the weights: the
    same sums, and one convolution for the whole batch.
    """

    def __init__(
        self,
        wide_in: int,
        wide_out: int,
        kernel: int,
        *,
        style: int,
        up: bool = False,
        demodulate: bool = True,
    ) -> None:
        super().__init__()
        self.up, self.demodulate = up, demodulate
        self.scale, self.padding = (wide_in * kernel**2) ** -0.5, kernel // 2
        self.style = Linear(style, wide_in, start=1.0)
        self.weight = nn.Parameter(torch.randn(wide_out, wide_in, kernel, kernel))
        self.blur = Blur(1, gain=4.0) if up else nn.Identity()

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        weight, style = self.weight * self.scale, self.style(w)
        x = x * style[:, :, None, None]  # [N, in, 1, 1]
        if self.up:  # H -> 2 H + 1 -> 2 H
            y = self.blur(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2))
        else:
            y = F.conv2d(x, weight, padding=self.padding)
        if not self.demodulate:
            return y
        power = style.square() @ weight.square().sum((2, 3)).T  # [N, in] x [in, out]
        return y * (power + 1e-8).rsqrt()[:, :, None, None]


class Layer(nn.Module):
    """Maps and styles -> maps of `side` pixels: modulated convolution, noise, bias, LeakyReLU(.2)."""

    noise: Tensor

    def __init__(self, wide_in: int, wide_out: int, side: int, *, style: int, up: bool) -> None:
        super().__init__()
        self.convolution = ModulatedConvolution(wide_in, wide_out, 3, style=style, up=up)
        self.strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(wide_out))
        self.register_buffer("noise", torch.randn(side, side))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        y, noise = self.convolution(x, w), self.noise
        if self.training:
            noise = normal(len(y), 1, *noise.shape, like=noise)
        return activated(y + self.strength * noise + self.bias[:, None, None])


class ToPicture(nn.Module):
    """Maps [N, in, H, W] and styles [N, W] -> a picture [N, C, H, W]."""

    def __init__(self, wide_in: int, channels: int, *, style: int) -> None:
        super().__init__()
        self.convolution = ModulatedConvolution(wide_in, channels, 1, style=style, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        return self.convolution(x, w) + self.bias[:, None, None]


class ClassDirection(nn.Module):
    """Features [N, F] and labels [N] -> logits [N]: <features, mapped class> / √F, no term without a class.

    The head of the authors' code (Karras et al. 2020a): a linear layer on the features, and a mapping of
    the class by eight layers.
    """

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.embed = Linear(classes, features)
        self.layers = nn.ModuleList(
            Linear(features, features, rate=0.01) for _ in range(CLASS_LAYERS)
        )
        self.linear = Linear(features, features)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        one_hot = F.one_hot(labels, self.classes).to(x.dtype)  # [N, K]
        direction = normalised(self.embed(one_hot))
        for layer in self.layers:
            direction = activated(layer(direction))
        return (self.linear(x) * direction).sum(1) * x.shape[1] ** -0.5


class Generator(nn.Module):
    """Styles of every layer [N, layers, L] -> images [N, C, R, R], without tanh; `mapping` makes styles.

    A learned 4x4 map, then two layers a resolution, the first of which doubles the map; after each
    resolution a picture is added to the one before it, doubled. R is a power of two.
    """

    mean_style: Tensor

    def __init__(
        self,
        *,
        latent: int,
        classes: int = 0,
        mapping_layers: int,
        width: int,
        resolution: int,
        channels: int,
        until: int = 32,
    ) -> None:
        super().__init__()
        wide = widths(width, resolution, until)
        self.layers = 2 * len(wide)
        """Styles that an image has; a picture shares its own with the layer that comes next."""
        self.mapping = Mapping(latent, mapping_layers, classes)
        self.register_buffer("mean_style", torch.zeros(latent))
        self.constant = nn.Parameter(torch.randn(wide[0], 4, 4))
        self.enlarge = Double()
        self.ups, self.sames, self.pictures = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for level, (before, after) in enumerate(zip([0, *wide], wide, strict=False)):
            side = 4 << level
            if level:
                self.ups.append(Layer(before, after, side, style=latent, up=True))
            self.sames.append(Layer(after, after, side, style=latent, up=False))
            self.pictures.append(ToPicture(after, channels, style=latent))

    def forward(self, styles: Tensor) -> Tensor:
        x = self.constant.expand(styles.shape[0], -1, -1, -1)  # [N, F, 4, 4]
        x = self.sames[0](x, styles[:, 0])
        image = self.pictures[0](x, styles[:, 1])
        later = zip(self.ups, self.sames[1:], self.pictures[1:], strict=True)
        for level, (up, same, picture) in enumerate(later, start=1):
            x = up(x, styles[:, 2 * level - 1])
            x = same(x, styles[:, 2 * level])
            image = self.enlarge(image) + picture(x, styles[:, 2 * level + 1])
        return image

    @torch.no_grad()
    def follow(self, styles: Tensor) -> None:
        """Let the mean style take a step towards the mean of these [N, L], of all processes."""
        now = styles.float().mean(0)
        mesh.average([now])
        self.mean_style.lerp_(now, 0.005)


class Down(nn.Module):
    """[N, in, H, W] -> [N, out, H/2, W/2]: the discriminator's block, `residual` or two layers alone."""

    def __init__(self, wide_in: int, wide_out: int, *, residual: bool = True) -> None:
        super().__init__()
        self.same = Convolution(wide_in, wide_in, 3)
        self.down = Convolution(wide_in, wide_out, 3, down=True)
        self.aside = None
        if residual:
            self.aside = nn.Sequential(Halve(), Convolution(wide_in, wide_out, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        y = activated(self.down(activated(self.same(x))))
        return y if self.aside is None else (y + self.aside(x)) * math.sqrt(0.5)


class Discriminator(FeatureDiscriminator):
    """Images [N, C, R, R], and labels [N] if its head is conditional -> logits [N].

    Blocks halve maps to 4 px; the spread of `group` neighbours in the batch is set beside them (Karras et
    al. 2018), then a 3x3 convolution and a linear layer make features. R is a power of two.
    """

    def __init__(
        self,
        *,
        width: int,
        resolution: int,
        channels: int,
        dropout: float,
        head: Head = plain,
        until: int = 32,
        residual: bool = True,
        group: int = 4,
    ) -> None:
        super().__init__()
        wide = widths(width, resolution, until)[::-1]
        self.group = group
        self.first = Convolution(channels, wide[0], 1)
        blocks = (Down(before, after, residual=residual) for before, after in pairwise(wide))
        self.blocks = nn.Sequential(*blocks)
        self.last = Convolution(wide[-1] + 1, wide[-1], 3)
        self.linear = Linear(wide[-1] * 16, wide[-1])
        self.dropout = Dropout(dropout)
        self.head = head(wide[-1])

    def features(self, x: Tensor) -> Tensor:
        """Return features [N, F], F the width at 4 px, before their dropout."""
        x = self.blocks(activated(self.first(x)))  # [N, F, 4, 4]
        x = activated(self.last(with_spread(x, self.group)))
        return activated(self.linear(x.flatten(1)))  # [N, 16 F] -> [N, F]
