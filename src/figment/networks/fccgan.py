"""FCC-GAN (Barua et al. 2019) beside its DCGAN baseline, and both without checkerboards.

FCC-GAN puts fully connected layers between the latent and the first map, and between the last map and
the verdict; the baseline has the same convolutions without them. Layers and initialisation are those of
the authors' code for CIFAR-10. At 32 px in colour with 4x4 kernels and width 64:

- FCC-GAN: generator 2 808 000 parameters, discriminator 2 790 881, or 2 790 753 with pooling;
- baseline: generator 1 068 928, discriminator 663 424.

Every network has three convolutions between the picture and a map of R / 8 pixels: another resolution
widens that map, as the Study did for 128 px, and never adds layers. `kernel` is the side of all
convolutions but the baseline's first and last (Study: 5). `up` and `down` choose how maps change size:

- ``transposed`` and ``strided``: the convolution itself does it, and can leave a checkerboard;
- ``nearest`` or ``bilinear`` doubling before a convolution, ``pooled`` averaging after one: none
  (Odena et al. 2016, "Deconvolution and Checkerboard Artifacts").

`attend` is the side of the map, R / 2 or R / 4 pixels, that both players look at with self-attention; 0
for none.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from figment.networks.layers.attention import SelfAttention
from figment.networks.layers.conditional_sequential import ConditionalSequential
from figment.networks.layers.convolution import Convolution, TransposedConvolution
from figment.networks.layers.discriminator import FeatureDiscriminator
from figment.networks.layers.dropout import Dropout
from figment.networks.layers.head import Head, linear
from figment.networks.layers.initial import glorot, normal
from figment.networks.layers.resample import UpConvolution, same

Up = Literal["transposed", "nearest", "bilinear"]
Down = Literal["strided", "pooled"]

GENERATOR_HIDDEN = {
    1: (),
    2: (64,),
    3: (64, 512),
    4: (16, 64, 512),
    5: (16, 64, 512, 512),
    6: (16, 64, 512, 512, 2048),
}
"""Hidden units of the authors' generators, by the number of fully connected layers; theirs is 3."""
DISCRIMINATOR_HIDDEN = {
    1: (),
    2: (512,),
    3: (512, 64),
    4: (512, 64, 16),
    5: (1024, 512, 64, 16),
    6: (1024, 512, 64, 16, 8),
}
"""The same for their discriminators; theirs is 4."""

# The authors' batch norm, with Keras's momentum in torch's sense.
Norm1d = partial(nn.BatchNorm1d, eps=1.01e-5, momentum=0.01)
Norm2d = partial(nn.BatchNorm2d, eps=1.01e-5, momentum=0.01)


def whole_map(features: int) -> nn.Module:
    """Return the baseline's head, a convolution over the whole last map: [N, F] -> [N, 1]."""
    return nn.Linear(features, 1, bias=False).apply(normal(0.02))


class Generator(nn.Module):
    """FCC-GAN's: latents [N, L] -> images [N, C, R, R] in [-1, 1].

    `hidden` layers of ReLU units, a linear layer with batch norm and no activation to a map of R / 8
    pixels, then three doublings; batch norm and ReLU after all but the last, tanh there.
    """

    def __init__(
        self,
        *,
        latent: int,
        hidden: tuple[int, ...],
        width: int,
        resolution: int,
        channels: int,
        kernel: int,
        up: Up,
        attend: int = 0,
    ) -> None:
        super().__init__()
        grid, wide = resolution // 8, 4 * width
        units = (latent, *hidden)
        self.layers = ConditionalSequential()
        for wide_in, wide_out in pairwise(units):
            self.layers.extend([nn.Linear(wide_in, wide_out), nn.ReLU(inplace=True)])
        self.layers.extend(
            [
                nn.Linear(units[-1], wide * grid * grid),
                Norm1d(wide * grid * grid),
                nn.Unflatten(1, (wide, grid, grid)),  # [N, 4 width, R/8, R/8]
                *_doublings(width, channels, kernel, up, grid, attend),
            ]
        )
        self.apply(_initialise)

    def forward(self, z: Tensor, *condition: Tensor) -> Tensor:
        return self.layers(z, *condition).tanh()  # [N, C, R, R]


class Discriminator(FeatureDiscriminator):
    """FCC-GAN's: images [N, C, R, R] -> logits [N].

    Three halvings to a map of R / 8 pixels with batch norm and LeakyReLU(.2), then `hidden` layers with
    LeakyReLU(.2) and a linear one. `norm_first` puts batch norm on the first convolution, too: the
    authors' strided networks have it, their pooled ones and the Study's do not.
    """

    def __init__(
        self,
        *,
        hidden: tuple[int, ...],
        width: int,
        resolution: int,
        channels: int,
        kernel: int,
        down: Down,
        norm_first: bool,
        dropout: float,
        attend: int = 0,
        head: Head = linear,
    ) -> None:
        super().__init__()
        grid = resolution // 8
        units = (4 * width * grid * grid, *hidden)
        self.layers = nn.Sequential(
            *_halvings(width, channels, kernel, down, norm_first, dropout, resolution, attend),
            nn.Flatten(),
        )
        for wide_in, wide_out in pairwise(units):
            self.layers.extend([Dropout(dropout), nn.Linear(wide_in, wide_out), nn.LeakyReLU(0.2)])
        self.dropout = Dropout(dropout)
        self.head = head(units[-1])
        self.apply(_initialise)

    def features(self, x: Tensor) -> Tensor:
        """Return the last hidden layer [N, F] before its dropout."""
        return self.layers(x)


