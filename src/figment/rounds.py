"""The words of a round of training: what recipes, turns, techniques and the trainer say to each other.

This is the only place where they meet, and it knows none of them. A recipe *is played*: whoever trains asks
of it what ``Playable`` lists. A round *asks for work*: what it may ask is listed in ``Engine``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor, nn
    from torch.optim import Optimizer

    Scalars = dict[str, Tensor]
    """Scalars by name."""
    Rule = Callable[[nn.ModuleDict, "Batch", Tensor, "Clock"], "Terms"]
    """(networks, batch, fakes, clock) -> what one player minimises."""
    Turns = Callable[["Engine"], Scalars]
    """Plays one round and returns the scalars seen in it."""


ENOUGH_ROUNDS = 5_000
"""Rounds from which on pictures take shape: a DCGAN of width 16 at 2e-4 on cats of 64 px draws faces after
5,747 (KID x 1000 2,770)."""


class Clock(NamedTuple):
    """Where a training is."""

    images: int = 0
    """Real images seen so far, by all processes together."""
    rounds: int = 0
    """Rounds played so far."""


class Batch(NamedTuple):
    """What one move is played on: this process's share."""

    images: Tensor
    """Reals [N, C, R, R] in [-1, 1], or points [N, 2]."""
    labels: Tensor
    """Classes [N], int64."""
    latents: Tensor
    """Latents [N, L]."""


class Terms(NamedTuple):
    """What a player minimises, losses and penalties, and what the log is to say: scalars by name."""

    losses: Scalars
    """What the player is for. The log has their sum as ``loss/PLAYER``, each of several by its name too."""
    penalties: Scalars
    """What is added to it, weighted; ``penalty/NAME/PLAYER`` in the log."""
    observations: Scalars
    """What nobody minimises; logged by its own name."""

    def and_(self, other: Terms) -> Terms:
        """Return the terms of both."""
        return Terms(*(mine | more for mine, more in zip(self, other, strict=True)))

    @property
    def minimised(self) -> Scalars:
        """The losses, then the penalties."""
        return self.losses | self.penalties

    def columns(self, player: str) -> Scalars:
        """Return all of it by its names in the log."""
        named: Scalars = {}
        if self.losses:
            named[f"loss/{player}"] = sum(self.losses.values())  # ty: ignore[invalid-assignment]
        if len(self.losses) > 1:
            named |= {f"loss/{name}/{player}": value for name, value in self.losses.items()}
        named |= {f"penalty/{name}/{player}": value for name, value in self.penalties.items()}
        return named | self.observations

    def blame(self, player: str) -> str:
        """Return the sentence that says which term is not finite, or that its gradient is not."""
        for name, value in self.minimised.items():
            if not value.isfinite():
                return f"the {player}'s {name} loss is {value.item()}"
        return f"the {player}'s gradient is not finite although its loss is"


def no_terms() -> Terms:
    """Return terms that say nothing."""
    return Terms({}, {}, {})


def penalty(**values: Tensor) -> Terms:
    """Return terms that are these penalties."""
    return Terms({}, values, {})


