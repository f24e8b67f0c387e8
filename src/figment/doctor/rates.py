"""Learning rates far too high, or far too low, beside those of the system itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from figment.doctor import flags
from figment.doctor.balance import BLOWN_UP, EARLY_ROUNDS, FAR
from figment.doctor.finding import Finding
from figment.doctor.flags import own_rate, times_usual
from figment.doctor.history import FEW, MANY, History

HIGH = 10.0
LOW = 0.1
"""Times the system's own rate from which a rate is suspected; alone it proves nothing."""
FAR_OFF = 120.0
"""Times, or part, from which a rate is named whatever is seen: as a warning where the samples are good all
the same. C5 on MNIST with 200 times the
generator's came near the data too, in jumps of half their spread."""
FADED = 1e4
"""Part of its first value up to which a rate has been taken away, and has not merely fallen."""
PLAIN_NUMBER = 1e9
"""Where numbers are no longer written out."""
LONG = 20.0
"""Times as many rounds as in the system itself that momentum remembers, from which it overshoots: a first
beta of .99 in place of .5 is 50."""
UNFIT = 0.2
"""watch/distance that a run at such rates must have got below: with both 100 times the usual, a DCGAN went
to .19 and back to .3, with a KID six times that of the usual rates."""
OVERSHOT = 1.25
"""watch/diversity beyond which samples overshoot the reals: healthy DCGANs pass 1.16 at most."""

ON_MODES = 0.5
"""watch/on_modes up to which points are no good."""

STILL, STILL_LOSS = 0.05, 0.25
"""A run stands still whose diversity and whose movements between measurements stay within the first, and
whose discriminator's loss within the second: .06 at a thousandth of the usual rates."""
UNVARIED = 0.1
"""watch/diversity up to which samples do not vary yet: .06 after 1,500 rounds of gradient descent at Adam's
rate."""
UNLEARNED = 1.0
"""A classifying discriminator's loss from which it has not learned to tell: 1.39 is guessing. Below it, a
generator that stands still is overpowered, not slow."""
ENOUGH_ROUNDS = 100
"""Rounds after which something should have moved."""


def too_low(history: History) -> Finding | None:
    """Nothing moves."""
    distance = history.now("watch/distance")
    if history.rounds < ENOUGH_ROUNDS or (distance is not None and distance < FAR):
        return None
    loss, spread = _moved(history, "loss/discriminator"), _moved(history, "watch/diversity")
    farthest = max(history.series("watch/movement"), default=0.0)
    if len(history.log) < FEW or loss > STILL_LOSS or max(spread, farthest) > STILL:
        return None
    if min(times_usual(history, "generator"), times_usual(history, "discriminator")) >= LOW:
        return None
    if history.classifies and history.level("loss/discriminator", UNLEARNED) < UNLEARNED:
        return None
    return Finding(
        "learning rate too low",
        "fault",
        0.95 if distance is not None else 0.7,
        f"In {history.rounds:,} rounds the discriminator's loss has changed by {loss:.2g} and samples of "
        f"the same latents by {farthest:.2g} of the data's spread; learning rates are {_said(history)}.",
        "Raise the learning rates to the system's own.",
        flags.usual(history) or flags.rates(history, 10),
    )


def too_high(history: History) -> Finding | None:
    """What is learned is thrown away again, at rates far above the usual."""
    high = max(times_usual(history, "generator"), times_usual(history, "discriminator"))
    if high < HIGH:
        return None
    signs = _signs_of_wildness(history)
    if not signs:
        return None
    return Finding(
        "learning rate too high",
        "fault",
        min(0.95, 0.6 + 0.15 * len(signs)),
        f"Learning rates are {_said(history)}, up to {high:.0f} times this system's own; "
        + ", ".join(signs)
        + ".",
        "Lower the learning rates to the system's own.",
        flags.usual(history) or flags.rates(history, 1 / 10),
    )


def far_off(history: History) -> Finding | None:
    """A rate is so far from the system's own that this is looked into first, whatever else is seen."""
    times = {player: times_usual(history, player) for player in ("generator", "discriminator")}
    player = max(times, key=lambda name: abs(math.log(max(times[name], 1e-12))))
    high = times[player] > FAR_OFF
    if not high and times[player] * FAR_OFF >= 1:
        return None
    distance = _farthest(history)
    early = history.rounds < EARLY_ROUNDS or distance is None
    works = distance is not None and distance <= UNFIT
    works = works and history.value("watch/on_modes", 1.0) > ON_MODES
    off = _times(times[player])
    seen = "" if early else f"; samples are {distance:.2g} standard deviations from the reals"
    return Finding(
        f"learning rate too {'high' if high else 'low'}",
        "warning" if early or works else "fault",
        0.8 if early or works else 0.9,
        f"The {player}'s learning rate, {history.get(f'{player}_lr'):.2g}, is {off} this system's own "
        f"({own_rate(history, player):.2g}){seen}.",
        "Set the system's own learning rates.",
        flags.usual(history),
    )


