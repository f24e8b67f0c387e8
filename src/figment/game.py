"""The game that a recipe's fields describe: what each player minimises on a batch.

Families that play another game override the recipe's two rules; these are what all others share. Every
term is one scalar by name: "adversarial" is the player's loss, any other a penalty times its weight.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from figment import augment, guidance, mesh, penalties
from figment.errors import UserError
from figment.matching import supervised
from figment.networks.layers.calibration import calibrate
from figment.networks.layers.head import Auxiliary
from figment.networks.layers.judge import Judge
from figment.networks.layers.noise import annealed, instance_noise
from figment.networks.layers.packing import pack
from figment.networks.layers.replay import Replay
from figment.objectives import OBJECTIVES, Objective, divergence

if TYPE_CHECKING:
    from figment.recipe import Batch, Clock, Recipe
    from figment.training.trainer import Trainer

Scalars = dict[str, Tensor]

LOG_4 = math.log(4)
"""The game's value is no lower than -log 4, its value at the solution (Goodfellow et al. 2014, thm 1)."""
LECAM_START = 1_000
"""Rounds before the anchors of LeCam are steady enough to pull at (Tseng et al. 2021, their code)."""


def aids(recipe: Recipe, nets: nn.ModuleDict) -> dict[str, nn.Module]:
    """Return the modules that hold what the recipe's techniques remember, by name, for the checkpoint."""
    found: dict[str, nn.Module] = {}
    if recipe.lecam > 0:
        found["anchors"] = penalties.LeCamAnchors()
    if recipe.historical_averaging > 0:
        players = ("generator", "discriminator")
        means = {player: penalties.HistoricalMean(nets[player]) for player in players}
        found["history"] = nn.ModuleDict(means)
    if recipe.replay > 0:
        kind = torch.uint8 if recipe.kind == "images" else torch.float32
        found["replay"] = Replay(recipe.replay, recipe.shape, kind)
    if recipe.augment == "ada":
        found["augment"] = augment.AdaptiveProbability(
            start=recipe.augment_p, target=recipe.ada_target, images=recipe.ada_images
        )
    if recipe.guided:
        found["guide"] = guidance.Guide(recipe.channels, recipe.classes)
    return found


def calibrate_comparison(recipe: Recipe, nets: nn.ModuleDict, trainer: Trainer) -> None:
    """Set the scale of minibatch discrimination by the first batch of reals, as Salimans et al. 2016 do.

    At any fixed scale some networks' features lie so far apart that nothing in a batch is near anything.
    """
    first = trainer.order.indices(0, recipe.batch)[mesh.rows(recipe.batch)]
    images, labels = trainer.fetch(trainer.rows[first])
    shown = recipe.told(seen(recipe, nets, images, trainer.clock), labels)
    condition = (labels,) if recipe.conditioning == "projection" else ()
    with penalties.hold_statistics(nets["discriminator"]):
        calibrate(nets["discriminator"], shown, *condition)


def discriminator_terms(
    recipe: Recipe, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
) -> tuple[Scalars, Scalars]:
    """Return what the discriminator minimises on reals and (detached) fakes, and what to log."""
    objective = OBJECTIVES[recipe.objective]
    labels = batch.labels
    if "replay" in nets:
        fakes, labels = cast(Replay, nets["replay"]).mix(fakes, labels)
    raw = pack(batch.images, recipe.packing), pack(fakes, recipe.packing)
    reals, fakes = (seen(recipe, nets, images, clock) for images in (batch.images, fakes))
    real, real_features = examine(recipe, nets, reals, batch.labels)
    fake, fake_features = examine(recipe, nets, fakes, labels)
    targets = {"real_target": recipe.real_target, "fake_target": recipe.fake_target}
    loss = objective.discriminator(real, fake, **(targets if objective.takes_targets else {}))
    minimise = {"adversarial": loss.mean()}
    observe = observed(objective, real.detach(), fake.detach())
    if "augment" in nets:
        probability = cast(augment.AdaptiveProbability, nets["augment"])
        assert objective.boundary is not None  # refused
        probability.follow(real.detach() - objective.boundary, len(batch.images))
        observe["augment/p"] = probability.p.clone()
    if clock.rounds % recipe.penalty_every == 0:
        with penalties.hold_statistics(nets["discriminator"]):
            for name, value in _slopes(recipe, nets, *raw, (batch.labels, labels), clock):
                minimise[name] = recipe.penalty_every * value.mean()
    if "anchors" in nets:
        anchors = cast(penalties.LeCamAnchors, nets["anchors"])
        anchors.follow(real.detach(), fake.detach())
        if clock.rounds >= LECAM_START:
            minimise["lecam"] = recipe.lecam * anchors(real, fake).mean()
    if recipe.drift > 0:
        minimise["drift"] = recipe.drift * penalties.drift(real).mean()
    with penalties.hold_statistics(nets["discriminator"]):
        for name, value in _steadiness(
            recipe, nets, batch, (reals, real), (fakes, fake), labels, clock
        ):
            minimise[name] = value.mean()
    if recipe.conditioning == "classifier":
        classes = _classes(nets, real_features)
        told = supervised(classes, batch.labels) + supervised(_classes(nets, fake_features), labels)
        minimise["class"] = recipe.class_loss * told.mean()
        right = classes.detach().argmax(1) == batch.labels
        observe["score/class"] = right.float().mean()
    minimise |= _on_weights(recipe, nets, "discriminator")
    return minimise, observe


