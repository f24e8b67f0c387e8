"""``figment project`` for generators with styles: the style, or the style of every layer, of a picture.

Karras et al. 2020 (StyleGAN2), appendix D, finds one style (W); with a style of its own for every layer
(W+; Abdal et al. 2019, arXiv:1904.03189) nearly any picture is found, if less of what is learned is in it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from figment.errors import UserError
from figment.pixels import to_uint8
from figment.progress import progress_bar
from figment.randomness import seed_of
from figment.sampling.generator import Generator
from figment.sampling.project import CANDIDATES, Perceive, Projection, check, frozen, parts, survey
from figment.sampling.styles import styles_of

Space = Literal["z", "w", "w+"]
"""Where is looked: among latents, among styles, or among styles of every layer."""
WANDERING = 0.05
"""Noise on the styles at first, of their spread; none is left after three quarters of the steps."""
NOISE_WEIGHT = 1e5
"""Weight of what neighbouring pixels of the noise have in common."""
SMALLEST_NOISE = 8
"""Side of the smallest map in which that is looked for."""


@dataclass(frozen=True)
class StyleProjection(Projection):
    """What was found for one picture; ``latent`` is that of the sample that the way began at."""

    styles: Tensor
    """[layers, W]: of every layer; all are one in W."""
    space: Space
    noise: list[Tensor]
    """The noise of every layer [s, s], () where it stayed the generator's."""


def space_of(generator: Generator, word: str, noise: bool) -> Space:
    """Return where is looked: for "auto" among styles of every layer, if there are styles.

    Raises UserError where a generator has none.
    """
    styled = generator.recipe.styled
    if word == "auto":
        word = "w+" if styled else "z"
    if word != "z" and not styled:
        raise UserError(f"this generator has no styles, so no {word}: leave --space out")
    if noise and word == "z":
        raise UserError("--fit-noise is for generators with styles, with --space w or w+")
    return cast("Space", word)


