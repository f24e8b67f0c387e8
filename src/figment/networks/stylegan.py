"""StyleGAN's generator: Karras et al. 2019, arXiv:1812.04948, as the authors' code has it.

A learned 4x4 map; each layer adds noise, normalises every map of every image and gives it a mean and a
spread by the style (AdaIN). It grows as ProGAN does, from 8 px, and blurs after each doubling; its
discriminator is ProGAN's with a blur before each halving (``figment.networks.growing``).

Noise: while training every image draws its own in every pass. In evaluation it is a picture of noise a
layer, drawn once and kept in a buffer with the weights: so a sample is a function of its latent alone.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment import mesh
from figment.networks.growing import Grown, enlarged, widths
from figment.networks.layers.equalised import Convolution, Linear
from figment.networks.layers.low_pass import Soften
from figment.networks.layers.mapping import Mapping
from figment.networks.layers.resample import enlarge
from figment.networks.progan import repeated
from figment.randomness_per_image import normal


class Finish(nn.Module):
    """Maps [N, C, s, s] and styles [N, W] -> maps: noise, bias, LeakyReLU(.2), AdaIN; section 2."""

    noise: Tensor

    def __init__(self, wide: int, side: int, *, style: int) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(wide))
        self.bias = nn.Parameter(torch.zeros(wide))
        self.style = Linear(style, 2 * wide)
        self.register_buffer("noise", torch.randn(side, side))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        noise = self.noise
        if self.training:
            noise = normal(len(x), 1, *noise.shape, like=noise)
        x = x + self.strength[:, None, None] * noise + self.bias[:, None, None]
        return adain(F.leaky_relu(x, 0.2), *self.style(w).chunk(2, 1))


class Up(nn.Module):
    """Maps [N, in, s, s] -> [N, out, 2s, 2s]: pixels repeated, convolved, blurred."""

    def __init__(self, wide_in: int, wide_out: int) -> None:
        super().__init__()
        self.convolution = Convolution(wide_in, wide_out, 3, bias=False)
        self.blur = Soften()

    def forward(self, x: Tensor) -> Tensor:
        return self.blur(repeated(x, self.convolution))


class Generator(Grown):
    """Styles of every layer [N, layers, L] -> images [N, C, R, R], without tanh; `mapping` makes styles."""

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
    ) -> None:
        super().__init__()
        wide = widths(width, resolution)
        self.side, self.layers = resolution, 2 * len(wide)
        """Styles that an image has; those of stages to come are not looked at."""
        self.mapping = Mapping(latent, mapping_layers, classes)
        self.register_buffer("mean_style", torch.zeros(latent))
        self.constant = nn.Parameter(torch.ones(width, 4, 4))
        self.ups = nn.ModuleList(Up(before, after) for before, after in pairwise(wide))
        self.sames = nn.ModuleList(Convolution(each, each, 3, bias=False) for each in wide)
        sides = [4 << level for level in range(len(wide)) for _ in range(2)]
        channels_of = [each for each in wide for _ in range(2)]
        self.finishes = nn.ModuleList(
            Finish(each, side, style=latent) for each, side in zip(channels_of, sides, strict=True)
        )
        self.pictures = nn.ModuleList(Convolution(each, channels, 1, gain=1.0) for each in wide)

    def forward(self, styles: Tensor) -> Tensor:
        stage, share = self.stage()
        before = x = self.constant.expand(styles.shape[0], -1, -1, -1)  # [N, F, 4, 4]
        for level in range(stage + 1):
            if level:
                before, x = x, self.ups[level - 1](x)
            x = self.finishes[2 * level](x, styles[:, 2 * level])
            x = self.finishes[2 * level + 1](self.sames[level](x), styles[:, 2 * level + 1])
        image = self.pictures[stage](x)
        if share < 1:
            image = enlarge(self.pictures[stage - 1](before)).lerp(image, share)
        return enlarged(image, self.side)

    @torch.no_grad()
    def follow(self, styles: Tensor) -> None:
        """Let the mean style take a step towards the mean of these [N, L], of all processes."""
        now = styles.float().mean(0)
        mesh.average([now])
        self.mean_style.lerp_(now, 0.005)


def adain(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Return maps [N, C, H, W], each with mean ``shift`` and spread ``scale`` + 1 [N, C]; eq. 1.

    Maps are taken from one of their own pixels before their mean: those of the learned constant, of ones
    to begin with, vary by thousandths long after, and to divide by that spread magnifies what a mean near 1
    is rounded by. So a map of one number gives zeros, whatever sums it up.
    """
    apart = x - x[..., :1, :1]
    apart = apart - apart.mean((2, 3), keepdim=True)
    even = apart * (apart.square().mean((2, 3), keepdim=True) + 1e-8).rsqrt()
    return even * (scale + 1)[:, :, None, None] + shift[:, :, None, None]
