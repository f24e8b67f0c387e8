"""Sets of the fourth list of ``benchmarks/unseen.py``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from figment.data import open_dataset

Drawn = Iterator[tuple[str, np.ndarray]]
LETTERS = "AKOX"


@cache
def _of(path: Path, channels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Return pictures [N, 32, 32, C] of a set and their classes."""
    found = open_dataset(str(path), resolution=32, channels=channels, progress=False)
    return np.asarray(found.rows).transpose(0, 2, 3, 1), found.labels


def _glyphs(_shared: Path, count: int) -> Drawn:
    """Yield letters by class, bright on dark, of any colour, size, place and slant."""
    random = np.random.default_rng(41)
    for number in range(count):
        ground, ink = random.integers(0, 70, 3), random.integers(140, 256, 3)
        picture = Image.new("RGB", (64, 64), tuple(ground.tolist()))
        font = ImageFont.load_default(size=int(random.integers(38, 54)))
        place = tuple((32 + random.integers(-6, 7, 2)).tolist())
        letter = LETTERS[number % 4]
        ImageDraw.Draw(picture).text(place, letter, tuple(ink.tolist()), font, anchor="mm")
        turned = picture.rotate(random.uniform(-12, 12), Image.Resampling.BILINEAR, fillcolor=
                                tuple(ground.tolist()))  # fmt: skip
        yield letter, np.asarray(turned.resize((32, 32), Image.Resampling.BOX))


def _blooms(shared: Path, count: int) -> Drawn:
    for pixels in _of(shared / "flowers2.zip")[0][3 :: 900 // count][:count]:
        yield "", pixels


def things(number: int) -> Callable[[Path, int], Drawn]:
    """Return what yields pictures of one class of CIFAR-10."""

    def drawn(shared: Path, count: int) -> Drawn:
        rows, labels = _of(shared / "cifar10.zip")
        for pixels in rows[labels == number][:count]:
            yield "", pixels

    return drawn


def _resent(shared: Path, count: int) -> Drawn:
    """Yield cars; every third again as a JPEG of quality 60, every other third moved by 2 pixels."""
    rows, labels = _of(shared / "cifar10.zip")
    for number, pixels in enumerate(rows[labels == 1][:count]):
        yield "", pixels
        if number % 3 == 0:
            file = BytesIO()
            Image.fromarray(pixels).save(file, "JPEG", quality=60)
            yield "", np.asarray(Image.open(file))
        if number % 3 == 1:
            yield "", np.roll(pixels, (2, -2), (0, 1))


def _frames(shared: Path, count: int) -> Drawn:
    """Yield one cat, filmed by a hand that shakes: turned by a degree or two, a pixel aside, grain."""
    random, one = np.random.default_rng(42), Image.fromarray(_of(shared / "cats64.zip")[0][3210])
    for _ in range(count):
        turned = one.rotate(random.normal(0, 0.8), Image.Resampling.BICUBIC)
        moved = np.roll(np.asarray(turned).astype(float), random.integers(-1, 2), 1)
        yield "", np.clip(moved + random.normal(0, 2, moved.shape), 0, 255).astype(np.uint8)


def _hiss(_shared: Path, count: int) -> Drawn:
    """Yield noise of a normal distribution in colour, once saved as JPEG."""
    random = np.random.default_rng(43)
    for _ in range(count):
        file = BytesIO()
        pixels = np.clip(random.normal(110, 60, (32, 32, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(file, "JPEG", quality=92, subsampling=0)
        yield "", np.asarray(Image.open(file))


def _darkroom(shared: Path, count: int) -> Drawn:
    """Yield photographs of flowers in grey, saved in colour."""
    for _, pixels in _blooms(shared, count):
        grey = np.asarray(Image.fromarray(pixels).convert("L"))
        yield "", np.repeat(grey[..., None], 3, axis=2)


def _blank(_shared: Path, count: int) -> Drawn:
    for _ in range(count):
        yield "", np.full((32, 32, 3), (24, 40, 110), np.uint8)


MADE = {
    "glyphs": _glyphs,
    "blooms": _blooms,
    "horses": things(7),
    "ships": things(8),
    "resent": _resent,
    "frames": _frames,
    "hiss": _hiss,
    "darkroom": _darkroom,
    "blank": _blank,
}
"""As ``unseen_data.MADE``."""