def generator_terms(
    recipe: Recipe, nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
) -> tuple[Scalars, Scalars]:
    """Return what the generator minimises on its fakes, whose graph reaches its weights."""
    objective = OBJECTIVES[recipe.objective]
    minimise: Scalars = {}
    fake, features = examine(recipe, nets, seen(recipe, nets, fakes, clock), batch.labels)
    real, real_features = fake, None
    if objective.paired or recipe.feature_matching > 0:
        reals = seen(recipe, nets, batch.images, clock)
        real, real_features = examine(recipe, nets, reals, batch.labels)
    if recipe.adversarial > 0:
        loss = objective.generator(real, fake)
        if recipe.top_k < 1:
            loss = loss * penalties.top_k(fake, _share(recipe, clock))
        minimise["adversarial"] = recipe.adversarial * loss.mean()
    if recipe.feature_matching > 0:
        assert features is not None and real_features is not None
        distance = recipe.match(real_features, features)
        minimise["feature_matching"] = recipe.feature_matching * distance
    if recipe.conditioning == "classifier":
        told = supervised(_classes(nets, features), batch.labels)
        minimise["class"] = recipe.class_loss_generator * told.mean()
    if recipe.latent_diversity > 0:
        moved = recipe.generate(nets["generator"], penalties.nudge(batch.latents), batch.labels)
        value = penalties.latent_diversity(fakes, moved).mean()
        minimise["latent_diversity"] = recipe.latent_diversity * value
    observe: Scalars = {}
    if "guide" in nets:
        guided, observe = guidance.terms(recipe, nets["guide"], fakes, batch.labels)
        minimise |= guided
    return {**minimise, **_on_weights(recipe, nets, "generator")}, observe


def examine(
    recipe: Recipe, nets: nn.ModuleDict, images: Tensor, labels: Tensor
) -> tuple[Tensor, Tensor | None]:
    """Return the discriminator's logits [N] and, where a term needs them, its features [N, F]."""
    if recipe.feature_matching == 0 and recipe.conditioning != "classifier":
        return recipe.judge(nets, images, labels), None
    judge = nets["discriminator"]
    if not isinstance(judge, Judge):
        raise UserError(
            "feature matching and classifiers need a discriminator with features: "
            "make it a figment.networks.layers.judge.Judge"
        )
    features = judge.features(recipe.told(images, labels))
    condition = (labels,) if recipe.conditioning == "projection" else ()
    return judge.verdict(features, *condition).float(), features


def seen(recipe: Recipe, nets: nn.ModuleDict, images: Tensor, clock: Clock) -> Tensor:
    """Return images as the discriminator sees them: augmented, with instance noise, packed together."""
    if recipe.augment == "diffaugment":
        images = augment.diffaugment(images)
    elif recipe.augment in ("ada", "ada-fixed"):
        p = nets["augment"].p if "augment" in nets else recipe.augment_p
        images = augment.ada(images, cast("Tensor", p), augment.PRESETS[recipe.ada_transforms])
    if recipe.instance_noise > 0:
        over = recipe.instance_noise_images or recipe.images
        images = instance_noise(images, annealed(recipe.instance_noise, clock.images, over))
    return pack(images, recipe.packing)


def observed(objective: Objective, real: Tensor, fake: Tensor) -> Scalars:
    """Return what the log says of logits: scores, as probabilities where they are, sign, accuracy."""
    shown = torch.sigmoid if objective.probabilities else torch.Tensor.float
    scalars = {"score/real": shown(real).mean(), "score/fake": shown(fake).mean()}
    boundary = objective.boundary
    if boundary is None:
        scalars["score/accuracy"] = (real > fake).float().mean()
    else:
        right = (real > boundary).float().mean() + (fake < boundary).float().mean()
        scalars |= {"score/sign": (real - boundary).sign().mean(), "score/accuracy": right / 2}
    if objective.probabilities:
        jsd = divergence(real, fake)
        scalars |= {"jsd": jsd, "value/above_minimum": 2 * jsd, "value/game": 2 * jsd - LOG_4}
    return scalars


