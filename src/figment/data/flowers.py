"""Flowers that need no download: dandelion clocks and marigolds, drawn from known factors.

A picture is drawn in two moves. ``factors`` draws the numbers that decide it from a seed and an
index; ``render`` paints them at any resolution. Lengths are in sides of the picture, x to the
right, y downwards, angles in radians, colours in [0, 1]. Everything is painted from back to front
on a float32 canvas [3, S, S] finer than the picture, which is the average of its cells.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from figment.errors import UserError
from figment.randomness import stream

CLASSES = ("dandelion", "marigold")
BACKGROUNDS = ("sky", "meadow", "dusk", "shade", "twilight", "lilac")

# Top, horizon and bottom of each background, and its lights. All are darker than a clock and less
# yellow than a marigold, so that either flower stands out from any of them.
_PALETTES = {
    "sky": ("#2f6cba", "#7db0dc", "#5f9048", "#bfe0f2"),
    "meadow": ("#7fa653", "#4f8442", "#28562f", "#c9d774"),
    "dusk": ("#4a4478", "#d0796c", "#443a4d", "#ffb87e"),
    "shade": ("#1d4a4a", "#245a45", "#12312b", "#7fb58a"),
    "twilight": ("#1f2f66", "#5a6fae", "#26324f", "#a9b8ee"),
    "lilac": ("#5d4f92", "#9c80b4", "#4b5560", "#e3b9d6"),
}
_LIGHTS = 5

# Each ring of a marigold: its reach, and its petals for one of the outermost ring.
_RINGS = ((1.0, 1.0), (0.86, 1.0), (0.71, 0.9), (0.56, 0.8), (0.41, 0.65), (0.27, 0.5))

_HAIRS = 18  # of a parasol
_HAIR = 0.24  # their length, in radii of the clock

_Window = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Factors:
    """All that decides a picture, each factor independent of the others given the label."""

    label: int  # index into CLASSES
    hue: float  # degrees; marigold 20 (red-orange) to 48 (golden), tint of a clock 20 to 60
    petals: int  # outer ring of a marigold 11 to 16, parasols of a clock 70 to 100
    size: float  # radius of the flower, .28 to .37
    x: float  # centre of the flower, .44 to .56
    y: float  # centre of the flower, .42 to .48
    tilt: float  # lean of the stem, −.35 to .35; a marigold also turns away by it
    turn: float  # of the flower about its own axis, 0 to 2π
    light: float  # where the light comes from, −.9 to .9 off the vertical
    background: int  # index into BACKGROUNDS
    horizon: float  # height at which the background has its middle colour, .45 to .80
    detail: int  # 32 bits that decide the rest: leaves, lights, the jitter of single petals


def factors(index: int, seed: int = 0) -> Factors:
    """Return the factors of flower ``index`` of the set ``seed``, the same at every resolution.

    Even indices are dandelions, odd ones marigolds; every other factor is uniform in its range.
    """
    random = stream("flowers", seed, index)
    label = index % len(CLASSES)
    palest, richest = ((20, 60), (20, 48))[label]
    fewest, most = ((70, 100), (11, 16))[label]
    return Factors(
        label=label,
        hue=random.uniform(palest, richest),
        petals=int(random.integers(fewest, most + 1)),
        size=random.uniform(0.28, 0.37),
        x=random.uniform(0.44, 0.56),
        y=random.uniform(0.42, 0.48),
        tilt=random.uniform(-0.35, 0.35),
        turn=random.uniform(0, 2 * math.pi),
        light=random.uniform(-0.9, 0.9),
        background=int(random.integers(len(BACKGROUNDS))),
        horizon=random.uniform(0.45, 0.80),
        detail=int(random.integers(2**32)),
    )


def draw_flowers(
    indices: Iterable[int], resolution: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return the flowers ``indices`` as uint8 [B, 3, R, R] and their labels as int64 [B].

    Picture i is a function of (seed, i, resolution) alone, so any part of the set can be drawn
    anywhere. ``UserError`` unless 16 ≤ R ≤ 1024.
    """
    _check(resolution)
    flowers = [factors(int(index), seed) for index in indices]
    images = np.empty((len(flowers), 3, resolution, resolution), np.uint8)
    for image, flower in zip(images, flowers, strict=True):
        image[:] = render(flower, resolution)
    return images, np.array([flower.label for flower in flowers], np.int64)


def render(factors: Factors, resolution: int) -> np.ndarray:
    """Return the picture of ``factors`` as uint8 [3, R, R]; ``UserError`` unless 16 ≤ R ≤ 1024."""
    _check(resolution)
    finer = max(2, math.ceil(128 / resolution))
    random = stream("flower details", factors.detail)
    canvas = _background(factors, random, resolution * finer)
    _paint_stem(canvas, factors, random)
    paint = (_paint_dandelion, _paint_marigold)[factors.label]
    paint(canvas, factors, random)
    cells = [canvas[:, i::finer, j::finer] for i in range(finer) for j in range(finer)]
    picture = np.mean(cells, axis=0)
    return (picture.clip(0, 1) * 255 + 0.5).astype(np.uint8)


