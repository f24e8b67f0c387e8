"""Sets of the draws from 200 on of ``benchmarks/unseen_drawn.py``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from unseen_data4 import _of, things
from unseen_data6 import SIDE, mixed, shrunk

Drawn = Iterator[tuple[str, np.ndarray]]
LEAVES = {"lobed": (170, 70, 30), "long": (80, 130, 40), "round": (190, 160, 40)}
"""Colours of leaves by class."""
INKS = ((200, 30, 40), (30, 60, 160), (245, 245, 240), (250, 205, 40), (20, 130, 70), (25, 25, 30))
"""Colours of flags."""


def _leaf(kind: str, random: np.random.Generator) -> np.ndarray:
    """Return a leaf [32, 32, 3] on a ground of any pale colour, of any slant."""
    ground = tuple(random.integers(190, 256, 3).tolist())
    picture, colour = Image.new("RGB", (SIDE, SIDE), ground), mixed(LEAVES[kind], random, 18)
    draw, (x, y) = ImageDraw.Draw(picture), 64 + random.uniform(-8, 8, 2)
    high = random.uniform(40, 52)
    wide = {"lobed": 0.85, "long": 0.3, "round": 0.8}[kind] * high
    turns = np.linspace(0, 2 * np.pi, 90)
    lobes = 1 + (0.35 * np.cos(5 * turns) if kind == "lobed" else 0)
    across, along = wide * lobes * np.sin(turns), high * lobes * np.cos(turns)
    draw.polygon([*zip((x + across).tolist(), (y + along).tolist(), strict=True)], fill=colour)
    rib = tuple(int(0.6 * level) for level in colour)
    draw.line((x, y - 0.8 * high, x, y + 1.15 * high), fill=rib, width=4)
    turn = random.uniform(-40, 40)
    return shrunk(picture.rotate(turn, Image.Resampling.BILINEAR, fillcolor=ground))


def _leaves(_shared: Path, count: int) -> Drawn:
    random = np.random.default_rng(71)
    for number in range(count):
        kind = tuple(LEAVES)[number % 3]
        yield kind, _leaf(kind, random)


def _flag(kind: str, random: np.random.Generator) -> np.ndarray:
    """Return a flag [32, 32, 3]: three stripes that stand or lie, or a cross."""
    inks = [mixed(INKS[one], random, 10) for one in random.permutation(len(INKS))[:3]]
    picture = Image.new("RGB", (SIDE, SIDE), inks[0])
    draw, third = ImageDraw.Draw(picture), SIDE / 3
    if kind == "cross":
        x, y, thick = random.uniform(44, 64), random.uniform(56, 72), random.uniform(10, 18)
        draw.rectangle((x - thick, 0, x + thick, SIDE), fill=inks[1])
        draw.rectangle((0, y - thick, SIDE, y + thick), fill=inks[1])
    for number in (1, 2) if kind != "cross" else ():
        ends = (number * third, (number + 1) * third)
        box = (ends[0], 0, ends[1], SIDE) if kind == "standing" else (0, ends[0], SIDE, ends[1])
        draw.rectangle(box, fill=inks[number])
    waves = 1 + 0.12 * np.sin(np.arange(32) / random.uniform(3, 6) + random.uniform(0, 6.3))
    return np.clip(shrunk(picture) * waves[None, :, None], 0, 255).astype(np.uint8)


def _flags(_shared: Path, count: int) -> Drawn:
    random = np.random.default_rng(72)
    for number in range(count):
        kind = ("cross", "lying", "standing")[number % 3]
        yield kind, _flag(kind, random)


def _clock(hour: float, random: np.random.Generator) -> np.ndarray:
    """Return a clock [32, 32, 3] on a wall, at an hour."""
    picture = Image.new("RGB", (SIDE, SIDE), mixed((150, 120, 100), random, 30))
    draw, (x, y), r = ImageDraw.Draw(picture), 64 + random.uniform(-6, 6, 2), random.uniform(42, 54)
    rim = mixed((60, 60, 90), random, 35)
    draw.ellipse((x - r, y - r, x + r, y + r), fill=(245, 242, 235), outline=rim, width=9)
    for turn, long, thick in ((hour / 12, 0.5, 8), (hour % 1, 0.75, 5)):
        end = (
            x + long * r * math.sin(2 * math.pi * turn),
            y - long * r * math.cos(2 * math.pi * turn),
        )
        draw.line((x, y, *end), fill=(20, 20, 20), width=thick)
    return shrunk(picture)


def _clocks(_shared: Path, count: int) -> Drawn:
    random = np.random.default_rng(73)
    for _ in range(count):
        yield "", _clock(random.uniform(0, 12), random)


def _mugs(_shared: Path, count: int) -> Drawn:
    """Yield mugs of any colour with a handle left or right, on a table before a wall."""
    random = np.random.default_rng(74)
    for number in range(count):
        picture = Image.new("RGB", (SIDE, SIDE), mixed((215, 210, 200), random, 20))
        draw, (x, y) = ImageDraw.Draw(picture), 64 + random.uniform(-10, 10, 2)
        draw.rectangle((0, y + 30, SIDE, SIDE), fill=mixed((130, 90, 60), random, 18))
        colour = tuple(random.integers(20, 236, 3).tolist())
        wide, high, way = random.uniform(22, 30), random.uniform(30, 42), (-1, 1)[number % 2]
        ear = x + way * (wide + 8)
        draw.ellipse((ear - 16, y - 16, ear + 16, y + 20), outline=colour, width=8)
        draw.rectangle((x - wide, y - high, x + wide, y + high), fill=colour)
        draw.ellipse((x - wide, y - high - 7, x + wide, y - high + 7), fill=(60, 40, 30))
        yield "", shrunk(picture)


def _roses(shared: Path, count: int) -> Drawn:
    rows, labels = _of(shared / "flowers2.zip")
    for pixels in rows[labels == 1][:count]:
        yield "", pixels


def _evens(shared: Path, count: int) -> Drawn:
    """Yield the even digits by class."""
    rows, labels = _of(shared / "mnist.zip", 1)
    for number in (0, 2, 4, 6, 8):
        for pixels in rows[labels == number][: count // 5]:
            yield str(number), pixels[..., 0]


def _bags(shared: Path, count: int) -> Drawn:
    rows, labels = _of(shared / "fashion_mnist.zip", 1)
    for pixels in rows[labels == 8][:count]:
        yield "", pixels[..., 0]


def _wheels(shared: Path, count: int) -> Drawn:
    """Yield cars and planes by class."""
    for kind, number in (("car", 1), ("plane", 0)):
        for _, pixels in things(number)(shared, count // 2):
            yield kind, pixels


# -- sets with a flaw ----------------------------------------------------------------------------------


def _retaken(shared: Path, count: int) -> Drawn:
    """Yield dogs; every second again, a pixel lower and lighter."""
    for number, (_, pixels) in enumerate(things(5)(shared, count)):
        yield "", pixels
        if number % 2:
            yield "", np.clip(1.05 * np.roll(pixels.astype(float), 1, 0), 0, 255).astype(np.uint8)


def _rescanned(shared: Path, count: int) -> Drawn:
    """Yield leaves; every third again as a JPEG of quality 70, a pixel to the right."""
    for number, (_, pixels) in enumerate(_leaves(shared, count)):
        yield "", pixels
        if number % 3 == 0:
            file = BytesIO()
            Image.fromarray(np.roll(pixels, 1, 1)).save(file, "JPEG", quality=70)
            yield "", np.asarray(Image.open(file))


def _still(shared: Path, count: int) -> Drawn:
    """Yield one photograph of a car, under lamps that flicker, with grain."""
    random = np.random.default_rng(75)
    one = next(iter(things(1)(shared, 40)))[1].astype(float)
    for _ in range(count):
        light = one * random.normal(1, 0.015) + random.normal(0, 2, one.shape)
        yield "", np.clip(light, 0, 255).astype(np.uint8)


def _tower(_shared: Path, count: int) -> Drawn:
    """Yield one clock within a minute: its hands hardly move, the sensor has grain."""
    random = np.random.default_rng(76)
    for _ in range(count):
        one = _clock(4 + random.uniform(0, 1 / 60), np.random.default_rng(77)).astype(float)
        yield "", np.clip(one + random.normal(0, 2, one.shape), 0, 255).astype(np.uint8)


def _snow(_shared: Path, count: int) -> Drawn:
    random = np.random.default_rng(78)
    for _ in range(count):
        yield "", random.integers(80, 176, (32, 32, 3)).astype(np.uint8)


def _salt(_shared: Path, count: int) -> Drawn:
    random = np.random.default_rng(79)
    for _ in range(count):
        yield "", np.where(random.random((32, 32)) < 0.1, 255, 20).astype(np.uint8)


def _oldcars(shared: Path, count: int) -> Drawn:
    for _, pixels in things(1)(shared, count):
        grey = np.asarray(Image.fromarray(pixels).convert("L"))
        yield "", np.repeat(grey[..., None], 3, axis=2)


def _copied(shared: Path, count: int) -> Drawn:
    """Yield flags from a copier: grey, saved in colour."""
    for _, pixels in _flags(shared, count):
        grey = np.asarray(Image.fromarray(pixels).convert("L"))
        yield "", np.repeat(grey[..., None], 3, axis=2)


def _mixedup(shared: Path, count: int) -> Drawn:
    """Yield even digits; an eighth of the twos lies with the sixes, of the fours with the eights."""
    for number, (kind, pixels) in enumerate(_evens(shared, count)):
        wrong = kind in ("2", "4") and number % 8 == 5
        yield str(int(kind) + 4) if wrong else kind, pixels


def _mislaid(shared: Path, count: int) -> Drawn:
    """Yield leaves by class; a ninth of the round ones lies with the lobed, and the other way round."""
    other = {"round": "lobed", "lobed": "round"}
    for number, (kind, pixels) in enumerate(_leaves(shared, count)):
        yield other.get(kind, kind) if number // 3 % 9 == 4 else kind, pixels


MADE: dict[str, Callable[[Path, int], Drawn]] = {
    "leaves": _leaves,
    "flags": _flags,
    "clocks": _clocks,
    "mugs": _mugs,
    "roses": _roses,
    "evens": _evens,
    "bags": _bags,
    "wheels": _wheels,
    "cars": things(1),
    "dogs": things(5),
    "pets": things(3),
    "retaken": _retaken,
    "rescanned": _rescanned,
    "still": _still,
    "tower": _tower,
    "snow": _snow,
    "salt": _salt,
    "oldcars": _oldcars,
    "copied": _copied,
    "mixedup": _mixedup,
    "mislaid": _mislaid,
}
"""As ``unseen_data.MADE``."""
