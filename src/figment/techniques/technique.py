"""The contract of a technique: the moments of a training at which it may act, doing nothing by default."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from figment.errors import UserError
from figment.rounds import Terms, no_terms
from figment.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor, nn

    from figment.networks.layers.head import Head
    from figment.rounds import Batch, Clock, Engine, Scalars, TwoPlayer

F = TypeVar("F", bound=Settings)


class Technique(Generic[F]):
    """One idea, switched on by fields of its own, F. ``r`` is the recipe that has them, as it is now.

    It keeps nothing itself: what it remembers is a module of ``memory``, and so part of every checkpoint.
    The list in ``figment.techniques`` is the order in which techniques act at each moment.
    """

    reads_features: ClassVar[bool] = False
    """Whether its terms look at the discriminator's features, not at logits alone."""

    def on(self, r: F) -> bool:
        """Return whether the recipe asks for it. All that follows but ``check`` and ``idle`` needs that."""
        raise NotImplementedError

    # -- before training --------------------------------------------------------------------------

    def check(self, r: F) -> None:
        """Refuse values out of range, and what makes no sense with other fields."""

    def idle(self, r: F) -> Mapping[str, str]:
        """Return its fields that do nothing with what else is set, each with the reason.

        The reason goes on after "--field has no effect", as in "without --play unrolled".
        """
        return {}

    def bounds(self, r: F) -> bool:
        """Return whether it bounds the discriminator's slope, without which some losses fall for ever."""
        return False

    def asks_for_class(self, r: F) -> bool:
        """Return whether the generator's loss hangs on the class that was asked for through it."""
        return False

    def learns_from(self, r: F) -> str:
        """Return the features whose network it learns from, by which the run is not judged; "" if none."""
        return ""

    def every(self, r: F) -> int:
        """Return how many rounds lie between two in which it plays, 1 where it plays in all."""
        return 1

    def describe(self, r: F) -> list[str]:
        """Return what the plan of a training says of it, in a few words each; most say nothing."""
        return []

    def head(self, r: F, head: Head) -> Head:
        """Return what makes logits of a discriminator's features, given what has made them so far."""
        return head

    def networks(self, r: F, nets: nn.ModuleDict) -> None:
        """Change the finished networks, such as the norms in them."""

    def memory(self, r: F, nets: nn.ModuleDict) -> dict[str, nn.Module]:
        """Return the modules that hold what it remembers, by name, for the checkpoint."""
        return {}

    def begin(self, r: F, engine: Engine) -> None:
        """Do what comes before the first move; not repeated when a run is resumed."""

    # -- at every moment --------------------------------------------------------------------------

    def at(self, r: F, clock: Clock) -> dict[str, Any]:
        """Return the fields that have other values at this moment: what fades, falls or rises."""
        return {}

    def reals(self, r: F, images: Tensor, clock: Clock) -> Tensor:
        """Return reals as the training is to know them: what is done here, the generator learns."""
        return images

    def generator_inputs(
        self, r: F, inputs: tuple[Tensor, ...], labels: Tensor
    ) -> tuple[Tensor, ...]:
        """Return what the generator is called with, given what it has been so far: first the latents."""
        return inputs

    def discriminator_inputs(
        self, r: F, inputs: tuple[Tensor, ...], labels: Tensor
    ) -> tuple[Tensor, ...]:
        """Return what the discriminator is called with, given what it has been so far: first the images."""
        return inputs

    def show(self, r: F, nets: nn.ModuleDict, images: Tensor) -> Tensor:
        """Return images, real or fake, as the discriminator is to see them. It must not leak: no state."""
        return images

    # -- in a move --------------------------------------------------------------------------------

    def fakes(
        self, r: F, nets: nn.ModuleDict, fakes: Tensor, labels: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the fakes of a discriminator's move, with their classes."""
        return fakes, labels

    def weigh(self, r: F, view: View, losses: Tensor) -> Tensor:
        """Return the generator's adversarial losses [N, ...], some of them made to count more or less."""
        return losses

    def differentiates(self, r: F, clock: Clock) -> Collection[str]:
        """Return which logits its terms for the discriminator differentiate: of "reals", of "fakes"."""
        return ()

    def discriminator(self, r: F, view: View) -> Terms:
        """Return what the discriminator minimises too, and what to log. Called once a move."""
        return no_terms()

    def generator(self, r: F, view: View) -> Terms:
        """Return what the generator minimises too, and what to log. Called once a move."""
        return no_terms()

    def waits(self, r: F, player: str, seen: Scalars) -> bool:
        """Return whether a player is to skip the move whose scalars are ``seen``; may add to them."""
        return False

    def after(self, r: F, player: str, nets: nn.ModuleDict) -> None:
        """Do what follows a player's step, such as clipping its weights."""


class Side:
    """Reals or fakes of one move; what is made of them is computed when first asked for.

    ``pictures`` that ask for a gradient have logits that can be differentiated by them, twice.
    """

    def __init__(
        self, game: TwoPlayer, nets: nn.ModuleDict, pictures: Tensor, labels: Tensor
    ) -> None:
        self.game, self.nets, self.pictures, self.labels = game, nets, pictures, labels
        self.draws: list[tuple[Tensor, ...]] = []
        """States of the random numbers before they were shown, and before they were judged."""

    @cached_property
    def shown(self) -> Tensor:
        """They as the discriminator sees them."""
        from figment.randomness import random_state

        self.draws.append(random_state(self.pictures.device))
        return self.game.show(self.nets, self.pictures)

    @cached_property
    def examined(self) -> tuple[Tensor, Tensor | None]:
        """Logits [N, ...] and, where a technique reads them, features [N, F]."""
        from figment.randomness import random_state

        shown = self.shown
        self.draws.append(random_state(self.pictures.device))
        return self.game.examine(self.nets, shown, self.labels)

    def squared_slopes(self, packing: int) -> Tensor:
        """Return each pack's squared slope [N/m] of its logit by the pictures themselves.

        Of the pass that gave the logits, where its graph is there; else of another one like it, with the
        same random numbers. What augments pictures on their way is part of the function.
        """
        import torch

        from figment.networks.layers.packing import pack
        from figment.penalties import squared_slope
        from figment.randomness import random_state, set_random_state

        logits = self.examined[0]
        if self.pictures.is_leaf and self.pictures.requires_grad:
            (slopes,) = torch.autograd.grad(logits.sum(), self.pictures, create_graph=True)
            return pack(slopes, packing).flatten(1).square().sum(1)
        after = random_state(self.pictures.device)
        found = squared_slope(self._again, pack(self.pictures, packing))
        set_random_state(self.pictures.device, after)
        return found

    def _again(self, packed: Tensor) -> Tensor:
        from figment.microbatch import own_rows
        from figment.randomness import set_random_state

        shown, judged = self.draws
        set_random_state(packed.device, shown)
        seen = self.game.show(self.nets, packed.reshape(-1, *self.pictures.shape[1:]))
        set_random_state(packed.device, judged)
        return self.game.logits(self.nets, seen, own_rows(self.labels))


class View:
    """One move as a technique sees it; logits and features are computed when first asked for."""

    def __init__(
        self,
        game: TwoPlayer,
        nets: nn.ModuleDict,
        batch: Batch,
        fakes: Tensor,
        labels: Tensor,
        clock: Clock,
        *,
        sloped: Collection[str] = (),
    ) -> None:
        self.game, self.nets, self.batch, self.clock = game, nets, batch, clock
        self.fakes, self.labels = fakes, labels
        """Fakes as they were made, and their classes: those of ``batch``, or earlier fakes' own."""
        reals = batch.images
        if once(reals):  # one pass is enough for logits and slopes
            reals = reals.detach().requires_grad_() if "reals" in sloped else reals
            apart = "fakes" in sloped and not fakes.requires_grad
            fakes = fakes.detach().float().requires_grad_() if apart else fakes
        self.reals_side = Side(game, nets, reals, batch.labels)
        self.fakes_side = Side(game, nets, fakes, labels)

    @property
    def shown_reals(self) -> Tensor:
        """Reals as the discriminator sees them."""
        return self.reals_side.shown

    @property
    def shown_fakes(self) -> Tensor:
        """Fakes as the discriminator sees them."""
        return self.fakes_side.shown

    @property
    def real(self) -> Tensor:
        """Logits [N, ...] of the reals."""
        return self.reals_side.examined[0]

    @property
    def fake(self) -> Tensor:
        """Logits [N, ...] of the fakes."""
        return self.fakes_side.examined[0]

    @property
    def real_features(self) -> Tensor:
        """Features [N, F] of the reals, for techniques with ``reads_features``."""
        return _there(self.reals_side.examined[1])

    @property
    def fake_features(self) -> Tensor:
        """Features [N, F] of the fakes, for techniques with ``reads_features``."""
        return _there(self.fakes_side.examined[1])

    def logits(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return the logits of other images, shown to the discriminator as all are."""
        return self.game.logits(self.nets, self.game.show(self.nets, images), labels)

    def logits_of_shown(self, shown: Tensor, labels: Tensor) -> Tensor:
        """Return the logits of images that are as the discriminator sees them."""
        return self.game.logits(self.nets, shown, labels)


def once(images: Tensor) -> bool:
    """Return whether a pass over these images keeps a graph in float32, to be differentiated twice."""
    import torch

    from figment import compiling
    from figment.microbatch import whole

    low = torch.is_autocast_enabled(images.device.type)
    return whole(len(images)) and not low and not compiling.active()


def at_least_zero(r: Settings, *names: str) -> None:
    """Refuse values below 0."""
    for name in names:
        if getattr(r, name) < 0:
            raise UserError(f"{name} must be 0 or more, not {getattr(r, name)}")


def above_zero(r: Settings, *names: str) -> None:
    """Refuse values of 0 and below."""
    for name in names:
        if getattr(r, name) <= 0:
            raise UserError(f"{name} must be above 0, not {getattr(r, name)}")


def pictures_only(r: Settings, field: str) -> None:
    """Refuse what can be done to pictures only."""
    if r.kind == "points":
        raise UserError(
            f"--{field.replace('_', '-')} works on pictures only: leave it out for points"
        )


def _there(features: Tensor | None) -> Tensor:
    assert features is not None  # ``examine`` refuses discriminators without
    return features