def observed_held_out(recipe: Recipe, logits: Tensor) -> Scalars:
    """Return what the log says of logits of pictures that were held out, as ``observed`` does of others."""
    objective = OBJECTIVES[recipe.objective]
    shown = logits.sigmoid() if objective.probabilities else logits.float()
    found = {"score/held_out": shown.mean()}
    if objective.boundary is not None:
        found["score/held_out_sign"] = (logits - objective.boundary).sign().mean()
    return found


def _slopes(
    recipe: Recipe,
    nets: nn.ModuleDict,
    reals: Tensor,
    fakes: Tensor,
    labels: tuple[Tensor, Tensor],
    clock: Clock,
) -> Iterator[tuple[str, Tensor]]:
    """Yield the penalties on the discriminator's gradient, weighted, by name.

    By the pictures themselves (packed): what augments them on their way is part of the function. The
    labels are those of the reals and of the fakes, which differ where earlier fakes are among these.
    """

    def judge_as(labels: Tensor, images: Tensor) -> Tensor:
        single = images.reshape(-1, *recipe.shape)
        return recipe.judge(nets, seen(recipe, nets, single, clock), labels)

    judge, judge_fakes = (partial(judge_as, each) for each in labels)

    if recipe.r1 > 0:
        yield "r1", recipe.r1 * penalties.r1(judge, reals)
    if recipe.r2 > 0:
        yield "r2", recipe.r2 * penalties.r2(judge_fakes, fakes)
    if recipe.gradient_penalty > 0:
        one_sided = recipe.gradient_penalty_sides == 1
        values = penalties.gradient_penalty(judge, reals, fakes, one_sided=one_sided)
        yield "gradient_penalty", recipe.gradient_penalty * values
    if recipe.zero_centred > 0:
        yield "zero_centred", recipe.zero_centred * penalties.zero_centred(judge, reals, fakes)
    if recipe.dragan > 0:
        yield "dragan", recipe.dragan * penalties.dragan(judge, reals)


def _steadiness(
    recipe: Recipe,
    nets: nn.ModuleDict,
    batch: Batch,
    reals: tuple[Tensor, Tensor],
    fakes: tuple[Tensor, Tensor],
    labels: Tensor,
    clock: Clock,
) -> Iterator[tuple[str, Tensor]]:
    """Yield the penalties on changes of logits, weighted, by name; of images and their logits."""
    if recipe.consistency > 0:
        judge = _judge(recipe, nets, batch.labels)
        yield "consistency", recipe.consistency * penalties.consistency(judge, *reals)
    if recipe.consistency_fake > 0:
        judge = _judge(recipe, nets, labels)
        yield "consistency_fake", recipe.consistency_fake * penalties.consistency(judge, *fakes)
    if recipe.latent_consistency > 0:
        with torch.no_grad(), penalties.hold_statistics(nets["generator"]):
            latents = penalties.nudge(batch.latents)
            moved = recipe.generate(nets["generator"], latents, batch.labels)
        nudged = recipe.judge(nets, seen(recipe, nets, moved, clock), batch.labels)
        values = penalties.latent_consistency(fakes[1], nudged)
        yield "latent_consistency", recipe.latent_consistency * values


def _classes(nets: nn.ModuleDict, features: Tensor | None) -> Tensor:
    """Return the auxiliary classifier's logits [N, K]."""
    assert features is not None
    head = cast(Auxiliary, cast(Judge, nets["discriminator"]).head)
    return head.classify(features)


def _share(recipe: Recipe, clock: Clock) -> float:
    """Share of fakes that teach the generator: from all down to ``top_k`` at half of the training.

    Sinha et al. 2020 take .99 of it each epoch, to .5.
    """
    return max(recipe.top_k ** (2 * clock.images / recipe.images), recipe.top_k)


def _judge(recipe: Recipe, nets: nn.ModuleDict, labels: Tensor) -> penalties.Judge:
    """Return the discriminator as a function of images alone."""
    return lambda images: recipe.judge(nets, images, labels)


def _on_weights(recipe: Recipe, nets: nn.ModuleDict, player: str) -> Scalars:
    """Return the penalties on a player's weights, weighted, by name."""
    found: Scalars = {}
    if recipe.orthogonal > 0:
        found["orthogonal"] = recipe.orthogonal * penalties.orthogonal(nets[player])
    if recipe.off_diagonal > 0:
        found["off_diagonal"] = recipe.off_diagonal * penalties.off_diagonal(nets[player])
    if "history" in nets:
        mean = cast(penalties.HistoricalMean, cast(nn.ModuleDict, nets["history"])[player])
        found["history"] = recipe.historical_averaging * mean(nets[player])
        mean.follow(nets[player])
    return found
