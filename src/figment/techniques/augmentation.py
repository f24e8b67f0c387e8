"""Augmentation: of the reals alone (study), or of all that the discriminator sees (DiffAugment, ADA)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from figment.errors import UserError
from figment.objectives import objective
from figment.rounds import Terms, no_terms
from figment.techniques import adversarial
from figment.techniques.technique import Technique, above_zero, pictures_only

if TYPE_CHECKING:
    from torch import Tensor, nn

    from figment.rounds import Clock
    from figment.techniques.technique import View

Augment = Literal["none", "study", "diffaugment", "ada", "ada-fixed"]
SAID = {"study": "turned as in the Flowers study", "diffaugment": "DiffAugment", "ada": "ADA"}


@dataclass(frozen=True, kw_only=True)
class Fields(adversarial.Fields):
    augment: Augment = "none"
    """Of the reals alone (study), or of all that the discriminator sees (diffaugment, ada, ada-fixed)."""
    augment_p: float = 0.0
    """Probability of each transform of ADA: at the start (ada), or all along (ada-fixed)."""
    ada_target: float = 0.6
    """Mean sign of the discriminator on reals that ADA's probability holds."""
    ada_images: int = 500_000
    """Images in which ADA's probability can go from 0 to 1."""
    ada_transforms: Literal["shift", "bg", "bgc", "bgcf", "bgcfn", "bgcfnc", "r3gan"] = "bgc"
    """Transforms of ADA: flips and shifts; blits, geometry, colours, filters, noise, cutouts; R3GAN's."""


class Augmentation(Technique[Fields]):
    def on(self, r: Fields) -> bool:
        return r.augment != "none"

    def check(self, r: Fields) -> None:
        above_zero(r, "ada_images")
        if not 0 < r.ada_target < 1:
            raise UserError(f"ada_target must lie between 0 and 1, not {r.ada_target}")
        if not 0 <= r.augment_p <= 1:
            raise UserError(f"augment_p must be between 0 and 1, not {r.augment_p}")
        if r.augment != "none":
            pictures_only(r, "augment")
        if r.augment == "ada-fixed" and r.augment_p == 0:
            raise UserError(
                "ada-fixed does nothing at a probability of 0: set augment_p, such as .3"
            )
        if r.augment == "ada" and objective(r.objective).boundary is None:
            raise UserError(
                f"{r.objective} logits have no zero to tell overfitting by: set augment ada-fixed"
            )

    def idle(self, r: Fields) -> Mapping[str, str]:
        found: dict[str, str] = {}
        if r.augment not in ("ada", "ada-fixed"):
            found = dict.fromkeys(
                ("augment_p", "ada_transforms"), "without --augment ada or ada-fixed"
            )
        if r.augment != "ada":
            found |= dict.fromkeys(("ada_target", "ada_images"), "without --augment ada")
        return found

    def describe(self, r: Fields) -> list[str]:
        return [SAID.get(r.augment, f"ADA at {r.augment_p:g}")]

    def memory(self, r: Fields, nets: nn.ModuleDict) -> dict[str, nn.Module]:
        from figment.augment import AdaptiveProbability

        if r.augment != "ada":
            return {}
        p = AdaptiveProbability(start=r.augment_p, target=r.ada_target, images=r.ada_images)
        return {"augment": p}

    def reals(self, r: Fields, images: Tensor, clock: Clock) -> Tensor:
        from figment.augment import study

        return study(images) if r.augment == "study" else images

    def show(self, r: Fields, nets: nn.ModuleDict, images: Tensor) -> Tensor:
        from figment import augment

        if r.augment == "diffaugment":
            return augment.diffaugment(images)
        if r.augment in ("ada", "ada-fixed"):
            p: Any = nets["augment"].p if "augment" in nets else r.augment_p
            return augment.ada(images, p, augment.PRESETS[r.ada_transforms])
        return images

    def discriminator(self, r: Fields, view: View) -> Terms:
        from figment.augment import AdaptiveProbability

        if "augment" not in view.nets:
            return no_terms()
        probability = cast(AdaptiveProbability, view.nets["augment"])
        boundary = view.game.loss_pair.boundary
        probability.follow(view.real.detach() - boundary, len(view.batch.images))
        return Terms({}, {}, {"augment/p": probability.p.clone()})
