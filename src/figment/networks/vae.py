"""Encoders and decoders of autoencoders: small convolutional ones, and fully connected ones.

4x4 convolutions halve maps down to 4x4, doubling the channels, and double them back. No batch norm: a
picture's code must not hang on the other pictures of its batch, whose noise it would add to, and without
it micro-batches give what whole batches give. Group norm in its place, over all channels of an image:
five layers deep, training without any norm starts slowly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

LEAST = 1e-6
"""Least variance of codes in any direction, over the mean one: else there is no way back."""


class Autoencoder(nn.Module):
    """Codes [N, L] -> images [N, C, R, R], and the way back: what samples and reconstructions need.

    Both in one module, so that the weights of any moment and the average have the two that belong together.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, *, spread: int = 0) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.spread = Spread(spread) if spread else None
        """Where codes lie, if nothing asks them to lie anywhere."""

    def forward(self, codes: Tensor) -> Tensor:
        return self.decoder(codes)


class Spread(nn.Module):
    """Latents [N, L] from N(0, 1) -> codes [N, L] from the normal distribution of the codes gathered.

    An autoencoder's codes lie where they like; a normal distribution fitted to them afterwards is the
    least that makes samples possible (Ghosh et al. 2020, "ex-post density estimation").
    """

    mean: Tensor
    covariance: Tensor
    factor: Tensor
    gathered: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("covariance", torch.eye(size))
        self.register_buffer("factor", torch.eye(size))  # symmetric; its square is the covariance
        self.register_buffer("gathered", torch.zeros(()))  # batches so far

    def forward(self, latents: Tensor) -> Tensor:
        return self.mean + latents @ self.factor

    def latents(self, codes: Tensor) -> Tensor:
        """Return the latents [N, L] that become these codes."""
        return torch.linalg.solve(self.factor, (codes - self.mean).T).T  # [L, N] inside

    @torch.no_grad()
    def gather(self, mean: Tensor, square: Tensor, *, newest: float) -> None:
        """Count a batch in: the mean of its codes [L] and of their outer products [L, L].

        The newest of n weighs 3 / (n + 2), so that the wandering of the start is soon forgotten, and never
        less than ``newest``.
        """
        self.gathered += 1
        share = max(newest, 3 / (float(self.gathered) + 2))
        before = self.covariance + self.mean.outer(self.mean)
        self.mean.lerp_(mean, share)
        self.covariance.copy_(before.lerp(square, share) - self.mean.outer(self.mean))
        # In float64 on the CPU, so that devices agree; rounding may make a direction's share negative.
        values, vectors = torch.linalg.eigh(self.covariance.cpu().double())
        least = LEAST * float(values.mean()) + LEAST**2
        self.factor.copy_((vectors * values.clamp(min=least).sqrt()) @ vectors.T)


class Encoder(nn.Module):
    """Images [N, C, R, R] -> ``outputs`` numbers a picture: codes, or their means and log variances."""

    def __init__(self, *, outputs: int, width: int, resolution: int, channels: int) -> None:
        super().__init__()
        wide = _widths(width, resolution)
        self.layers = nn.Sequential(nn.Conv2d(channels, wide[0], 4, 2, 1), nn.SiLU())
        for before, after in pairwise(wide):
            self.layers.extend([nn.Conv2d(before, after, 4, 2, 1), *_normed(after)])
        self.code = nn.Linear(wide[-1] * 16, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.code(self.layers(x).flatten(1))  # [N, C, 4, 4] -> [N, 16 C] -> [N, outputs]


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


class ConnectedEncoder(nn.Module):
    """Images [N, C, R, R] -> ``outputs`` numbers a picture, through fully connected layers."""

    def __init__(self, *, outputs: int, hidden: Sequence[int], shape: tuple[int, ...]) -> None:
        super().__init__()
        self.layers = _connected((math.prod(shape), *hidden, outputs))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x.flatten(1))  # [N, C * R * R] -> [N, outputs]


class ConnectedDecoder(nn.Module):
    """Codes [N, L] -> images [N, C, R, R] in [-1, 1], through fully connected layers."""

    def __init__(self, *, latent: int, hidden: Sequence[int], shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape
        self.layers = _connected((latent, *hidden, math.prod(shape)))

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z).tanh().unflatten(1, self.shape)  # [N, C * R * R] -> [N, C, R, R]


def _connected(units: Sequence[int]) -> nn.Sequential:
    layers = nn.Sequential()
    for before, after in pairwise(units):
        layers.extend([nn.SiLU(), nn.Linear(before, after)])
    del layers[0]
    return layers


def _widths(width: int, resolution: int) -> list[int]:
    """Channels from the map next to the picture down to the 4x4 map."""
    return [width << level for level in range(resolution.bit_length() - 3)]


def _normed(width: int) -> list[nn.Module]:
    return [nn.GroupNorm(1, width), nn.SiLU()]
