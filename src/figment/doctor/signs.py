"""Signs: a few cheap numbers that tell how samples stand to the reals, live and after the fact.

Everything is measured on 256 or so samples against a fixed handful of reals, in thumbnails of 8 and 16
pixels or in the plane's own coordinates: too coarse to score a model, enough to see it fall ill. The
whole costs a fraction of a second on one core. Scores that deserve the name are in ``figment.metrics``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from figment.doctor import pixels
from figment.doctor.neighbours import (
    directions,
    distances,
    modes,
    nearest_two,
    quantiles,
    spacing,
)
from figment.doctor.obedience import Told, class_signs, told_apart
from figment.metrics.bins import k_means
from figment.metrics.modes import point_modes

SAMPLES = 256
"""Samples that the signs are made for; the thresholds were measured with this many."""
REALS = 1_000
"""Training reals that a reference holds at most."""

MEANING = {
    "watch/diversity": "spread of the samples over the reals'; 1 is right, 0 is one picture",
    "watch/spacing": "distance of a sample to the one most like it, over the reals'; 1 is right",
    "watch/look_alikes": "share of samples with a near-duplicate among them, above the reals' own",
    "watch/missing": "share of the reals in clusters that the samples hardly reach; 0 is right",
    "watch/distance": "sliced Wasserstein distance to the reals, in standard deviations; 0 is right",
    "watch/nearest": "distance to the nearest training example over a held-out one's; 1 is right",
    "watch/copies": "share of samples far nearer to one training example than to any other",
    "watch/movement": "how far samples of the same latents moved since last time, over the reals' spread",
    "watch/brightness": "mean level of the samples minus the reals', 1 being black to white",
    "watch/range": "range of levels of the samples over the reals'; 1 is right",
    "watch/dark": "share of values below middle grey over the reals'; 1 is right",
    "watch/light": "share of values above middle grey over the reals'; 1 is right",
    "watch/channels": "how far colours are the reals' with channels in another order; 0 is right, 1 wholly",
    "watch/contrast": "contrast of the samples over the reals'; 1 is right",
    "watch/saturation": "strength of colour of the samples over the reals'; 1 is right",
    "watch/clipped": "share of values at black or white, above the reals' own",
    "watch/detail": "difference of neighbouring pixels over the reals'; noise is above 1, blur below",
    "watch/checkerboard": "how far a grid's frequencies stand out, over the reals'; 1 is right",
    "watch/stray": "share of points far from every real; 0 is right",
    "watch/on_modes": "share of points within 3 standard deviations of a mode; real ones: 0.99",
    "watch/modes": "modes that at least one point of 256 lies on",
    "watch/modes_of": "modes that the real points have",
    "watch/classes_told": "share of reals whose class can be told at all from other reals",
    "watch/classes_obeyed": "share of samples told as the class that was asked for, over the reals'",
    "watch/real_diversity": "spread of the training reals themselves; 0: they are all the same",
}
"""What each column that ``signs`` writes to the log means."""

_THUMB, _PORTRAIT = 8, 16  # px: what a picture shows at all; what tells it from its like
_FLAT = 0.5 / 255  # half a level: nothing below it is a difference between pictures
_TINY = 1e-6
_ALIKE = 0.01  # near-duplicate: nearer than 99 % of reals are to any other
_ENOUGH = 100  # reals that the distance of near-duplicates can be read from
_HARDLY = 0.25  # a cluster with less than this of its share is missed
_CLUSTERS, _IN_CLUSTER = 16, 20  # most clusters; fewest reals in one, on average
_AXES = 32  # directions that distributions are compared along
_WIDTH = 16  # principal components of pictures that the directions lie among
_FAR = 3.0  # a point is astray beyond this many times what 99 % of held-out points are at


@dataclass(frozen=True)
class Reference:
    """What samples are compared with: made once, from reals that were trained on and held-out ones."""

    kind: str
    """"images" or "points"."""
    rows: Tensor
    """Thumbnails of training reals, or points: [N, D]."""
    fine: Tensor
    """Finer thumbnails of them without repeats, or points: [M, E]."""
    apart: float
    """Median distance of a held-out real to the nearest training one."""
    reach: float
    """99 % of held-out reals are nearer than this to a training one."""
    lone: float
    """99 % of reals are not so much nearer to one training real than to the second as this ratio says."""
    centres: Tensor
    """One row a cluster, or all rows: a sample belongs to the nearest one's cluster [K, D]."""
    cluster: Tensor
    """Cluster of each of ``centres`` [K]."""
    shares: Tensor
    """Share of the reals in each cluster."""
    spread: float
    """Root mean square distance of the reals from their mean."""
    axes: Tensor
    """Directions [D, A] along which distributions are compared, scaled to a standard deviation of 1."""
    middle: Tensor
    """Mean of the reals [D]."""
    levels: pixels.Levels | None
    colours: pixels.Colours | None
    """How the reals' colours are spread; None of points and grey pictures."""
    grid: float
    """Checkerboard of the reals themselves."""
    modes: tuple[Tensor, float] | None = None
    """Of points with clear modes: their centres [K, D], and the deviation in one."""
    told: Told | None = None
    """What tells the classes of reals apart, where they have some."""


