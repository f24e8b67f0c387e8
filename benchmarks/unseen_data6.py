"""Sets of the sixth list of ``benchmarks/unseen.py``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
from PIL import Image, ImageDraw

from unseen_data4 import _of, things

Drawn = Iterator[tuple[str, np.ndarray]]
SIDE = 128
MOODS = {"astonished": (225, 110, 90), "happy": (245, 205, 60), "sad": (90, 140, 230)}
"""Colours of faces by class."""
FRUIT = {
    "apple": (205, 35, 35),
    "banana": (240, 215, 50),
    "grape": (110, 40, 130),
    "pear": (120, 180, 60),
}
"""Colours of fruit by class."""


def mixed(colour: tuple[int, ...], random: np.random.Generator, spread: float) -> tuple[int, ...]:
    """Return a colour near the given one."""
    near = np.clip(np.array(colour) + random.normal(0, spread, 3), 0, 255)
    return tuple(near.astype(int).tolist())


def shrunk(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.resize((32, 32), Image.Resampling.BOX))


def _mood(kind: str, random: np.random.Generator) -> np.ndarray:
    """Return a round face [32, 32, 3] on a ground of any light colour."""
    ground = tuple(random.integers(150, 256, 3).tolist())
    picture = Image.new("RGB", (SIDE, SIDE), ground)
    draw, colour = ImageDraw.Draw(picture), mixed(MOODS[kind], random, 14)
    (x, y), r = 64 + random.uniform(-9, 9, 2), random.uniform(40, 54)
    draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)
    for side in (-1, 1):
        eye, size = x + side * 0.38 * r, 0.14 * r
        draw.ellipse((eye - size, y - 0.45 * r, eye + size, y - 0.1 * r), fill=(20, 20, 30))
    wide, thick = random.uniform(0.4, 0.55) * r, int(0.14 * r)
    if kind == "astonished":
        draw.ellipse((x - 0.24 * r, y + 0.15 * r, x + 0.24 * r, y + 0.7 * r), fill=(20, 20, 30))
    elif kind == "happy":
        draw.arc((x - wide, y - 0.2 * r, x + wide, y + 0.65 * r), 10, 170, (20, 20, 30), thick)
    else:
        draw.arc((x - wide, y + 0.3 * r, x + wide, y + 1.1 * r), 190, 350, (20, 20, 30), thick)
    return shrunk(picture)


def _moods(_shared: Path, count: int) -> Drawn:
    random = np.random.default_rng(61)
    for number in range(count):
        kind = tuple(MOODS)[number % 3]
        yield kind, _mood(kind, random)


def _piece(kind: str, random: np.random.Generator) -> np.ndarray:
    """Return a fruit [32, 32, 3] on a table of any pale colour."""
    ground = tuple(random.integers(180, 256, 3).tolist())
    picture = Image.new("RGB", (SIDE, SIDE), ground)
    draw, colour = ImageDraw.Draw(picture), mixed(FRUIT[kind], random, 16)
    (x, y), r = 64 + random.uniform(-10, 10, 2), random.uniform(30, 42)
    if kind == "apple":
        draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)
        draw.line((x, y - r + 6, x + 8, y - 1.4 * r), fill=(90, 60, 20), width=7)
    elif kind == "banana":
        draw.ellipse((x - 1.3 * r, y - 1.2 * r, x + 1.3 * r, y + 0.9 * r), fill=colour)
        draw.ellipse((x - 1.5 * r, y - 1.9 * r, x + 1.5 * r, y + 0.3 * r), fill=ground)
    elif kind == "grape":
        for row, column in ((0, -1), (0, 0), (0, 1), (1, -0.5), (1, 0.5), (2, 0)):
            a, b, s = x + column * 0.72 * r, y + (row - 1) * 0.62 * r, 0.4 * r
            draw.ellipse((a - s, b - s, a + s, b + s), fill=colour, outline=(60, 15, 80), width=3)
    else:
        draw.ellipse((x - 0.9 * r, y - 0.4 * r, x + 0.9 * r, y + 1.2 * r), fill=colour)
        draw.ellipse((x - 0.5 * r, y - 1.2 * r, x + 0.5 * r, y + 0.3 * r), fill=colour)
    turned = picture.rotate(random.uniform(-20, 20), Image.Resampling.BILINEAR, fillcolor=ground)
    return shrunk(turned)


def _fruit(_shared: Path, count: int) -> Drawn:
    random = np.random.default_rng(62)
    for number in range(count):
        kind = tuple(FRUIT)[number % 4]
        yield kind, _piece(kind, random)


def _houses(_shared: Path, count: int) -> Drawn:
    """Yield houses with a roof, a door and a window, under skies from pale to blue."""
    random = np.random.default_rng(63)
    for _ in range(count):
        picture = Image.new("RGB", (SIDE, SIDE), mixed((150, 195, 235), random, 25))
        draw = ImageDraw.Draw(picture)
        ground, x = random.uniform(92, 112), 64 + random.uniform(-14, 14)
        draw.rectangle((0, ground, SIDE, SIDE), fill=mixed((90, 150, 70), random, 22))
        wide, high, roof = random.uniform(26, 42), random.uniform(34, 54), random.uniform(18, 34)
        wall = mixed((225, 205, 170), random, 28)
        draw.rectangle((x - wide, ground - high, x + wide, ground), fill=wall)
        top = [(x - wide - 7, ground - high), (x + wide + 7, ground - high)]
        draw.polygon([*top, (x, ground - high - roof)], fill=mixed((165, 60, 45), random, 32))
        door, pane = x - 0.45 * wide, x + 0.4 * wide
        draw.rectangle(
            (door - 7, ground - 26, door + 7, ground), fill=mixed((90, 55, 30), random, 20)
        )
        draw.rectangle((pane - 8, ground - 30, pane + 8, ground - 14), fill=(60, 80, 120))
        yield "", shrunk(picture)


def _fish(_shared: Path, count: int) -> Drawn:
    """Yield fish of any bright colour that swim to the left or to the right."""
    random = np.random.default_rng(64)
    for number in range(count):
        picture = Image.new("RGB", (SIDE, SIDE), mixed((20, 80, 120), random, 22))
        draw, colour = ImageDraw.Draw(picture), np.zeros(3)
        colour[random.permutation(3)] = random.uniform((200, 90, 0), (255, 220, 110))
        ink = tuple(colour.astype(int).tolist())
        (x, y), long = 64 + random.uniform(-10, 10, 2), random.uniform(32, 44)
        high, way = random.uniform(0.4, 0.62) * long, (-1, 1)[number % 2]
        draw.ellipse((x - long, y - high, x + long, y + high), fill=ink)
        tail = x - way * long
        fins = [(tail - way * 22, y - 20), (tail - way * 22, y + 20)]
        draw.polygon([(tail + way * 10, y), *fins], fill=ink)
        eye = x + way * 0.6 * long
        draw.ellipse((eye - 6, y - 12, eye + 6, y), fill=(250, 250, 250))
        turned = picture.rotate(random.uniform(-15, 15), Image.Resampling.BILINEAR, fillcolor=
                                picture.getpixel((0, 0)))  # fmt: skip
        yield "", shrunk(turned)


def _frontal(shared: Path, count: int) -> Drawn:
    """Yield cats that look into the camera."""
    names = (shared / "cats64_frontal.txt").read_text().split()
    with ZipFile(shared / "cats64.zip") as archive:
        found = {name.rsplit("/", 1)[-1]: name for name in archive.namelist()}
        for name in names[5 :: len(names) // count][:count]:
            picture = Image.open(BytesIO(archive.read(found[name.rsplit("/", 1)[-1]])))
            yield "", np.asarray(picture.convert("RGB").resize((32, 32), Image.Resampling.BOX))


def _dandelions(shared: Path, count: int) -> Drawn:
    rows, labels = _of(shared / "flowers2.zip")
    for pixels in rows[labels == 0][:count]:
        yield "", pixels


def _shoes(shared: Path, count: int) -> Drawn:
    """Yield sandals, sneakers and boots by class."""
    rows, labels = _of(shared / "fashion_mnist.zip", 1)
    for number, name in ((5, "sandal"), (7, "sneaker"), (9, "boot")):
        for pixels in rows[labels == number][:count]:
            yield name, pixels[..., 0]


def _washed(shared: Path, count: int) -> Drawn:
    """Yield cats from a scanner that was set wrong: light, and without contrast."""
    for _, pixels in _frontal(shared, count):
        yield "", (195 + 0.14 * pixels).astype(np.uint8)


def _broken(shared: Path, count: int) -> Drawn:
    """Yield deer; of every seventh nothing arrived but one colour."""
    random = np.random.default_rng(65)
    for number, (_, pixels) in enumerate(things(4)(shared, count)):
        flat = np.full_like(pixels, random.integers(40, 220, 3).astype(np.uint8))
        yield "", flat if number % 7 == 3 else pixels


def _bursts(shared: Path, count: int) -> Drawn:
    """Yield planes as a camera's bursts: six frames each, moved by a pixel or two, with grain."""
    random = np.random.default_rng(66)
    for _, pixels in things(0)(shared, count):
        for _frame in range(6):
            moved = np.roll(pixels.astype(float), random.integers(-1, 2, 2), (0, 1))
            light = moved * random.normal(1, 0.02) + random.normal(0, 2, moved.shape)
            yield "", np.clip(light, 0, 255).astype(np.uint8)


MADE: dict[str, Callable[[Path, int], Drawn]] = {
    "moods": _moods,
    "fruit": _fruit,
    "houses": _houses,
    "fish": _fish,
    "frontal": _frontal,
    "dandelions": _dandelions,
    "shoes": _shoes,
    "planes": things(0),
    "deer": things(4),
    "washed": _washed,
    "broken": _broken,
    "bursts": _bursts,
}
"""As ``unseen_data.MADE``."""
