"""The small networks in which unrolled GANs were measured on stacked MNIST (Metz et al. 2016, appendix).

Layer for layer as in PacGAN's replica (Lin et al. 2018). The generator has 287 875 parameters at its width
of 8; the discriminator is far smaller, so that modes are lost: 585 at width 2 (the paper's "D = 1/4"),
1 889 at width 4 ("1/2"). The resolution is halved three times, rounding up: 28, 14, 7, 4.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from figment.networks.layers.conditional_sequential import ConditionalSequential
from figment.networks.layers.discriminator import FeatureDiscriminator
from figment.networks.layers.dropout import Dropout
from figment.networks.layers.head import Head, linear
from figment.networks.layers.initial import Initialise, normal


class Generator(nn.Module):
    """Latents [N, L], and labels [N] if its norms are conditional -> images [N, C, R, R] in [-1, 1].

    A linear layer makes the smallest map, of 8 `width` channels; 3x3 transposed convolutions double it
    three times and halve its channels, a 3x3 convolution makes the picture; batch norm and ReLU between.
    """

    def __init__(self, *, latent: int, channels: int, width: int = 8, resolution: int = 28) -> None:
        super().__init__()
        sides = sides_of(resolution)[::-1]
        wide = [8 * width, 4 * width, 2 * width, width]
        self.shape = (wide[0], sides[0], sides[0])
        self.start = nn.Linear(latent, wide[0] * sides[0] ** 2)
        self.layers = ConditionalSequential(nn.BatchNorm2d(wide[0]), nn.ReLU(inplace=True))
        for (wide_in, wide_out), side in zip(pairwise(wide), sides[1:], strict=True):
            even = 1 - side % 2
            self.layers.extend(
                [
                    nn.ConvTranspose2d(wide_in, wide_out, 3, 2, 1, output_padding=even),
                    nn.BatchNorm2d(wide_out),
                    nn.ReLU(inplace=True),
                ]
            )
        self.layers.append(nn.Conv2d(width, channels, 3, padding=1))
        self.apply(normal(0.02))

    def forward(self, z: Tensor, *condition: Tensor) -> Tensor:
        x = self.start(z).unflatten(1, self.shape)  # [N, 8 width, R/8, R/8]
        return self.layers(x, *condition).tanh()  # [N, C, R, R]


class Discriminator(FeatureDiscriminator):
    """Images [N, C, R, R] -> logits [N].

    3x3 convolutions of stride 2 to R/2, R/4 and R/8 pixels of `width`, twice and four times as many
    channels, batch norm and LeakyReLU(.3) after each, then a linear layer.
    """

    def __init__(
        self,
        *,
        width: int,
        channels: int,
        dropout: float,
        resolution: int = 28,
        head: Head = linear,
        initialise: Initialise | None = None,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(wide_in, wide_out, 3, 2),
                nn.BatchNorm2d(wide_out),
                nn.LeakyReLU(0.3, inplace=True),
            )
            for wide_in, wide_out in pairwise((channels, width, 2 * width, 4 * width))
        )
        self.dropout = Dropout(dropout)
        self.head = head(4 * width * sides_of(resolution)[-1] ** 2)
        self.apply(initialise or normal(0.02))

    def features(self, x: Tensor) -> Tensor:
        """Return the last hidden layer [N, F] before its dropout, for feature matching."""
        for number, layer in enumerate(self.layers):
            x = self.dropout(x) if number else x
            # TensorFlow's "same": an even side is padded behind only, an odd one on both sides.
            before = x.shape[2] % 2
            x = layer(F.pad(x, (before, 1, before, 1)))
        return x.flatten(1)  # [N, 4 width, R/8, R/8] -> [N, F]


def sides_of(resolution: int) -> list[int]:
    """Return the sides of the maps from the picture down: R, R/2, R/4, R/8, rounded up."""
    return [-(-resolution // (1 << halvings)) for halvings in range(4)]
