"""Which way the generator's rule pulls: a loss with the wrong sign, seen at once.

In the samples such a loss looks like a discriminator that is too strong, or like anything else. So at every
measurement a recipe's own rule is tried on copies of its networks: as the generator's loss falls, the
discriminator must take its samples for more real.
"""

from __future__ import annotations

import copy
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from figment.randomness import chance_of_its_own

if TYPE_CHECKING:
    from figment.training.trainer import Trainer


def pull(trainer: Trainer) -> dict[str, float]:
    """Return which way the generator is pulled, as a column of the log.

    "pull/generator": the share of the discriminator's logits of samples that rise as the generator's loss
    falls, among those that it hangs on at all: 1 in all systems, 0 where it has the wrong sign. Figment's
    own systems are not tried. {} where the recipe has no discriminator, where its generator's loss
    does not hang on logits, or where it cannot be tried.
    """
    recipe: Any = trainer.recipe.at(trainer.clock)
    known = type(recipe).__module__.startswith("figment.")
    if known or not hasattr(recipe, "generator_terms") or not hasattr(recipe, "logits"):
        return {}
    return tried(trainer)


def tried(trainer: Trainer) -> dict[str, float]:
    """Return the same of any recipe, by trying its rule; nothing of the training changes by it."""
    address = ("pull", trainer.recipe.seed, trainer.clock.images)
    found: dict[str, float] = {}
    chance = chance_of_its_own(trainer.device, *address)
    # a look must never end a training
    with chance, trainer.autocast(), trainer.in_parts(), suppress(Exception):
        found = _tried(trainer)
    return found


def _tried(trainer: Trainer) -> dict[str, float]:
    recipe: Any = trainer.recipe.at(trainer.clock)
    batch = trainer.feed.batch(recipe, trainer.clock)
    nets, probe = copy.deepcopy(trainer.nets), replace(recipe)
    with torch.no_grad():
        drawn = probe.generate(nets["generator"], batch.latents, batch.labels)
    fakes = drawn.detach().requires_grad_()
    logits = _listen(probe)
    terms = probe.generator_terms(nets, batch, fakes, trainer.clock)
    loss = torch.stack([value.float() for value in terms.losses.values()]).sum()
    ours = [one for one in logits if _hangs_on(one, fakes)]
    slopes = torch.autograd.grad(loss, ours, allow_unused=True)
    steep = torch.cat([slope.flatten() for slope in slopes if slope is not None])
    steep = steep[steep != 0]
    return {"pull/generator": round(float((steep < 0).float().mean()), 6)} if len(steep) else {}


def _listen(probe: Any) -> list[Tensor]:
    """Return where all logits that the recipe is given from now on are noted."""
    kind, found = type(probe), []

    def logits(*given: Any) -> Tensor:
        found.append(kind.logits(probe, *given))
        return found[-1]

    def examine(*given: Any) -> tuple[Tensor, Tensor | None]:
        verdict, features = kind.examine(probe, *given)
        if not any(verdict is one for one in found):
            found.append(verdict)
        return verdict, features

    object.__setattr__(probe, "logits", logits)
    object.__setattr__(probe, "examine", examine)
    return found


def _hangs_on(logits: Tensor, fakes: Tensor) -> bool:
    """Whether logits are those of samples: in relativistic games those of reals are looked at as well."""
    if not logits.requires_grad:
        return False
    (slope,) = torch.autograd.grad(logits.sum(), fakes, retain_graph=True, allow_unused=True)
    return slope is not None
