"""``figment walk``: through latent space from picture to picture, as a film."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from figment.errors import UserError
from figment.sampling.film import check_film, save_film
from figment.sampling.generator import Generator, check_seeds, check_truncation
from figment.sampling.pictures import to_image
from figment.sampling.styles import layers_of, mixed, of_seeds, pictures_of, styles_of

LARGEST_FILM = 1 << 30
"""Bytes of a film's frames, of which several copies are in memory."""
STILL = 1e-2
"""Turn of a whole walk, in radians, that is none: rounding."""
SMALLEST = 256
"""Pixels a side that a film has at least: smaller pictures are enlarged by a whole factor."""


Stops = tuple[Tensor, Tensor | None]
"""Latents [S, L] of a walk's stops, and their classes as weights [S, K], or None."""


def walk(
    generator: Generator,
    out: Path,
    *,
    seeds: Sequence[int] = (1, 2, 3),
    classes: Sequence[str] = (),
    frames: int = 120,
    loop: bool = True,
    truncation: float | None = None,
    fps: int = 24,
    mix: int | None = None,
    mix_layers: Sequence[int] = (),
    between: Stops | None = None,
) -> str:
    """Write the film of a walk past the seeds' pictures; return a sentence that says where.

    With as many ``classes`` as seeds each stop has its own; one class stays all the way; one seed walks
    through the classes at a fixed latent. Without classes every stop has its seed's. ``between`` gives
    other stops in their place. With ``mix`` some layers keep that seed's style all the way
    (``figment.sampling.styles.layers_of``). Raises UserError.
    """
    if generator.recipe.kind == "points":
        raise UserError("points have no pictures to walk through: give a run of pictures")
    check_film(out)
    if frames < 2:
        raise UserError(f"a walk needs 2 frames or more, not {frames}")
    most = LARGEST_FILM // (3 * max(SMALLEST, generator.recipe.resolution) ** 2)
    if frames > most:
        raise UserError(f"a walk of this size has at most {most:,} frames, not {frames:,}")
    check_truncation(truncation)
    latents, labels = between or stops(generator, seeds, classes, truncation)
    places = along(latents, frames, loop=loop, labels=labels)
    if mix is None:
        if mix_layers:
            raise UserError("--mix-layers are those that take another style: add --mix SEED")
        pictures = generator.draw(*places, truncation=truncation)
    else:
        layers = layers_of(generator, mix_layers)
        way = styles_of(generator, *places, truncation)
        kept = of_seeds(generator, [mix], truncation=truncation)
        pictures = pictures_of(generator, mixed(way, kept, layers))
    save_film([enlarged(to_image(each)) for each in pictures.numpy()], out, fps=fps, loop=loop)
    if between:
        return f"{out}: {frames} frames past what is nearest to {len(latents)} pictures"
    through = f" through {', '.join(classes)}" if classes else ""
    return f"{out}: {frames} frames past seeds {', '.join(map(str, seeds))}{through}"


def stops(
    generator: Generator, seeds: Sequence[int], classes: Sequence[str], truncation: float | None
) -> Stops:
    """Return the stops of a walk past the pictures of seeds."""
    if min(seeds, default=-1) < 0:
        raise UserError("a walk needs one or more seeds, each 0 or more")
    check_seeds(seeds)
    count = max(len(seeds), len(classes))
    if count < 2:
        raise UserError("a walk needs two stops: name more --seeds, or more --classes")
    if len(seeds) not in (1, count) or len(classes) not in (0, 1, count):
        raise UserError(
            f"{len(seeds)} seeds and {len(classes)} classes do not pair: give one of either, or as many"
        )
    seeds = list(seeds) * (count // len(seeds))
    latents = generator.recipe.latents(seeds, truncation)
    names = list(classes) * (count // len(classes)) if classes else [None] * count
    numbers = [generator.numbered(name, seed) for name, seed in zip(names, seeds, strict=True)]
    if None in numbers:
        return latents, None
    return latents, torch.eye(generator.recipe.class_count())[numbers]


def along(
    latents: Tensor, frames: int, *, loop: bool, labels: Tensor | None = None
) -> tuple[Tensor, Tensor | None]:
    """Return latents [F, L] on the way past the stops [S, L], and class weights [F, K] if there are any.

    The direction turns at an even speed from stop to stop (``slerp``), classes mix evenly; where a leg
    does not turn, its class changes at the speed of a quarter turn. A loop comes back to the first stop,
    which it shows once.
    """
    ends = torch.cat([latents, latents[:1]]) if loop else latents
    marks = None if labels is None else torch.cat([labels, labels[:1]]) if loop else labels
    angles = angle(ends[:-1], ends[1:])
    if marks is not None:
        changes = (marks[1:] - marks[:-1]).abs().amax(1) * torch.pi / 2
        angles = torch.maximum(angles, changes)
    ways = torch.cat([angles.new_zeros(1), angles.cumsum(0)])
    if ways[-1] <= STILL:
        raise UserError("all stops of this walk are the same: name others")
    at = torch.linspace(0, float(ways[-1]), frames + loop)[:frames]
    leg = (torch.searchsorted(ways, at, right=True) - 1).clamp(0, len(angles) - 1)
    t = ((at - ways[leg]) / angles[leg].clamp(min=1e-12))[:, None]
    mixed = None if marks is None else torch.lerp(marks[leg], marks[leg + 1], t)
    return slerp(ends[leg], ends[leg + 1], t), mixed


def slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Return the points a share ``t`` [N, 1] of the way from ``a`` to ``b`` [N, L], over the sphere.

    Directions turn along the great circle (Shoemake 1985, eq. 2), lengths change evenly, so that all
    points are as far from the origin as the ends: where the generator has learned (White 2016).
    """
    lengths = torch.lerp(a.norm(dim=1, keepdim=True), b.norm(dim=1, keepdim=True), t)
    ends = (x / x.norm(dim=1, keepdim=True).clamp(min=1e-12) for x in (a, b))
    start, end = ends
    omega = angle(a, b)[:, None]
    small = omega < 1e-4  # a straight line, to rounding
    sine = torch.where(small, 1.0, omega.sin())
    from_a = torch.where(small, 1 - t, ((1 - t) * omega).sin() / sine)
    from_b = torch.where(small, t, (t * omega).sin() / sine)
    return (from_a * start + from_b * end) * lengths


def angle(a: Tensor, b: Tensor) -> Tensor:
    """Return the angle between rows of ``a`` and ``b`` [N, L]: [N], from 0 to a little under π."""
    cosine = torch.nn.functional.cosine_similarity(a, b, dim=1)
    return cosine.clamp(-1 + 1e-6, 1).acos()


def enlarged(image: Image.Image) -> Image.Image:
    """Return a picture that can be seen: its sides times a whole number, ``SMALLEST`` or more."""
    factor = -(-SMALLEST // image.width)
    size = (image.width * factor, image.height * factor)
    return image.resize(size, Image.Resampling.BICUBIC) if factor > 1 else image
