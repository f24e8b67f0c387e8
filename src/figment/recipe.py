"""Recipe: everything that decides what a run learns.

A recipe is a frozen dataclass. Its fields are numbers and choices, each of them a flag of the command
line; its methods are the game. A family of systems is a subclass with its networks; a system is a named
value of it (see ``figment.recipes``). torch is imported only inside methods, so that listing recipes is
quick.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, Self

from figment.errors import UserError

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from figment.data import Look
    from figment.networks.layers.head import Head
    from figment.training.trainer import Trainer


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
    latent_consistency: float = 0.0
    """Weight of the change of the discriminator's logits under small steps of the latents (zCR)."""
    latent_diversity: float = 0.0
    """Weight of the change of fakes under the same steps, which the generator is to have (zCR)."""
    clip: float = 0.0
    """Bound on every weight of the discriminator (WGAN); 0: none."""
    adversarial: float = 1.0
    """Weight of the objective in the generator's loss."""
    feature_matching: float = 0.0
    """Weight of the distance of mean discriminator features in the generator's loss."""
    top_k: float = 1.0
    """Least share of fakes that the generator learns from, those that are judged best; 1: all."""

    minibatch_discrimination: int = 0
    """Kernels by which the discriminator compares the pictures of a batch."""
    minibatch_dimensions: int = 16
    """Numbers that each of these kernels compares."""
    minibatch_stddev: bool = False
    """Tell the discriminator how much the pictures of a group of four vary."""
    spectral_norm: Literal["none", "discriminator", "both"] = "none"
    """Networks whose layers are divided by their largest singular value."""
    discriminator_norm: Literal["batch", "none", "layer", "instance"] = "batch"
    """What stands in the place of the discriminator's batch norms."""
    generator_norm: Literal["batch", "reference", "virtual"] = "batch"
    """Statistics of the generator's batch norms: the batch's, those of one kept batch, both."""
    reference: int = 64
    """Latents in the batch that reference and virtual batch norm keep."""

    conditioning: Literal["none", "concat", "projection", "classifier"] = "none"
    """How the discriminator takes classes: as constant maps, by projection, by telling them (AC-GAN)."""
    class_norm: bool = False
    """The generator takes classes by gains of its batch norms, in place of a one-hot beside the latent."""
    classes: int = 0
    """Classes there are; 0: as many as the data have."""
    class_loss: float = 1.0
    """Weight of an auxiliary classifier's loss for the discriminator."""
    class_loss_generator: float = 1.0
    """The same for the generator."""
    guidance: float = 0.0
    """Weight of a frozen classifier's loss on fakes, whose latents come from a mode a class."""
    guidance_balance: float = 0.0
    """Weight of the distance of that classifier's mean verdict on fakes from all classes alike."""
    guide_images: int = 50_000
    """Most pictures, repeats counted, that this classifier learns from before the first round."""

    discriminator_moves: int = 1
    """Discriminator moves a round (k), each on fresh reals."""
    generator_moves: int = 1
    """Generator moves a round, each on fresh latents."""
    balance: float = 0.0
    """Accuracy above which the discriminator skips its move; 0: it never does."""

    play: Literal[
        "alternating", "simultaneous", "unrolled", "extragradient", "optimistic", "svre"
    ] = "alternating"
    """How the two players take turns."""
    unroll: int = 5
    """Steps of the discriminator that an unrolled generator looks ahead (K)."""

    optimizer: Literal["adam", "rmsprop", "sgd"] = "adam"
    """What makes steps of gradients."""
    generator_lr: float = 2e-4
    """Learning rate of the generator."""
    discriminator_lr: float = 2e-4
    """Learning rate of the discriminator."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Decay rates of Adam; the momentum of the others, and RMSprop's decay rate."""
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

    def turns(self):
        """Return the function that plays one round (see ``figment.turns``)."""
        from figment.turns import turns_for

        return turns_for(self.play, self.unroll, self.optimizer)

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
        """Return the classes [N] that samples of these seeds are of, in turn; None without classes."""
        if not self.classed:
            return None
        import torch

        return torch.tensor(seeds, device=device) % self.classes

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
