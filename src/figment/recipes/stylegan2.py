"""StyleGAN2: Karras et al. 2020, arXiv:1912.04958, in the numbers of its successor's "auto" (ADA's code).

The latent becomes a style, which every layer of the generator is given; two styles are mixed in nine
images of ten while training. R1 is applied in one round of 16 and path length in one of four, each the
stronger for it. Truncation pulls styles towards their mean: ``truncation`` is the share of the way that
is left, near 0 the mean picture, 1 none. What is drawn is a function of the seed, noise included (see
``figment.networks.stylegan2``).

Width and latent are an eighth and a quarter of the paper's, batches 16, for one small machine;
``PAPER_1024``, ``PAPER_256``, ``AUTO_64`` and ``CIFAR`` have the authors' own. Against the authors' code: a
lazy penalty is added to the loss of its round, where theirs takes a step of its own; mixing is drawn for
each image, not for the batch; the discriminator compares neighbours in the batch, not every so manieth.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self, cast

from figment.errors import UserError
from figment.recipes import limits
from figment.recipes.styled import Styled
from figment.rounds import penalty
from figment.techniques.slopes import sloped
from figment.techniques.technique import at_least_zero

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from figment.networks.stylegan2 import Generator
    from figment.penalties.path_length import MeanLength
    from figment.rounds import Batch, Clock, Terms

SHRINK = 2
"""Path length looks at every second image of a batch."""


@dataclass(frozen=True, kw_only=True)
class StyleGAN2(Styled):
    """GAN whose generator is told a style at every layer."""

    REFUSED: ClassVar[Mapping[str, str]] = {
        **limits.EQUALISED,
        "latent_consistency": "its fakes draw noise and styles anew",
    }

    latent: int = 128
    ema: int = 20_000
    generator_lr: float = 2.5e-3
    discriminator_lr: float = 2.5e-3
    betas: tuple[float, float] = (0.0, 0.99)
    r1: float = 0.0128
    penalty_every: int = 16
    width: int = 64
    """Channels of maps of 4 to --wide-until pixels, halved at every doubling above."""
    wide_until: int = 32
    """Side of the largest maps that have all of --width."""
    residual: bool = True
    """The discriminator's blocks have a way around their layers."""
    spread_group: int = 4
    """Neighbours in a batch whose spread the discriminator sees; at most, and a divisor of the batch."""
    path_length: float = 2.0
    """Weight of the path lengths' squared distance from their mean."""
    path_length_every: int = 4
    """Rounds between two applications of it, each multiplied by it to compensate."""

    def check(self) -> None:
        super().check()
        limits.power_of_two(self, 32, 1024)
        if self.wide_until & (self.wide_until - 1) or not 4 <= self.wide_until <= self.resolution:
            raise UserError(
                f"wide_until must be a power of two from 4 to {self.resolution}, not {self.wide_until}"
            )
        limits.at_least(self, self.resolution // self.wide_until, "width")
        limits.at_least(self, 1, "path_length_every", "spread_group")
        at_least_zero(self, "path_length")
        limits.without(self, self.REFUSED)
        limits.whole_groups(self)

    def idle(self) -> Mapping[str, str]:
        needs = {} if self.path_length else {"path_length_every": "without --path-length"}
        return {**super().idle(), **needs}

    def nearest_resolution(self, side: int) -> int:
        return limits.power_below(min(side, self.resolution), max(32, self.wide_until))

    @property
    def neighbours(self) -> int:
        from figment.networks.layers.minibatch_stddev import group_size

        return group_size(max(1, self.batch // self.packing), self.spread_group)

    def tiny(self) -> Self:
        return replace(super().tiny(), resolution=32, width=4, penalty_every=2, path_length_every=2)

    # -- networks ---------------------------------------------------------------------------------

    def build(self) -> nn.ModuleDict:
        from torch import nn

        from figment.networks.layers.equalised import plain
        from figment.networks.stylegan2 import Discriminator, Generator

        size = {"width": self.width, "resolution": self.resolution, "until": self.wide_until}
        generator = Generator(
            latent=self.latent,
            classes=self.inputs - self.latent,
            mapping_layers=self.mapping_layers,
            channels=self.channels,
            **size,
        )
        discriminator = Discriminator(
            channels=self.discriminator_channels,
            dropout=self.dropout,
            head=self.head(plain),
            residual=self.residual,
            group=self.spread_group,
            **size,
        )
        return nn.ModuleDict({"generator": generator, "discriminator": discriminator})

    def projection(self, features: int) -> nn.Module:
        from figment.networks.stylegan2 import ClassDirection

        return ClassDirection(features, self.classes)

    def memory(self, nets: nn.ModuleDict) -> dict[str, nn.Module]:
        from figment.penalties.path_length import MeanLength

        mean = {"path_length": MeanLength()} if self.path_length else {}
        return {**super().memory(nets), **mean}

    @property
    def together(self) -> int:
        """Path lengths are taken of every SHRINK-th image: of as many by each process."""
        return math.lcm(super().together, SHRINK if self.path_length else 1)

    # -- a round ----------------------------------------------------------------------------------

    def generator_terms(
        self, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        terms = super().generator_terms(nets, batch, fakes, clock)
        if not self.path_length or clock.rounds % self.path_length_every:
            return terms
        from figment.microbatch import in_parts

        some = batch._replace(latents=batch.latents[::SHRINK], labels=batch.labels[::SHRINK])
        lengths = in_parts(lambda latents: self.lengths(nets, latents, some.labels), some.latents)
        value = cast("MeanLength", nets["path_length"]).deviations(lengths).mean()
        weight = self.path_length * self.path_length_every
        return terms.and_(penalty(path_length=weight * value))

    def lazy(self) -> list[int]:
        return [*super().lazy(), *([self.path_length_every] if self.path_length else [])]

    def lengths(self, nets: nn.ModuleDict, latents: Tensor, labels: Tensor) -> Tensor:
        """Return the path lengths [N] of a part of a batch; ``labels`` are those of all of it."""
        from figment.microbatch import own_rows
        from figment.penalties.path_length import path_lengths

        net, own = cast("Generator", nets["generator"]), own_rows(labels)
        style = self.style(net, latents, own)
        return path_lengths(net, self.mixed(net, style, latents, own))

    def adjust(self, optimizers: dict[str, Optimizer], rate_scale: float) -> None:
        """Adam as if lazy penalties were steps of their own, k + 1 in place of k: appendix B."""
        super().adjust(optimizers, rate_scale)
        every = {
            "generator": self.path_length_every if self.path_length else 1,
            "discriminator": self.penalty_every if sloped(self) else 1,
        }
        for player, optimizer in optimizers.items():
            share = every[player] / (every[player] + 1) if every[player] > 1 else 1.0
            for group in optimizer.param_groups:
                group["lr"] *= share
                if "betas" in group:
                    group["betas"] = tuple(beta**share for beta in group["betas"])


STYLEGAN2_64 = StyleGAN2(batch=16, r1=0.0512)
ADA_64 = replace(STYLEGAN2_64, augment="ada")
AUTO_64 = StyleGAN2(latent=512, width=512)
"""The authors' "auto" for 64 px: Karras et al. 2020a, with a batch of 64."""
CIFAR = replace(
    AUTO_64,
    resolution=32,
    residual=False,
    spread_group=32,
    mixing=0.0,
    path_length=0.0,
    r1=0.01,
    ema=500_000,
    augment="ada",
    images=100_000_000,
)
"""Of the same paper, for CIFAR-10: no mixing, no path length, a discriminator without ways around."""
PAPER_256 = replace(
    AUTO_64,
    resolution=256,
    mapping_layers=8,
    spread_group=8,
    r1=1.0,
    mirror=True,
    images=25_000_000,
)
PAPER_1024 = replace(
    PAPER_256,
    resolution=1024,
    wide_until=64,
    spread_group=4,
    batch=32,
    generator_lr=2e-3,
    discriminator_lr=2e-3,
    r1=10.0,
    ema=10_000,
)
