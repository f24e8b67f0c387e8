"""``figment project``: the latent whose picture comes nearest to a given one."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from collections.abc import Generator as Generating
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment.errors import UserError
from figment.pixels import to_uint8
from figment.progress import progress_bar
from figment.randomness import seed_of
from figment.sampling.generator import Generator

if TYPE_CHECKING:
    from figment.metrics.features import Extractor

Perceive = Callable[[Tensor], Tensor]
"""Pictures [N, C, R, R] in [-1, 1] -> features [N, D], differentiable."""

STEPS, STARTS = 300, 4
"""Steps downhill from every start, and starts, unless they are said."""
CANDIDATES = 1_024
"""Latents that are looked at first; the best of them are the starts."""
COMPARED = 64
"""Samples by which a distance is measured where nothing is searched for."""
PIXELS = 0.5
"""Weight of pixels beside features, both over what two random samples differ by."""
FITTING_STEPS = 30
"""Most steps of the fitting to pixels, each of at most FITTING_TRIES, ever shorter, until one gains."""
FITTING_TRIES = 6
FITTING_SIDE = 128
"""Pixels a side that a picture is fitted by: how each moves with each number of the latent is held."""
FITTED = 1e-3
"""Share of the squared distance below which a step gains too little to go on."""
AT_ONCE = 16
"""Ways that are followed at once: what the features' network keeps for a step back is 17 MB of each."""
FOUND = 2e-3
"""Loss of a picture that is found: a feature distance of 4 %, about what rounding to bytes does."""


@dataclass(frozen=True)
class Projection:
    """What was found for one picture."""

    latent: Tensor
    """[L]"""
    label: int | None
    """The class it was found in."""
    picture: Tensor
    """[C, R, R] uint8."""
    distance: float
    """Feature distance to the given picture, over the mean distance of two random samples."""
    start: float
    """The same of the best candidate, before any step."""
    losses: list[float]
    """The least loss of all ways, step by step; empty where an encoder said the latent."""


def code_of(generator: Generator, target: Tensor) -> Tensor | None:
    """Return the latent [1, L] that the system itself finds for a picture [C, R, R], None if it cannot."""
    device = next(generator.net.parameters()).device
    with torch.no_grad():
        return generator.recipe.encode(generator.net, target[None].to(device))


def refuse_found(generator: Generator, target: Tensor) -> None:
    """Refuse to be told how to search where the system finds the latent itself. Raises UserError."""
    if code_of(generator, target) is not None:
        raise UserError(
            "this system finds the latent of a picture itself, without a search: leave steps, starts and "
            "seed out"
        )


@dataclass(frozen=True)
class Survey:
    """A picture that is looked for, and the candidates that were looked at first."""

    target: Tensor
    """[1, C, R, R]"""
    goal: Tensor
    """Its features [1, D]."""
    latents: Tensor
    """The candidates' [N, L]."""
    labels: Tensor | None
    """Their classes [N]."""
    apart: Tensor
    """Mean distance of two of them in features."""
    pixels_apart: Tensor
    """Their mean squared difference in pixels."""
    losses: Tensor
    """[N]"""
    distances: Tensor
    """[N]"""

    def loss(self, fakes: Tensor, features: Tensor) -> Tensor:
        """Distance of each fake from the target: [N], about 1 + ``PIXELS`` for a random one."""
        return self.weighed((fakes - self.target).square().mean((1, 2, 3)), features)

    def weighed(self, pixels: Tensor, features: Tensor) -> Tensor:
        """Return the loss [N] of fakes that lie so far from the target in ``pixels`` [N], squared."""
        away = (features - self.goal).square().sum(1) / self.apart.square()
        return away + PIXELS * pixels / self.pixels_apart

    def distance(self, features: Tensor) -> Tensor:
        """Return the distance [N] of fakes' features, over that of two random samples."""
        return (features - self.goal).norm(dim=1) / self.apart