def _check(resolution: int) -> None:
    if not 16 <= resolution <= 1024:
        raise UserError(f"flowers come in 16 to 1024 pixels, not {resolution}: choose one of those")


def _background(f: Factors, random: np.random.Generator, side: int) -> np.ndarray:
    """Return a canvas [3, S, S]: three colours from top to bottom, and a few soft lights."""
    top, middle, bottom, glow = (_rgb(code) for code in _PALETTES[BACKGROUNDS[f.background]])
    axis = _axis(side)
    # Eased, as the bend of a straight blend would show as a line.
    upper = _ease((axis / f.horizon).clip(0, 1))
    lower = _ease(((axis - f.horizon) / (1 - f.horizon)).clip(0, 1))
    column = top + (middle - top) * upper[:, None] + (bottom - middle) * lower[:, None]  # [S, 3]
    canvas = np.repeat(column.T[:, :, None], side, axis=2)
    for _ in range(_LIGHTS):
        x, y = random.uniform(0, 1), random.uniform(0, 1)
        spread, strength = random.uniform(0.08, 0.2), random.uniform(0.1, 0.35)
        across = strength * np.exp(-0.5 * ((axis - x) / spread) ** 2)
        down = np.exp(-0.5 * ((axis - y) / spread) ** 2)
        _blend(canvas, down[:, None] * across, glow[:, None, None])
    return canvas


def _paint_stem(canvas: np.ndarray, f: Factors, random: np.random.Generator) -> None:
    """Paint up to two leaves, and the stem: a parabola from the flower down to the edge."""
    side = canvas.shape[1]
    foot = f.x - 0.5 * f.tilt + random.uniform(-0.03, 0.03)
    width = (0.012, 0.02)[f.label]
    dark, bright = (("#4f6b35", "#a9bd78"), ("#234a22", "#6f9f45"))[f.label]
    dark, bright = _rgb(dark), _rgb(bright)
    for hand in (-1, 1):
        if random.uniform() < 0.75:
            root = (foot, random.uniform(0.95, 1.05))
            angle, length = hand * random.uniform(0.5, 1.0), random.uniform(0.25, 0.38)
            _paint_leaf(canvas, root, angle, length, dark, bright)
    axis, first = _axis(side), int(f.y * side)
    t = ((axis[first:, None] - f.y) / (1 - f.y)).clip(0, 1)
    across = (axis - f.x - (foot - f.x) * t * t) / width
    cover = ((1 - np.abs(across)) * (width * side) + 0.5).clip(0, 1)
    lit = (0.55 + math.copysign(0.45, f.light) * across).clip(0, 1)
    _blend(canvas[:, first:], cover, _between(dark, bright, lit))


def _paint_leaf(
    canvas: np.ndarray,
    root: tuple[float, float],
    angle: float,
    length: float,
    dark: np.ndarray,
    bright: np.ndarray,
) -> None:
    """Paint a bent, lens-shaped leaf from ``root``, at ``angle`` off the vertical."""
    window, x, y = _window(canvas, root, length)
    along = ((x * math.sin(angle) - y * math.cos(angle)) / length).clip(0, 1)
    across = (x * math.cos(angle) + y * math.sin(angle)) / length
    across += math.copysign(0.25, angle) * along * (0.5 - along)
    half = 0.33 * np.sqrt(along) * (1 - along)
    edge = length * canvas.shape[1]
    cover = ((half - np.abs(across)) * edge + 0.5).clip(0, 1) * (half * edge).clip(0, 1)
    vein = np.exp(-((across / 0.02) ** 2))
    lit = 0.15 + 0.3 * along + 0.35 * (across * angle < 0) + 0.3 * vein
    _blend(canvas[window], cover, _between(dark, bright, lit))


def _paint_dandelion(canvas: np.ndarray, f: Factors, random: np.random.Generator) -> None:
    """Paint a clock: a sphere of stalks, each with a seed within and a parasol without."""
    window, x, y = _window(canvas, (f.x, f.y), 1.08 * f.size)
    far, near, seeds = _clock(f, random, window, canvas.shape[1])
    tint = _hsv(f.hue, 0.09, 1.0)
    towards = (x * math.sin(f.light) - y * math.cos(f.light)) / f.size
    white = _between(tint * _rgb("#a3b1cc"), tint, (0.7 + 0.5 * towards).clip(0, 1))
    brown = _rgb("#5f3f22")[:, None, None]
    square = (x * x + y * y) / f.size**2
    # What is too fine to draw is a mist, thickest where the line of sight grazes the sphere.
    mist = (0.30 + 0.25 * square * square) * _ease(((1 - square) * 3.5).clip(0, 1))
    view = canvas[window]
    _blend(view, mist, white)
    _blend(view, 1 - np.exp(-far), 0.85 * white)
    _blend(view, 1 - np.exp(-near), white)
    _blend(view, 1 - np.exp(-seeds), brown)
    _blend(view, 0.85 * np.exp(-((square / 0.13**2) ** 2)), brown)


