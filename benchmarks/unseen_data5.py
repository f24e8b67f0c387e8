"""Sets of the fifth list of ``benchmarks/unseen.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from unseen_data4 import things

Drawn = Iterator[tuple[str, np.ndarray]]
SIGNS = ("bar", "cross", "ring", "triangle")
SIDE = 128
HOURS = {
    "day": ((70, 130, 220), (190, 220, 250), (60, 140, 50), (255, 245, 190)),
    "dusk": ((110, 60, 120), (250, 150, 70), (90, 50, 40), (255, 90, 40)),
    "night": ((5, 8, 35), (25, 35, 90), (10, 20, 25), (225, 225, 240)),
}
"""Colours by class: of the sky above and below, the hill, the sun or moon."""


def _sign(kind: str, random: np.random.Generator) -> np.ndarray:
    """Return a dark sign [32, 32, 3] on a light ground, of any colour, size, place and slant."""
    ground, ink = random.integers(170, 256, 3), random.integers(0, 120, 3)
    picture = Image.new("RGB", (SIDE, SIDE), tuple(ground.tolist()))
    draw, colour = ImageDraw.Draw(picture), tuple(ink.tolist())
    (x, y), size = 64 + random.uniform(-12, 12, 2), random.uniform(28, 42)
    thick = 0.32 * size
    if kind == "ring":
        draw.ellipse((x - size, y - size, x + size, y + size), outline=colour, width=int(thick))
    elif kind == "triangle":
        draw.polygon([(x, y - size), (x - size, y + size), (x + size, y + size)], fill=colour)
    else:
        draw.rectangle((x - size, y - thick, x + size, y + thick), fill=colour)
        if kind == "cross":
            draw.rectangle((x - thick, y - size, x + thick, y + size), fill=colour)
    turned = picture.rotate(
        random.uniform(-15, 15), Image.Resampling.BILINEAR, fillcolor=tuple(ground.tolist())
    )
    return np.asarray(turned.resize((32, 32), Image.Resampling.BOX))


def _signs(_shared: Path, count: int) -> Drawn:
    random = np.random.default_rng(51)
    for number in range(count):
        kind = SIGNS[number % 4]
        yield kind, _sign(kind, random)


def _scene(hour: str, random: np.random.Generator) -> np.ndarray:
    """Return a hill below a sky [32, 32, 3], with sun or moon."""
    above, below, hill, sun = np.array(HOURS[hour], float) + random.normal(0, 12, (4, 3))
    y, x = np.mgrid[:32, :32] / 31
    pixels = above + (below - above) * y[..., None]
    place, size = random.uniform((0.15, 0.1), (0.85, 0.45)), random.uniform(0.06, 0.13)
    disc = np.clip((size - np.hypot(x - place[0], y - place[1])) * 32 + 0.5, 0, 1)[..., None]
    pixels = pixels * (1 - disc) + sun * disc
    top = random.uniform(0.5, 0.8) + random.uniform(0.05, 0.16) * np.sin(
        random.uniform(2, 7) * x + random.uniform(0, 6.3)
    )
    ground = np.clip((y - top) * 32 + 0.5, 0, 1)[..., None]
    return np.clip(pixels * (1 - ground) + hill * (1.15 - 0.4 * y[..., None]) * ground, 0, 255)


def _scenes(_shared: Path, count: int) -> Drawn:
    random = np.random.default_rng(52)
    for number in range(count):
        hour = tuple(HOURS)[number % 3]
        yield hour, _scene(hour, random).astype(np.uint8)


def _zoomed(shared: Path, count: int) -> Drawn:
    """Yield trucks; every second again, cut by a pixel all around, enlarged, a little warmer."""
    for number, (_, pixels) in enumerate(things(9)(shared, count)):
        yield "", pixels
        if number % 2:
            cut = Image.fromarray(pixels[1:-1, 1:-1]).resize((32, 32), Image.Resampling.BICUBIC)
            yield "", np.clip(np.asarray(cut) * (1.05, 1.0, 0.95), 0, 255).astype(np.uint8)


def _webcam(_shared: Path, count: int) -> Drawn:
    """Yield one scene from a fixed camera: a bird of two pixels flies by, the sensor has grain."""
    random = np.random.default_rng(53)
    one = _scene("dusk", random)
    for _ in range(count):
        seen, (x, y) = one.copy(), random.integers(2, 28, 2)
        seen[y // 2, x : x + 2] = 20
        yield "", np.clip(seen + random.normal(0, 2.5, seen.shape), 0, 255).astype(np.uint8)


def _misfiled(_shared: Path, count: int) -> Drawn:
    """Yield signs by class; a ninth of the rings lies with crosses, of the bars with triangles."""
    random = np.random.default_rng(54)
    for number in range(count):
        kind, wrong = SIGNS[number % 4], number // 4 % 9 == 4
        folder = {"ring": "cross", "bar": "triangle"}.get(kind, kind) if wrong else kind
        yield folder, _sign(kind, random)


MADE = {
    "signs": _signs,
    "scenes": _scenes,
    "frogs": things(6),
    "trucks": things(9),
    "birds": things(2),
    "zoomed": _zoomed,
    "webcam": _webcam,
    "misfiled": _misfiled,
}
"""As ``unseen_data.MADE``."""
