"""Points as inline SVG: samples over the real modes, and what the discriminator thinks of the plane."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np

from figment.data.points import Mixture
from figment.report.labels import count
from figment.report.ticks import ticks
from figment.sampling.cloud import Cloud, read_cloud, span

UNITS = 1000  # a side of the picture
LAYERS = 5  # the points lie in so many, which are translucent: where many lie it is darker
FEW = 500  # points of a small picture
RING, SMALL_RING = 14, 22  # units of a mode's ring at least
LIKELY, UNLIKELY = (
    (11, 108, 184),
    (207, 79, 11),
)  # where the discriminator sees reals, and where not
DEEPEST = 90  # of 255: the opacity of the landscape at its ends


def cloud_figure(path: Path, mixture: Mixture | None, *, small: bool = False) -> str:
    """Return a cloud's file as inline SVG, "" where it cannot be read.

    Modes are rings of three standard deviations, drawn larger where these would be too small to see; one
    that no point reaches is marked. ``small`` leaves out the landscape, the axes and most points.
    """
    try:
        cloud = read_cloud(path)
    except OSError:
        return ""
    reach = span(mixture)
    counts = np.zeros(0, int) if mixture is None else mixture.counts(cloud.points)
    drawn = Cloud(cloud.points[:FEW], cloud.landscape[:0]) if small else cloud
    said = f"{count(len(cloud.points))} points"
    if mixture is not None:
        said += f", which reach {(counts > 0).sum()} of {len(counts)} modes"
    return "\n".join(
        [
            f'<svg class="cloud{" small" * small}" role="img" viewBox="0 0 {UNITS} {UNITS}" '
            f'aria-label="{said}">',
            _landscape(drawn.landscape),
            *([] if small else _axes(reach)),
            *_dots(drawn.points, reach),
            *_rings(mixture, counts, reach, SMALL_RING if small else RING),
            "</svg>",
        ]
    )


def _landscape(logits: np.ndarray) -> str:
    """Return the discriminator's ranking of all places as a picture that shines through, "" for none."""
    if not logits.size or np.ptp(logits) < 1e-6:
        return ""
    from PIL import Image

    order = logits.ravel().argsort().argsort().reshape(logits.shape) / (logits.size - 1)
    tone = 2 * order - 1  # -1 the least real, 1 the most
    pixels = np.empty((*logits.shape, 4), np.uint8)
    pixels[..., :3] = np.where(tone[..., None] > 0, LIKELY, UNLIKELY)
    pixels[..., 3] = np.abs(tone) * DEEPEST
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    uri = f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"
    size = f'width="{UNITS}" height="{UNITS}" preserveAspectRatio="none"'
    return f'<image class="landscape" href="{uri}" {size}/>'


def _axes(reach: float) -> list[str]:
    lines = []
    for value in ticks(-reach, reach, 4):
        at = _place(value, reach)
        lines.append(f'<path class="grid" d="M{at},0V{UNITS}M0,{UNITS - at}H{UNITS}"/>')
        lines.append(f'<text class="tick" x="{at}" y="{UNITS - 12}">{value:g}</text>')
    return lines


def _dots(points: np.ndarray, reach: float) -> list[str]:
    """Return the points as layers of dots: strokes of no length with round ends."""
    places = _place(points * (1, -1), reach)
    inside = places[((places >= 0) & (places <= UNITS)).all(1)]
    paths = []
    for layer in range(LAYERS):
        path = "".join(f"M{x},{y}h0" for x, y in inside[layer::LAYERS].tolist())
        paths.append(f'<path class="points" d="{path}"/>' if path else "")
    return paths


def _rings(mixture: Mixture | None, counts: np.ndarray, reach: float, least: int) -> list[str]:
    if mixture is None:
        return []
    radius = max(mixture.radius / (2 * reach) * UNITS, least)
    return [
        f'<circle class="{"mode" if hits else "mode missed"}" cx="{x}" cy="{y}" r="{radius:.0f}"/>'
        for (x, y), hits in zip(
            _place(mixture.centres * (1, -1), reach).tolist(), counts, strict=True
        )
    ]


def _place(value: np.ndarray | float, reach: float) -> np.ndarray:
    """Return coordinates as units of the picture."""
    return np.rint((np.asarray(value) + reach) / (2 * reach) * UNITS).astype(int)
