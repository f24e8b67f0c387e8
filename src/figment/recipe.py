"""Recipe: everything that decides what a run learns.

A recipe is a frozen dataclass. Its fields (``figment.settings``) are numbers and choices, each of them a
flag of the command line; its methods are the game. A family of systems is a subclass with its networks;
a system is a named value of it (see ``figment.recipes``). torch is imported only inside methods, so that
listing recipes is quick.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, Self

from figment.errors import UserError
from figment.fields import fields_of
from figment.settings import Settings

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from figment.data import Dataset, Look
    from figment.networks.layers.head import Head
    from figment.training.trainer import Trainer
    from figment.turns import Turns


class Clock(NamedTuple):
    """Where a training is."""

    images: int = 0
    """Real images shown to the discriminator so far, by all processes together."""
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
    """What a rule of the game returns: scalars by name."""

    minimise: dict[str, Tensor]
    """Terms whose sum the player minimises."""
    observe: dict[str, Tensor]
    """Things to log."""


@dataclass(frozen=True, kw_only=True)
class Recipe(Settings):
    """A two-player game on images, in the form that most systems share."""

    # -- what it is -------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example."""
        return (self.channels, self.resolution, self.resolution)

    def check(self) -> None:
        """Refuse, with a sentence, what makes no sense. Families add their own refusals."""
        from figment.refusals import refuse

        refuse(self)

    def fit_to(self, look: Look, pinned: frozenset[str] = frozenset()) -> Self:
        """Return the recipe for these data: resolution and channels follow them unless pinned."""
        if look.kind != self.kind:
            other = "a recipe for points, such as points" if look.kind == "points" else "pictures"
            raise UserError(
                f"{look.name} holds {look.kind}, this recipe learns {self.kind}: use {other}"
            )
        from figment.objectives import OBJECTIVES
        from figment.refusals import classes_of

        changes: dict[str, float] = {}
        if "real_target" not in pinned and not OBJECTIVES[self.objective].takes_targets:
            changes["real_target"] = 1.0
        if "channels" not in pinned and look.grey:
            changes["channels"] = 1
        if "resolution" not in pinned and look.side:
            changes["resolution"] = self.nearest_resolution(look.side)
        changes["classes"] = classes_of(self, look, pinned)
        return replace(self, **changes)

    def settle(self, dataset: Dataset, pinned: frozenset[str] = frozenset()) -> Self:
        """Return the recipe for these pictures, now that they can be looked at.

        Samples that name no class come in the shares of the data. Families decide more here.
        """
        if not self.conditional or self.class_shares or "class_shares" in pinned:
            return self
        return replace(self, class_shares=dataset.shares())

    def describe(self) -> list[str]:
        """Return what is done with the pictures, in the phrases that the plan says it with."""
        names = {"study": "the study's augmentation", "diffaugment": "DiffAugment", "ada": "ADA"}
        names["ada-fixed"] = "ADA at a fixed probability"
        ways = {
            f"conditional on {self.classes} classes": self.conditional,
            "random mirroring": self.mirror,
            names.get(self.augment, ""): self.augment != "none",
        }
        return [way for way, taken in ways.items() if taken]

    def nearest_resolution(self, side: int) -> int:
        """Return the resolution to learn pictures of ``side`` pixels at, at most the recipe's own."""
        return min(side, self.resolution)

    def cheaper(self, pinned: frozenset[str] = frozenset()) -> list[Recipe]:
        """Return forms of this recipe for ever smaller time budgets, this one first."""
        return [self]

    def tiny(self) -> Self:
        """Return a form that plays a round in milliseconds, for tests."""
        short = replace(self, batch=4, images=32, tick=8, latent=min(self.latent, 8))
        if self.classed:
            short = replace(short, classes=2)
        return replace(short, features="small", metric_every=16, metric_count=64)

    # -- the players ------------------------------------------------------------------------------

    def build(self) -> nn.ModuleDict:
        """Return the networks, at least "generator", with whatever else has state.

        Initialised from torch's global seed, which the trainer has set.
        """
        raise NotImplementedError

    def begin(self, nets: nn.ModuleDict, trainer: Trainer) -> None:
        """Set, before the first move, what the networks take from the pictures that are trained on.

        Their rows are ``trainer.rows`` of ``trainer.dataset``; ``trainer.fetch`` gives them. Not called
        when a run is resumed: what it sets has to be part of the state.
        """
        if self.guided:
            from figment.guidance import teach

            teach(self, nets, trainer)
        if self.minibatch_discrimination:
            from figment.game import calibrate_comparison

            calibrate_comparison(self, nets, trainer)

    def optimizers(self, nets: nn.ModuleDict) -> dict[str, Optimizer]:
        """Return each player's optimiser, by the player's name."""
        from figment.optimizers import optimizer_for

        rates = {"generator": self.generator_lr, "discriminator": self.discriminator_lr}
        return {
            player: optimizer_for(self.optimizer, nets[player].parameters(), rate, self.betas)
            for player, rate in rates.items()
        }

    @property
    def inputs(self) -> int:
        """Numbers that the generator is given: the latent, and a one-hot class where it takes one."""
        return self.latent + self.classes * (self.conditional and not self.class_norm)

    @property
    def conditional(self) -> bool:
        """The networks are told classes."""
        return self.conditioning != "none"

    @property
    def guided(self) -> bool:
        """Latents come from a mode a class, and a frozen classifier guides the generator."""
        return self.guidance > 0 or self.guidance_balance > 0

    @property
    def classed(self) -> bool:
        """Samples are of a class that can be chosen."""
        return self.conditional or self.guided

    @property
    def judged_channels(self) -> int:
        """Channels that the discriminator is given: those of a pack, and a map a class if it takes them."""
        return self.packing * self.shape[0] + self.classes * (self.conditioning == "concat")

    def head(self, plain: Head) -> Head:
        """Return what makes logits of a discriminator's features: ``plain``, or what fields ask for."""
        from figment.networks.layers.head import assembled

        return assembled(
            plain,
            kernels=self.minibatch_discrimination,
            dimensions=self.minibatch_dimensions,
            stddev=self.minibatch_stddev,
            classes=self.classes,
            conditioning=self.conditioning,
        )

    # -- the game ---------------------------------------------------------------------------------

    def turns(self) -> Turns:
        """Return the function that plays one round, at learning rates that fall if they are to."""
        return self.cooled(self.way())

    def way(self) -> Turns:
        """Return the way to play (see ``figment.turns``)."""
        from figment.turns import turns_for

        return turns_for(self.play, self.unroll, self.optimizer)

    def cooled(self, play: Turns) -> Turns:
        """Return a way to play at the recipe's falling learning rates, if they are to fall."""
        from figment.turns.annealed import Annealed

        return Annealed(play=play, rate=self.rate) if self.rate_decay else play

    def rate(self, clock: Clock) -> float:
        """Return what both learning rates are multiplied by at a moment."""
        if not self.rate_decay:
            return 1.0
        left = (1 - clock.images / self.images) / self.rate_decay
        return min(1.0, max(0.0, left))

    def generate(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor:
        """Return fakes [N, C, R, R] in [-1, 1] for latents [N, L] (and labels [N] if it has classes)."""
        if labels is not None and self.guided:
            from figment.guidance import at_modes

            latents = at_modes(latents, labels)
        if labels is None or not self.conditional:
            return generator(latents)
        if self.class_norm:
            return generator(latents, labels)
        from figment.networks.layers.one_hot import beside

        return generator(beside(latents, labels, self.classes))

    def labels_for(self, seeds: Sequence[int], device: torch.device) -> Tensor | None:
        """Return the classes [N] that samples of these seeds are of; None without classes.

        In turn where all have one share, else spread so that any row of seeds comes near the shares.
        """
        if not self.classed:
            return None
        import torch

        if not self.class_shares:
            return torch.tensor(seeds, device=device) % self.classes
        from figment.randomness import spread

        ends = torch.tensor(self.class_shares, dtype=torch.float64).cumsum(0)
        places = torch.tensor([spread(seed) for seed in seeds], dtype=torch.float64) * ends[-1]
        return torch.searchsorted(ends[:-1].contiguous(), places, right=True).to(device)

    def judge(self, nets: nn.ModuleDict, images: Tensor, labels: Tensor | None) -> Tensor:
        """Return the discriminator's logits [N], in float32."""
        images = self.told(images, labels)
        if self.conditioning == "projection":
            return nets["discriminator"](images, labels).float()
        return nets["discriminator"](images).float()

    def told(self, images: Tensor, labels: Tensor | None) -> Tensor:
        """Return images as the discriminator's first layer takes them, classes as further channels."""
        if self.conditioning != "concat" or labels is None:
            return images
        from figment.networks.layers.one_hot import beside

        return beside(images, labels, self.classes)

    def discriminator_terms(
        self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        """Return what the discriminator minimises on reals and (detached) fakes."""
        from figment.game import discriminator_terms

        return Terms(*discriminator_terms(self, nets, batch, fakes, clock))

    def generator_terms(
        self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        """Return what the generator minimises on its fakes, whose graph reaches its weights."""
        from figment.game import generator_terms

        return Terms(*generator_terms(self, nets, batch, fakes, clock))

    def match(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return how far apart features [N, F] of reals and fakes are: the term of feature matching."""
        from figment.matching import feature_matching

        return feature_matching(real, fake)

    def classifier(self, nets: nn.ModuleDict) -> nn.Module | None:
        """Return the network among these that tells classes, to be kept with the run; None if none does."""
        return None

    def after(self, player: str, nets: nn.ModuleDict) -> None:
        """Do what follows a player's move, such as clipping its weights."""
        if self.clip > 0 and player == "discriminator":
            from figment.penalties import clip

            clip(nets["discriminator"], self.clip)


def with_fields(recipe: Recipe, fields: dict[str, object]) -> Recipe:
    """Return the recipe with other fields, from plain JSON values, converted and type-checked."""
    import msgspec

    from figment.errors import nearest

    known = fields_of(recipe)
    for name in fields:
        if name not in known:
            raise UserError(f"{type(recipe).__name__} has no field {name}.{nearest(name, known)}")
    try:
        return msgspec.convert({**known, **fields}, type(recipe))
    except msgspec.ValidationError as error:
        raise UserError(f"a recipe's field has a wrong value: {error}") from None
