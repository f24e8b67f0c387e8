"""The 18 transforms of adaptive discriminator augmentation (Karras et al. 2020), each with a probability.

With p below about .8 the plain picture stays the likeliest, so that a generator can only look right after
augmentation by being right before it. Order, ranges and draws are those of the authors' code.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from figment.augment import colour, geometry, wavelets
from figment.randomness_per_image import gated, normal, uniform


@dataclass(frozen=True)
class Strengths:
    """What p is multiplied by for each transform: 0 leaves it out, 1 is the authors' choice."""

    xflip: float = 0
    """A flip from left to right, of half of those drawn."""
    rotate90: float = 0
    """A turn by 0, 90, 180 or 270 degrees."""
    xint: float = 0
    """A shift by whole pixels, up to an eighth of each side either way."""
    scale: float = 0
    """Enlarged by 2^N(0, .2²)."""
    rotate: float = 0
    """Turns by U(-180°, 180°), before and after the stretch; p is the probability of either."""
    aniso: float = 0
    """Stretched by 2^N(0, .2²) along x and shrunk as much along y."""
    xfrac: float = 0
    """A shift by N(0, .125²) of each side."""
    brightness: float = 0
    """Plus N(0, .2²)."""
    contrast: float = 0
    """Times 2^N(0, .5²)."""
    lumaflip: float = 0
    """Light for dark, of half of those drawn; colours stay."""
    hue: float = 0
    """Colours turned around grey by U(-180°, 180°)."""
    saturation: float = 0
    """Colours times 2^N(0, 1)."""
    imgfilter: float = 0
    """Each of the four frequency bands times 2^N(0, 1), at the same power overall."""
    imgfilter_bands: tuple[float, float, float, float] = (1, 1, 1, 1)
    """What ``imgfilter`` is multiplied by for each band, from low to high."""
    noise: float = 0
    """Plus noise whose standard deviation is |N(0, .1²)|."""
    cutout: float = 0
    """A rectangle of half of each side set to 0, its centre anywhere."""


SHIFT = Strengths(xflip=1, xint=1)
"""Flips and shifts by whole pixels alone: a tenth of the time of the authors' default."""
BG = Strengths(xflip=1, rotate90=1, xint=1, scale=1, rotate=1, aniso=1, xfrac=1)
"""Pixel blitting and general geometric transforms."""
BGC = replace(BG, brightness=1, contrast=1, lumaflip=1, hue=1, saturation=1)
"""And colour: the authors' default."""
BGCF = replace(BGC, imgfilter=1)
"""And filters in the image's frequencies."""
BGCFN = replace(BGCF, noise=1)
"""And noise."""
BGCFNC = replace(BGCFN, cutout=1)
"""And cutout: all 18."""
R3GAN = replace(BG, brightness=0.5, contrast=0.5, lumaflip=0.5, hue=0.5, saturation=0.5, cutout=1)
"""What R3GAN takes, at a fixed p (Huang et al. 2024)."""

PRESETS = {
    "shift": SHIFT,
    "bg": BG,
    "bgc": BGC,
    "bgcf": BGCF,
    "bgcfn": BGCFN,
    "bgcfnc": BGCFNC,
    "r3gan": R3GAN,
}


def ada(images: Tensor, p: Tensor | float, strengths: Strengths = BGC) -> Tensor:
    """Return images [N, C, H, W], each transform applied with probability ``p`` times its strength.

    Every image draws its own, reals and fakes are passed apart. ``p`` in [0, 1] is a number or a scalar
    tensor, which is not waited for. Images of which nothing was drawn come back bit for bit, so p = 0 is
    the identity. Computed in float32 at least, returned in the dtype that came in. Karras et al. 2020,
    appendix B. Raises UserError where colours are asked for and C is neither 1 nor 3.
    """
    seen = images.to(torch.promote_types(images.dtype, torch.float32))
    chance = torch.as_tensor(p, dtype=seen.dtype, device=seen.device)
    with torch.autocast(images.device.type, enabled=False):
        for transform in (_move, _recolour, _filter, _add_noise, _cut_out):
            seen = transform(seen, chance, strengths)
    return seen.to(images.dtype)


def _move(images: Tensor, chance: Tensor, s: Strengths) -> Tensor:
    """Blitting and geometry, as one map where there is geometry, exactly where there is not."""
    n = len(images)
    plain = torch.eye(3, device=images.device, dtype=images.dtype)
    blits = _blits(images, chance, s, plain.expand(n, 3, 3))
    moves = _moves(images, chance, s, plain.expand(n, 3, 3))
    seen = geometry.blit(images, blits) if s.xflip or s.rotate90 or s.xint else images
    between = (moves != plain).flatten(1).any(1).nonzero()[:, 0]  # rows to interpolate
    if not len(between):
        return seen
    moved = geometry.resample(images[between], (blits @ moves)[between])
    return seen.index_copy(0, between, moved)