@torch.inference_mode()
def reference(
    train: Tensor | np.ndarray,
    held_out: Tensor | np.ndarray | None = None,
    labels: Tensor | np.ndarray | None = None,
) -> Reference:
    """Return what samples are compared with: training reals and, where there are some, held-out ones.

    uint8 pictures [N, C, H, W] or float points [N, 2], drawn from the whole set; the first REALS
    training ones are used. With fewer than 50 held-out ones each training real is compared with
    the others instead. ``labels``: the classes [N] of the training ones, where they have some.
    """
    train = torch.as_tensor(train)[:REALS]
    images = train.ndim == 4
    rows = pixels.thumbnails(train, _THUMB) if images else train.float()
    fine = (pixels.thumbnails(train, _PORTRAIT) if images else rows).unique(dim=0)
    first, second = _to_nearest(fine, held_out, images)
    centres, cluster = _clusters(rows, images)
    return Reference(
        kind="images" if images else "points",
        rows=rows,
        fine=fine,
        apart=max(float(first.median()), _TINY),
        reach=max(float(first.quantile(0.99)), _TINY),
        lone=float((first / second.clamp(min=_TINY)).quantile(_ALIKE)),
        centres=centres,
        cluster=cluster,
        shares=_shares(rows, centres, cluster),
        spread=_spread(rows),
        axes=_axes(rows, images),
        middle=rows.mean(0),
        levels=pixels.levels(train) if images else None,
        colours=pixels.colours(train) if images and train.shape[1] == 3 else None,
        grid=pixels.checkerboard(train) if images else 1.0,
        modes=None if images else _modes(rows, centres, cluster),
        told=_told(train, labels) if images and labels is not None else None,
    )


@torch.inference_mode()
def signs(
    fakes: Tensor | np.ndarray,
    real: Reference,
    before: Tensor | np.ndarray | None = None,
    labels: Tensor | None = None,
) -> dict[str, float]:
    """Return the signs of samples, by the names of their columns in the log (``MEANING``).

    uint8 pictures [N, C, H, W] or points [N, 2], as the reference has them; SAMPLES of them are enough.
    ``before``: what the same latents gave at the last measurement, for "watch/movement"; ``labels``: the
    classes [N] that were asked for. Columns of single classes are "class/…" (``class_signs``).
    """
    fakes = torch.as_tensor(fakes)
    images = real.kind == "images"
    rows = pixels.thumbnails(fakes, _THUMB) if images else fakes.float()
    fine = pixels.thumbnails(fakes, _PORTRAIT) if images else rows
    found = _variety(rows, real) | _against_training(fine, real)
    if images:
        found |= _look(fakes, real)
    if before is not None:
        then = torch.as_tensor(before)
        then = pixels.thumbnails(then, _THUMB) if images else then.float()
        found["movement"] = float((rows - then).norm(dim=1).mean()) / _unit(real)
    found["real_diversity"] = real.spread
    columns = {f"watch/{name}": value for name, value in found.items()}
    if real.told is not None:
        columns |= class_signs(real.told, _portraits(fakes), labels)
    return {name: round(value, 6) for name, value in columns.items()}


def _variety(rows: Tensor, real: Reference) -> dict[str, float]:
    """Return how the samples are spread, beside the reals."""
    count = min(len(rows), len(real.rows))
    gaps = spacing(rows[:count])
    usual = torch.cat([spacing(part) for part in real.rows.split(count) if len(part) == count])
    least = _FLAT if real.kind == "images" else _TINY
    alike = max(float(usual.quantile(_ALIKE)), least)
    twins = float((gaps < alike).double().mean() - (usual < alike).double().mean())
    twins = {"look_alikes": max(0.0, twins)} if len(usual) >= _ENOUGH else {}
    shares = _shares(rows, real.centres, real.cluster)
    missed = shares < _HARDLY * real.shares
    ours = quantiles(rows - real.middle, real.axes)
    theirs = quantiles(real.rows - real.middle, real.axes)
    return {
        "diversity": _spread(rows) / _unit(real),
        "spacing": float(gaps.median()) / max(float(usual.median()), least),
        "missing": float(real.shares[missed].sum()),
        "distance": float((ours - theirs).abs().mean()),
    } | twins


def _against_training(fine: Tensor, real: Reference) -> dict[str, float]:
    """Return how near the samples are to what was trained on."""
    if len(real.fine) < 3:
        return {}
    first, second = nearest_two(fine, real.fine)
    found = {"nearest": float(first.median()) / real.apart}
    if real.kind == "points":
        found["stray"] = float((first > _FAR * real.reach).double().mean())
        return found | _on_modes(fine, real)
    lone = (first / second.clamp(min=_TINY)) < real.lone
    return found | {"copies": float(lone.double().mean())}


