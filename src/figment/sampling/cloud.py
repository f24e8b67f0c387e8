"""Clouds: what a generator of points makes, as a picture and as a file that a report draws from.

A cloud is looked at among the modes of its data, with what the discriminator thinks of every place of the
plane: where it sees reals, the points are drawn to (after GAN Lab, Kahng et al. 2018).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from figment.data.points import Mixture
from figment.files import replacing
from figment.records import regular

if TYPE_CHECKING:
    from PIL import Image

COUNT = 2_500
"""Points of a cloud: as many as published tables count modes on."""
SIDE = 48
"""Places a side that the discriminator is asked about."""
SPAN = 5.0
"""A picture shows -SPAN to SPAN on both axes where no modes are known, enough for ring and grid."""
ROOM = 1.4  # times the furthest coordinate of a mode that a picture reaches
PIXELS = 640  # a side of a picture of points
INK, PAPER = np.array([26, 60, 140]), np.array([252, 252, 250])
MODE, MISSED = (120, 124, 132), (200, 60, 40)  # rings about modes that points reach, or do not
LARGEST_FILE = 1_000_000  # bytes


class Cloud(NamedTuple):
    """Points of a generator at a moment, and what the discriminator thought then."""

    points: np.ndarray
    """[N, 2] float32."""
    landscape: np.ndarray
    """[S, S] float32 logits over the square of ``span``, the top row first; [0, 0] where not known."""


def span(mixture: Mixture | None) -> float:
    """Return how far a picture reaches from 0 on both axes."""
    return SPAN if mixture is None else ROOM * float(np.abs(mixture.centres).max())


def places(reach: float) -> np.ndarray:
    """Return the places that the discriminator is asked about, [S·S, 2] float32, by row from the top."""
    steps = (np.arange(SIDE) + 0.5) / SIDE * 2 * reach - reach
    x, y = np.meshgrid(steps, -steps)
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)


def write_cloud(cloud: Cloud, path: Path) -> None:
    """Write a cloud as safetensors."""
    from safetensors.numpy import save

    with replacing(path) as temporary:
        temporary.write_bytes(save(cloud._asdict()))


def read_cloud(path: Path) -> Cloud:
    """Return the cloud in a file. Raises OSError where there is none, or one that is damaged."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        regular(path, LARGEST_FILE)
        found = load(path.read_bytes())
        points, landscape = (found[name].astype(np.float32) for name in Cloud._fields)
    except (SafetensorError, KeyError, ValueError) as error:
        raise OSError(f"{path} is no cloud: {error}") from error
    if points.ndim != 2 or points.shape[1] != 2 or landscape.ndim != 2:
        raise OSError(f"{path} is no cloud: its shapes are {points.shape} and {landscape.shape}")
    return Cloud(points[np.isfinite(points).all(1)], landscape)


def scatter(points: np.ndarray, mixture: Mixture | None = None) -> Image.Image:
    """Return points [N, 2] as a picture of their density, darker where more of them fall.

    With a mixture its modes are rings of three standard deviations; one that no point reaches is red.
    """
    from PIL import Image

    reach = span(mixture)
    edges = np.linspace(-reach, reach, PIXELS + 1)
    density, _, _ = np.histogram2d(-points[:, 1], points[:, 0], bins=(edges, edges))
    for axis in (0, 1):  # dots of 3x3 pixels, so that a single point can be seen
        density = density + np.roll(density, 1, axis) + np.roll(density, -1, axis)
    shade = np.sqrt(density / max(density.max(), 1))
    pixels = PAPER + (INK - PAPER) * np.minimum(1, shade * 1.5)[..., None]
    image = Image.fromarray(pixels.astype(np.uint8))
    if mixture is not None:
        _rings(image, points, mixture, reach)
    return image


def _rings(image: Image.Image, points: np.ndarray, mixture: Mixture, reach: float) -> None:
    from PIL import ImageDraw

    draw, unit = ImageDraw.Draw(image), PIXELS / (2 * reach)
    radius = max(mixture.radius * unit, 4) + 3
    for (x, y), count in zip(mixture.centres, mixture.counts(points), strict=True):
        across, down = (x + reach) * unit, (reach - y) * unit
        box = (across - radius, down - radius, across + radius, down + radius)
        draw.ellipse(box, outline=MODE if count else MISSED, width=2)
