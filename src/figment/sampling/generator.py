"""The trained generator as a person uses it: seeds in, pictures out."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from figment import cells
from figment.data.points import MIXTURES
from figment.errors import UserError, nearest
from figment.pixels import to_uint8
from figment.progress import progress_bar
from figment.rounds import Playable
from figment.sampling import cloud
from figment.sampling.pictures import Pictures, png

CPU = torch.device("cpu")
SIDE_BY_SIDE = 10
"""Most classes that an overview sets side by side."""
GLANCE = 16
"""Pictures that a notebook shows of a generator."""
LISTED = 20
"""Names of classes that a message lists."""
FAR = 1e6
"""The farthest truncation: it cuts nothing off, and its square fits float32."""


def check_truncation(truncation: float | None) -> None:
    """Refuse what latents cannot be cut off at. Raises UserError."""
    if truncation is not None and not 0 < truncation <= FAR:
        raise UserError(f"truncation must be above 0 and at most {FAR:g}, not {truncation}")


def check_seeds(seeds: Sequence[int]) -> None:
    """Refuse what no picture is drawn from. Raises UserError."""
    ends = (*seeds[:1], *seeds[-1:]) if isinstance(seeds, range) else seeds
    if min(ends, default=0) < 0:
        raise UserError(f"seed must be 0 or more, not {min(ends)}")
    if max(ends, default=0) >= 2**63:
        raise UserError(f"seed must be below {2**63}, not {max(ends)}")


class Generator:
    """A recipe's generator in evaluation mode, drawn from by seed, and by class where it has classes."""

    def __init__(
        self, recipe: Playable, net: nn.Module, classes: Sequence[str] = (), data: str = ""
    ) -> None:
        self.recipe = recipe
        self.net = net.eval()
        numbers = (str(number) for number in range(recipe.class_count()))
        self.classes = tuple(classes or numbers) if recipe.classed else ()
        """Names of the classes that it draws, () where it knows none."""
        self.mixture = MIXTURES.get(data) if recipe.kind == "points" else None
        """The modes of the ``data`` that it has learned, where they are known."""

    @property
    def usual_count(self) -> int:
        """How many samples it takes to see what it draws."""
        return cloud.COUNT if self.recipe.kind == "points" else 64

    def __repr__(self) -> str:
        kind = "points" if self.recipe.kind == "points" else f"{self.recipe.resolution} px pictures"
        of = f" of {len(self.classes)} classes" if self.classes else ""
        weights = sum(weight.numel() for weight in self.net.parameters())
        return f"Generator({kind}{of}, {weights:,} parameters, latents of {self.recipe.latent})"

    def in_steps(self, steps: int) -> Generator:
        """Return the same generator with so many steps to a sample. Raises UserError if it takes none."""
        if not hasattr(self.recipe, "steps"):
            raise UserError("this system draws a sample in one pass: leave --steps out")
        recipe = dataclasses.replace(self.recipe, steps=steps)  # ty: ignore[invalid-argument-type]
        recipe.check()
        found = copy.copy(self)
        found.recipe = recipe
        return found

    def _repr_html_(self) -> str:
        """Return what a notebook shows: a few pictures, and how to draw others."""
        shown = self.overview(GLANCE).shown()
        how = (
            "generator.sample(16, seed=0) draws others; the same seed always gives the same picture"
        )
        return cells.note(repr(self)) + cells.image(png(shown), shown.size) + cells.note(how)

    def sample(
        self,
        count: int = 64,
        *,
        seed: int = 0,
        label: str | None = None,
        truncation: float | None = None,
        batch: int = 64,
        progress: bool = False,
    ) -> Pictures:
        """Return the pictures of seeds ``seed`` to ``seed + count - 1``.

        uint8 [N, C, R, R], or float32 points [N, 2]. A seed's picture does not depend on the others nor,
        up to rounding, on batch or device. ``label`` names the class of them all; without it classes
        come in the shares of ``recipe.class_shares``, or in turn. ``truncation`` cuts the latents off at
        ± that value, or what the recipe truncates in their place. Raises UserError for a class that
        it does not know.
        """
        if count < 1:
            raise UserError(f"count must be above 0, not {count}")
        seeds = range(seed, seed + count)
        parts = self.batches(seeds, label=label, truncation=truncation, batch=batch)
        if progress:
            parts = progress_bar(parts, total=-(-count // batch), unit=" batches", desc="sampling")
        return Pictures(torch.cat(list(parts)).numpy(), mixture=self.mixture)

    def overview(self, count: int = 64) -> Pictures:
        """Return the pictures of the first seeds, to be looked at together.

        With up to ten classes each latent is drawn in all of them, side by side: a column is of one
        class, eight rows, about as many pictures in all. Of points there are as many as it takes to see
        where they lie.
        """
        kinds = len(self.classes)
        if self.recipe.kind == "points":
            return self.sample(self.usual_count, batch=self.usual_count)
        if not 0 < kinds <= SIDE_BY_SIDE:
            return self.sample(count)
        across = max(1, 8 // kinds)  # latents in a row
        latents = self.recipe.latents(range(8 * across)).repeat_interleave(kinds, 0)
        labels = torch.arange(kinds).repeat(8 * across)
        return Pictures(self.draw(latents, labels).numpy(), columns=across * kinds)

    def numbered(self, label: str | None, seed: int = 0) -> int | None:
        """Return the number of the class of that name, of the seed's without one; None without classes.

        Raises UserError for a name that it does not know.
        """
        if label is None:
            labels = self.recipe.labels_for([seed], CPU)
            return None if labels is None else int(labels)
        if not self.classes:
            can = hasattr(self.recipe, "conditioning")
            cure = ": train with --conditioning projection" if can else ""
            raise UserError(f"this generator knows no classes, so none {label}{cure}")
        if label not in self.classes:
            more = len(self.classes) - LISTED
            listed = ", ".join(self.classes[:LISTED]) + (f" and {more:,} more" if more > 0 else "")
            hint = nearest(label, self.classes)
            raise UserError(f"there is no class {label}.{hint} The classes are {listed}.")
        return self.classes.index(label)

    def batches(
        self,
        seeds: Sequence[int],
        *,
        label: str | None = None,
        truncation: float | None = None,
        batch: int = 64,
    ) -> Iterator[Tensor]:
        """Return an iterator over the pictures of the seeds, ``batch`` at a time: see ``sample``."""
        self.numbered(label)  # a wrong name is refused before the first picture is asked for
        check_seeds(seeds)
        check_truncation(truncation)

        def picture(part: Sequence[int]) -> Tensor:
            labels = self.recipe.labels_for(part, CPU)
            if label is not None:
                labels = torch.tensor([self.numbered(label)] * len(part))
            latents = self.recipe.latents(part, truncation)
            return self.draw(latents, labels, batch=batch, truncation=truncation)

        return (picture(seeds[start : start + batch]) for start in range(0, len(seeds), batch))

    @torch.inference_mode()
    def draw(
        self,
        latents: Tensor,
        labels: Tensor | None = None,
        *,
        batch: int = 64,
        truncation: float | None = None,
    ) -> Tensor:
        """Return the pictures of latents [N, L], on the CPU: uint8 or points.

        ``labels`` are their classes [N], None for a generator without classes. ``truncation`` is for
        systems that truncate something else: latents are cut off already.
        """
        device = next(self.net.parameters()).device
        drawn = []
        for start in range(0, len(latents), batch):
            part = slice(start, start + batch)
            of = None if labels is None else labels[part].to(device)
            given = latents[part].to(device)
            fakes = self.recipe.draw(self.net, given, of, truncation).float()
            if self.recipe.kind == "images":
                fakes = to_uint8(fakes)
            drawn.append(fakes.cpu().contiguous())
        return torch.cat(drawn)
