"""Pictures beside the scores: look-alikes in frames, samples beside their nearest training pictures."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw

from figment.errors import UserError
from figment.judging.figure import Copy
from figment.judging.sides import Side
from figment.metrics.diversity import look_alike_threshold, near_duplicates
from figment.metrics.memorisation import nearest
from figment.sampling.pictures import save_image

SHOWN = 100
"""Samples in the picture of look-alikes."""
ROWS, NEIGHBOURS = 8, 6
"""Samples in each half of the neighbours' picture, and training pictures beside each."""
LEAST_SIDE = 64
"""Smaller pictures are shown enlarged by a whole factor."""
FRAME, GAP, LINE = 4, 6, 12
PAIRS = 40
"""Copies in their picture."""
LEAST_WIDTH = 190
"""Px of a pair with its names."""
PAPER, INK = (255, 255, 255), (60, 60, 60)


def write(
    folder: Path,
    samples: Side,
    reals: Side,
    found: Sequence[Copy] = (),
    named: Sequence[Mapping[str, Any]] = (),
) -> dict[str, str]:
    """Write the pictures; return their paths below ``folder`` by name.

    ``found``: the copies, of which there is a picture where there are any; ``named`` tells what they are
    called.
    """
    made = {"look-alikes": look_alikes(samples, reals), "neighbours": neighbours(samples, reals)}
    if found:
        made = {"copies": copies(samples, reals, found, named)} | made
    for name, image in made.items():
        save_image(image, folder / "evaluation" / f"{name}.png", page=True)
    if not found:  # one of an earlier evaluation would tell of other samples
        (folder / "evaluation" / "copies.png").unlink(missing_ok=True)
    return {name: f"evaluation/{name}.png" for name in made}


def files_of(folder: Path) -> list[Path]:
    """Return what ``write`` may write."""
    names = ("copies", "look-alikes", "neighbours")
    return [folder / "evaluation" / f"{name}.png" for name in names]


def copies(
    samples: Side, reals: Side, found: Sequence[Copy], named: Sequence[Mapping[str, Any]]
) -> Image.Image:
    """Return the copies in pairs, the sample on the left of what it repeats, the most alike first.

    At most ``PAIRS``; under each pair the names of both and how alike they are.
    """
    shown = min(PAIRS, len(found))
    tiles = [
        (
            _tile(samples.images[samples.rows[one.sample]]),
            _tile(reals.images[reals.rows[one.original]]),
        )
        for one in found[:shown]
    ]
    size = max(tile.width for pair in tiles for tile in pair)
    wide, high = max(2 * size, LEAST_WIDTH) + 4 * GAP, size + 3 * LINE + 2 * GAP
    columns = min(4, shown)
    page = Image.new(
        "RGB", (columns * wide + GAP, math.ceil(shown / columns) * high + GAP + 2 * LINE), PAPER
    )
    draw = ImageDraw.Draw(page)
    more = f" (the first {shown})" if shown < len(found) else ""
    title = f"{len(found):,} of {len(samples):,} samples repeat a training picture{more}"
    draw.text((GAP, GAP), f"{title}: sample, training picture", fill=INK)
    for place, (pair, about) in enumerate(zip(tiles, named, strict=False)):
        left, top = GAP + place % columns * wide, GAP + 2 * LINE + place // columns * high
        page.paste(pair[0], (left, top))
        page.paste(pair[1], (left + size + 1, top))
        mirrored = ", mirrored" if about["mirrored"] else ""
        lines = (about["sample"], about["original"], f"{about['likeness']:.3f}{mirrored}")
        for number, line in enumerate(lines):
            draw.text((left, top + size + 2 + number * LINE), _short(str(line)), fill=INK)
    return page


def _short(text: str, most: int = 30) -> str:
    """Return a name that fits below a pair, its end if it is long; ``?`` for what has no glyph."""
    text = text.encode("latin-1", "replace").decode("latin-1")
    return text if len(text) <= most else f"...{text[3 - most :]}"