def project(
    generator: Generator,
    target: Tensor,
    perceive: Perceive,
    *,
    steps: int = STEPS,
    starts: int = STARTS,
    lr: float = 0.1,
    seed: int = 0,
    label: int | None = None,
    candidates: int | None = None,
    progress: bool = False,
) -> Projection:
    """Return the latent found for a picture ``target`` [C, R, R] in [-1, 1].

    Where the system has an encoder, or another way back, the latent is what that says. Elsewhere, of
    ``candidates`` random latents (``CANDIDATES`` if it is not said), of every class unless ``label`` gives
    it, the ``starts`` nearest are fitted to the pixels (``fitted``), which finds a picture that the
    generator can make to the last bit. From there all are followed downhill by Adam, whose rate falls to
    0, and the nearest end is taken.
    The loss is the squared distance of features plus that of pixels, each over its mean for two random
    samples; a latent is kept from growing longer than the longest of them. Like Karras et al. 2020
    (StyleGAN2), appendix D, but in z and from several starts, since small generators have no w and many
    valleys.
    """
    code = code_of(generator, target)
    candidates = candidates or CANDIDATES
    check(steps, starts, seed, candidates)
    candidates = candidates if code is None else COMPARED
    how: dict[str, Any] = {"candidates": candidates, "seed": seed, "label": label}
    around = survey(generator, target, perceive, **how, progress=progress)
    if code is not None:
        return _decoded(generator, code, perceive, around)
    net, recipe = generator.net, generator.recipe
    best = around.losses.topk(starts, largest=False).indices
    of = None if around.labels is None else around.labels[best]

    def look(z: Tensor, part: slice) -> tuple[Tensor, Tensor]:
        fakes = recipe.generate(net, z, None if of is None else of[part]).float()
        return fakes, around.loss(fakes, perceive(fakes))

    longest = float(around.latents.norm(dim=1).max())
    near = _fit(generator, around.target, around.latents[best], of, longest, progress=progress)
    with frozen(net):
        z, losses = _descend(look, near, longest, steps=steps, lr=lr, progress=progress)
    with torch.no_grad():
        one = int(torch.cat([look(z[part], part)[1] for part in parts(len(z))]).argmin())
        fakes, _ = look(z[one, None], slice(one, one + 1))
        distance = around.distance(perceive(fakes)).item()
    return Projection(
        z[one].cpu(),
        None if of is None else int(of[one]),
        to_uint8(fakes[0]).cpu(),
        distance,
        float(around.distances[best[0]]),
        losses,
    )


@torch.no_grad()
def _decoded(generator: Generator, code: Tensor, perceive: Perceive, around: Survey) -> Projection:
    """Return the projection at a latent [1, L] that the system itself has found."""
    picture = generator.recipe.generate(generator.net, code, None).float()
    distance = around.distance(perceive(picture)).item()
    return Projection(code[0].cpu(), None, to_uint8(picture[0]).cpu(), distance, distance, [])


def check(steps: int, starts: int, seed: int, candidates: int) -> None:
    """Refuse numbers that make no search. Raises UserError."""
    for name, value, least, most in (
        ("steps", steps, 1, 100_000),
        ("starts", starts, 1, candidates),
        ("seed", seed, 0, 1 << 62),
    ):
        if not least <= value <= most:
            raise UserError(f"{name} must be {least} or more and at most {most:,}, not {value}")


def _fit(
    generator: Generator,
    target: Tensor,
    starts: Tensor,
    labels: Tensor | None,
    longest: float,
    *,
    progress: bool,
) -> Tensor:
    """Return latents [S, L], each fitted to the target's pixels from its own start."""
    recipe, net = generator.recipe, generator.net
    found = []
    with progress_bar(unit=" looks", shown=progress, leave=False) as bar:
        for number in range(len(starts)):
            bar.set_description(f"fitting start {number + 1} of {len(starts)}")
            label = None if labels is None else labels[number]

            def draw(z: Tensor, label: Tensor | None = label) -> Tensor:
                bar.update()  # a start of a large generator takes minutes
                return recipe.generate(net, z, None if label is None else label.expand(len(z)))

            found.append(fitted(draw, target, starts[number, None], longest))
    return torch.cat(found)


