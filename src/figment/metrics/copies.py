"""Copies: which samples repeat a training picture, also mirrored, shifted by a little or saved again.

Pictures are compared as pictures, not by features, which forget what tells two cats apart. Both are brought
to ``SIDE`` px and to what lies between grain and large shapes: JPEG and blur change what is finer, and
what is coarser the pictures of a set have in common. Likeness is the correlation of two such sketches,
the best over shifts by up to ``REACH`` px either way in halves. Candidates are the pictures with the
nearest thumbnails, of the sample itself, shifted and mirrored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 32
"""Side of a sketch in px; smaller pictures keep theirs."""
REACH = 2
"""Px of a sketch that a copy may be shifted by either way: 2 of 32 px, 4 of 64."""
RIM = 3
"""Px at the rim of a sketch that are left out."""
THUMB = 8
CANDIDATES = 8
"""Pictures that a sample, and its mirror image, is compared with."""
CHUNK_NUMBERS = 256 * 3 * 64 * 64
"""Of the pictures that are looked at together: what is made of them on the way is 30 times as much."""
FAINT = 2.0
"""Levels of 255: root mean square of a sketch below which a picture has nothing to be recognised by."""
ALIKE = 0.9
"""No copy is less like its original than this, whatever the set."""
STRICT = 3.0
"""A copy differs so many times less than the first in a hundred real pictures from its nearest other."""
QUANTILE = 0.99


class Matches(NamedTuple):
    """The picture of a gallery that each sample is most like."""

    likeness: Tensor
    """[N] float32 in [-1, 1]; 1 is the same picture."""
    places: Tensor
    """[N] int64, places in the gallery."""
    mirrored: Tensor
    """[N] bool: the mirror image is alike."""


class Gallery:
    """Pictures in which copies are looked for."""

    def __init__(self, images: np.ndarray, rows: np.ndarray) -> None:
        """Take the ``rows`` [M] of uint8 pictures [N, C, R, R], which may be a file's map."""
        self.images, self.rows = images, rows
        self.step = max(1, CHUNK_NUMBERS // int(np.prod(images.shape[1:])))
        parts = [_thumbs(some) for some in self._pictures(rows)]
        self.thumbs = torch.cat(parts)  # [M, D]

    def matches(self, pictures: np.ndarray, apart: Sequence[np.ndarray] = ()) -> Matches:
        """Return the most like of the gallery for each of the pictures uint8 [N, C, R, R].

        ``apart``: for each the places in the gallery that it is not compared with, such as its own. The
        likeness is -1 where nothing is left.
        """
        found = []
        for start in range(0, len(pictures), self.step):
            part = torch.from_numpy(np.array(pictures[start : start + self.step])).float()
            places = apart[start : start + self.step]
            (value, place), (other, turned) = (
                self._best(side_on, places) for side_on in (part, part.flip(3))
            )
            mirrored = other > value
            found.append((value.maximum(other), torch.where(mirrored, turned, place), mirrored))
        return Matches(*(torch.cat(parts) for parts in zip(*found, strict=True)))

    def _best(self, part: Tensor, apart: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
        """Return the likeness [n] and the place [n] of the best candidate of each picture [n, C, R, R]."""
        near = _thumbs(part) @ self.thumbs.T  # [n, M]
        for moved in _moved(part):
            near = torch.maximum(near, _thumbs(moved) @ self.thumbs.T)
        for row, places in enumerate(apart):
            near[row, torch.from_numpy(places)] = -torch.inf
        ranks, places = near.topk(min(CANDIDATES, near.shape[1]))  # [n, K]
        unique, column = places.unique(return_inverse=True)
        others = torch.cat([_sketch(some) for some in self._pictures(self.rows[unique.numpy()])])
        mine = _sketch(part)
        likeness = torch.stack([_likeness(mine, others[one]) for one in column.T], 1)  # [n, K]
        value, best = likeness.masked_fill(ranks.isinf(), -1).max(1)
        best = best[:, None]  # [n, 1]
        between = _between(part, others[column.gather(1, best)[:, 0]])
        value = torch.where(value > -1, torch.maximum(value, between), value)
        return value, places.gather(1, best)[:, 0]

    def _pictures(self, rows: np.ndarray) -> Iterator[Tensor]:
        for start in range(0, len(rows), self.step):
            yield torch.from_numpy(np.array(self.images[rows[start : start + self.step]])).float()


def threshold(yardstick: Tensor) -> float:
    """Return the likeness from which a picture is a copy, by that of real pictures [N] to others.

    The pictures of some sets differ little from each other (handwritten digits), so a copy must differ
    ``STRICT`` times less than 99 % of real pictures do, and by no more than 1 - ``ALIKE`` of any.
    """
    usual = 1 - float(yardstick.double().quantile(QUANTILE))
    return 1 - min(1 - ALIKE, usual / STRICT)


def _moved(pictures: Tensor) -> Iterator[Tensor]:
    """Yield pictures [n, C, R, R] shifted to each of eight sides by as much as copies may be."""
    size = pictures.shape[2]
    step = round(REACH * max(1, size / SIDE))
    padded = F.pad(pictures, (step, step, step, step), mode="replicate")
    for down in (0, step, 2 * step):
        for right in (0, step, 2 * step):
            if (down, right) != (step, step):
                yield padded[:, :, down : down + size, right : right + size]


def _likeness(a: Tensor, b: Tensor) -> Tensor:
    """Return the correlation [n] of sketches [n, C, S, S], the best over shifts by up to ``REACH``.

    Of ``a`` the middle is compared, ``RIM`` px from its rim, which knows nothing of what lies outside.
    """
    size = a.shape[2] - 2 * RIM
    middle = a[:, :, RIM : RIM + size, RIM : RIM + size]
    least = middle[0].numel() * FAINT**2
    own = middle.square().sum((1, 2, 3)).clamp(min=least)
    found = torch.full((len(a),), -1.0)
    for down in range(RIM - REACH, RIM + REACH + 1):
        for right in range(RIM - REACH, RIM + REACH + 1):
            other = b[:, :, down : down + size, right : right + size]
            length = other.square().sum((1, 2, 3)).clamp(min=least)
            found = torch.maximum(found, (middle * other).sum((1, 2, 3)) / (own * length).sqrt())
    return found


def _between(part: Tensor, others: Tensor) -> Tensor:
    """Return the likeness [n] of pictures [n, C, R, R], moved by half a px of a sketch, and sketches."""
    size = part.shape[2]
    half = round(size / SIDE / 2)
    if half == 0:  # small pictures have no half px
        return torch.full((len(part),), -1.0)
    padded = F.pad(part, (half, 0, half, 0), mode="replicate")
    places = ((0, half), (half, 0), (0, 0))
    moved = (padded[:, :, down : down + size, right : right + size] for down, right in places)
    return torch.stack([_likeness(_sketch(one), others) for one in moved]).amax(0)


def _sketch(pictures: Tensor) -> Tensor:
    """Return pictures [n, C, R, R] between grain and large shapes [n, C, S, S]."""
    if pictures.shape[2] > SIDE:
        pictures = F.interpolate(pictures, (SIDE, SIDE), mode="area")
    fine = F.avg_pool2d(F.pad(pictures, (1, 1, 1, 1), mode="replicate"), 3, 1)
    return fine - F.avg_pool2d(F.pad(fine, (4, 4, 4, 4), mode="replicate"), 9, 1)


def _thumbs(pictures: Tensor) -> Tensor:
    """Return thumbnails [n, D] of length 1 without their mean."""
    small = F.interpolate(pictures, (THUMB, THUMB), mode="area").flatten(1)
    return F.normalize(small - small.mean(1, keepdim=True), eps=1.0)
