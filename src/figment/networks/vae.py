"""A small convolutional encoder and its mirror image, for variational autoencoders.

4x4 convolutions halve maps down to 4x4, doubling the channels, and double them back. No batch norm: a
picture's code must not hang on the other pictures of its batch, whose noise it would add to, and without
it micro-batches give what whole batches give. Group norm in its place, over all channels of an image:
five layers deep, training without any norm starts slowly.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn


class Encoder(nn.Module):
    """Images [N, C, R, R] -> means and log variances of codes, side by side: [N, 2 L]."""

    def __init__(self, *, latent: int, width: int, resolution: int, channels: int) -> None:
        super().__init__()
        wide = _widths(width, resolution)
        self.layers = nn.Sequential(nn.Conv2d(channels, wide[0], 4, 2, 1), nn.SiLU())
        for before, after in pairwise(wide):
            self.layers.extend([nn.Conv2d(before, after, 4, 2, 1), *_normed(after)])
        self.code = nn.Linear(wide[-1] * 16, 2 * latent)

    def forward(self, x: Tensor) -> Tensor:
        return self.code(self.layers(x).flatten(1))  # [N, C, 4, 4] -> [N, 16 C] -> [N, 2 L]


class Decoder(nn.Module):
    """Codes [N, L] -> images [N, C, R, R] in [-1, 1]."""

    def __init__(self, *, latent: int, width: int, resolution: int, channels: int) -> None:
        super().__init__()
        wide = _widths(width, resolution)[::-1]
        self.layers = nn.Sequential(
            nn.Linear(latent, wide[0] * 16), nn.Unflatten(1, (wide[0], 4, 4)), *_normed(wide[0])
        )
        for before, after in pairwise(wide):
            self.layers.extend([nn.ConvTranspose2d(before, after, 4, 2, 1), *_normed(after)])
        self.layers.extend([nn.ConvTranspose2d(wide[-1], channels, 4, 2, 1), nn.Tanh()])

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)  # [N, L] -> [N, C, 4, 4] -> [N, C, R, R]


def _widths(width: int, resolution: int) -> list[int]:
    """Channels from the map next to the picture down to the 4x4 map."""
    return [width << level for level in range(resolution.bit_length() - 3)]


def _normed(width: int) -> list[nn.Module]:
    return [nn.GroupNorm(1, width), nn.SiLU()]
