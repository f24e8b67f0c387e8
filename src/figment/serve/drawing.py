"""What is to be drawn: latents with their classes, and how styles are treated where there are any.

Seeds become latents in the thread that draws: a request that is refused, or whose client goes, costs none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from figment.sampling.generator import Generator


class Wanted(Protocol):
    """Pictures that are asked for together."""

    @property
    def count(self) -> int:
        """How many."""
        ...

    @property
    def kind(self) -> tuple[object, ...]:
        """What two must share to be drawn as one."""
        ...

    def part(self, start: int, stop: int) -> Wanted:
        """Return some of the pictures."""
        ...

    def drawing(self) -> Drawing:
        """Return what a generator draws them from."""
        ...


class Second(NamedTuple):
    """Whose styles the later layers are given (style mixing)."""

    latents: Tensor
    """[N, L]."""
    layer: int
    """The first layer that is given them."""


@dataclass(frozen=True)
class Drawing:
    """Pictures of latents."""

    latents: Tensor
    """[N, L] float32."""
    labels: Tensor | None = None
    """Their classes [N], or mixtures of classes [N, K]; None for a generator without classes."""
    truncation: float | None = None
    """For generators that truncate styles: latents are cut off already."""
    second: Second | None = None

    @property
    def count(self) -> int:
        return len(self.latents)

    @property
    def kind(self) -> tuple[object, ...]:
        classes = None if self.labels is None else self.labels.ndim
        return classes, self.truncation, None if self.second is None else self.second.layer

    def part(self, start: int, stop: int) -> Drawing:
        some = slice(start, stop)
        labels = None if self.labels is None else self.labels[some]
        second = self.second and self.second._replace(latents=self.second.latents[some])
        return replace(self, latents=self.latents[some], labels=labels, second=second)

    def drawing(self) -> Drawing:
        return self


@dataclass(frozen=True)
class Seeds:
    """Pictures of seeds, as ``figment sample`` draws them."""

    generator: Generator
    seeds: Sequence[int]
    label: int | None = None
    """The class of them all; each seed's own without it."""
    truncation: float | None = None

    @property
    def count(self) -> int:
        return len(self.seeds)

    @property
    def kind(self) -> tuple[object, ...]:
        recipe = self.generator.recipe
        return 1 if recipe.classed else None, self.truncation if recipe.styled else None, None

    def part(self, start: int, stop: int) -> Seeds:
        return replace(self, seeds=self.seeds[start:stop])

    def drawing(self) -> Drawing:
        recipe = self.generator.recipe
        labels = recipe.labels_for(self.seeds, torch.device("cpu"))
        if self.label is not None:
            labels = torch.full((self.count,), self.label)
        latents = recipe.latents(self.seeds, self.truncation)
        return Drawing(latents, labels, self.truncation if recipe.styled else None)


def joined(drawings: Sequence[Drawing]) -> Drawing:
    """Return drawings of one kind as one."""
    first = drawings[0]
    if len(drawings) == 1:
        return first
    labels = [each.labels for each in drawings if each.labels is not None]
    second = [each.second.latents for each in drawings if each.second is not None]
    return replace(
        first,
        latents=torch.cat([each.latents for each in drawings]),
        labels=torch.cat(labels) if labels else None,
        second=Second(torch.cat(second), first.second.layer) if first.second else None,
    )
