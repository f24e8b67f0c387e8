"""A recipe's networks: the family's own, with what the recipe's fields put into them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from figment.errors import UserError
from figment.networks import surgery
from figment.networks.layers.reference_norm import Referenced

if TYPE_CHECKING:
    from figment.recipe import Recipe


def players(recipe: Recipe) -> nn.ModuleDict:
    """Return the networks, initialised from torch's global seed.

    Raises UserError where a field asks for something in the place of batch norms that are not there.
    """
    nets = recipe.build()
    if recipe.discriminator_norm not in ("batch", "none"):
        found = surgery.renormalise(nets["discriminator"], recipe.discriminator_norm)
        _need(found, "discriminator", "discriminator_norm")
    elif recipe.discriminator_norm == "none":
        surgery.renormalise(nets["discriminator"], "none")
    if recipe.class_norm:
        found = surgery.by_classes(nets["generator"], recipe.classes)
        _need(found, "generator", "class_norm")
    if recipe.generator_norm != "batch":
        found = surgery.refer(nets["generator"], recipe.reference, recipe.generator_norm)
        _need(found, "generator", "generator_norm")
        nets["generator"] = Referenced(nets["generator"], _reference(recipe))
    if recipe.spectral_norm != "none":
        surgery.spectrally(nets["discriminator"])
    if recipe.spectral_norm == "both":
        surgery.spectrally(nets["generator"])
    return nets


def _reference(recipe: Recipe) -> torch.Tensor:
    """The generator's inputs [R, inputs] that are kept: latents, and classes in turn."""
    latents = torch.randn(recipe.reference, recipe.latent)
    labels = recipe.labels_for(range(recipe.reference), latents.device)
    # What the recipe hands to a generator, handed to one that gives it back.
    return recipe.generate(nn.Identity(), latents, labels)


def _need(found: int, player: str, field: str) -> None:
    if not found:
        raise UserError(f"this {player} has no batch norm to replace: leave {field} out")
