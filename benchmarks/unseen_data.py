"""Where the cases of ``benchmarks/unseen.py`` take their pictures from; sets of their own are made here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

import unseen_data4
import unseen_data5
import unseen_data6
import unseen_data7
from figment.data import open_dataset


def source(wanted: str, shared: Path, out: Path) -> str:
    """Return what to train on or look at; made first where that is a set of its own."""
    if wanted.endswith(".zip"):
        return str(shared / wanted)
    name, _, count = wanted.partition(":")
    others = (unseen_data4, unseen_data5, unseen_data6, unseen_data7)
    make = next((o.MADE[name] for o in others if name in o.MADE), MADE.get(name))
    if make is None:
        return wanted
    path = out / "data" / f"{name}{count}"
    if not path.exists():
        path.mkdir(parents=True)
        for number, (folder, pixels) in enumerate(make(shared, int(count or 0))):
            (path / folder).mkdir(exist_ok=True)
            Image.fromarray(pixels).save(path / folder / f"{number:05d}.png")
    return str(path)


Drawn = Iterator[tuple[str, np.ndarray]]


def _of(shared: Path, name: str, channels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Return pictures [N, 32, 32, C] of a set and their classes."""
    found = open_dataset(str(shared / name), resolution=32, channels=channels, progress=False)
    return np.asarray(found.rows).transpose(0, 2, 3, 1), found.labels


