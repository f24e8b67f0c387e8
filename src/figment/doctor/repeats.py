"""Near repeats in a set: pictures saved again, mirrored, moved by a little, or made darker.

A repeat is not just a picture that is near to another one: all pictures of a set may be, as discs on black
are. It is one that is far nearer than the next, by more and more often than the set's own distances
bring with them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from figment.data import evenly_spaced
from figment.doctor.finding import Finding

REPEATED = 0.05
"""Share of the pictures from which repeats are worth a warning."""
MOSTLY = 0.5
"""Share of the pictures from which they are the set's fault."""
SAVED_AGAIN = 0.2
"""Difference from another picture, over its own contrast, up to which one may be that one saved again, or
mirrored: JPEG of quality 80 is at .03 to .14, the nearest of photographs, digits or flowers from .2 on."""
MOVED = 0.05
"""The same after the other has been moved by up to REACH: pictures that differ in where a thing is come
nearer so, discs and lines to .02 to .1; a moved copy is at .01."""
APART = 2.5
"""Times that a repeat must be nearer than the next picture."""
RARE = 0.15
"""Share of all other pictures that may be nearer than APART times what the repeats are at: lines on black,
a few of which fall on one another, have no gap between these and the rest."""
CHANCE = 2.0
"""Times the share of such gaps that distances without repeats would have, beside REPEATED."""
VARIANT = 0.1
"""Difference from its CROWD nearest others below which a picture is one of many variants."""
CROWD = 5
ASKED = 500
"""Pictures whose repeats are looked for."""
_SIDE, REACH = 32, 2  # px: of what is compared, and how far it may have been moved
_LEAST = 2e-3  # differences below this are those of rounding
_EMPTY = 1e-3  # contrast below which a picture is flat, and like nothing


class Alike(NamedTuple):
    """Some pictures of a set [M], and how much the most like of the others differ."""

    lying: Tensor
    """Root mean square differences over the contrast, nearest first [M, 2 CROWD], of pictures as they lie;
    brightness and contrast do not count."""
    moved: Tensor
    """The same after each of the others has been moved onto the picture, by up to REACH."""
    mirrored: Tensor
    """Whether the nearest is a mirror image [M]."""


def alike(rows: Tensor) -> Alike:
    """Return how the pictures [N, C, R, R] uint8, N >= 2, resemble their likes: of ASKED of them at most."""
    images = torch.cat([_small(part) for part in rows.split(256)])
    asked = torch.from_numpy(evenly_spaced(np.arange(len(images)), ASKED))
    ours, lying, moved = images[asked], [], []
    for turned in (images, images.flip(3)):
        nearness = _unit(_half(ours).mean(1)) @ _unit(_half(turned).mean(1)).T  # [M, N]
        nearness[
            torch.arange(len(asked)), asked
        ] = -torch.inf  # nor is its own mirror image another
        for best in nearness.topk(min(CROWD, len(images) - 1)).indices.T:
            lying.append(_apart(ours, turned[best]))
            moved.append(_apart(ours, _onto(ours, turned[best])))
    ways = [torch.stack(way, 1).clamp(min=_LEAST) for way in (lying, moved)]
    mirrored = torch.minimum(*ways).argmin(1) >= len(lying) // 2
    return Alike(ways[0].sort(1).values, ways[1].sort(1).values, mirrored)


def repeats(rows: Tensor, count: int, duplicates: int) -> list[Finding]:
    """Return whether pictures [N, C, R, R] of a set of ``count`` repeat others, ``duplicates`` byte for byte."""
    advice = "Remove the repeats: the model memorises them first."
    if duplicates > REPEATED * count:
        evidence = f"{duplicates:,} of {count:,} pictures repeat another one byte for byte."
        return [Finding("duplicates", "warning", 0.95, evidence, advice)]
    if len(rows) < 2:
        return []
    found = alike(rows)
    if found.lying.shape[1] < 2 * CROWD:
        return []
    crowded = [way[:, CROWD - 1] < VARIANT for way in (found.lying, found.moved)]
    crowded = float((crowded[0] | crowded[1]).double().mean())
    if crowded > MOSTLY:
        return [
            variants(f"{crowded:.0%} of the pictures have {CROWD} others that are nearly the same.")
        ]
    gaps = _gaps(found.lying, SAVED_AGAIN), _gaps(found.moved, MOVED)
    again, by_chance = gaps[0][0] | gaps[1][0], gaps[0][1] + gaps[1][1]
    share = float(again.double().mean())
    if share - duplicates / count < REPEATED + CHANCE * by_chance:
        return []
    among = "" if count <= len(rows) else f" among {len(rows):,}"
    turned = float(found.mirrored[again].double().mean())
    how = f"; {turned:.0%} of these are mirror images" if turned > REPEATED else ""
    evidence = (
        f"{share:.0%} of the pictures are nearly the same as another{among}, such as one picture saved, "
        f"moved or dimmed{how}."
    )
    return [Finding("near repeats", "warning", 0.85, evidence, advice)]


