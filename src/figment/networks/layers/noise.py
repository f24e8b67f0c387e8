"""Noise on what the discriminator sees, in its layers or at its input."""

from __future__ import annotations

from torch import Tensor, nn

from figment.randomness_per_image import normal


class GaussianNoise(nn.Module):
    """Add noise from N(0, ``sigma``²) while training; the identity in evaluation. [N, ...] -> [N, ...].

    Salimans et al. 2016 put it before every layer of their semi-supervised discriminator: .3 at its
    input, .5 behind.
    """

    def __init__(self, sigma: float) -> None:
        super().__init__()
        self.sigma = sigma

    def forward(self, x: Tensor) -> Tensor:
        return instance_noise(x, self.sigma) if self.training else x

    def extra_repr(self) -> str:
        return f"sigma={self.sigma}"


def instance_noise(x: Tensor, sigma: float) -> Tensor:
    """Return ``x`` [N, ...] with fresh noise from N(0, ``sigma``²); ``x`` itself where sigma is 0.

    Sønderby et al. 2017: added to reals and fakes alike, in every pass, so that the two
    distributions overlap.
    """
    if sigma == 0:
        return x
    return x + sigma * normal(*x.shape, like=x)
