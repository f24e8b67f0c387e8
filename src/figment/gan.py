"""GAN: the game of two players that most systems share: an objective, and techniques around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from figment.errors import UserError
from figment.fields import neutral
from figment.recipe import Recipe, check_settings
from figment.rounds import Batch, Clock, Engine, Terms, no_terms
from figment.techniques import TECHNIQUES, Fields, Technique, View, minibatch_stddev
from figment.techniques.exclusions import refuse_exclusions
from figment.techniques.technique import above_zero

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from figment.data import Dataset, Look
    from figment.networks.layers.head import Head
    from figment.objectives.adversarial import Objective
    from figment.rounds import Scalars, Turns


@dataclass(frozen=True, kw_only=True)
class GAN(Fields, Recipe):
    """A generator against a discriminator."""

    BY_DATA: ClassVar[tuple[str, ...]] = (*Recipe.BY_DATA, "classes", "class_shares")

    dropout: float = 0.0
    """Share of the discriminator's hidden units that are dropped while it learns."""
    optimizer: Literal["adam", "rmsprop", "sgd"] = "adam"
    """Optimiser of both players."""
    generator_lr: float = 2e-4
    """Learning rate of the generator."""
    discriminator_lr: float = 2e-4
    """Learning rate of the discriminator."""
    rate_decay: float = 0.0
    """Last share of the training over which both learning rates fall straight to 0; 1: all of it."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Decay rates of Adam; the momentum of the others, and RMSprop's decay rate."""

    # -- what it is -------------------------------------------------------------------------------

    @cached_property
    def techniques(self) -> tuple[Technique[Any], ...]:
        """The techniques that the fields switch on, in the order in which they act."""
        return tuple(technique for technique in TECHNIQUES if technique.on(self))

    @property
    def loss_pair(self) -> Objective:
        """The losses of both players, and what may be said of its logits."""
        from figment.objectives import objective

        return objective(self.objective)

    def check(self) -> None:
        check_settings(self)
        for technique in TECHNIQUES:
            technique.check(self)
        above_zero(self, "generator_lr", "discriminator_lr")
        if not 0 <= self.rate_decay <= 1:
            raise UserError(f"rate_decay must be a share from 0 to 1, not {self.rate_decay}")
        if not 0 <= self.dropout < 1:
            raise UserError(f"dropout must be at least 0 and below 1, not {self.dropout}")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise UserError(f"betas must be at least 0 and below 1, not {self.betas}")
        if self.optimizer == "sgd" and self.betas[1] != neutral(type(self), "betas")[1]:
            raise UserError(
                "the second of --betas has no effect with --optimizer sgd, whose momentum is the first: "
                f"set --betas {self.betas[0]:g} {neutral(type(self), 'betas')[1]:g}"
            )
        refuse_exclusions(self)
        super().check()

    def idle(self) -> Mapping[str, str]:
        found = dict(super().idle())
        for technique in TECHNIQUES:
            found |= technique.idle(self)
        return found

    def without_idle(self, pinned: frozenset[str] = frozenset()) -> Self:
        fitted = super().without_idle(pinned)
        if fitted.optimizer != "sgd" or "betas" in pinned:
            return fitted
        return replace(fitted, betas=(fitted.betas[0], neutral(type(self), "betas")[1]))

    def fit_to(self, look: Look, pinned: frozenset[str] = frozenset()) -> Self:
        """As every recipe's; classes are all that the data have, if it takes any."""
        fitted = super().fit_to(look, pinned)
        found = len(look.classes)
        if not fitted.classed:
            return fitted
        if found < 2:
            asks = "conditioning" if fitted.conditional else "guidance"
            raise UserError(
                f"{look.name} has no classes: give each a folder, or leave {asks} out"
                " (--folders classes takes any folders)"
            )
        if fitted.classes not in (0, found):
            raise UserError(
                f"{look.name} has {found} classes, not {fitted.classes}: leave classes out"
            )
        return replace(fitted, classes=found)

    def settle(self, dataset: Dataset, pinned: frozenset[str] = frozenset()) -> Self:
        """Samples that name no class come in the shares of the data."""
        if not self.conditional or self.class_shares or "class_shares" in pinned:
            return self
        return replace(self, class_shares=dataset.shares())

    def tiny(self) -> Self:
        """As every recipe's; it plays at most two moves ahead: more are more of the same."""
        ahead = min(self.unroll, 2) if self.play == "unrolled" else self.unroll
        short = replace(super().tiny(), unroll=ahead)
        return replace(short, classes=2) if self.classed else short

    def describe(self) -> list[str]:
        return [words for technique in self.techniques for words in technique.describe(self)]

    @property
    def conditional(self) -> bool:
        """The networks are given classes."""
        return self.conditioning != "none"

    @property
    def guided(self) -> bool:
        """Latents come from a mode a class, and a frozen classifier guides the generator."""
        return self.guidance > 0 or self.guidance_balance > 0

    @property
    def learned_from(self) -> frozenset[str]:
        found = {technique.learns_from(self) for technique in self.techniques}
        return frozenset(found - {""})

    @property
    def classed(self) -> bool:
        return self.conditional or self.guided

    def class_count(self) -> int:
        return self.classes if self.classed else 0

    # -- networks ---------------------------------------------------------------------------------

    @property
    def inputs(self) -> int:
        """Numbers that the generator is given: the latent, and a one-hot class where it takes one."""
        return self.latent + self.classes * (self.conditional and not self.class_norm)

    @property
    def discriminator_channels(self) -> int:
        """Channels that the discriminator is given: those of a pack, and a map a class if it takes them."""
        return self.packing * self.shape[0] + self.classes * (self.conditioning == "concat")

    @property
    def together(self) -> int:
        return self.packing * self.neighbours

    def head(self, plain: Head) -> Head:
        """Return what makes logits of a discriminator's features: ``plain``, or what fields ask for."""
        for technique in self.techniques:
            plain = technique.head(self, plain)
        return plain

    def networks(self) -> nn.ModuleDict:
        nets = self.build()
        for technique in self.techniques:
            technique.networks(self, nets)
        return nets

    def memory(self, nets: nn.ModuleDict) -> dict[str, nn.Module]:
        found: dict[str, nn.Module] = {}
        for technique in self.techniques:
            found |= technique.memory(self, nets)
        return found

    def optimizers(self, nets: nn.ModuleDict) -> dict[str, Optimizer]:
        """Return each player's optimiser; a family with others sets their rates itself, see ``adjust``."""
        from figment.optimizers import optimizer_for

        found = {}
        for player in ("generator", "discriminator"):
            rate = getattr(self, f"{player}_lr")
            weights = [weight for weight in nets[player].parameters() if weight.requires_grad]
            found[player] = optimizer_for(self.optimizer, weights, rate, self.betas)
            for group in found[player].param_groups:
                group["rate"] = f"{player}_lr"  # the field that ``adjust`` takes it from
        return found

    # -- the generator ----------------------------------------------------------------------------

    def generate(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor:
        from figment.microbatch import in_parts

        inputs = (latents,)
        if labels is not None:
            for technique in self.techniques:
                inputs = technique.generator_inputs(self, inputs, labels)
        return in_parts(generator, *inputs)

    def labels_for(self, seeds: Sequence[int], device: torch.device) -> Tensor | None:
        """In turn where all have one share, else spread so that any row of seeds comes near the shares."""
        if not self.classed:
            return None
        import torch

        if not self.class_shares:
            return torch.tensor(seeds, device=device) % self.classes
        from figment.randomness import low_discrepancy

        ends = torch.tensor(self.class_shares, dtype=torch.float64).cumsum(0)
        places = torch.tensor([low_discrepancy(seed) for seed in seeds], dtype=torch.float64)
        places *= ends[-1]
        return torch.searchsorted(ends[:-1].contiguous(), places, right=True).to(device)

    # -- the discriminator ------------------------------------------------------------------------

    def show(self, nets: nn.ModuleDict, images: Tensor) -> Tensor:
        """Return images as the discriminator sees them: augmented, with noise, packed together."""
        for technique in self.techniques:
            images = technique.show(self, nets, images)
        return images

    def discriminator_inputs(self, shown: Tensor, labels: Tensor | None) -> tuple[Tensor, ...]:
        """Return what the discriminator is called with for images that are shown already."""
        inputs = (shown,)
        if labels is not None:
            for technique in self.techniques:
                inputs = technique.discriminator_inputs(self, inputs, labels)
        return inputs

    def logits(self, nets: nn.ModuleDict, shown: Tensor, labels: Tensor | None) -> Tensor:
        """Return the discriminator's logits [N, ...] of images that are shown already, in float32."""
        from figment.microbatch import in_parts
        from figment.networks.layers.discriminator import FeatureDiscriminator

        net, inputs = nets["discriminator"], self.discriminator_inputs(shown, labels)
        if isinstance(net, FeatureDiscriminator):  # the head may compare the whole batch
            return net.verdict(in_parts(net.features, inputs[0]), *inputs[1:]).float()
        return in_parts(net, *inputs).float()

    def examine(
        self, nets: nn.ModuleDict, shown: Tensor, labels: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Return logits [N, ...] and, where a technique reads them, features [N, F]."""
        if not any(technique.reads_features for technique in self.techniques):
            return self.logits(nets, shown, labels), None
        from figment.microbatch import in_parts
        from figment.networks.layers.discriminator import FeatureDiscriminator

        net, inputs = nets["discriminator"], self.discriminator_inputs(shown, labels)
        if not isinstance(net, FeatureDiscriminator):
            raise UserError(
                "feature matching and classifiers need a discriminator with features: make it a "
                "figment.networks.layers.discriminator.FeatureDiscriminator"
            )
        features = in_parts(net.features, inputs[0])
        return net.verdict(features, *inputs[1:]).float(), features

    def validate(self, nets: nn.ModuleDict, images: Tensor, labels: Tensor | None) -> Scalars:
        """Its mean score of them, and the mean sign of its logits (Karras et al. 2020a, section 3.1)."""
        import torch

        from figment.techniques.adversarial import observed_held_out

        group = minibatch_stddev.GROUP if self.minibatch_stddev else self.neighbours
        together = self.packing * group
        rows = torch.arange(len(images) // together * together, device=images.device)
        if len(rows) < 2 * self.packing:
            return {}
        parts = min(-(-len(rows) // max(2 * self.packing, self.batch)), len(rows) // together)
        found = []
        for part in rows.unflatten(0, (-1, together)).tensor_split(parts):
            own = part.flatten()
            told = None if labels is None else labels[own]
            found.append(self.logits(nets, self.show(nets, images[own]), told))
        return observed_held_out(self.loss_pair, torch.cat(found))

    # -- a round ----------------------------------------------------------------------------------

    def begin(self, engine: Engine) -> None:
        for technique in self.techniques:
            technique.begin(self, engine)

    def turns(self) -> Turns:
        from figment.turns import turns_for

        return turns_for(self.play, unroll=self.unroll, optimizer=self.optimizer)

    def at(self, clock: Clock) -> Self:
        """Learning rates fall; techniques say what else changes."""
        changes: dict[str, Any] = {}
        for technique in self.techniques:
            changes |= technique.at(self, clock)
        rate = self.rate(clock)
        if rate != 1:
            changes["generator_lr"] = self.generator_lr * rate
            changes["discriminator_lr"] = self.discriminator_lr * rate
        return replace(self, **changes) if changes else self

    def rate(self, clock: Clock) -> float:
        """Return what both learning rates are multiplied by at a moment."""
        if not self.rate_decay:
            return 1.0
        left = (1 - clock.images / self.images) / self.rate_decay
        return min(1.0, max(0.0, left))

    def adjust(self, optimizers: dict[str, Optimizer], rate_scale: float) -> None:
        super().adjust(optimizers, rate_scale)
        groups = (group for optimizer in optimizers.values() for group in optimizer.param_groups)
        for group in (group for group in groups if "rate" in group):
            group["lr"] = rate_scale * getattr(self, group["rate"])
            if "betas" in group:
                group["betas"] = self.betas
            else:
                group["momentum"] = self.betas[0]
            if "alpha" in group:
                group["alpha"] = self.betas[1]

    def reals(self, images: Tensor, clock: Clock) -> Tensor:
        for technique in self.techniques:
            images = technique.reals(self, images, clock)
        return images

    def discriminator_terms(
        self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        """Return what the discriminator minimises on reals and (detached) fakes."""
        labels = batch.labels
        for technique in self.techniques:
            fakes, labels = technique.fakes(self, nets, fakes, labels)
        sloped = {s for each in self.techniques for s in each.differentiates(self, clock)}
        view = View(self, nets, batch, fakes, labels, clock, sloped=sloped)
        _ = view.shown_reals, view.shown_fakes  # both draw their noise before any network does
        terms = no_terms()
        for technique in self.techniques:
            terms = terms.and_(technique.discriminator(self, view))
        return terms

    def generator_terms(
        self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        """Return what the generator minimises on its fakes, whose graph reaches its weights."""
        view = View(self, nets, batch, fakes, batch.labels, clock)
        _ = view.fake  # before the reals, which a paired loss looks at
        terms = no_terms()
        for technique in self.techniques:
            terms = terms.and_(technique.generator(self, view))
        return terms

    def hard_labelled(self) -> Self:
        """Return the game with label 0 for fakes, whose value both players of a zero-sum game are after."""
        return replace(self, fake_target=0.0)

    def match(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return how far apart features [N, F] of reals and fakes are: the term of feature matching."""
        from figment.objectives.features import feature_matching

        return feature_matching(real, fake)

    def waits(self, player: str, seen: Scalars) -> bool:
        return any(technique.waits(self, player, seen) for technique in self.techniques)

    def after(self, player: str, nets: nn.ModuleDict) -> None:
        for technique in self.techniques:
            technique.after(self, player, nets)