def _clock(f: Factors, random: np.random.Generator, window: _Window, side: int) -> list[np.ndarray]:
    """Return how densely lines cover the window, each [h, w]: far half, near half, seeds."""
    n = f.petals
    # The golden angle spaces the stalks evenly on the sphere; the jitter hides its spirals.
    rank = np.arange(n) + 0.5 + random.uniform(-0.25, 0.25, n)
    height, around = 1 - 2 * rank / n, rank * math.pi * (3 - math.sqrt(5)) + f.turn
    slope, sine, cosine = np.sqrt(1 - height * height), np.sin(around), np.cos(around)
    outward = np.stack([slope * cosine, slope * sine], 1)  # [n, 2], as the tangents below
    east, south = np.stack([-sine, cosine], 1), np.stack([height * cosine, height * sine], 1)
    tops = outward * random.uniform(0.70, 0.78, (n, 1))

    bearing = 2 * math.pi * (np.arange(_HAIRS) / _HAIRS + random.uniform(0, 1, (n, 1)))[..., None]
    spread = _HAIR * random.uniform(0.75, 1.1, (n, _HAIRS, 1))
    hairs = 0.75 * _HAIR * outward[:, None] + spread * (
        np.cos(bearing) * east[:, None] + np.sin(bearing) * south[:, None]
    )  # [n, hairs, 2]

    # Lines are rows of dots, close enough to merge; the mass of a dot is its length × its width.
    dots = max(8, math.ceil(_HAIR * f.size * side))
    t = (np.arange(dots)[:, None] + 0.5) / dots
    parasols = tops[:, None, None] + hairs[:, :, None] * t  # [n, hairs, dots, 2]
    stalks = tops[:, None] * (0.1 + 0.3 * np.concatenate([t, t + 1, t + 2]))  # [n, 3 dots, 2]
    mass = _HAIR * f.size / dots * side**2
    depths = []
    for half, width in ((height <= 0, 0.003), (height > 0, 0.0045)):
        places = np.concatenate([parasols[half].reshape(-1, 2), stalks[half].reshape(-1, 2)])
        depths.append(_splat(f, window, side, places, width * mass))
    seeds = stalks[:, :dots].reshape(-1, 2)
    return [*depths, _splat(f, window, side, seeds, 0.005 * mass)]