class BaselineGenerator(nn.Module):
    """The DCGAN baseline's: latents [N, L] -> images [N, C, R, R] in [-1, 1].

    A transposed convolution from one pixel makes the map of R / 8 pixels, then three doublings as in
    FCC-GAN.
    """

    def __init__(
        self,
        *,
        latent: int,
        width: int,
        resolution: int,
        channels: int,
        kernel: int,
        up: Up,
        attend: int = 0,
    ) -> None:
        super().__init__()
        grid = resolution // 8
        self.layers = ConditionalSequential(
            TransposedConvolution(latent, 4 * width, grid, bias=False),
            Norm2d(4 * width),
            nn.ReLU(inplace=True),
            *_doublings(width, channels, kernel, up, grid, attend),
        )
        self.apply(_initialise)

    def forward(self, z: Tensor, *condition: Tensor) -> Tensor:
        return self.layers(z[:, :, None, None], *condition).tanh()  # [N, L, 1, 1] -> [N, C, R, R]


class BaselineDiscriminator(FeatureDiscriminator):
    """The DCGAN baseline's: images [N, C, R, R] -> logits [N].

    Three halvings as in FCC-GAN, then one convolution that covers the whole map of R / 8 pixels, which
    is a linear layer of its numbers.
    """

    def __init__(
        self,
        *,
        width: int,
        resolution: int,
        channels: int,
        kernel: int,
        down: Down,
        norm_first: bool,
        dropout: float,
        attend: int = 0,
        head: Head = whole_map,
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *_halvings(width, channels, kernel, down, norm_first, dropout, resolution, attend)
        )
        self.apply(_initialise)
        self.dropout = Dropout(dropout)
        self.head = head(4 * width * (resolution // 8) ** 2)

    def features(self, x: Tensor) -> Tensor:
        """Return the last hidden layer [N, F] before its dropout."""
        return self.layers(x).flatten(1)  # [N, 4 width, R/8, R/8] -> [N, F]


def _doublings(
    width: int, channels: int, kernel: int, up: Up, side: int, attend: int
) -> list[nn.Module]:
    """[N, 4 width, R/8, R/8] -> [N, C, R, R]: three layers that each double the map."""
    layers: list[nn.Module] = []
    for wide_in, wide_out in pairwise((4 * width, 2 * width, width)):
        layers += [
            _doubling(wide_in, wide_out, kernel, up),
            Norm2d(wide_out),
            nn.ReLU(inplace=True),
        ]
        side *= 2
        if side == attend:
            layers.append(SelfAttention(wide_out))
    return [*layers, _doubling(width, channels, kernel, up)]


def _doubling(wide_in: int, wide_out: int, kernel: int, up: Up) -> nn.Module:
    if up != "transposed":
        return UpConvolution(wide_in, wide_out, kernel, mode=up, bias=False)
    # An odd kernel leaves one row over; the output padding keeps it.
    padding, over = (kernel - 1) // 2, kernel % 2
    return TransposedConvolution(wide_in, wide_out, kernel, 2, padding, over, bias=False)


def _halvings(
    width: int,
    channels: int,
    kernel: int,
    down: Down,
    norm_first: bool,
    dropout: float,
    side: int,
    attend: int,
) -> list[nn.Module]:
    """[N, C, R, R] -> [N, 4 width, R/8, R/8]: three layers that each halve the map, dropout between."""
    layers: list[nn.Module] = []
    for wide_in, wide_out in pairwise((channels, width, 2 * width, 4 * width)):
        if down == "strided":
            layers.append(Convolution(wide_in, wide_out, kernel, 2, (kernel - 1) // 2, bias=False))
        else:
            layers.append(same(wide_in, wide_out, kernel, bias=False))
        if norm_first or wide_out != width:
            layers.append(Norm2d(wide_out))
        if down == "pooled":  # the authors' order: norm, pool, then the activation
            layers.append(nn.AvgPool2d(2))
        layers.append(nn.LeakyReLU(0.2))
        side //= 2
        if side == attend:
            layers.append(SelfAttention(wide_out))
        layers.append(Dropout(dropout))
    return layers[:-1]


def _initialise(module: nn.Module) -> None:
    """Convolutions from N(0, .02), linear layers as in Keras."""
    (glorot if isinstance(module, nn.Linear) else normal(0.02))(module)
