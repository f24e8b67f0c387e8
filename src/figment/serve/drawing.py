"""What is to be drawn: latents with their classes, and how styles are treated where there are any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class Second(NamedTuple):
    """Whose styles the later layers are given (style mixing)."""

    latents: Tensor
    """[N, L]."""
    layer: int
    """The first layer that is given them."""


class Drawing(NamedTuple):
    """Pictures that are asked for together."""

    latents: Tensor
    """[N, L] float32."""
    labels: Tensor | None = None
    """Their classes [N], or mixtures of classes [N, K]; None for a generator without classes."""
    truncation: float | None = None
    """For generators that truncate styles: latents are cut off already."""
    second: Second | None = None

    @property
    def kind(self) -> tuple[object, ...]:
        """What two drawings must share to be drawn as one."""
        classes = None if self.labels is None else self.labels.ndim
        return classes, self.truncation, None if self.second is None else self.second.layer

    def part(self, start: int, stop: int) -> Drawing:
        """Return some of its pictures."""
        some = slice(start, stop)
        labels = None if self.labels is None else self.labels[some]
        second = self.second and self.second._replace(latents=self.second.latents[some])
        return self._replace(latents=self.latents[some], labels=labels, second=second)


def joined(drawings: Sequence[Drawing]) -> Drawing:
    """Return drawings of one kind as one."""
    first = drawings[0]
    if len(drawings) == 1:
        return first
    labels = [each.labels for each in drawings if each.labels is not None]
    second = [each.second.latents for each in drawings if each.second is not None]
    return first._replace(
        latents=torch.cat([each.latents for each in drawings]),
        labels=torch.cat(labels) if labels else None,
        second=Second(torch.cat(second), first.second.layer) if first.second else None,
    )
