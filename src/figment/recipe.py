"""Recipe: everything that decides what a run learns.

A recipe is a frozen dataclass. Its fields are numbers and choices, each of them a flag of the command
line; its methods are what a training asks of it. What every system has is here; a game of two players
is a subclass (``figment.gan``), and so is a model without an adversary. A family of systems is a
subclass with its networks; a system is a named value of it (``figment.recipes``). torch is imported
only inside methods, so that listing recipes is quick.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from figment.errors import UserError, nearest
from figment.fields import fields_of, neutral, own_fields
from figment.rounds import ENOUGH_ROUNDS
from figment.settings import Settings

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from figment.data import Dataset, Look
    from figment.rounds import Clock, Engine, Scalars, Turns


LARGEST = {"resolution": 4_096}
"""Most of a field that memory holds; of one that is not here ``MANY``."""
MANY = 1 << 16
COUNTED = ("images", "seed", "ema", "tick", "every", "patience", "replay", "labelled")
"""Last words of fields that only count, which are at most ``FAR``."""
FAR = 1 << 53
LAYERS = 64
"""Most entries of a field that has several, such as the layers of ``hidden``."""
Sizes = Sequence[Mapping[str, int]]
"""Fields that make networks and batches smaller, with their values, of each form."""


@dataclass(frozen=True, kw_only=True)
class Recipe(Settings):
    """What every system has: data, a length, networks with a generator, a way to play a round."""

    BY_DATA: ClassVar[tuple[str, ...]] = ("resolution", "channels")
    """Fields that ``fit_to`` and ``settle`` set by the data, unless the user has."""
    BY_LENGTH: ClassVar[tuple[str, ...]] = ("images",)
    """Its length and what follows from it: a run that begins from another has its own."""
    SMALLER: ClassVar[Sizes] = ()
    """Forms for ever smaller time budgets, see ``cheaper``."""

    # -- what it is -------------------------------------------------------------------------------

    @property
    def neighbours(self) -> int:
        """How many inputs of the discriminator in a row are judged together: parts are multiples."""
        return 1

    @property
    def together(self) -> int:
        """How many pictures in a row of a batch are judged together: a process's share is a multiple."""
        return self.neighbours

    @property
    def ema_warm_up(self) -> float:
        """The average's half-life is at most this share of the images seen: the start is soon forgotten."""
        return 0.05

    def check(self) -> None:
        """Refuse, with a sentence, what makes no sense. Families add their own refusals."""
        check_settings(self)
        for field, reason in self.idle().items():
            if getattr(self, field) != neutral(type(self), field):
                raise UserError(f"--{field.replace('_', '-')} has no effect {reason}")

    def idle(self) -> Mapping[str, str]:
        """Return the fields that do nothing with what else is set, each with the reason.

        The reason goes on after "--field has no effect". ``check`` refuses them where they are set.
        """
        found: dict[str, str] = {}
        if not self.metrics:
            found |= dict.fromkeys(
                ("metric_count", "patience"), "without a score: name one with --metrics"
            )
        if self.kind == "points":
            found |= dict.fromkeys(
                ("resolution", "channels", "fit", "folders", "features"), "on points"
            )
        return found

    def without_idle(self, pinned: frozenset[str] = frozenset()) -> Self:
        """Return the recipe with fields that do nothing at their neutral values, unless pinned.

        A system may set what another choice makes idle: that is nothing that the user has asked for.
        """
        idle = self.idle().keys() - pinned
        return replace(self, **{field: neutral(type(self), field) for field in idle})

    def fit_to(self, look: Look, pinned: frozenset[str] = frozenset()) -> Self:
        """Return the recipe for these data: resolution and channels follow them unless pinned."""
        if look.kind != self.kind:
            if self.kind == "points":
                raise UserError(
                    "this recipe is for 2-D points (ring, grid); for pictures choose --recipe dcgan"
                )
            raise UserError(f"{look.name} holds points; choose --recipe points for them")
        changes: dict[str, float] = {}
        if "channels" not in pinned and look.grey:
            changes["channels"] = 1
        if "resolution" not in pinned and look.side:
            changes["resolution"] = self.nearest_resolution(look.side)
        return replace(self.without_idle(pinned), **changes)

    def settle(self, dataset: Dataset, pinned: frozenset[str] = frozenset()) -> Self:
        """Return the recipe for these pictures, now that they can be looked at. Families decide here."""
        return self

    def nearest_resolution(self, side: int) -> int:
        """Return the resolution to learn pictures of ``side`` pixels at, at most the recipe's own."""
        return min(side, self.resolution)

    def cheaper(self, pinned: frozenset[str] = frozenset()) -> list[Self]:
        """Return forms of this recipe for ever smaller time budgets, this one first.

        They are those of ``SMALLER`` that are nowhere larger, and that ``check`` takes; pinned fields stay.
        """
        forms = [self]
        for size in self.SMALLER:
            free = {field: value for field, value in size.items() if field not in pinned}
            if all(value <= getattr(self, field) for field, value in free.items()):
                forms.append(replace(self, **free))
        return [self, *(form for form in dict.fromkeys(forms[1:]) if form != self and form.sound())]

    def sound(self) -> bool:
        """Return whether ``check`` refuses nothing."""
        try:
            self.check()
        except UserError:
            return False
        return True

    def rounds_wanted(self) -> int:
        """Return the rounds that a time has to hold for this form to be better than a cheaper one."""
        return ENOUGH_ROUNDS

    def tiny(self) -> Self:
        """Return a form that plays a round in milliseconds, for tests."""
        short = replace(self, batch=4, images=32, tick=8, latent=min(self.latent, 8))
        features = "auto" if self.kind == "points" else "small"
        return replace(short, features=features, metric_every=16, metric_count=64)

    def describe(self) -> list[str]:
        """Return what the plan says of how pictures are learned, a few words each."""
        return []

    def at_this_length(self) -> Self:
        """Return the recipe with what its length decides once and for all: a longer one keeps it."""
        return self

    def begun_from(
        self, tensors: Mapping[str, Tensor], pinned: frozenset[str] = frozenset()
    ) -> Self:
        """Return the recipe for a training that begins from these, named as ``generator.weight`` is."""
        return self

    # -- networks ---------------------------------------------------------------------------------

    def build(self) -> nn.ModuleDict:
        """Return the family's own networks, at least "generator", with whatever else has state.

        Initialised from torch's global seed, which the trainer has set.
        """
        raise NotImplementedError

    def networks(self) -> nn.ModuleDict:
        """Return the networks as they are trained: the family's own, with what fields put into them."""
        return self.build()

    def memory(self, nets: nn.ModuleDict) -> dict[str, nn.Module]:
        """Return the modules that hold what else is to be remembered, by name, for the checkpoint."""
        return {}

    def optimizers(self, nets: nn.ModuleDict) -> dict[str, Optimizer]:
        """Return each player's optimiser, by the player's name; ``nets`` holds the average, too."""
        raise NotImplementedError

    def classifier(self, nets: nn.ModuleDict) -> nn.Module | None:
        """Return the network that tells classes, to be kept with the run; None if none does."""
        return None

    # -- the generator ----------------------------------------------------------------------------

    @property
    def classed(self) -> bool:
        """Samples are of a class that can be chosen."""
        return False

    def class_count(self) -> int:
        """Return how many classes samples come in; 0 where they have none."""
        return 0

    @property
    def learned_from(self) -> frozenset[str]:
        """Features that flatter it, since their network is what it learns from: auto takes others."""
        return frozenset()

    @property
    def styled(self) -> bool:
        """Latents become styles, of which pictures are made: see ``style``."""
        return False

    def style(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor:
        """Return the styles [N, W] of latents [N, L] and, with classes, labels [N], where it is styled.

        Its generator then makes images of the styles of all its ``layers`` [N, layers, W], and has a
        ``mean_style`` [W], towards which ``draw`` truncates.
        """
        raise NotImplementedError

    def latents(self, seeds: Sequence[int], truncation: float | None = None) -> Tensor:
        """Return the latents [N, L] of seeds, cut off at ± ``truncation``.

        A system that truncates elsewhere leaves them whole, and truncates in ``draw``.
        """
        from figment.sampling.latents import latents_of

        return latents_of(seeds, self.latent, truncation)

    def generate(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor:
        """Return fakes [N, C, R, R], about in [-1, 1], for latents [N, L] and, with classes, labels [N]."""
        from figment.microbatch import in_parts

        return in_parts(generator, latents)

    def draw(
        self,
        generator: nn.Module,
        latents: Tensor,
        labels: Tensor | None,
        truncation: float | None = None,
    ) -> Tensor:
        """Return samples as ``generate`` does; what ``latents`` has truncated is not truncated again."""
        return self.generate(generator, latents, labels)

    def encode(self, generator: nn.Module, images: Tensor) -> Tensor | None:
        """Return the latents [N, L] of images [N, C, R, R], where the system knows the way back.

        ``generate`` makes of them what it can make of these images. None: they have to be searched for.
        """
        return None

    def rebuild(self, generator: nn.Module, images: Tensor) -> Tensor | None:
        """Return images [N, C, R, R] as their codes bring them back; None where there are no codes.

        Shown beside the images each time that samples are shown.
        """
        return None

    def labels_for(self, seeds: Sequence[int], device: torch.device) -> Tensor | None:
        """Return the classes [N] that samples of these seeds are of; None without classes."""
        return None

    # -- a round ----------------------------------------------------------------------------------

    def begin(self, engine: Engine) -> None:
        """Set, before the first move, what the networks take from the pictures that are trained on.

        ``engine.feed`` has them. Not called when a run is resumed: what it sets has to be part of the
        state.
        """

    def turns(self) -> Turns:
        """Return the function that plays one round."""
        raise NotImplementedError

    def at(self, clock: Clock) -> Self:
        """Return the recipe as it is at a moment: rates that fall, weights that follow a ramp, stages."""
        return self

    def stages(self) -> list[int]:
        """Return the images from which on rounds cost otherwise than before, 0 first."""
        return [0]

    def lazy(self) -> Collection[int]:
        """Return the rounds from one to the next in which something is played that others leave out."""
        return ()

    def adjust(self, optimizers: dict[str, Optimizer], rate_scale: float) -> None:
        """Put what the recipe says at this moment into the optimisers, its rates times ``rate_scale``."""
        for optimizer in optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = rate_scale * group.setdefault("initial_lr", group["lr"])

    def reals(self, images: Tensor, clock: Clock) -> Tensor:
        """Return reals as the training is to know them."""
        return images

    def waits(self, player: str, seen: Scalars) -> bool:
        """Return whether a player is to skip the move whose scalars are ``seen``; may add to them."""
        return False

    def after(self, player: str, nets: nn.ModuleDict) -> None:
        """Do what follows a player's step."""

    def judged(self, nets: nn.ModuleDict, examples: Tensor) -> Tensor | None:
        """Return what is thought of single examples [N], the higher the more real; None if nothing is.

        It changes nothing. Asked to draw what a discriminator of points thinks of the plane.
        """
        return None

    def validate(self, nets: nn.ModuleDict, images: Tensor, labels: Tensor | None) -> Scalars:
        """Return what the log is to say of pictures [N, C, R, R] that were held out of training.

        ``labels`` are their classes [N], None where the data have none.
        """
        return {}


def check_settings(r: Settings) -> None:
    """Refuse values out of range of what every recipe has, and numbers that are none, in any field."""
    for name, value in fields_of(r).items():
        numbers = value if isinstance(value, tuple) else (value,)
        if not all(math.isfinite(number) for number in numbers if isinstance(number, float)):
            raise UserError(f"{name} must be a finite number, not {value}")
    check_sizes(r)
    for name in ("resolution", "images", "batch", "latent", "tick"):
        if getattr(r, name) <= 0:
            raise UserError(f"{name} must be above 0, not {getattr(r, name)}")
    for name in ("micro_batch", "seed", "ema", "sample_every", "snapshot_every", "save_every"):
        if getattr(r, name) < 0:
            raise UserError(f"{name} must be 0 or more, not {getattr(r, name)}")
    for name in ("metric_every", "patience"):
        if getattr(r, name) < 0:
            raise UserError(f"{name} must be 0 or more, not {getattr(r, name)}")
    if r.metric_count < 64:
        raise UserError(f"metric_count must be 64 or more, not {r.metric_count}")
    if not 0 <= r.held_out < 1:
        raise UserError(f"held_out must be at least 0 and below 1, not {r.held_out}")
    if r.channels not in (1, 3):
        raise UserError(f"channels must be 1 (grey) or 3 (colour), not {r.channels}")
    if r.micro_batch and r.batch % r.micro_batch:
        raise UserError(
            f"batch {r.batch} is no whole number of micro-batches of {r.micro_batch}: set --micro-batch "
            "to one of its divisors"
        )


def check_sizes(r: Settings) -> None:
    """Refuse numbers of figment's own fields that no machine could do anything with."""
    for name in own_fields(type(r)):
        value = getattr(r, name)
        most = FAR if name.split("_")[-1] in COUNTED else LARGEST.get(name, MANY)
        numbers = value if isinstance(value, tuple) else (value,)
        if len(numbers) > LAYERS:
            raise UserError(f"{name} has at most {LAYERS} entries, not {len(numbers):,}")
        for number in numbers:
            if isinstance(number, int) and abs(number) > most:
                given = f", not {number:,}" if abs(number) < 10**30 else ""
                raise UserError(f"{name} must be at most {most:,}{given}")


def with_fields(recipe: Recipe, fields: dict[str, Any]) -> Recipe:
    """Return the recipe with other fields, from plain JSON values, converted and type-checked."""
    import msgspec

    known = fields_of(recipe)
    for name in fields:
        if name not in known:
            raise UserError(f"{type(recipe).__name__} has no field {name}.{nearest(name, known)}")
    try:
        return msgspec.convert({**known, **fields}, type(recipe))
    except msgspec.ValidationError as error:
        reason, at, place = str(error).rpartition(" - at ")  # the value may be of any length
        reason = reason if len(reason) <= 160 else f"{reason[:160]}…"
        raise UserError(f"a recipe's field has a wrong value: {reason}{at}{place}") from None
