"""The small networks in which unrolled GANs were measured on stacked MNIST (Metz et al. 2016, appendix).

Layer for layer as in PacGAN's replica (Lin et al. 2018). Generator 287 875 parameters; the discriminator
is far smaller, so that modes are lost: 585 at width 2 (the paper's "D = 1/4"), 1 889 at width 4 ("1/2").
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from figment.networks.layers.dropout import Dropout
from figment.networks.layers.head import Head, linear
from figment.networks.layers.initial import normal


class Generator(nn.Module):
    """Latents [N, L] -> images [N, C, 28, 28] in [-1, 1].

    A linear layer makes a 4x4 map of 64 channels, 3x3 transposed convolutions make it 7, 14 and 28
    pixels of 32, 16 and 8 channels, a 3x3 convolution the picture; batch norm and ReLU between.
    """

    def __init__(self, *, latent: int, channels: int) -> None:
        super().__init__()
        self.start = nn.Linear(latent, 64 * 16)
        self.layers = nn.Sequential(nn.BatchNorm2d(64), nn.ReLU(inplace=True))
        for (wide_in, wide_out), odd in zip(pairwise((64, 32, 16, 8)), (0, 1, 1), strict=True):
            self.layers.extend(
                [
                    nn.ConvTranspose2d(wide_in, wide_out, 3, 2, 1, output_padding=odd),
                    nn.BatchNorm2d(wide_out),
                    nn.ReLU(inplace=True),
                ]
            )
        self.layers.append(nn.Conv2d(8, channels, 3, padding=1))
        self.apply(normal(0.02))

    def forward(self, z: Tensor) -> Tensor:
        x = self.start(z).unflatten(1, (64, 4, 4))
        return self.layers(x).tanh()  # [N, C, 28, 28]


class Discriminator(nn.Module):
    """Images [N, C, 28, 28] -> logits [N].

    3x3 convolutions of stride 2 to 14, 7 and 4 pixels of `width`, twice and four times as many channels,
    batch norm and LeakyReLU(.3) after each, then a linear layer.
    """

    def __init__(self, *, width: int, channels: int, dropout: float, head: Head = linear) -> None:
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
        self.head = head(4 * width * 16)
        self.apply(normal(0.02))

    def features(self, x: Tensor) -> Tensor:
        """Return the last hidden layer [N, F] before its dropout, for feature matching."""
        for number, layer in enumerate(self.layers):
            x = self.dropout(x) if number else x
            # TensorFlow's "same": an even side is padded behind only, an odd one on both sides.
            before = x.shape[2] % 2
            x = layer(F.pad(x, (before, 1, before, 1)))
        return x.flatten(1)  # [N, 4 width, 4, 4] -> [N, F]

    def forward(self, x: Tensor, *condition: Tensor) -> Tensor:
        return self.head(self.dropout(self.features(x)), *condition).flatten()  # [N]