class Pictures(Protocol):
    """The examples of a training, as an engine hands them out."""

    dataset: Any
    rows: np.ndarray
    """Rows of the data set that are learned from."""
    held_out: np.ndarray
    """Rows that are not."""

    def fetch(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return these examples on the device, pictures in [-1, 1], and their labels."""
        ...

    def first(self, count: int) -> tuple[Tensor, Tensor]:
        """Return this process's share of the first ``count`` examples in training's order."""
        ...


class Engine(Protocol):
    """What a round may ask of whoever trains: the trainer, or a stand-in in a test."""

    now: Any
    """The recipe as it is at this moment (see ``Playable.at``)."""
    nets: nn.ModuleDict
    optimizers: dict[str, Optimizer]
    clock: Clock
    device: torch.device

    @property
    def feed(self) -> Pictures: ...

    def next_batch(self, start: int | None = None) -> Batch:
        """Return the next batch and move the clock on; its reals are those from ``start`` on, if given."""
        ...

    def latents(self, purpose: str, *address: int) -> Tensor:
        """Return this process's share of a batch of latents [N, L], by their address in the seed."""
        ...

    def weights(self, *players: str) -> list[Tensor]:
        """Return what these players' optimisers change; without a name, all players'."""
        ...

    def generate(self, batch: Batch) -> Tensor:
        """Return the generator's fakes for a batch, at the recipe's precision."""
        ...

    def move(self, player: str, rule: Rule, batch: Batch, fakes: Tensor) -> Scalars:
        """Let one player take one optimiser step; return the scalars seen."""
        ...

    def differentiate(self, player: str, rule: Rule, batch: Batch, fakes: Tensor) -> Scalars:
        """Add one player's gradients to its weights; return the scalars seen."""
        ...

    def step(self, player: str) -> None:
        """Let one player take a step along its gradients, and forget them."""
        ...

    def autocast(self) -> AbstractContextManager:
        """Return the context in which networks run at the recipe's precision."""
        ...


class Playable(Protocol):
    """What whoever trains may ask of a recipe; ``figment.recipe.Recipe`` says what each answer is.

    Its numbers are those of ``figment.settings.Settings``.
    """

    @property
    def kind(self) -> str: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def batch(self) -> int: ...
    @property
    def micro_batch(self) -> int: ...
    @property
    def neighbours(self) -> int: ...
    @property
    def images(self) -> int: ...
    @property
    def seed(self) -> int: ...
    @property
    def latent(self) -> int: ...
    @property
    def held_out(self) -> float: ...
    @property
    def ema(self) -> int: ...
    @property
    def ema_warm_up(self) -> float: ...
    @property
    def precision(self) -> str: ...
    @property
    def compile(self) -> bool: ...
    @property
    def fit(self) -> str: ...
    @property
    def resolution(self) -> int: ...
    @property
    def channels(self) -> int: ...
    @property
    def tick(self) -> int: ...
    @property
    def sample_every(self) -> int: ...
    @property
    def snapshot_every(self) -> int: ...
    @property
    def save_every(self) -> int: ...
    @property
    def metrics(self) -> tuple[str, ...]: ...
    @property
    def features(self) -> str: ...
    @property
    def metric_every(self) -> int: ...
    @property
    def metric_count(self) -> int: ...
    @property
    def patience(self) -> int: ...
    @property
    def on_collapse(self) -> str: ...
    @property
    def classed(self) -> bool: ...
    @property
    def learned_from(self) -> frozenset[str]: ...
    @property
    def styled(self) -> bool: ...
    def at(self, clock: Clock) -> Self: ...
    def stages(self) -> list[int]: ...
    def lazy(self) -> Collection[int]: ...
    def networks(self) -> nn.ModuleDict: ...
    def memory(self, nets: nn.ModuleDict) -> dict[str, nn.Module]: ...
    def optimizers(self, nets: nn.ModuleDict) -> dict[str, Optimizer]: ...
    def adjust(self, optimizers: dict[str, Optimizer], rate_scale: float) -> None: ...
    def begin(self, engine: Engine) -> None: ...
    def turns(self) -> Turns: ...
    def reals(self, images: Tensor, clock: Clock) -> Tensor: ...
    def latents(self, seeds: Sequence[int], truncation: float | None = None) -> Tensor: ...
    def generate(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor: ...
    def draw(
        self,
        generator: nn.Module,
        latents: Tensor,
        labels: Tensor | None,
        truncation: float | None = None,
    ) -> Tensor: ...
    def rebuild(self, generator: nn.Module, images: Tensor) -> Tensor | None: ...
    def encode(self, generator: nn.Module, images: Tensor) -> Tensor | None: ...
    def style(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor: ...
    def labels_for(self, seeds: Sequence[int], device: torch.device) -> Tensor | None: ...
    def class_count(self) -> int: ...
    def waits(self, player: str, seen: Scalars) -> bool: ...
    def after(self, player: str, nets: nn.ModuleDict) -> None: ...
    def validate(self, nets: nn.ModuleDict, images: Tensor, labels: Tensor | None) -> Scalars: ...
    def judged(self, nets: nn.ModuleDict, examples: Tensor) -> Tensor | None: ...
    def classifier(self, nets: nn.ModuleDict) -> nn.Module | None: ...
    def describe(self) -> list[str]: ...
    def rounds_wanted(self) -> int: ...


class TwoPlayer(Playable, Protocol):
    """What turns and techniques may ask of a recipe with two players: see ``figment.gan.GAN``."""

    @property
    def classes(self) -> int: ...
    @property
    def loss_pair(self) -> Any: ...
    @property
    def techniques(self) -> Sequence[Any]: ...
    def discriminator_terms(
        self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms: ...
    def generator_terms(
        self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms: ...
    def discriminator_inputs(self, shown: Tensor, labels: Tensor | None) -> tuple[Tensor, ...]: ...
    def show(self, nets: nn.ModuleDict, images: Tensor) -> Tensor: ...
    def logits(self, nets: nn.ModuleDict, shown: Tensor, labels: Tensor | None) -> Tensor: ...
    def examine(
        self, nets: nn.ModuleDict, shown: Tensor, labels: Tensor
    ) -> tuple[Tensor, Tensor | None]: ...
    def match(self, real: Tensor, fake: Tensor) -> Tensor: ...