def _blits(images: Tensor, chance: Tensor, s: Strengths, back: Tensor) -> Tensor:
    """Maps [N, 3, 3] of pixels on pixels, behind ``back``."""
    n, _, h, w = images.shape
    if s.xflip:
        flip = gated((uniform(n, like=images) * 2).floor(), 0, s.xflip * chance)
        back = back @ geometry.scaling(1 - 2 * flip, torch.ones_like(flip))
    if s.rotate90:
        turns = gated((uniform(n, like=images) * 4).floor(), 0, s.rotate90 * chance)
        back = back @ geometry.rotation(turns * (math.pi / 2)).round()
    if s.xint:
        shift = gated((uniform(n, 2, like=images) * 2 - 1) / 8, 0, s.xint * chance)
        back = back @ geometry.translation(-(shift[:, 0] * w).round(), -(shift[:, 1] * h).round())
    return back


def _moves(images: Tensor, chance: Tensor, s: Strengths, back: Tensor) -> Tensor:
    """Maps [N, 3, 3] of the plane, behind ``back``; where nothing was drawn it is kept bit for bit."""
    n, _, h, w = images.shape
    turn_chance = 1 - (1 - s.rotate * chance).clamp(0, 1).sqrt()  # either of two turns: p

    def turn(back: Tensor) -> Tensor:
        if not s.rotate:
            return back
        angle = (uniform(n, like=images) * 2 - 1) * math.pi
        return back @ geometry.rotation(gated(angle, 0, turn_chance))

    if s.scale:
        factor = gated((normal(n, like=images) * 0.2).exp2(), 1, s.scale * chance)
        back = back @ geometry.scaling(1 / factor, 1 / factor)
    back = turn(back)
    if s.aniso:
        factor = gated((normal(n, like=images) * 0.2).exp2(), 1, s.aniso * chance)
        back = back @ geometry.scaling(1 / factor, factor)
    back = turn(back)
    if s.xfrac:
        shift = gated(normal(n, 2, like=images) / 8, 0, s.xfrac * chance)
        back = back @ geometry.translation(-shift[:, 0] * w, -shift[:, 1] * h)
    return back


def _recolour(images: Tensor, chance: Tensor, s: Strengths) -> Tensor:
    n, coloured = len(images), images.shape[1] > 1
    maps = colour.identity(n, images)
    if s.brightness:
        by = gated(normal(n, like=images) * 0.2, 0, s.brightness * chance)
        maps = colour.brighten(by) @ maps
    if s.contrast:
        factor = gated((normal(n, like=images) * 0.5).exp2(), 1, s.contrast * chance)
        maps = colour.stretch(factor) @ maps
    if s.lumaflip:
        flip = gated((uniform(n, like=images) * 2).floor(), 0, s.lumaflip * chance)
        maps = colour.flip_luma(flip) @ maps
    if s.hue and coloured:
        angle = gated((uniform(n, like=images) * 2 - 1) * math.pi, 0, s.hue * chance)
        maps = colour.turn_hue(angle) @ maps
    if s.saturation and coloured:
        factor = gated(normal(n, like=images).exp2(), 1, s.saturation * chance)
        maps = colour.saturate(factor) @ maps
    on = s.brightness or s.contrast or s.lumaflip or s.hue or s.saturation
    return colour.recolour(images, maps) if on else images


def _filter(images: Tensor, chance: Tensor, s: Strengths) -> Tensor:
    if not s.imgfilter:
        return images
    n, _, h, w = images.shape
    chances = [s.imgfilter * strength * chance for strength in s.imgfilter_bands]
    gains = torch.stack([gated(normal(n, like=images).exp2(), 1, each) for each in chances], 1)
    alone = torch.eye(4, device=images.device, dtype=torch.bool)
    each = torch.where(alone, gains[:, :, None], 1)  # [N, 4 drawn, 4 bands]
    power = images.new_tensor([10, 1, 1, 1]) / 13  # of natural pictures: 1 / frequency
    each = each / (power * each.square()).sum(2, keepdim=True).sqrt()
    taps = each.prod(1) @ wavelets.bands(images)  # [N, 43]
    rows, columns = wavelets.filtering(taps, h)[:, None], wavelets.filtering(taps, w)[:, None]
    drawn = (gains != 1).any(1).view(n, 1, 1, 1)
    return torch.where(drawn, rows @ images @ columns.mT, images)


def _add_noise(images: Tensor, chance: Tensor, s: Strengths) -> Tensor:
    if not s.noise:
        return images
    spread = gated(normal(len(images), 1, 1, 1, like=images).abs() * 0.1, 0, s.noise * chance)
    return images + spread * normal(*images.shape, like=images)


def _cut_out(images: Tensor, chance: Tensor, s: Strengths) -> Tensor:
    if not s.cutout:
        return images
    n, _, h, w = images.shape
    size = gated(images.new_full((n, 1), 0.5), 0, s.cutout * chance)
    centre = uniform(n, 2, like=images)
    columns = _inside(centre[:, :1], size, w)
    rows = _inside(centre[:, 1:], size, h)
    return images * ~(rows[:, None, :, None] & columns[:, None, None, :])


def _inside(centre: Tensor, size: Tensor, side: int) -> Tensor:
    """Which places along a side are less than half of ``size`` (a share) from the ``centre``: [N, side]."""
    places = (torch.arange(side, device=centre.device, dtype=centre.dtype) + 0.5) / side
    return (places - centre).abs() < size / 2
