"""Near repeats in a set: pictures saved again, mirrored, moved by a little, cut or made darker.

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
SAVED_AGAIN, SAVED = 0.2, 0.018
"""Difference from another picture, over its own contrast, and of 1 as black against white, up to which one
may be that one saved again, or mirrored."""
MOVED = 0.05
"""The same after the other has been moved by up to REACH: pictures that differ in where a thing is come
nearer so, discs and lines to .02 to .1; a moved copy is at .01."""
CUT, ZOOMED = 0.15, 0.2
"""The same after the other has been enlarged or made smaller by ZOOM, as one that was cut and enlarged; and
over the usual distance to the fifth nearest: discs of any size come as near, but so do all of them."""
OFTEN_CUT = 0.1
"""Share of the pictures from which these are worth a warning: lines on black had .06."""
ZOOM = 1.06
"""By so much a cut of 3 to 9 % is answered."""
APART = 2.5
"""Times that a repeat must be nearer than the next picture."""
CHANCE = 2.0
"""Times the share of such gaps that distances without repeats would have, beside REPEATED."""
VARIANT = 0.1
"""Difference from its CROWD nearest others below which a picture is one of many variants."""
COMMON, FEW_KINDS = 0.95, 0.02
"""Correlation of variants of one picture, and the share of such pairs from which there are fifty pictures
or fewer, however many variants: bursts of 80 pictures have .006, one camera's view 1."""
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
    cut: Tensor
    """The same after each has been enlarged or made smaller by ZOOM as well."""
    contrast: Tensor
    """Standard deviation within each picture [M], 1 being black against white."""
    mirrored: Tensor
    """Whether the nearest is a mirror image [M]."""
    common: float
    """Share of all pairs that are like one another (correlation of COMMON)."""


def alike(rows: Tensor) -> Alike:
    """Return how at most ASKED of the pictures [N, C, R, R] uint8, N >= 2, resemble their likes."""
    images = torch.cat([_small(part) for part in rows.split(256)])
    asked = torch.from_numpy(evenly_spaced(np.arange(len(images)), ASKED))
    ours, lying, moved, cut = images[asked], [], [], []
    for turned in (images, images.flip(3)):
        for best in _likest(ours, turned, asked):
            lying.append(_apart(ours, turned[best]))
            moved.append(_apart(ours, _onto(ours, turned[best])))
    for zoomed in (_zoomed(images, ZOOM), _zoomed(images, 1 / ZOOM)):
        cut += [_apart(ours, _onto(ours, zoomed[best])) for best in _likest(ours, zoomed, asked)]
    ways = [torch.stack(way, 1).clamp(min=_LEAST) for way in (lying, moved, cut)]
    mirrored = torch.minimum(*ways[:2]).argmin(1) >= len(lying) // 2
    contrast = _light(ours).std(1)
    pairs = _unit(_light(ours)) @ _unit(_light(images)).T
    common = float((pairs > COMMON).double().mean())
    return Alike(*(way.sort(1).values for way in ways), contrast, mirrored, common)


def _likest(ours: Tensor, others: Tensor, asked: Tensor) -> Tensor:
    """Return the numbers [CROWD, M] of the others most like ours, whose own numbers are ``asked``."""
    nearness = _unit(_light(ours)) @ _unit(_light(others)).T  # [M, N]
    own = torch.arange(len(asked))
    nearness[own, asked] = -torch.inf  # nor is its own mirror image another
    return nearness.topk(min(CROWD, len(others) - 1)).indices.T