def project_styles(
    generator: Generator,
    target: Tensor,
    perceive: Perceive,
    *,
    space: Space = "w+",
    noise: bool = False,
    steps: int = 300,
    starts: int = 4,
    lr: float = 0.1,
    seed: int = 0,
    label: int | None = None,
    candidates: int | None = None,
    progress: bool = False,
) -> StyleProjection:
    """Return the styles found for a picture ``target`` [C, R, R] in [-1, 1].

    Of ``candidates`` random styles the ``starts`` nearest are followed downhill by Adam, with a noise on
    them that fades, no further from the mean than samples are; in W+ layers go apart in the second half.
    With ``noise`` the best end goes on for a third of the steps, in which the noise of the layers is fitted
    too and kept white (``common``). The loss is that of ``figment.sampling.project``.
    """
    candidates = candidates or CANDIDATES
    check(steps, starts, seed, candidates)
    how: dict[str, Any] = {"candidates": candidates, "seed": seed, "label": label}
    around = survey(generator, target, perceive, **how, progress=progress)
    best = around.losses.topk(starts, largest=False).indices
    styles = styles_of(generator, around.latents, around.labels)
    net = _own_noise(generator.net) if noise else generator.net

    def look(w: Tensor) -> tuple[Tensor, Tensor]:
        fakes = net(w).float()
        return fakes, around.loss(fakes, perceive(fakes))

    total = steps + (steps // 3 if noise else 0)
    bar = progress_bar(total=total, unit=" steps", desc="projecting", shown=progress, leave=False)
    with frozen(net), bar:
        known = Known(styles[:, 0])
        search = Search(look, known, steps=steps, lr=lr, seed=seed, tick=bar.update)
        w = search.go(styles[best], apart=space == "w+")
        with torch.no_grad():
            one = int(torch.cat([look(w[part])[1] for part in parts(len(w))]).argmin())
        w, maps = w[one, None], [each.noise for each in _noisy(net)] if noise else []
        if noise:
            w = search.settle(w, maps, together=space == "w")
        with torch.no_grad():
            fakes, loss = look(w)
            distance = around.distance(perceive(fakes)).item()
    return StyleProjection(
        around.latents[best[one]].cpu(),
        None if around.labels is None else int(around.labels[best[one]]),
        to_uint8(fakes[0]).cpu(),
        distance,
        float(around.distances[best[0]]),
        [*search.losses, float(loss)],
        w[0].cpu(),
        space,
        [each.detach().cpu() for each in maps],
    )


class Known:
    """Where styles of samples lie: what is looked for lies no further out, in any layer."""

    def __init__(self, styles: Tensor) -> None:
        self.mean = styles.mean(0)
        lengths = (styles - self.mean).norm(dim=1)
        self.spread = float(lengths.square().mean().sqrt())
        self.longest = float(lengths.max())

    def within(self, w: Tensor) -> Tensor:
        """Return styles [..., W], those further from the mean than any sample's brought back to there."""
        away = w - self.mean
        return self.mean + away * (self.longest / away.norm(dim=-1, keepdim=True)).clamp(max=1)


class Search:
    """Adam on styles; ``look`` says (pictures, losses [S]) of styles [S, layers, W]."""

    def __init__(
        self,
        look: Callable[[Tensor], tuple[Tensor, Tensor]],
        known: Known,
        *,
        steps: int,
        lr: float,
        seed: int,
        tick: Callable[[], Any],
    ) -> None:
        self.look, self.known, self.steps, self.lr, self.tick = look, known, steps, lr, tick
        self.losses: list[float] = []
        """The least loss of all ways, step by step."""
        self.random = torch.Generator().manual_seed(seed_of("wandering", seed))

    def go(self, start: Tensor, *, apart: bool) -> Tensor:
        """Return the ends [S, layers, W] of the ways from ``start``, which has one style an image.

        ``apart``: in the second half each layer goes its own way.
        """
        layers, w = start.shape[1], start[:, :1].clone().requires_grad_()
        adam = torch.optim.Adam([w], lr=self.lr)
        for step in range(self.steps):
            if apart and w.shape[1] == 1 and 2 * step >= self.steps:
                w = w.detach().expand(-1, layers, -1).clone().requires_grad_()
                adam = torch.optim.Adam([w], lr=self.lr)
            done = step / self.steps
            adam.param_groups[0]["lr"] = self.lr * min(1.0, (1 - done) / 0.25)
            away = WANDERING * self.known.spread * max(0.0, 1 - done / 0.75) ** 2
            drift = away * torch.randn(w.shape, generator=self.random).to(w)
            self._step(adam, (w + drift).expand(-1, layers, -1))
            self._hold(w)
        return w.detach().expand(-1, layers, -1).clone()

    def settle(self, w: Tensor, noise: Sequence[Tensor], *, together: bool) -> Tensor:
        """Return the end [1, layers, W] of the way from ``w`` on which ``noise`` [s, s] is fitted too.

        ``together``: all layers keep one style.
        """
        layers = w.shape[1]
        w = (w[:, :1] if together else w).clone().requires_grad_()
        adam = torch.optim.Adam([w, *noise], lr=self.lr / 2)
        steps = self.steps // 3
        for step in range(steps):
            adam.param_groups[0]["lr"] = self.lr / 2 * (1 - step / steps)
            alike = torch.stack([common(each) for each in noise]).sum()
            self._step(adam, w.expand(-1, layers, -1), NOISE_WEIGHT * alike)
            self._hold(w)
            with torch.no_grad():
                for each in noise:
                    each.sub_(each.mean()).div_(each.std(correction=0).clamp(min=1e-8))
        return w.detach().expand(-1, layers, -1).clone()

    @torch.no_grad()
    def _hold(self, w: Tensor) -> None:
        w.copy_(self.known.within(w))

    def _step(self, adam: torch.optim.Adam, w: Tensor, beside: Tensor | float = 0.0) -> None:
        adam.zero_grad()
        # Each part has its graph alone; what lies before the styles is gone back through once.
        held, least = w.detach().requires_grad_(), []
        for part in parts(len(w)):
            loss = self.look(held[part])[1]
            loss.sum().backward()
            least.append(float(loss.detach().min()))
        self.losses.append(min(least))
        w.backward(held.grad)
        if isinstance(beside, Tensor):
            beside.backward()
        adam.step()
        self.tick()


def common(noise: Tensor) -> Tensor:
    """Return what neighbours of a map [s, s] have in common, at every size down to 8 px: a scalar.

    The squared mean of products with the next pixel to the right and below; Karras et al. 2020, appendix D.
    """
    total, maps = noise.new_zeros(()), noise[None, None]
    while True:
        for axis in (2, 3):
            total = total + (maps * maps.roll(1, axis)).mean().square()
        if maps.shape[-1] <= SMALLEST_NOISE:
            return total
        maps = nn.functional.avg_pool2d(maps, 2) * 2  # of white noise, white noise again


def _noisy(net: nn.Module) -> list[Any]:
    """Return the layers of a network that have noise of their own."""
    return [each for each in net.modules() if isinstance(getattr(each, "noise", None), Tensor)]


def _own_noise(net: nn.Module) -> nn.Module:
    """Return a copy whose noise can be learned."""
    own = copy.deepcopy(net)
    for layer in _noisy(own):
        layer.noise = layer.noise.detach().clone().requires_grad_()
    return own