def _on_modes(points: Tensor, real: Reference) -> dict[str, float]:
    """Return how many of the points lie on a mode, and on how many modes."""
    if real.modes is None:
        return {}
    centres, deviation = real.modes
    found = point_modes(points, centres, deviation)
    return {
        "on_modes": found.high_quality,
        "modes": float(found.found),
        "modes_of": float(found.total),
    }


def _look(fakes: Tensor, real: Reference) -> dict[str, float]:
    """Return how the samples look as pictures, beside the reals."""
    ours, theirs = pixels.levels(fakes), real.levels
    assert theirs is not None
    found = {
        "brightness": ours.mean - theirs.mean,
        "range": (ours.high - ours.low) / max(theirs.high - theirs.low, 1 / 255),
        "contrast": ours.contrast / max(theirs.contrast, _FLAT),
        "dark": ours.dark / max(theirs.dark, 0.01),
        "light": (1 - ours.dark) / max(1 - theirs.dark, 0.01),
        "clipped": max(0.0, ours.clipped - theirs.clipped),
        "detail": ours.detail / max(theirs.detail, 1e-3),
        "checkerboard": pixels.checkerboard(fakes) / max(real.grid, 1.0),
    }
    if theirs.saturation > 0:
        found["saturation"] = ours.saturation / max(theirs.saturation, _FLAT)
    if real.colours is not None:
        found["channels"] = pixels.exchanged(pixels.colours(fakes), real.colours)
    return found


def _to_nearest(
    fine: Tensor, held_out: Tensor | np.ndarray | None, images: bool
) -> tuple[Tensor, Tensor]:
    """Return the distances of reals that stand for new ones to the two nearest training reals."""
    if held_out is not None and len(held_out) >= 50 and len(fine) >= 2:
        new = torch.as_tensor(held_out)[:REALS]
        new = pixels.thumbnails(new, _PORTRAIT) if images else new.float()
        return nearest_two(new, fine)
    if len(fine) < 3:
        return torch.zeros(1), torch.ones(1)
    return nearest_two(fine, fine, same=True)


def _clusters(rows: Tensor, images: bool) -> tuple[Tensor, Tensor]:
    """Return rows [K, D] and the cluster of each [K]: clear modes of points, or else k-means."""
    if not images and (numbers := modes(rows)) is not None:
        return rows, numbers
    count = max(1, min(_CLUSTERS, len(rows) // _IN_CLUSTER))
    centres = k_means(rows, count, iterations=20)
    return centres, torch.arange(len(centres))


def _modes(rows: Tensor, centres: Tensor, cluster: Tensor) -> tuple[Tensor, float] | None:
    """Return the centres [K, D] of clear modes and the deviation within them, or None without modes."""
    if len(centres) != len(rows):
        return None
    members = [rows[cluster == mode] for mode in cluster.unique()]
    means = torch.stack([member.mean(0) for member in members])
    offsets = [member - mean for member, mean in zip(members, means, strict=True)]
    # The median of the squared distance from a Gaussian's centre in the plane is 2 ln 2 deviations': rows
    # between the modes, which belong to one too, do not count.
    square = float(torch.cat(offsets).square().sum(1).median()) / (2 * math.log(2))
    return means, max(square**0.5, _TINY)


def _portraits(images: Tensor) -> Tensor:
    """Return pictures as the rows that classes are told by."""
    return pixels.thumbnails(images, _PORTRAIT)


def _told(train: Tensor, labels: Tensor | np.ndarray) -> Told | None:
    """Return what tells the classes of reals apart; None where they have one class or too many."""
    return told_apart(_portraits(train), torch.as_tensor(labels)[: len(train)])


def _shares(rows: Tensor, centres: Tensor, cluster: Tensor) -> Tensor:
    """Return the share of rows in each cluster."""
    member = cluster[distances(rows, centres).argmin(1)]
    return torch.bincount(member, minlength=int(cluster.max()) + 1) / len(rows)


def _unit(real: Reference) -> float:
    """Return what spreads and movements are measured in: the reals' spread, or the least there can be."""
    return max(real.spread, _FLAT if real.kind == "images" else _TINY)


def _spread(rows: Tensor) -> float:
    return float((rows - rows.mean(0)).square().sum(1).mean().sqrt())


def _axes(rows: Tensor, images: bool) -> Tensor:
    """Return directions [D, A]: random ones, for pictures among their whitened principal components."""
    centred = rows - rows.mean(0)
    if images:
        _, sizes, components = torch.linalg.svd(centred.double(), full_matrices=False)
        width = min(_WIDTH, len(sizes))
        deviations = sizes[:width].float() / len(rows) ** 0.5
        whiten = components[:width].float().T / deviations.clamp(min=_FLAT)  # [D, W]
        return whiten @ directions(width, _AXES)
    axes = directions(rows.shape[1], _AXES)
    return axes / (centred @ axes).std(0).clamp(min=_TINY)