def variants(evidence: str) -> Finding:
    """Return the finding that a set holds variants of a few pictures."""
    advice = "They are variants of one picture or a few: give others, or expect just these."
    return Finding("near-identical pictures", "fault", 0.9, evidence, advice)


def _gaps(apart: Tensor, bound: float) -> tuple[Tensor, float]:
    """Return which pictures [M] are far nearer to one to three others than to the next, and how many by chance.

    Of points spread evenly in D dimensions, k D log(d[k + 1] / d[k]) is exponential with mean 1; D is read
    from the fourth and fifth neighbours, behind whatever repeats there are (Levina and Bickel 2004).
    """
    steps = (apart[:, 1:] / apart[:, :-1]).log()  # [M, K - 1]
    again = ((steps[:, :3] > math.log(APART)) & (apart[:, :3] < bound)).any(1)
    if again.any() and not again.all():  # no second heap near 0, but the near end of the only one
        rest = float(apart[~again, 0].quantile(RARE))
        if rest < APART * float(apart[again, 0].median()):
            again = torch.zeros_like(again)
    behind = torch.cat([4 * steps[:, 3], 5 * steps[:, 4]])
    dimensions = math.log(2) / max(float(behind.median()), 1e-3)
    within = float((apart[:, 0] < bound).double().mean())
    return again, min(1.0, sum(APART ** (-dimensions * k) for k in (1, 2, 3))) * within


def _apart(a: Tensor, b: Tensor) -> Tensor:
    """Return the root mean square difference [M] that a change of brightness and contrast leaves."""
    cut = (..., slice(REACH, -REACH), slice(REACH, -REACH))  # what moves in from beyond the edge
    likeness = (_unit(_half(a[cut])) * _unit(_half(b[cut]))).sum(1).clamp(0, 1)
    return (1 - likeness.square()).sqrt()


def _onto(a: Tensor, b: Tensor) -> Tensor:
    """Return pictures b moved by up to REACH pixels to where they are most like a."""
    grey = [(x.mean(1) - x.mean((1, 2, 3))[:, None, None]) for x in (a, b)]
    one, other = (torch.fft.rfft2(x) for x in grey)
    agreement = torch.fft.irfft2(one * other.conj(), s=a.shape[2:])  # [M, S, S], by how far b moves
    steps = torch.arange(-REACH, REACH + 1)
    near = agreement[:, steps[:, None], steps].flatten(1).argmax(1)
    down, right = steps[near // len(steps)], steps[near % len(steps)]
    places = torch.arange(a.shape[3])
    y = (places - down[:, None]) % len(places)  # [M, S]
    x = (places - right[:, None]) % len(places)
    return b[torch.arange(len(b))[:, None, None], :, y[:, :, None], x[:, None, :]].movedim(3, 1)


def _small(images: Tensor) -> Tensor:
    """Return pictures as float32 [N, C, S, S] of _SIDE pixels at most."""
    side = min(_SIDE, *images.shape[2:])
    return F.adaptive_avg_pool2d(images.float() / 255, side)


def _half(images: Tensor) -> Tensor:
    return F.avg_pool2d(images, 2)


def _unit(images: Tensor) -> Tensor:
    """Return pictures as rows [N, D] of mean 0 and length 1; flat ones as 0."""
    rows = images.flatten(1)
    rows = rows - rows.mean(1, keepdim=True)
    length = rows.norm(dim=1, keepdim=True)
    return torch.where(length > _EMPTY * rows.shape[1] ** 0.5, rows / length, 0.0)
