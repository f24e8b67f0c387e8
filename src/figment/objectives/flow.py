"""Flow matching: the straight path from noise to a picture, and the velocity along it.

Lipman et al. 2023, arXiv:2210.02747, with the path of rectified flow (Liu et al. 2023, arXiv:2209.03003).
"""

from __future__ import annotations

from torch import Tensor


def between(noise: Tensor, images: Tensor, t: Tensor) -> Tensor:
    """(1 - t) x0 + t x1: points [N, ...] of the path at times t [N]; noise x0 at 0, pictures x1 at 1."""
    share = t.reshape(-1, *[1] * (images.ndim - 1))
    return noise + share * (images - noise)


def velocity_error(velocity: Tensor, noise: Tensor, images: Tensor) -> Tensor:
    """||v - (x1 - x0)||^2 of each pair, the mean over its values: [N]; Liu et al. 2023, eq. 1.

    Least where v is the mean of x1 - x0 over all pairs whose paths pass there: 1 + the pictures' own mean
    square at t = 0 and v = 0.
    """
    return (velocity - (images - noise)).square().flatten(1).mean(1)
