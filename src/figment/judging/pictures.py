"""Pictures beside the scores: look-alikes in frames, samples beside their nearest training pictures."""

from __future__ import annotations

import colorsys
import math
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from figment.errors import UserError
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
FRAME, GAP = 4, 6
PAPER, INK = (255, 255, 255), (60, 60, 60)


def write(folder: Path, samples: Side, reals: Side) -> dict[str, str]:
    """Write both pictures; return their paths below ``folder`` by name."""
    made = {"look-alikes": look_alikes(samples, reals), "neighbours": neighbours(samples, reals)}
    for name, image in made.items():
        save_image(image, folder / "evaluation" / f"{name}.png")
    return {name: f"evaluation/{name}.png" for name in made}


def files_of(folder: Path) -> list[Path]:
    """Return what ``write`` writes."""
    return [folder / "evaluation" / f"{name}.png" for name in ("look-alikes", "neighbours")]


def look_alikes(samples: Side, reals: Side, shown: int = SHOWN) -> Image.Image:
    """Return the first samples as a grid in which near-duplicates have frames of one colour.

    Two look alike where they are nearer in the features than all but .1 % of as many reals are to their
    nearest other.
    """
    shown = min(shown, len(samples))
    few = min(len(samples), len(reals))
    threshold = look_alike_threshold(_spread(reals, few).features)
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
    few = _spread(reals, 2_000)
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
