"""Causes that stand in the recipe's fields, whatever the samples look like yet."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from figment.doctor import flags
from figment.doctor.balance import EARLY_ROUNDS, FAR
from figment.doctor.finding import Finding
from figment.doctor.history import FEW, History, falling
from figment.doctor.samples import collapse
from figment.fields import fields_of

DROPPED = 0.8
"""A dropout from which too little of a layer is left to judge by; the systems have .5 at most, and of those
tried in docs/results/ablation.md .3 was the best."""
TINY, OWN_BATCH = 4, 16
"""A batch below the first, in a system made for batches of the second or more: norms and gradients of so
few pictures are mostly chance."""
HAD_MOVED = 0.3
"""watch/movement that only a generator has had which learned."""
UNHELD, GROWN = 1e3, 100.0
"""A weighted penalty from which, and times its first value from which, it holds nothing: those of healthy
runs fall or stay below 100, one whose graph was cut went from 3 to 5e5."""
LONGEST = 40
"""Letters of a penalty's name that are said."""
STILL = 0.002
"""watch/movement of a generator that does not learn at all; C1 with a tenth of the usual rates moves by .01
and more in 600 rounds."""
AGAINST = 0.05
"""pull/generator up to which a loss has the wrong sign: it is 1 in all systems, and 0 in such a one."""
ARRIVES = 1e-3
"""gradient/generator from which something arrives that it could learn from."""


def unbounded_critic(history: History) -> Finding | None:
    """The critic's loss has no minimum, and nothing bounds the critic."""
    from figment.objectives.adversarial import OBJECTIVES  # here: it loads torch
    from figment.techniques import TECHNIQUES

    objective = OBJECTIVES.get(history.fields.get("objective", ""))
    if objective is None or objective.bounded:
        return None
    recipe = _recipe(history)
    if any(technique.bounds(recipe) for technique in TECHNIQUES):
        return None
    losses = [abs(value) for value in history.series("loss/discriminator")]
    seen = f"; its size was {losses[0]:.2g} and is {losses[-1]:.2g}" if len(losses) > 1 else ""
    return Finding(
        "unbounded critic",
        "fault",
        0.95,
        f"The loss {history.fields['objective']} falls for ever as the critic grows steeper, and nothing "
        f"in this recipe bounds the critic's slope{seen}.",
        "Add a gradient penalty, or spectral norm, or clip the critic's weights: one of them.",
        ("--gradient-penalty 10", "--spectral-norm discriminator", "--clip 0.01"),
    )


def unheld_critic(history: History) -> Finding | None:
    """The penalty that is to bound the critic's slope grows and grows: it does not reach the weights."""
    names = {key for line in history.log[-FEW:] for key in line if key.startswith("penalty/")}
    for name in sorted(names):
        values = history.series(name)
        now = values[-FEW:]
        if not name.endswith("/discriminator") or len(values) < 2 * FEW or min(now) < UNHELD:
            continue
        if min(now) < GROWN * max(values[0], 1.0) or falling(values):
            continue
        kind = name.split("/")[1].replace("_", " ")[:LONGEST]
        return Finding(
            "unbounded critic",
            "fault",
            0.9,
            f"The {kind} of the discriminator has grown from {values[0]:.2g} to {values[-1]:.2g}: it "
            "bounds nothing.",
            "Look at how the penalty comes about: without a graph of its gradients (create_graph) nothing "
            "of it reaches the weights.",
        )
    return None


def class_unheard(history: History) -> Finding | None:
    """The generator is given a class, and nothing in its loss asks for that class."""
    from figment.techniques import TECHNIQUES

    recipe = _recipe(history)
    if recipe.conditioning == "none" or any(one.asks_for_class(recipe) for one in TECHNIQUES):
        return None
    return Finding(
        "classes not obeyed",
        "fault",
        0.9,
        "The generator is told a class, but nothing that it minimises hangs on it (--conditioning "
        f"{recipe.conditioning}, --class-loss {recipe.class_loss:g}, --class-loss-generator "
        f"{recipe.class_loss_generator:g}): it can draw anything for any class.",
        "Give the classifier's loss a weight in both networks.",
        ("--class-loss 1", "--class-loss-generator 1"),
    )