def look_alikes(samples: Side, reals: Side, shown: int = SHOWN) -> Image.Image:
    """Return the first samples as a grid in which near-duplicates have frames of one colour.

    Two look alike where they are nearer in the features than all but .1 % of as many reals are to their
    nearest other.
    """
    shown = min(shown, len(samples))
    few = min(len(samples), len(reals))
    threshold = look_alike_threshold(_spread(reals.distinct, few).features)
    groups = near_duplicates(samples.features[:shown], threshold)
    colours = {
        int(row): _colour(number) for number, group in enumerate(groups) for row in group.tolist()
    }
    columns = math.ceil(math.sqrt(shown))
    tiles = [_tile(samples.images[samples.rows[row]]) for row in range(shown)]
    side = tiles[0].width + 2 * FRAME + GAP
    page = Image.new("RGB", (columns * side + GAP, math.ceil(shown / columns) * side + GAP), PAPER)
    draw = ImageDraw.Draw(page)
    for row, tile in enumerate(tiles):
        left, top = GAP + row % columns * side, GAP + row // columns * side
        if row in colours:
            corner = (left + tile.width + 2 * FRAME - 1, top + tile.height + 2 * FRAME - 1)
            draw.rectangle((left, top, *corner), fill=colours[row])
        page.paste(tile, (left + FRAME, top + FRAME))
    return page


def neighbours(samples: Side, reals: Side) -> Image.Image:
    """Return samples, each beside its nearest training pictures, nearest first.

    Above, the samples nearest to any training picture of all, the most suspicious; below, the first
    ones. The number is the distance over the median distance of a real picture to its own nearest other.
    """
    few = _spread(reals.distinct, 2_000)
    usual = float(nearest(few.features, reals.features, 2)[0][:, 1].median()) or 1.0
    near, _ = nearest(samples.features, reals.features)
    rows = min(ROWS, len(samples) // 2 or 1)
    first = near[:, 0].argsort()[:rows]
    others = torch.arange(rows)
    count = min(NEIGHBOURS, len(reals))
    parts = []
    blocks = {"the samples nearest to a training picture": first, "seeds 0, 1, 2, ...": others}
    for title, chosen in blocks.items():
        distances, indices = nearest(samples.features[chosen], reals.features, count)
        lines = [
            ([samples.images[samples.rows[row]], *reals.images[reals.rows[found]]], far / usual)
            for row, found, far in zip(chosen.tolist(), indices.numpy(), distances, strict=True)
        ]
        parts.append((title, lines))
    return _beside(parts, 1 + count)


def _beside(parts: list[tuple[str, list]], columns: int) -> Image.Image:
    """Lay out titled blocks of lines: a sample, a gap, its neighbours with their distances under them."""
    size = _tile(parts[0][1][0][0][0]).width
    pitch, label = size + GAP, 16
    high = size + label + GAP
    lines = sum(len(block) for _, block in parts)
    height = lines * high + len(parts) * 2 * label + GAP
    page = Image.new("RGB", (columns * pitch + 4 * GAP, height), PAPER)
    draw = ImageDraw.Draw(page)
    top = GAP
    for title, block in parts:
        draw.text((GAP, top), f"{title}: sample, then its nearest training pictures", fill=INK)
        top += 2 * label - GAP
        for pictures, distances in block:
            for place, picture in enumerate(pictures):
                left = GAP + place * pitch + (2 * GAP if place else 0)
                page.paste(_tile(picture), (left, top))
                if place:
                    draw.text((left, top + size + 1), f"{distances[place - 1]:.2f}", fill=INK)
            top += high
    return page


def _tile(pixels: np.ndarray) -> Image.Image:
    """Return a picture [C, R, R] for the page, small ones enlarged by a whole factor."""
    if pixels.ndim != 3:
        raise UserError("points have no pictures")
    array = np.broadcast_to(pixels, (3, *pixels.shape[1:])).transpose(1, 2, 0)
    image = Image.fromarray(np.ascontiguousarray(array))
    times = max(1, LEAST_SIDE // image.width)
    return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)


def _colour(number: int) -> tuple[int, int, int]:
    """Return a colour far from those of the numbers before it: the golden angle around the circle."""
    red, green, blue = colorsys.hsv_to_rgb(
        number * 0.618034 % 1, 0.85, 0.9 - 0.25 * (number // 8 % 2)
    )
    return round(255 * red), round(255 * green), round(255 * blue)


def _spread(side: Side, most: int) -> Side:
    if len(side) <= most:
        return side
    return side.of(torch.linspace(0, len(side) - 1, most).round().long())