@torch.no_grad()
def fitted(
    draw: Callable[[Tensor], Tensor], target: Tensor, start: Tensor, longest: float
) -> Tensor:
    """Return the latent [1, L] to which Levenberg and Marquardt's way leads from ``start``.

    It makes the squared distance of ``draw``'s picture [1, C, R, R] from the target's least: Gauss-Newton
    steps, damped until they lead downhill (Marquardt 1963). A picture is a smooth function of few numbers,
    so a valley that Adam creeps along for hundreds of steps takes a dozen. No latent is longer than
    ``longest``. Large pictures are shrunk to FITTING_SIDE: that tells so few numbers apart as well.
    """
    many = max(1, target.shape[-1] // FITTING_SIDE)

    def look(z: Tensor) -> Tensor:
        return F.avg_pool2d(draw(z).float(), many)

    target = F.avg_pool2d(target, many)
    z, damping = start, 1e-2
    rest = (look(z) - target).flatten()
    for _ in range(FITTING_STEPS):
        slopes = _slopes(look, z)
        # A small system: on the CPU, since not every device has float64.
        normal, pull = ((slopes @ other).cpu().double() for other in (slopes.T, rest))
        unit = torch.eye(len(normal)).double() * normal.diagonal().mean().clamp(min=1e-12)
        before = float(rest.square().sum())
        for _ in range(FITTING_TRIES):
            step = torch.linalg.solve(normal + damping * unit, pull)
            tried = _within(z - step.to(z), longest)
            left = (look(tried) - target).flatten()
            if float(left.square().sum()) < before:
                break
            damping *= 5
        else:
            return z
        z, rest, damping = tried, left, max(damping / 5, 1e-7)
        if float(rest.square().sum()) > (1 - FITTED) * before:
            return z
    return z


def _slopes(draw: Callable[[Tensor], Tensor], z: Tensor) -> Tensor:
    """Return how the picture changes with each number of the latent [1, L]: [L, C * R * R]."""
    numbers = torch.eye(z.shape[1], device=z.device, dtype=z.dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch's, of what it loads for this
        parts = [
            torch.func.jvp(draw, (z.expand(len(some), -1).contiguous(),), (some,))[1]
            for some in numbers.split(32)
        ]
    return torch.cat(parts).float().flatten(1)


def _within(z: Tensor, longest: float) -> Tensor:
    """Return latents [N, L], those that are longer than ``longest`` cut to it."""
    return z * (longest / z.norm(dim=1, keepdim=True)).clamp(max=1)


def _descend(
    look: Callable[[Tensor, slice], tuple[Tensor, Tensor]],
    starts: Tensor,
    longest: float,
    *,
    steps: int,
    lr: float,
    progress: bool,
) -> tuple[Tensor, list[float]]:
    """Follow latents [S, L] downhill; return the best place of each way, and the least loss step by step.

    ``look`` says (pictures, losses) of latents that are a part of all. It ends early where a picture is
    found.
    """
    z = starts.clone().requires_grad_()
    best, least = starts.clone(), torch.full_like(starts[:, 0], math.inf)
    optimizer = torch.optim.Adam([z], lr=lr)
    losses = []
    for step in progress_bar(
        range(steps), unit=" steps", desc="projecting", shown=progress, leave=False
    ):
        optimizer.param_groups[0]["lr"] = lr * 0.5 * (1 + math.cos(math.pi * step / steps))
        optimizer.zero_grad()
        loss = torch.cat([_slope(look(z[part], part)[1]) for part in parts(len(z))])
        with torch.no_grad():
            nearer = loss < least
            best[nearer], least[nearer] = z[nearer], loss[nearer]
        losses.append(float(loss.min()))
        if losses[-1] < FOUND:
            break
        optimizer.step()
        with torch.no_grad():
            z.copy_(_within(z, longest))
    return best, losses


@contextmanager
def frozen(net: nn.Module) -> Generating[None]:
    """Let no weight gather gradients inside."""
    learning = [weight for weight in net.parameters() if weight.requires_grad]
    for weight in learning:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in learning:
            weight.requires_grad_(True)


def _slope(loss: Tensor) -> Tensor:
    """Return losses [N] without what led to them, once what that was has its gradient."""
    loss.sum().backward()
    return loss.detach()


def perceiver(extractor: Extractor) -> Perceive:
    """Return what makes features of pictures in [-1, 1] such that gradients flow back to their pixels."""

    def perceive(images: Tensor) -> Tensor:
        resized = extractor.resize((images + 1) * 127.5).expand(-1, 3, -1, -1)
        return extractor.network(resized)[0].float()

    return perceive


@torch.no_grad()
def survey(
    generator: Generator,
    target: Tensor,
    perceive: Perceive,
    *,
    candidates: int,
    seed: int,
    label: int | None,
    progress: bool,
) -> Survey:
    """Return what random latents, of every class unless ``label`` gives it, say of ``target`` [C, R, R].

    Raises UserError where they all draw the same.
    """
    recipe, device = generator.recipe, next(generator.net.parameters()).device
    target = target[None].to(device)
    labels = recipe.labels_for(range(candidates), device)
    if labels is not None and label is not None:
        labels = torch.full_like(labels, label)
    seeds = [seed_of("project", seed, number) for number in range(candidates)]
    latents = recipe.latents(seeds).to(device)
    seen, near, gaps = [], [], []
    some = list(parts(len(latents), 64))
    for part in progress_bar(
        some, unit=" batches", desc="looking around", shown=progress, leave=False
    ):
        of = None if labels is None else labels[part]
        fakes = recipe.generate(generator.net, latents[part], of).float()
        seen.append(perceive(fakes))
        near.append((fakes - target).square().mean((1, 2, 3)))
        pairs = len(fakes) // 2 * 2  # parts are even, so that nobody's neighbour lies in the next
        gaps.append((fakes[:pairs:2] - fakes[1:pairs:2]).square().mean((1, 2, 3)))
    features, pixels_apart = torch.cat(seen), torch.cat(gaps).mean()
    even = torch.arange(0, len(latents) - 1, 2)
    apart = (features[even] - features[even + 1]).norm(dim=1).mean()
    if not (apart > 0 and pixels_apart > 0):
        raise UserError(
            "all samples of this generator are alike, so there is nothing to look for: `figment doctor` "
            "says what has become of it"
        )
    none = features.new_empty(0)
    found = Survey(target, perceive(target), latents, labels, apart, pixels_apart, none, none)
    losses = found.weighed(torch.cat(near), features)
    return replace(found, losses=losses, distances=found.distance(features))


def parts(count: int, size: int = AT_ONCE) -> Iterator[slice]:
    """Yield the stretches of so many rows that are worked on at once."""
    for start in range(0, count, size):
        yield slice(start, min(count, start + size))