def extreme_dropout(history: History) -> Finding | None:
    """Hardly anything of the discriminator is left while it learns."""
    for name, value in history.fields.items():
        if not name.endswith("dropout") or history.get(name) < DROPPED:
            continue
        own = history.own.get(name, 0.0)
        if isinstance(own, int | float) and own >= value:
            continue
        return Finding(
            "extreme dropout",
            "fault",
            0.9,
            f"{value:.0%} of the discriminator's hidden units are dropped at every update "
            f"(--{name.replace('_', '-')} {value:g}): what is left cannot tell samples from pictures.",
            "Drop half of them at most; 0.3 was the best of those tried (docs/results/ablation.md).",
            (f"--{name.replace('_', '-')} 0.3",),
        )
    return None


def tiny_batch(history: History) -> Finding | None:
    """Batches are so small that each move is mostly chance."""
    batch, own = history.get("batch", OWN_BATCH), history.own.get("batch", OWN_BATCH)
    if not 0 < batch < TINY or not isinstance(own, int) or own < OWN_BATCH:
        return None
    return Finding(
        "tiny batch",
        "fault",
        0.85,
        f"Each update sees {batch:.0f} pictures; this system is made for {own}. Batch norm and the mean "
        "gradient of so few are mostly chance.",
        "Set a larger batch; --micro-batch spares memory without changing the result.",
        (f"--batch {own}",),
    )


def unreached(history: History) -> Finding | None:
    """No gradient has ever reached the generator: one that a sure discriminator has starved had some."""
    moved, gradients = history.latest("watch/movement"), history.series("gradient/generator")
    if len(moved) < FEW or len(gradients) < FEW or max(moved) > STILL or max(gradients) > 0:
        return None  # at first the statistics of batch norm may still move them
    return Finding(
        "generator stands still",
        "fault",
        0.95,
        f"No gradient reaches the generator: it has been 0 at all {len(gradients):,} lines of the log, and "
        "the same latents give the same samples.",
        "Look at what lies between the generator and its loss: a detach, a no_grad, a rounding, a norm of "
        "inputs that do not vary, or weights that do not ask for gradients.",
    )


def turned_round(history: History) -> Finding | None:
    """The generator minimises what it should maximise."""
    risen = history.latest("pull/generator")
    if len(risen) < FEW or not all(0 <= share <= AGAINST for share in risen):
        return None
    return Finding(
        "wrong sign",
        "fault",
        0.98,
        f"As the generator's loss falls, {1 - max(risen):.0%} of the discriminator's verdicts on "
        f"its samples fall too, at {FEW} looks in a row: it learns to draw what is not taken for real.",
        "Turn the sign of the generator's loss round: losses are minimised, and a larger logit means more "
        "real.",
    )


def stands_still(history: History) -> Finding | None:
    """The generator does not learn, although it is told how."""
    moved = history.latest("watch/movement")
    if history.rounds < EARLY_ROUNDS or len(moved) < FEW or max(moved) > STILL:
        return None
    learned = max(history.series("watch/movement")) > HAD_MOVED
    if learned and collapse(history) is not None:
        return None  # it came to a stop when all its samples had become one
    if (
        history.value("watch/distance", 1.0) < FAR
        or history.level("gradient/generator", 0) < ARRIVES
    ):
        return None
    return Finding(
        "generator stands still",
        "fault",
        0.9,
        f"From one measurement to the next the same latents give the same samples (they move by "
        f"{max(moved):.2g} of the data's spread), although gradients reach the generator "
        f"({history.level('gradient/generator', 0):.2g}).",
        "Its weights are not updated, or by next to nothing: look at its learning rate, at what makes "
        "it wait (--balance) and, in a recipe of your own, at its optimiser.",
        (flags.faster(history, "generator"),)
        if flags.times_usual(history, "generator") < 1
        else (),
    )


def _recipe(history: History) -> Any:
    """Return what techniques ask for: the recipe's fields, and theirs that it lacks as they are neutral."""
    from figment.techniques import Fields

    return SimpleNamespace(**{**fields_of(Fields()), **history.fields})
