"""A guided latent space: latents from a mode a class, a frozen classifier in the generator's loss.

The Study (2019) names it after an article by Kashikar that could not be found again, in one sentence: a
classifier, properly trained on the data set, is used in the loss and in the generation of data. What is
done here is figment's own reading of it:

    z ~ N(r e_k, I) for a picture of class k;   q the classifier, its weights frozen
    L_G + λ1 · CE(q(G(z)), k) + λ2 · KL(mean of q(G(z)) over the batch || uniform)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from figment.errors import UserError
from figment.rounds import Terms
from figment.techniques import conditioning, mirror
from figment.techniques.technique import Technique, above_zero, at_least_zero

if TYPE_CHECKING:
    from torch import Tensor, nn

    from figment.rounds import Engine
    from figment.techniques.technique import View

_taught: dict[tuple, dict[str, Tensor]] = {}
"""The last lesson. Planning plays first rounds too; what they teach need not be learned again."""


@dataclass(frozen=True, kw_only=True)
class Fields(conditioning.Fields, mirror.Fields):
    guidance: float = 0.0
    """Weight of a frozen classifier's loss on fakes, whose latents come from a mode a class."""
    guidance_balance: float = 0.0
    """Weight of the distance of that classifier's mean prediction on fakes from all classes alike."""
    guide_images: int = 50_000
    """Most pictures, repeats counted, that this classifier learns from before the first round."""


class Guidance(Technique[Fields]):
    def on(self, r: Fields) -> bool:
        return r.guidance > 0 or r.guidance_balance > 0

    def check(self, r: Fields) -> None:
        at_least_zero(r, "guidance", "guidance_balance")
        above_zero(r, "guide_images")
        if self.on(r) and r.kind == "points":
            raise UserError("points have no classes: leave guidance out")
        if self.on(r) and r.latent < r.classes:
            raise UserError(
                f"each of {r.classes} modes has its own direction: set --latent to {r.classes} or more"
            )

    def asks_for_class(self, r: Fields) -> bool:
        return r.guidance > 0

    def idle(self, r: Fields) -> Mapping[str, str]:
        found = {} if self.on(r) else {"guide_images": "without --guidance or --guidance-balance"}
        if not self.on(r) and r.conditioning == "none":
            found["classes"] = "without --conditioning, --guidance or --guidance-balance"
        return found

    def memory(self, r: Fields, nets: nn.ModuleDict) -> dict[str, nn.Module]:
        from figment.networks.guide import Guide

        return {"guide": Guide(r.channels, r.classes)}

    def begin(self, r: Fields, engine: Engine) -> None:
        """Give the guide the weights of a classifier trained on the training pictures and their labels.

        At most ``guide_images`` pictures, fewer where it has learned enough before. A function of the data
        and the seed; the first process learns, all get the same.
        """
        from figment import mesh
        from figment.networks.guide import learn

        feed, device = engine.feed, engine.device
        key = (feed.dataset.fingerprint, r.seed, r.held_out, r.guide_images, r.mirror, str(device))
        if key not in _taught:
            learned = None
            if mesh.is_first():
                guide = learn(
                    feed,
                    device,
                    channels=r.channels,
                    classes=r.classes,
                    seed=r.seed,
                    images=r.guide_images,
                    mirror=r.mirror,
                )
                learned = guide.cpu().state_dict()
            _taught.clear()
            _taught[key] = cast("dict[str, Tensor]", mesh.first(learned))
        engine.nets["guide"].load_state_dict(_taught[key])

    def generator_inputs(
        self, r: Fields, inputs: tuple[Tensor, ...], labels: Tensor
    ) -> tuple[Tensor, ...]:
        from figment.networks.guide import at_modes

        return (at_modes(inputs[0], labels), *inputs[1:])

    def generator(self, r: Fields, view: View) -> Terms:
        return terms(r, view.nets["guide"](view.fakes), view.batch.labels)


def terms(r: Fields, classes: Tensor, labels: Tensor) -> Terms:
    """Return what guidance adds to the generator's loss, of the guide's logits [N, K] for its fakes.

    ``score/guided`` is the share of fakes that the guide takes for what they were to be.
    """
    import torch.nn.functional as F

    from figment.networks.guide import imbalance

    found = {}
    if r.guidance > 0:
        found["guidance"] = r.guidance * F.cross_entropy(classes, labels)
    if r.guidance_balance > 0:
        found["guidance_balance"] = r.guidance_balance * imbalance(classes)
    right = (classes.detach().argmax(1) == labels).float().mean()
    return Terms({}, found, {"score/guided": right})
