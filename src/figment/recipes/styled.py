"""Styled: what generators with a mapping share: styles, mixed while training, truncated when drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from figment.errors import UserError
from figment.gan import GAN
from figment.recipes import limits

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Styled(GAN):
    """GAN whose generator is told a style at every layer; its networks keep the mean style."""

    mapping_layers: int = 2
    """Layers that make a style of a latent."""
    mixing: float = 0.9
    """Share of fakes that have two styles, from a random layer on the second."""

    def check(self) -> None:
        super().check()
        limits.at_least(self, 1, "mapping_layers")
        if not 0 <= self.mixing <= 1:
            raise UserError(f"mixing must be a share from 0 to 1, not {self.mixing}")

    @property
    def styled(self) -> bool:
        return True

    def latents(self, seeds: Sequence[int], truncation: float | None = None) -> Tensor:
        """Whole: it is styles that are truncated, by ``draw``."""
        return super().latents(seeds)

    def generate(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor:
        """In training mode the mean style follows, and images mix styles and draw noise."""
        from figment.microbatch import in_parts

        style = self.style(generator, latents, labels)
        if generator.training:
            cast("Any", generator).follow(style)
        return in_parts(generator, self.mixed(generator, style, latents, labels))

    def draw(
        self,
        generator: nn.Module,
        latents: Tensor,
        labels: Tensor | None,
        truncation: float | None = None,
    ) -> Tensor:
        from figment.microbatch import in_parts

        style = self.style(generator, latents, labels)
        if truncation is not None:
            style = cast("Any", generator).mean_style.lerp(style, truncation)
        return in_parts(generator, self.mixed(generator, style, latents, labels))

    def style(self, generator: nn.Module, latents: Tensor, labels: Tensor | None) -> Tensor:
        return super().generate(cast("Any", generator).mapping, latents, labels)

    def layers_used(self, generator: nn.Module) -> int:
        """Return how many of an image's styles its picture depends on at this moment."""
        return cast("Any", generator).layers

    def mixed(
        self, net: nn.Module, style: Tensor, latents: Tensor, labels: Tensor | None
    ) -> Tensor:
        """Return the styles of every layer [N, layers, L]: one, or two while training."""
        import torch

        from figment.randomness_per_image import integers, normal, uniform

        layers = cast("Any", net).layers
        alone = style[:, None].expand(-1, layers, -1)
        if not (net.training and self.mixing):
            return alone
        count = len(style)
        other = self.style(net, normal(*latents.shape, like=latents), labels)
        first = 1 + integers(count, self.layers_used(net) - 1, like=latents)  # of the second style
        mixes = uniform(count, like=latents) < self.mixing
        layer = torch.arange(layers, device=style.device)
        second = mixes[:, None] & (layer >= first[:, None])  # [N, layers]
        return torch.where(second[:, :, None], other[:, None], alone)
