"""Copies of training pictures: found as pictures, and suspected by features."""

from __future__ import annotations

import numpy as np
import torch

from figment.data import evenly_spaced
from figment.data.repeats import portraits, repeated
from figment.judging.figure import Copy, Figure
from figment.judging.sides import Side
from figment.metrics import memorisation
from figment.metrics.copies import Gallery, threshold
from figment.metrics.intervals import Interval, proportion, share_below

ENOUGH = 200
"""Held-out pictures that are a yardstick; with fewer each training picture is compared with the others."""
YARDSTICK = 500
"""Real pictures, at most, by which it is judged how alike two different pictures are."""
NEIGHBOURS = 10
"""Training pictures whose distances make a nearest ratio."""


def copies(samples: Side, reals: Side, held_out: Side | None, sure: bool) -> list[Figure]:
    """Return the share of copies among samples, and three tests that suspect them by features."""
    figures = [_copied(samples, reals, held_out, sure)] if samples.images.ndim == 4 else []
    known = reals.distinct
    unseen = _unseen(held_out, reals)
    figures.append(_authenticity(samples, known, unseen, sure))
    if len(known) <= NEIGHBOURS:
        return figures
    figures.append(_nearest_ratio(samples, known, unseen, sure))
    if unseen is None or len(unseen) < 50 or len(samples) <= memorisation.LEAST:
        return figures
    c_t = memorisation.data_copying(samples.features, known.features, unseen.features)
    return [*figures, Figure("c_t", c_t.value, better="floor", floor=0.0)]


def _copied(samples: Side, reals: Side, held_out: Side | None, sure: bool) -> Figure:
    """Return the share of samples that repeat a training picture, with all of these.

    Its parameter is the share with these training pictures and this threshold. The floor is the same share
    of real pictures that are no copies.
    """
    gallery = Gallery(reals.images, reals.rows)
    usual = yardstick(gallery, reals, held_out)
    limit = threshold(usual)
    likeness, places, mirrored = gallery.matches(samples.images[samples.rows])
    chosen = (likeness >= limit).nonzero()[:, 0]
    chosen = chosen[likeness[chosen].argsort(descending=True, stable=True)].tolist()
    found = tuple(
        Copy(one, int(places[one]), round(float(likeness[one]), 4), bool(mirrored[one]))
        for one in chosen
    )
    share = len(found) / len(samples)
    repeat = "repeats" if len(found) == 1 else "repeat"
    note = (
        f"{len(found):,} of {len(samples):,} samples {repeat} a training picture" if found else ""
    )
    interval = proportion(share, len(samples)) if sure else None
    floor = float((usual >= limit).double().mean()) if len(usual) else None
    return Figure("copied", share, interval, "lower", note, floor, found)


def yardstick(gallery: Gallery, reals: Side, held_out: Side | None) -> torch.Tensor:
    """Return how like its nearest training picture each of some other real pictures is [N].

    Held-out ones, or with too few training ones; what repeats a picture is not compared with that.
    """
    side = held_out if held_out is not None and len(held_out) >= ENOUGH else reals
    some = evenly_spaced(np.arange(len(side)), YARDSTICK)
    pictures = side.images[side.rows[some]]
    apart = repeated(portraits(pictures), portraits(reals.images, reals.rows))
    if side is reals:
        apart = [np.union1d(same, [own]) for same, own in zip(apart, some, strict=True)]
    likeness = gallery.matches(pictures, apart).likeness
    return likeness[likeness > -1]


def _unseen(held_out: Side | None, reals: Side) -> Side | None:
    """Return the held-out reals, each once, without those that repeat a picture trained on."""
    if held_out is None or not len(held_out):
        return None
    unseen = held_out.distinct
    if unseen.images.ndim == 4:
        seen = portraits(reals.images, reals.rows)
        known = repeated(portraits(unseen.images, unseen.rows), seen)
        unseen = unseen.of(torch.tensor([not len(same) for same in known]))
    return unseen if len(unseen) else None


def _authenticity(samples: Side, known: Side, unseen: Side | None, sure: bool) -> Figure:
    """Return AuthPct, beside that of held-out reals or of each training picture among the others."""
    value = memorisation.authenticity(samples.features, known.features)
    interval = None
    if sure:
        low, high = proportion(min(1.0, value / 100), len(samples))
        interval = Interval(100 * low, 100 * high)
    if unseen is not None and len(unseen) >= ENOUGH:
        floor = memorisation.authenticity(unseen.features, known.features)
    else:
        floor = memorisation.own_authenticity(known.features)
    return Figure("authenticity", value, interval, "floor", floor=floor)


def _nearest_ratio(samples: Side, known: Side, unseen: Side | None, sure: bool) -> Figure:
    """Return the share of samples suspiciously nearer to one training picture than to the next."""
    others = unseen.features if unseen is not None and len(unseen) >= ENOUGH else None
    k = min(NEIGHBOURS, len(known) - 1)
    found = memorisation.nearest_ratio(samples.features, known.features, others, k=k)
    interval = None
    if sure:
        interval = share_below(found.values, found.yardstick, memorisation.LEVELS[0])
    floor = memorisation.LEVELS[0]
    return Figure("nearest_ratio", found.suspicious, interval, "floor", floor=floor)