def scheduled(history: History) -> Finding | None:
    """A schedule has taken a rate far from what the recipe says, and not to its end."""
    if history.get("rate_decay") > 0:
        return None  # it is meant to fall to nothing
    for player in ("generator", "discriminator"):
        rates, used = history.series(f"rate/{player}"), history.latest(f"rate/{player}", MANY)
        if len(used) < MANY or rates[0] <= 0:
            continue
        least, most = min(used) / rates[0], max(used) / rates[0]
        high = least >= FAR_OFF or _runs_away(used, history.get(f"{player}_lr"))
        if most * FADED > 1 and not high:
            continue
        off = _times(used[-1] / rates[0])
        return Finding(
            f"learning rate too {'high' if high else 'low'}",
            "fault",
            0.9,
            f"The {player} learns at a rate of {used[-1]:.2g}, {off} its first, {rates[0]:.2g}, in the "
            f"last {MANY} measurements.",
            "Look at the recipe's schedule (its at or adjust): something multiplies the rate again and "
            "again.",
        )
    return None


def _runs_away(used: list[float], own: float) -> bool:
    """Whether a rate has grown at every measurement, to far above the recipe's: no warm-up does."""
    return 0 < own * FAR_OFF <= used[-1] and all(a < b for a, b in pairwise(used))


def momentum(history: History) -> Finding | None:
    """Adam's first beta remembers longer than its second, or far longer than in the system itself."""
    betas, own = _betas(history.fields), _betas(history.own)
    if betas is None or own is None or betas == own or history.fields.get("optimizer") != "adam":
        return None
    first, second = betas
    unbounded = (
        first >= math.sqrt(second) > 0
    )  # Adam may diverge: Reddi et al. 2018, Zhang et al. 2022
    longer = (1 - own[0]) / max(1 - first, 1e-9)
    if not unbounded and longer < LONG:
        return None
    distance = _farthest(history)
    early = history.rounds < EARLY_ROUNDS or distance is None
    if not unbounded and (early or distance <= UNFIT):
        return None
    works = distance is not None and distance <= UNFIT
    why = (
        f"Adam's first beta, {first:g}, remembers longer than its second, {second:g}, so that no rate "
        "bounds its steps"
        if unbounded
        else f"A first beta of {first:g} remembers {longer:.0f} times as many rounds as this system's "
        f"{own[0]:g}"
    )
    seen = "" if early else f"; samples are {distance:.2g} standard deviations from the reals"
    return Finding(
        "learning rate too high",
        "warning" if early or works else "fault",
        0.85,
        f"{why}{seen}.",
        "Set the system's own betas.",
        (f"--betas {own[0]:g} {own[1]:g}",),
    )


def _betas(fields: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return Adam's betas as numbers, or None."""
    found: Any = fields.get("betas")
    if not isinstance(found, list | tuple) or len(found) != 2:
        return None
    if not all(isinstance(beta, int | float) and 0 <= beta < 1 for beta in found):
        return None
    return float(found[0]), float(found[1])


def of_another_optimizer(history: History) -> Finding | None:
    """Plain gradient descent at the rate that is Adam's: its steps are as small as the gradients."""
    own, used = history.own.get("optimizer"), history.fields.get("optimizer")
    if own != "adam" or used != "sgd" or history.rounds < EARLY_ROUNDS:
        return None
    varied, rate = max(history.series("watch/diversity"), default=1.0), history.get("generator_lr")
    if varied > UNVARIED or not 0 < rate <= (history.usual("generator_lr") or 0.0):
        return None
    if history.value("watch/distance", 0.0) < FAR:
        return None
    return Finding(
        "learning rate too low",
        "fault",
        0.85,
        f"The optimiser is {used}, the learning rates are those of Adam ({_said(history)}): Adam's steps "
        f"are as large as the rate, those of {used} as the rate times the gradient. After "
        f"{history.rounds:,} rounds samples vary {varied:.0%} as much as "
        "the reals at most.",
        f"Train with Adam, or raise the rates of {used} a hundred times.",
        ("--optimizer adam",),
    )


def _signs_of_wildness(history: History) -> list[str]:
    found = []
    losses = history.recent("loss/discriminator")
    if history.classifies and losses and max(losses) > BLOWN_UP:
        found.append(f"the discriminator's loss has lately been as high as {max(losses):.3g}")
    distance = _farthest(history)
    hasty = times_usual(history, "generator") >= HIGH  # else it may just be overpowered
    if hasty and distance is not None and distance > UNFIT and history.rounds >= EARLY_ROUNDS:
        found.append(f"samples are {distance:.2g} standard deviations from the reals")
    diversity = history.value("watch/diversity", 1.0)
    if diversity > OVERSHOT:
        found.append(f"samples are spread {diversity:.2f} times as wide as the reals")
    return found


def _farthest(history: History) -> float | None:
    """Return the largest distance of the last measurements: what is thrown away comes back now and then."""
    lately = history.latest("watch/distance", 2 * FEW)
    falls = history.falls("watch/distance")
    return history.now("watch/distance") if falls else max(lately, default=None)


def _moved(history: History, key: str) -> float:
    values = history.series(key)
    return max(values) - min(values) if values else 0.0


def _times(times: float) -> str:
    """Return how many times, or which part, in words: "200 times", "a 300th of"."""
    if times <= 0:
        return "nothing beside"
    many = max(times, 1 / max(times, 1e-300))
    said = f"{many:,.0f}" if many < PLAIN_NUMBER else f"{many:.0e}"
    return f"{said} times" if times > 1 else f"a {said}th of"


def _said(history: History) -> str:
    generator, discriminator = history.get("generator_lr"), history.get("discriminator_lr")
    return f"{generator:.2g} (generator) and {discriminator:.2g} (discriminator)"
