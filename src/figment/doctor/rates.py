"""Learning rates far too high, or far too low."""

from __future__ import annotations

from figment.doctor import flags
from figment.doctor.balance import BLOWN_UP, EARLY_ROUNDS, FAR
from figment.doctor.finding import Finding
from figment.doctor.history import FEW, History

HIGH = 10.0
LOW = 0.1
"""Times the usual rate (2e-4) from which a rate is suspected; alone it proves nothing."""

STILL = 0.05
"""A run whose signs and discriminator's loss have changed less than this since the start stands still."""
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
    moved = {key: _moved(history, key) for key in ("loss/discriminator", "watch/diversity")}
    known = {key: value for key, value in moved.items() if value is not None}
    if len(history.log) < FEW or not known or max(known.values()) > STILL:
        return None
    if min(_times_usual(history, "generator"), _times_usual(history, "discriminator")) >= LOW:
        return None
    if history.classifies and history.level("loss/discriminator", UNLEARNED) < UNLEARNED:
        return None
    return Finding(
        "learning rate too low",
        "fault",
        0.95 if distance is not None else 0.7,
        f"After {history.rounds:,} rounds the discriminator's loss has moved by "
        f"{moved['loss/discriminator'] or 0.0:.2g} and the samples look as at the start; learning rates "
        f"are {_said(history)}.",
        "Raise the learning rates to the usual ones.",
        flags.usual(history) or flags.rates(history, 10),
    )


def too_high(history: History) -> Finding | None:
    """What is learned is thrown away again, at rates far above the usual."""
    high = max(_times_usual(history, "generator"), _times_usual(history, "discriminator"))
    if high < HIGH:
        return None
    signs = _signs_of_wildness(history)
    if not signs:
        return None
    return Finding(
        "learning rate too high",
        "fault",
        min(0.95, 0.6 + 0.15 * len(signs)),
        f"Learning rates are {_said(history)}, up to {high:.0f} times the usual; "
        + ", ".join(signs)
        + ".",
        "Lower the learning rates to the usual ones.",
        flags.usual(history) or flags.rates(history, 1 / 10),
    )


def _signs_of_wildness(history: History) -> list[str]:
    found = []
    losses = history.recent("loss/discriminator")
    if history.classifies and losses and max(losses) > BLOWN_UP:
        found.append(f"the discriminator's loss has lately been as high as {max(losses):.3g}")
    distance = history.now("watch/distance")
    hasty = _times_usual(history, "generator") >= HIGH  # else it may just be overpowered
    if hasty and distance is not None and distance > FAR and history.rounds >= EARLY_ROUNDS:
        found.append(f"samples are {distance:.2g} standard deviations from the reals")
    if history.value("watch/clipped", 0.0) > 0.2:
        found.append(
            f"{history.value('watch/clipped', 0.0):.0%} more values than of the reals are black or white"
        )
    return found


def _moved(history: History, key: str) -> float | None:
    values = history.series(key)
    return max(values) - min(values) if len(values) >= 2 else None


def _times_usual(history: History, player: str) -> float:
    return history.get(f"{player}_lr", flags.USUAL_RATE) / flags.USUAL_RATE


def _said(history: History) -> str:
    generator, discriminator = history.get("generator_lr"), history.get("discriminator_lr")
    return f"{generator:.2g} (generator) and {discriminator:.2g} (discriminator)"