def _splat(f: Factors, window: _Window, side: int, places: np.ndarray, mass: float) -> np.ndarray:
    """Return [h, w] with the mass of each dot shared out among the four nearest cells."""
    _, rows, columns = window
    high, wide = rows.stop - rows.start, columns.stop - columns.start
    x = (f.x + f.size * places[:, 0]) * side - 0.5 - columns.start
    y = (f.y + f.size * places[:, 1]) * side - 0.5 - rows.start
    x, y = x.clip(0, wide - 1.001), y.clip(0, high - 1.001)
    left, above = x.astype(np.int64), y.astype(np.int64)
    x, y = x - left, y - above
    cell = above * wide + left
    cells = np.concatenate([cell, cell + 1, cell + wide, cell + wide + 1])
    shares = np.concatenate([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y])
    depth = mass * np.bincount(cells, shares, high * wide).reshape(high, wide)
    # Beyond 256 cells a line is wider than the four cells that a dot falls on.
    return _blur(depth.astype(np.float32), max(1, side // 256))


def _blur(field: np.ndarray, width: int) -> np.ndarray:
    """Return the field after a triangular blur of ``width`` cells to each side."""
    for axis, sign in ((0, 1), (0, -1), (1, 1), (1, -1)):
        field = np.mean([np.roll(field, sign * step, axis) for step in range(width)], axis=0)
    return field


def _paint_marigold(canvas: np.ndarray, f: Factors, random: np.random.Generator) -> None:
    """Paint a double bloom: rings of ruffled petals, the outermost first, around a dark heart."""
    side = canvas.shape[1]
    window, x, y = _window(canvas, (f.x, f.y), 1.15 * f.size)
    x, y = x / (f.size * math.cos(f.tilt)), y / f.size
    radius = np.sqrt(x * x + y * y)
    bins = 4 * side
    bearing = (np.arctan2(y, x) * (bins / (2 * math.pi)) + bins).astype(np.int32) % bins
    rings = [_ring(random, f, k, bins) for k in range(len(_RINGS))]
    edges = [outline[bearing] for outline, _ in rings]
    covers = [((edge - radius) * (side * f.size) + 0.5).clip(0, 1) for edge in edges]

    # One channel is painted: how far each cell is on the way from the shadows to the rims.
    tone = np.zeros_like(radius)
    for k, (_, shade) in enumerate(rings):
        rise = (radius / edges[k]).clip(0, 1)
        petal = shade[bearing] * (0.3 + 0.7 * rise * rise)
        if k + 1 < len(rings):  # the next ring throws a shadow on this one
            petal *= 0.5 + 0.5 * ((radius - edges[k + 1]) * 7).clip(0, 1)
        tone += covers[k] * (petal - tone)
    tone *= 1 + 0.2 * (x * math.sin(f.light) - y * math.cos(f.light))
    tone *= 1 - 0.75 * np.exp(-((radius / 0.16) ** 4))
    ramp = _ramp(f.hue)
    steps = ramp.shape[1]
    _blend(canvas[window], covers[0], ramp[:, (tone * steps).clip(0, steps - 1).astype(np.int32)])


def _ring(
    random: np.random.Generator, f: Factors, k: int, bins: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the outline, in radii, and the tone of ring ``k`` for each bearing, both [bins]."""
    reach, crowd = _RINGS[k]
    petals = round(f.petals * crowd)
    step = 2 * math.pi / petals
    centres = f.turn + step * (np.arange(petals) + 0.5 * k + random.uniform(-0.2, 0.2, petals))
    lengths, tones = random.uniform(0.86, 1.06, petals), random.uniform(0.8, 1.0, petals)
    phase = random.uniform(-0.8, 0.8, petals)
    centres, lengths, phase = (a.astype(np.float32)[:, None] for a in (centres, lengths, phase))

    angle = 2 * math.pi * _axis(bins)
    u = (angle - centres + math.pi) % (2 * math.pi) - math.pi  # [petals, bins]
    u = (u / (0.75 * step)).clip(-1, 1)  # across a petal, which overlaps its neighbours
    ruffle = 0.03 * np.cos(2 * math.pi * u + phase)
    profile = lengths * (0.65 + 0.35 * np.sqrt(1 - np.abs(u) * u * u) - ruffle)
    front = profile.argmax(0)
    profile, u = profile[front, np.arange(bins)], u[front, np.arange(bins)]
    # A bloom that turns away shows its inner rings, which stand higher, off centre.
    outline = reach * profile + 0.1 * math.sin(f.tilt) * (1 - reach) * np.cos(angle)
    tone = tones.astype(np.float32)[front] * (1 - 0.5 * np.abs(u) * u * u) * (1 + 0.1 * u)
    return outline, tone


def _ramp(hue: float) -> np.ndarray:
    """Return 256 colours [3, 256] of a marigold from its shadows to the rims of its petals."""
    stops = np.stack(
        [
            _hsv(hue - 24, 1.0, 0.28),
            _hsv(hue - 14, 1.0, 0.72),
            _hsv(hue, 0.98, 1.0),
            _hsv(hue + 8, 0.62, 1.0),
        ]
    )
    way = _axis(256)
    return np.stack([np.interp(way, (0, 0.4, 0.72, 1), c) for c in stops.T]).astype(np.float32)


def _window(
    canvas: np.ndarray, centre: tuple[float, float], reach: float
) -> tuple[_Window, np.ndarray, np.ndarray]:
    """Return the slices within ``reach`` of a centre, and x [1, w] and y [h, 1] from there."""
    side = canvas.shape[1]
    columns, rows = (
        slice(max(0, int((c - reach) * side)), min(side, math.ceil((c + reach) * side)))
        for c in centre
    )
    axis = _axis(side)
    x, y = axis[None, columns] - centre[0], axis[rows, None] - centre[1]
    return (slice(None), rows, columns), x, y


def _blend(view: np.ndarray, cover: np.ndarray, colour: np.ndarray) -> None:
    view += cover * (colour - view)


def _between(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    return first[:, None, None] + (second - first)[:, None, None] * share


def _axis(cells: int) -> np.ndarray:
    return (np.arange(cells, dtype=np.float32) + 0.5) / cells


def _ease(t: np.ndarray) -> np.ndarray:
    return t * t * (3 - 2 * t)


def _rgb(code: str) -> np.ndarray:
    return np.array([int(code[k : k + 2], 16) / 255 for k in (1, 3, 5)], np.float32)


def _hsv(hue: float, saturation: float, value: float) -> np.ndarray:
    """Return the colour [3] of a hue in degrees."""
    sector = (np.array([5, 3, 1]) + hue / 60) % 6
    away = np.minimum(sector, 4 - sector).clip(0, 1)
    return (value * (1 - saturation * away)).astype(np.float32)
