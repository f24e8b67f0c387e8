"""Two clouds in the plane whose modes are known: a ring of 8 and a grid of 25 Gaussians.

A generator that drops a mode can be caught in the act, because every mode has a number. A sample is
of high quality when it lies within three standard deviations of the nearest centre; of true samples
that is a share of 1 − exp(−9/2) = .98889.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from figment.randomness import stream

_ANGLES = 2 * np.pi * np.arange(8) / 8  # no end point: with it two of the eight would coincide
_STEPS = np.array([-4.0, -2.0, 0.0, 2.0, 4.0])

RING_CENTRES = np.stack([2 * np.cos(_ANGLES), 2 * np.sin(_ANGLES)], axis=1).astype(np.float32)
RING_STD = 0.02
GRID_CENTRES = np.stack([np.repeat(_STEPS, 5), np.tile(_STEPS, 5)], axis=1).astype(np.float32)
GRID_STD = 0.05
RING_CENTRES.flags.writeable = GRID_CENTRES.flags.writeable = False
RADIUS = 3.0  # standard deviations from its centre within which a point is of high quality


class Mixture(NamedTuple):
    """Gaussians in the plane, all alike, drawn equally often."""

    centres: np.ndarray
    """[K, 2]."""
    std: float

    @property
    def radius(self) -> float:
        """How far from its centre a point is of high quality."""
        return RADIUS * self.std

    def counts(self, points: np.ndarray) -> np.ndarray:
        """Return how many of the points [N, 2] are of high quality, for each mode [K] int64.

        As ``figment.metrics.modes.point_modes`` counts them.
        """
        distances = np.linalg.norm(points[:, None].astype(float) - self.centres, axis=2)  # [N, K]
        nearest = distances.argmin(1)[distances.min(1, initial=np.inf) < self.radius]
        return np.bincount(nearest, minlength=len(self.centres))


MIXTURES = {
    "ring": Mixture(RING_CENTRES, RING_STD),
    "grid": Mixture(GRID_CENTRES, GRID_STD),
}
"""The sets whose modes are known, by name."""


def ring(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return ``n`` points [n, 2] float32 on the ring and the mode [n] int64 of each.

    Eight Gaussians of standard deviation .02, drawn equally often, around a circle of radius 2;
    mode k is row k of ``RING_CENTRES``, at the angle 2πk/8. Metz et al. 2016, appendix.
    """
    return _mixture("ring", n, seed, RING_CENTRES, RING_STD)


def grid(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return ``n`` points [n, 2] float32 on the grid and the mode [n] int64 of each.

    Twenty-five Gaussians of standard deviation .05, drawn equally often, at {−4, −2, 0, 2, 4}²;
    mode k is row k of ``GRID_CENTRES``. Srivastava et al. 2017 (VEEGAN), Lin et al. 2018 (PacGAN).
    """
    return _mixture("grid", n, seed, GRID_CENTRES, GRID_STD)


def _mixture(
    name: str, n: int, seed: int, centres: np.ndarray, std: float
) -> tuple[np.ndarray, np.ndarray]:
    random = stream(name, seed)
    modes = random.integers(len(centres), size=n)
    noise = random.standard_normal((n, 2))
    return (centres[modes] + std * noise).astype(np.float32), modes