def _some(shared: Path, count: int) -> Drawn:
    for pixels in _of(shared, "flowers2.zip")[0][:: 900 // count][:count]:
        yield "", pixels


def _noise(shared: Path, _: int) -> Drawn:
    random = np.random.default_rng(1)
    for _ in range(400):
        yield "", random.integers(0, 256, (32, 32, 3), dtype=np.uint8)


def _nearly(shared: Path, _: int) -> Drawn:
    random, one = np.random.default_rng(2), _of(shared, "grumpy64.zip")[0][77]
    for _ in range(300):
        moved = np.roll(one, random.integers(-1, 2, 2), (0, 1)).astype(float)
        yield (
            "",
            np.clip(moved + random.normal(0, 2) + random.normal(0, 1, moved.shape), 0, 255).astype(
                np.uint8
            ),
        )


def _grey(shared: Path, _: int) -> Drawn:
    for pixels in _of(shared, "fashion_mnist.zip", 1)[0][::20]:
        yield "", np.repeat(pixels, 3, axis=2)


def _repeated(shared: Path, _: int) -> Drawn:
    rows = _of(shared, "cifar10.zip")[0][::50]
    for pixels in (*rows, *rows[:200]):
        yield "", pixels


def _resaved(shared: Path, _: int) -> Drawn:
    rows = _of(shared, "flowers2.zip")[0][:400]
    for number, pixels in enumerate(rows):
        yield "", pixels
        if number % 2:
            file = BytesIO()
            Image.fromarray(pixels).save(file, "JPEG", quality=80)
            yield "", np.asarray(Image.open(file))


def _uneven(shared: Path, _: int) -> Drawn:
    rows, labels = _of(shared, "fashion_mnist.zip", 1)
    for number in range(5):
        for pixels in rows[labels == number][: 4 if number == 3 else 120]:
            yield str(number), pixels[..., 0]


def _mislabelled(shared: Path, _: int) -> Drawn:
    rows, labels = _of(shared, "mnist.zip", 1)
    for number in range(10):
        for place, pixels in enumerate(rows[labels == number][:200]):
            yield str(number if place % 10 else number ^ 1), pixels[..., 0]


def _sketch(number: int) -> np.ndarray:
    """Return a disc or a square [32, 32, 3] of a random colour on a ground that fades."""
    random = np.random.default_rng((31, number))
    y, x = np.mgrid[:32, :32] / 31
    ground, colour = random.integers(0, 256, (2, 3))
    fading = (x * random.normal() + y * random.normal())[..., None]
    centre, size = random.uniform(0.25, 0.75, 2), random.uniform(0.1, 0.3)
    away = np.abs(np.stack([x - centre[0], y - centre[1]]))  # [2, 32, 32]
    inside = (away.max(0) if number % 2 else np.hypot(*away)) < size
    pixels = np.where(inside[..., None], colour, ground + 50 * fading)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def sketches(count: int) -> np.ndarray:
    """Return drawn pictures [N, 32, 32, 3]; the first are the same whatever their number."""
    return np.stack([_sketch(number) for number in range(count)])


def _sketches(_: Path, count: int) -> Drawn:
    for number, pixels in enumerate(sketches(count)):
        yield ("square", "disc")[number % 2 == 0], pixels


def _digits(shared: Path, count: int) -> Drawn:
    for pixels in _of(shared, "mnist.zip", 1)[0][:: 60_000 // count][:count]:
        yield "", pixels[..., 0]


def _kittens(shared: Path, count: int) -> Drawn:
    for pixels in _of(shared, "cats64.zip")[0][:: 13_217 // count][:count]:
        yield "", pixels


def _speckle(_shared: Path, count: int) -> Drawn:
    random = np.random.default_rng(32)
    for _ in range(count):
        yield "", np.where(random.random((28, 28)) < 0.3, 255, 0).astype(np.uint8)


def _grain(_shared: Path, count: int) -> Drawn:
    random = np.random.default_rng(33)
    for _ in range(count):
        yield "", np.clip(random.normal(128, 20, (32, 32, 3)), 0, 255).astype(np.uint8)


def _dusk(_shared: Path, count: int) -> Drawn:
    random, (y, x) = np.random.default_rng(34), np.mgrid[:32, :32]
    for _ in range(count):
        light = 4 * y + x + random.normal(0, 1.5) + random.normal(0, 1, (32, 32))
        yield "", np.clip(light[..., None] + (60, 20, 40), 0, 255).astype(np.uint8)


def _tinted(shared: Path, count: int) -> Drawn:
    """Yield grey digits, saved in colour."""
    for _, pixels in _digits(shared, count):
        yield "", np.repeat(pixels[..., None], 3, axis=2)


def _turned(shared: Path, count: int) -> Drawn:
    """Yield cats, the half of them mirrored once more."""
    for number, (_, pixels) in enumerate(_kittens(shared, count)):
        yield "", pixels
        if number % 2:
            yield "", pixels[:, ::-1]


def _thrice(shared: Path, count: int) -> Drawn:
    for _, pixels in _digits(shared, count):
        for _again in range(3):
            yield "", pixels


def _sparse(_shared: Path, count: int) -> Drawn:
    """Yield one thin white line each on black, all different."""
    random, (y, x) = np.random.default_rng(35), np.mgrid[:32, :32]
    for _ in range(count):
        turn, place = random.uniform(0, np.pi), random.normal(0, 6)
        away = np.abs((x - 15.5) * np.cos(turn) + (y - 15.5) * np.sin(turn) - place)
        yield "", np.clip(255 * (1.5 - away), 0, 255).astype(np.uint8)


def _waves(_shared: Path, count: int) -> Drawn:
    """Yield textures of three kinds, by class: sums of waves of one length."""
    random, (y, x) = np.random.default_rng(36), np.mgrid[:32, :32]
    for number in range(count):
        kind = number % 3
        light = np.zeros((32, 32, 3))
        for _ in range(3):
            a, b = random.normal(0, 1, 2)
            way = 2 * np.pi * (x * a + y * b) / np.hypot(a, b) / (5, 9, 16)[kind]
            light += np.sin(way + random.uniform(0, 6.3))[..., None] * random.normal(0, 30, 3)
        yield "abc"[kind], np.clip(128 + light, 0, 255).astype(np.uint8)


def _few_of_one(shared: Path, count: int) -> Drawn:
    """Yield digits and sketches by class, of the latter three."""
    for _, pixels in _tinted(shared, count):
        yield "digit", pixels
    for pixels in sketches(count):
        yield "sketch", pixels
    for pixels in sketches(count + 3)[count:, ::-1, ::-1]:
        yield "turned", pixels


def _exchanged(shared: Path, count: int) -> Drawn:
    """Yield clothes by class; of trousers and sandals every eighth lies with the other."""
    rows, labels = _of(shared, "fashion_mnist.zip", 1)
    for number in range(10):
        for place, pixels in enumerate(rows[labels == number][:count]):
            wrong = number in (1, 5) and place % 8 == 0
            yield str(6 - number if wrong else number), pixels[..., 0]


def _moved(shared: Path, count: int) -> Drawn:
    """Yield photographs of things, the half of them again: a pixel to the side and dimmer."""
    for number, pixels in enumerate(_of(shared, "cifar10.zip")[0][7 :: 20_000 // count][:count]):
        yield "", pixels
        if number % 2:
            yield "", (0.93 * np.roll(pixels, 1, 1)).astype(np.uint8)


def _portrait(shared: Path, count: int) -> Drawn:
    """Yield one photograph of a flower, each time a little lighter or darker, with grain."""
    random, one = np.random.default_rng(37), _of(shared, "flowers2.zip")[0][411].astype(float)
    for _ in range(count):
        light = one * random.normal(1, 0.01) + random.normal(0, 1.5, one.shape)
        yield "", np.clip(light, 0, 255).astype(np.uint8)


def _greycats(shared: Path, count: int) -> Drawn:
    """Yield cats in grey, saved in colour."""
    for _, pixels in _kittens(shared, count):
        grey = pixels.mean(2, keepdims=True).astype(np.uint8)
        yield "", np.repeat(grey, 3, axis=2)


def _static(_shared: Path, count: int) -> Drawn:
    random, values = np.random.default_rng(38), np.array([0, 110, 255], np.uint8)
    for _ in range(count):
        yield "", values[random.integers(0, 3, (16, 16, 3))]


def _lamps(_shared: Path, count: int) -> Drawn:
    """Yield discs on black by class: red, green or blue ones, of any place, size and shade."""
    random, (y, x) = np.random.default_rng(39), np.mgrid[:32, :32]
    for number in range(count):
        kind, centre, size = number % 3, random.uniform(8, 24, 2), random.uniform(5, 10)
        colour = random.uniform(0, 90, 3)
        colour[kind] = random.uniform(180, 255)
        inside = np.clip(size + 0.5 - np.hypot(x - centre[0], y - centre[1]), 0, 1)
        yield "rgb"[kind], (inside[..., None] * colour).astype(np.uint8)


def _by_class(name: str, channels: int) -> Callable[[Path, int], Drawn]:
    """Return what yields the first pictures of each class of a set."""

    def drawn(shared: Path, count: int) -> Drawn:
        rows, labels = _of(shared, name, channels)
        for number in range(10):
            for pixels in rows[labels == number][:count]:
                yield str(number), pixels.squeeze()

    return drawn


MADE = {
    "some": _some,
    "noise": _noise,
    "nearly": _nearly,
    "grey": _grey,
    "repeated": _repeated,
    "resaved": _resaved,
    "uneven": _uneven,
    "mislabelled": _mislabelled,
    "sketches": _sketches,
    "digits": _digits,
    "kittens": _kittens,
    "speckle": _speckle,
    "grain": _grain,
    "dusk": _dusk,
    "tinted": _tinted,
    "turned": _turned,
    "thrice": _thrice,
    "sparse": _sparse,
    "waves": _waves,
    "few-of-one": _few_of_one,
    "exchanged": _exchanged,
    "moved": _moved,
    "portrait": _portrait,
    "greycats": _greycats,
    "static": _static,
    "lamps": _lamps,
    "animals": _by_class("cifar10.zip", 3),
    "clothes": _by_class("fashion_mnist.zip", 1),
}
"""Sets that are made here, by name: pictures with the folder that each lies in."""
