"""What makes no sense in a recipe, each refused with a sentence that names the cure, before training."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from figment.errors import UserError

if TYPE_CHECKING:
    from figment.data import Look
    from figment.recipe import Recipe

WEIGHTS = ("r1", "r2", "gradient_penalty", "zero_centred", "dragan", "lecam", "consistency")
WEIGHTS += ("consistency_fake", "drift", "orthogonal", "off_diagonal", "historical_averaging")
WEIGHTS += ("latent_consistency", "latent_diversity", "adversarial", "feature_matching")
WEIGHTS += ("class_loss", "class_loss_generator", "guidance", "guidance_balance")
"""Fields that weigh a term of a loss."""

TOGETHER = ("simultaneous", "extragradient", "optimistic", "svre")
"""Ways to play in which both players move at once."""


def refuse(recipe: Recipe) -> None:
    """Raise UserError for values out of their range and for fields that contradict each other."""
    _refuse_values(recipe)
    _refuse_turns(recipe)
    _refuse_losses(recipe)
    _refuse_networks(recipe)
    _refuse_augmentation(recipe)


def classes_of(recipe: Recipe, look: Look, pinned: frozenset[str]) -> int:
    """Return how many classes the recipe learns from these data: all there are, if it takes any.

    Raises UserError where it needs classes and there are none, or where the user counts otherwise.
    """
    found = len(look.classes)
    if not recipe.classed:
        if recipe.classes and "classes" in pinned:
            raise UserError("classes are told by --conditioning or --guidance: set one of them")
        return recipe.classes
    if found < 2:
        asks = "conditioning" if recipe.conditional else "guidance"
        raise UserError(f"{look.name} has no classes: give each a folder, or leave {asks} out")
    if recipe.classes not in (0, found):
        raise UserError(f"{look.name} has {found} classes, not {recipe.classes}: leave classes out")
    return found


def _refuse_values(recipe: Recipe) -> None:
    _positive(recipe, "resolution", "images", "batch", "latent", "tick", "guide_images")
    _positive(recipe, "generator_lr", "discriminator_lr", "reference", "minibatch_dimensions")
    _at_least_zero(recipe, "seed", "ema", "sample_every", "snapshot_every", "save_every")
    _at_least_zero(recipe, "metric_every", "patience", "minibatch_discrimination", "classes")
    if recipe.metric_count < 64:
        raise UserError(f"metric_count must be 64 or more, not {recipe.metric_count}")
    if not 0 <= recipe.held_out < 1:
        raise UserError(f"held_out must be at least 0 and below 1, not {recipe.held_out}")
    if recipe.patience and not recipe.metrics:
        raise UserError("patience needs a score to wait for: name one with --metrics")
    if recipe.channels not in (1, 3):
        raise UserError(f"channels must be 1 (grey) or 3 (colour), not {recipe.channels}")
    if not 0 <= recipe.rate_decay <= 1:
        raise UserError(f"rate_decay must be a share from 0 to 1, not {recipe.rate_decay}")
    if not 0 <= recipe.dropout < 1:
        raise UserError(f"dropout must be at least 0 and below 1, not {recipe.dropout}")
    if not all(0 <= beta < 1 for beta in recipe.betas):
        raise UserError(f"betas must be at least 0 and below 1, not {recipe.betas}")


def _refuse_turns(recipe: Recipe) -> None:
    _positive(recipe, "discriminator_moves", "generator_moves", "unroll")
    together = recipe.play in TOGETHER
    if together and not recipe.discriminator_moves == recipe.generator_moves == 1:
        raise UserError(
            f"in {recipe.play} play both move at once: leave discriminator_moves and "
            "generator_moves at 1"
        )
    if together and recipe.balance:
        raise UserError(f"in {recipe.play} play nobody waits: leave balance out")
    if recipe.balance and not 0.5 < recipe.balance < 1:
        raise UserError(f"balance must lie between .5 and 1, or be 0, not {recipe.balance}")
    if recipe.play == "unrolled" and recipe.replay:
        raise UserError("an unrolled generator must reach all fakes: leave replay out")
    if recipe.play == "unrolled" and recipe.optimizer == "rmsprop":
        raise UserError("steps of RMSprop cannot be unrolled: set --optimizer adam or sgd")
    if recipe.play == "unrolled" and recipe.generator_moves != 1:
        raise UserError("an unrolled round has one generator move: leave generator_moves at 1")


def _refuse_losses(recipe: Recipe) -> None:
    _positive(recipe, "penalty_every")
    _at_least_zero(recipe, *WEIGHTS, "instance_noise", "instance_noise_images", "replay", "clip")
    if recipe.adversarial == recipe.feature_matching == 0:
        raise UserError("the generator has nothing to learn: set adversarial or feature_matching")
    if not 0 < recipe.top_k <= 1:
        raise UserError(f"top_k must be above 0 and at most 1, not {recipe.top_k}")
    if recipe.top_k < 1:
        _refuse_top_k(recipe)
    if (recipe.consistency or recipe.consistency_fake) and recipe.kind == "points":
        raise UserError("points have nothing to flip: leave consistency out")
    if recipe.latent_consistency and recipe.replay:
        raise UserError("earlier fakes have no latents any more: leave replay out")
    if recipe.latent_diversity and not recipe.latent_consistency:
        raise UserError(
            "latent_diversity alone lets the generator run away: add latent_consistency"
        )
    between = recipe.gradient_penalty or recipe.zero_centred
    if recipe.replay and recipe.conditional and between:
        raise UserError(
            "earlier fakes are of other classes than the reals beside them, and the penalty lies between "
            "the two: leave replay, conditioning or the penalty out"
        )
    if recipe.replay and 2 * recipe.replay < recipe.batch:
        raise UserError(f"replay must be half a batch or more, not {recipe.replay}")
    if not 0 <= recipe.fake_target < recipe.real_target <= 1:
        raise UserError(
            "label targets need 0 <= fake_target < real_target <= 1, not "
            f"fake_target {recipe.fake_target} and real_target {recipe.real_target}"
        )
    if recipe.objective not in ("nonsaturating", "minimax"):
        from figment.objectives import refuse_targets

        targets = {"real_target": recipe.real_target, "fake_target": recipe.fake_target}
        refuse_targets(recipe.objective, **targets)


def _refuse_top_k(recipe: Recipe) -> None:
    from figment.objectives import OBJECTIVES

    if recipe.packing > 1:
        raise UserError("packs are judged whole, top_k picks single fakes: choose one")
    if recipe.adversarial == 0:
        raise UserError("top_k picks by the objective, which has no weight: leave top_k out")
    if recipe.objective == "relativistic_average":
        raise UserError("all fakes are in the mean that reals are held against: leave top_k out")
    if recipe.play == "unrolled" and OBJECTIVES[recipe.objective].zero_sum:
        raise UserError(
            f"{recipe.objective} is unrolled whole, reals included, with no fakes left out: "
            "leave top_k out, or set --objective nonsaturating"
        )


def _refuse_augmentation(recipe: Recipe) -> None:
    if recipe.augment == "none":
        return
    if recipe.kind == "points":
        raise UserError("points are no pictures to be turned: leave augment out")
    if not 0 <= recipe.augment_p <= 1:
        raise UserError(f"augment_p must be between 0 and 1, not {recipe.augment_p}")
    if recipe.augment == "ada-fixed" and recipe.augment_p == 0:
        raise UserError("ada-fixed does nothing at a probability of 0: set augment_p, such as .3")
    if recipe.augment in ("study", "diffaugment") and recipe.augment_p:
        raise UserError(f"{recipe.augment} has no probability: leave augment_p out")
    if recipe.augment == "ada":
        from figment.objectives import OBJECTIVES

        _positive(recipe, "ada_images")
        if not 0 < recipe.ada_target < 1:
            raise UserError(f"ada_target must lie between 0 and 1, not {recipe.ada_target}")
        if OBJECTIVES[recipe.objective].boundary is None:
            raise UserError(
                f"{recipe.objective} logits have no zero to tell overfitting by: set augment ada-fixed"
            )


def _refuse_networks(recipe: Recipe) -> None:
    _positive(recipe, "packing")
    if recipe.batch % recipe.packing:
        raise UserError(f"batch {recipe.batch} is no whole number of packs of {recipe.packing}")
    if recipe.minibatch_discrimination and recipe.batch < 2 * recipe.packing:
        raise UserError(
            "minibatch discrimination compares a batch: set --batch to two packs or more"
        )
    shares = recipe.class_shares
    if shares and not recipe.conditional:
        raise UserError("class_shares needs classes: set --conditioning, or leave it out")
    if shares and not (len(shares) == recipe.classes and min(shares) >= 0 < sum(shares)):
        raise UserError(
            f"class_shares must be {recipe.classes} shares, one a class, not {shares}: leave it out for "
            "those of the data"
        )
    if recipe.class_norm and not recipe.conditional:
        raise UserError("class_norm needs classes: set --conditioning")
    if recipe.class_norm and recipe.generator_norm != "batch":
        raise UserError(f"class_norm and {recipe.generator_norm} batch norm exclude each other")
    if recipe.classed and recipe.kind == "points":
        asks = "conditioning" if recipe.conditional else "guidance"
        raise UserError(f"points have no classes: leave {asks} out")
    if recipe.guided and recipe.latent < recipe.classes:
        raise UserError(
            f"each of {recipe.classes} modes has its own direction: set --latent to that or more"
        )
    if recipe.conditional and recipe.packing > 1:
        raise UserError("a pack has no single class: leave packing or conditioning out")


def _positive(recipe: Recipe, *names: str) -> None:
    _refuse_unless(recipe, names, lambda value: value > 0, "above 0")


def _at_least_zero(recipe: Recipe, *names: str) -> None:
    _refuse_unless(recipe, names, lambda value: value >= 0, "0 or more")


def _refuse_unless(
    recipe: Recipe, names: tuple[str, ...], allowed: Callable[[float], bool], wanted: str
) -> None:
    for name in names:
        if not allowed(getattr(recipe, name)):
            raise UserError(f"{name} must be {wanted}, not {getattr(recipe, name)}")
