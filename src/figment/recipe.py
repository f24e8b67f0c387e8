"""Recipe: everything that decides what a run learns.

A recipe is a frozen dataclass. Its fields are numbers and choices, each of them a flag of the command
line; its methods are the game. A family of systems is a subclass with its networks; a system is a named
value of it (see ``figment.recipes``). torch is imported only inside methods, so that listing recipes is
quick.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, Self

from figment.errors import UserError

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from figment.data import Look


WEIGHTS = ("r1", "r2", "gradient_penalty", "zero_centred", "dragan", "lecam", "consistency")
WEIGHTS += ("consistency_fake", "drift", "orthogonal", "off_diagonal", "historical_averaging")
"""Fields that weigh a penalty."""


TOGETHER = ("simultaneous", "extragradient", "optimistic", "svre")
"""Ways to play in which both players move at once."""


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
class Recipe:
    """A two-player game on images, in the form that most systems share."""

    resolution: int = 64
    """Pixels a side."""
    channels: int = 3
    """1 for grey, 3 for colour."""
    fit: Literal["crop", "pad", "stretch"] = "crop"
    """How a picture that is not square becomes square."""
    held_out: float = 0.05
    """Share of the pictures that training never sees, for honest scores (none of fewer than 200)."""
    mirror: bool = False
    """Show half of the reals mirrored left to right."""

    images: int = 1_000_000
    """Length of the training, in real images shown to the discriminator."""
    batch: int = 64
    """Images a move, over all processes."""
    seed: int = 0
    """Seed of everything random."""

    latent: int = 100
    """Numbers in a latent."""
    dropout: float = 0.0
    """Share of the discriminator's hidden units that are dropped while it learns."""

    objective: Literal[
        "nonsaturating",
        "minimax",
        "least_squares",
        "hinge",
        "wasserstein",
        "relativistic",
        "relativistic_average",
    ] = "nonsaturating"
    """The pair of losses."""
    real_target: float = 1.0
    """Label of reals in the discriminator's loss; .9 is one-sided smoothing."""
    fake_target: float = 0.0
    """Label of fakes in the discriminator's loss; above 0 is two-sided smoothing."""
    packing: int = 1
    """Samples that the discriminator judges together (PacGAN's m)."""
    instance_noise: float = 0.0
    """Deviation of the noise on all that the discriminator sees, at the start."""
    instance_noise_images: int = 0
    """Images until that noise has faded to nothing; 0: the whole training."""
    replay: int = 0
    """Earlier fakes that are kept; half of the discriminator's fakes are drawn from them."""
    r1: float = 0.0
    """Weight of half the squared gradient on reals."""
    r2: float = 0.0
    """Weight of half the squared gradient on fakes."""
    gradient_penalty: float = 0.0
    """Weight of the gradient's squared distance from 1 between reals and fakes (WGAN-GP)."""
    gradient_penalty_sides: Literal[1, 2] = 2
    """2: any gradient that is not 1 costs; 1: only steeper ones."""
    zero_centred: float = 0.0
    """Weight of the squared gradient between reals and fakes."""
    dragan: float = 0.0
    """Weight of the gradient's squared distance from 1 around reals."""
    penalty_every: int = 1
    """Rounds between two applications of the penalties on gradients, which weigh the more then."""
    lecam: float = 0.0
    """Weight of LeCam's pull on the logits."""
    consistency: float = 0.0
    """Weight of the change of logits under flips and shifts of reals."""
    consistency_fake: float = 0.0
    """The same of fakes."""
    drift: float = 0.0
    """Weight of the squared logits of reals."""
    orthogonal: float = 0.0
    """Weight of the distance of a layer's filters from orthonormal ones, in both networks."""
    off_diagonal: float = 0.0
    """The same without asking for filters of length 1 (BigGAN's)."""
    historical_averaging: float = 0.0
    """Weight of the squared distance of both players' weights from their own past mean."""
    clip: float = 0.0
    """Bound on every weight of the discriminator (WGAN); 0: none."""
    discriminator_moves: int = 1
    """Discriminator moves a round (k), each on fresh reals."""

    play: Literal[
        "alternating", "simultaneous", "unrolled", "extragradient", "optimistic", "svre"
    ] = "alternating"
    """How the two players take turns."""
    unroll: int = 5
    """Steps of the discriminator that an unrolled generator looks ahead (K)."""

    generator_lr: float = 2e-4
    """Adam's learning rate for the generator."""
    discriminator_lr: float = 2e-4
    """Adam's learning rate for the discriminator."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Adam's decay rates."""
    ema: int = 10_000
    """Half-life, in images, of the averaged generator that samples are drawn from; 0: no average."""

    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Number format of the networks' products; auto: the faster one on this machine."""
    tick: int = 2_000
    """Images between two lines of the log."""
    sample_every: int = 0
    """Images between two sample grids; 0: ever wider apart, each a quarter later than the last."""
    snapshot_every: int = 0
    """Images between two snapshots; 0: ever wider apart, each half as late again as the last."""
    save_every: int = 0
    """Images between two saves of the state for resuming; 0: about once a minute."""

    metrics: tuple[str, ...] = ("kid",)
    """Scores measured during training; by the first of them the best weights are chosen."""
    features: str = "auto"
    """What scores compare: auto, small, mobilenet, inception, dinov2, NAME:FILE or file:FILE."""
    metric_every: int = 0
    """Images between two measurements; 0: as often as a tenth of the time allows."""
    metric_count: int = 1_000
    """Samples a measurement draws."""
    patience: int = 0
    """Stop after so many measurements without a better one; 0: never."""
    on_collapse: Literal["warn", "stop", "rollback"] = "warn"
    """When training has collapsed: say so, stop, or go back to healthy weights at half the rates."""

    kind: ClassVar[Literal["images", "points"]] = "images"
    """What the family learns: pictures, or points in the plane."""

    # -- what it is -------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example."""
        return (self.channels, self.resolution, self.resolution)

    def check(self) -> None:
        """Refuse, with a sentence, what makes no sense. Families add their own refusals."""
        _positive(self, "resolution", "images", "batch", "latent", "discriminator_moves", "tick")
        _positive(self, "packing", "penalty_every", "unroll")
        _at_least_zero(self, *WEIGHTS, "instance_noise", "instance_noise_images", "replay", "clip")
        if self.batch % self.packing:
            raise UserError(f"batch {self.batch} is no whole number of packs of {self.packing}")
        if self.play in TOGETHER and self.discriminator_moves != 1:
            raise UserError(
                f"in {self.play} play both move at once: leave discriminator_moves at 1"
            )
        if self.play == "unrolled" and self.replay:
            raise UserError("an unrolled generator must reach all fakes: leave replay out")
        if (self.consistency or self.consistency_fake) and self.kind == "points":
            raise UserError("points have nothing to flip: leave consistency out")
        if self.replay and 2 * self.replay < self.batch:
            raise UserError(f"replay must be half a batch or more, not {self.replay}")
        _positive(self, "generator_lr", "discriminator_lr")
        _at_least_zero(self, "seed", "ema", "sample_every", "snapshot_every", "save_every")
        _at_least_zero(self, "metric_every", "patience")
        if self.metric_count < 64:
            raise UserError(f"metric_count must be 64 or more, not {self.metric_count}")
        if not 0 <= self.held_out < 1:
            raise UserError(f"held_out must be at least 0 and below 1, not {self.held_out}")
        if self.patience and not self.metrics:
            raise UserError("patience needs a score to wait for: name one with --metrics")
        if self.channels not in (1, 3):
            raise UserError(f"channels must be 1 (grey) or 3 (colour), not {self.channels}")
        if not 0 <= self.dropout < 1:
            raise UserError(f"dropout must be at least 0 and below 1, not {self.dropout}")
        if not 0 <= self.fake_target < self.real_target <= 1:
            raise UserError(
                "label targets need 0 <= fake_target < real_target <= 1, not "
                f"fake_target {self.fake_target} and real_target {self.real_target}"
            )
        if self.objective not in ("nonsaturating", "minimax"):
            from figment.objectives import refuse_targets

            targets = {"real_target": self.real_target, "fake_target": self.fake_target}
            refuse_targets(self.objective, **targets)
        if not all(0 <= beta < 1 for beta in self.betas):
            raise UserError(f"betas must be at least 0 and below 1, not {self.betas}")

    def fit_to(self, look: Look, pinned: frozenset[str] = frozenset()) -> Self:
        """Return the recipe for these data: resolution and channels follow them unless pinned."""
        if look.kind != self.kind:
            other = "a recipe for points, such as points" if look.kind == "points" else "pictures"
            raise UserError(
                f"{look.name} holds {look.kind}, this recipe learns {self.kind}: use {other}"
            )
        from figment.objectives import OBJECTIVES

        changes: dict[str, float] = {}
        if "real_target" not in pinned and not OBJECTIVES[self.objective].takes_targets:
            changes["real_target"] = 1.0
        if "channels" not in pinned and look.grey:
            changes["channels"] = 1
        if "resolution" not in pinned and look.side:
            changes["resolution"] = self.nearest_resolution(look.side)
        return replace(self, **changes)

    def nearest_resolution(self, side: int) -> int:
        """Return the resolution to learn pictures of ``side`` pixels at, at most the recipe's own."""
        return min(side, self.resolution)

    def cheaper(self, pinned: frozenset[str] = frozenset()) -> list[Recipe]:
        """Return forms of this recipe for ever smaller time budgets, this one first."""
        return [self]

    def tiny(self) -> Self:
        """Return a form that plays a round in milliseconds, for tests."""
        short = replace(self, batch=4, images=32, tick=8, latent=min(self.latent, 8))
        return replace(short, features="small", metric_every=16, metric_count=64)

    # -- the players ------------------------------------------------------------------------------

    def build(self) -> nn.ModuleDict:
        """Return the networks, at least "generator", with whatever else has state.

        Initialised from torch's global seed, which the trainer has set.
        """
        raise NotImplementedError

    def optimizers(self, nets: nn.ModuleDict) -> dict[str, Optimizer]:
        """Return each player's optimiser, by the player's name."""
        from torch.optim import Adam

        rates = {"generator": self.generator_lr, "discriminator": self.discriminator_lr}
        return {
            player: Adam(nets[player].parameters(), lr=rate, betas=self.betas, fused=True)
            for player, rate in rates.items()
        }

    # -- the game ---------------------------------------------------------------------------------

    def turns(self):
        """Return the function that plays one round (see ``figment.turns``)."""
        from figment.turns import turns_for

        return turns_for(self.play, self.unroll)

    def generate(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor:
        """Return fakes [N, C, R, R] in [-1, 1] for latents [N, L] (and labels [N] if conditional)."""
        return generator(latents)

    def labels_for(self, seeds: Sequence[int], device: torch.device) -> Tensor | None:
        """Return the classes [N] that samples of these seeds are of; None without classes."""
        return None

    def judge(self, nets: nn.ModuleDict, images: Tensor, labels: Tensor | None) -> Tensor:
        """Return the discriminator's logits [N], in float32."""
        return nets["discriminator"](images).float()

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

    def after(self, player: str, nets: nn.ModuleDict) -> None:
        """Do what follows a player's move, such as clipping its weights."""
        if self.clip > 0 and player == "discriminator":
            from figment.penalties import clip

            clip(nets["discriminator"], self.clip)


def fields_of(recipe: Recipe) -> dict[str, object]:
    """Return a recipe's fields by name."""
    return {field.name: getattr(recipe, field.name) for field in dataclasses.fields(recipe)}


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


def _positive(recipe: Recipe, *names: str) -> None:
    _refuse(recipe, names, lambda value: value > 0, "above 0")


def _at_least_zero(recipe: Recipe, *names: str) -> None:
    _refuse(recipe, names, lambda value: value >= 0, "0 or more")


def _refuse(recipe: Recipe, names: Iterable[str], allowed, wanted: str) -> None:
    for name in names:
        if not allowed(getattr(recipe, name)):
            raise UserError(f"{name} must be {wanted}, not {getattr(recipe, name)}")