def _zoomed(images: Tensor, times: float) -> Tensor:
    """Return pictures [N, C, S, S] enlarged about their middle, edges going on where they end."""
    scale = torch.eye(2, 3) / times
    grid = F.affine_grid(scale.expand(len(images), 2, 3), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


def repeats(rows: Tensor, count: int, duplicates: int) -> list[Finding]:
    """Return whether pictures [N, C, R, R] of a set of ``count`` repeat others."""
    advice = "Remove the repeats: the model memorises them first."
    if duplicates > REPEATED * count:
        repeat = "repeats" if duplicates == 1 else "repeat"
        evidence = f"{duplicates:,} of {count:,} pictures {repeat} another one byte for byte."
        return [Finding("duplicates", "warning", 0.95, evidence, advice)]
    if len(rows) < 2:
        return []
    found = alike(rows)
    if found.lying.shape[1] < 2 * CROWD:
        return []
    crowded = [way[:, CROWD - 1] < VARIANT for way in (found.lying, found.moved)]
    crowded = float((crowded[0] | crowded[1]).double().mean())
    if crowded > MOSTLY and found.common < FEW_KINDS:
        evidence = (
            f"{crowded:.0%} of the pictures have {CROWD} others that are nearly the same, in groups that "
            "are unlike one another, as bursts of frames are."
        )
        return [Finding("near repeats", "warning", 0.85, evidence, advice)]
    if crowded > MOSTLY:
        return [
            variants(f"{crowded:.0%} of the pictures have {CROWD} others that are nearly the same.")
        ]
    saved = (SAVED / found.contrast.clamp(min=_EMPTY)).clamp(max=SAVED_AGAIN)
    gaps = _gaps(found.lying, saved), _gaps(found.moved, torch.full_like(saved, MOVED))
    again, by_chance = gaps[0][0] | gaps[1][0], gaps[0][1] + gaps[1][1]
    usual = float(found.lying[:, CROWD - 1].median())
    cut, cut_by_chance = _gaps(found.cut, torch.full_like(saved, min(CUT, ZOOMED * usual)))
    few = float(again.double().mean()) - duplicates / count < REPEATED + CHANCE * by_chance
    few_cut = float(cut.double().mean()) < OFTEN_CUT + CHANCE * cut_by_chance
    if few and few_cut:
        return []
    share = float((again if few_cut else again | cut).double().mean())
    among = "" if count <= len(rows) else f" among {len(rows):,}"
    turned = float(found.mirrored[again].double().mean())
    how = f"; {turned:.0%} of these are mirror images" if turned > REPEATED else ""
    evidence = (
        f"{share:.0%} of the pictures are nearly the same as another{among}, such as one picture saved, "
        f"moved, cut or dimmed{how}."
    )
    return [Finding("near repeats", "warning", 0.85, evidence, advice)]


def variants(evidence: str) -> Finding:
    """Return the finding that a set holds variants of a few pictures."""
    advice = "They are variants of one picture or a few: give others, or expect just these."
    return Finding("near-identical pictures", "fault", 0.9, evidence, advice)


def _gaps(apart: Tensor, bound: Tensor) -> tuple[Tensor, float]:
    """Return which pictures [M] are far nearer to one to three others than to the next; what is by chance.

    ``bound``: how near they must be [M]. Of points spread evenly in D dimensions, k D log(d[k + 1] / d[k])
    is exponential with mean 1; D is read from the fourth and fifth neighbours, behind whatever repeats
    there are (Levina and Bickel 2004).
    """
    steps = (apart[:, 1:] / apart[:, :-1]).log()  # [M, K - 1]
    again = ((steps[:, :3] > math.log(APART)) & (apart[:, :3] < bound[:, None])).any(1)
    behind = torch.cat([4 * steps[:, 3], 5 * steps[:, 4]])
    dimensions = math.log(2) / max(float(behind.median()), 1e-3)
    within = float((apart[:, 0] < bound).double().mean())
    return again, min(1.0, sum(APART ** (-dimensions * k) for k in (1, 2, 3))) * within


def _apart(a: Tensor, b: Tensor) -> Tensor:
    """Return the root mean square difference [M] that a change of brightness and contrast leaves."""
    cut = (..., slice(REACH, -REACH), slice(REACH, -REACH))  # what moves in from beyond the edge
    likeness = (_unit(_seen(a[cut])) * _unit(_seen(b[cut]))).sum(1).clamp(0, 1)
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


def _light(images: Tensor) -> Tensor:
    """Return the brightness of pictures [N, C, S, S] at half their size, less its mean: [N, D]."""
    rows = F.avg_pool2d(images.mean(1, keepdim=True), 2).flatten(1)
    return rows - rows.mean(1, keepdim=True)


def _seen(images: Tensor) -> Tensor:
    """Return rows [N, D] of pictures: brightness at half size, colours at a quarter, as JPEG keeps them."""
    colours = F.avg_pool2d(images - images.mean(1, keepdim=True), 4).flatten(1)
    weight = (
        2 / images.shape[1] ** 0.5
    )  # one colour stands for four places, each channel for its part
    return torch.cat([_light(images), weight * colours], 1)


def _unit(rows: Tensor) -> Tensor:
    """Return rows [N, D] of length 1; those of flat pictures as 0."""
    length = rows.norm(dim=1, keepdim=True)
    return torch.where(length > _EMPTY * rows.shape[1] ** 0.5, rows / length, 0.0)
