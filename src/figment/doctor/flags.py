"""The flags that findings advise, with their numbers reckoned from the recipe's own."""

from __future__ import annotations

from figment.doctor.history import History

USUAL_RATE = 2e-4
"""Adam's learning rate in Radford et al. 2015 and most that followed."""


def rate(history: History, player: str, times: float) -> str:
    """Return the flag that sets a player's learning rate to so many times what it is."""
    return f"--{player}-lr {history.get(f'{player}_lr', USUAL_RATE) * times:.2g}"


def rates(history: History, times: float) -> tuple[str, ...]:
    """Return the flags that set both learning rates to so many times what they are."""
    return rate(history, "generator", times), rate(history, "discriminator", times)


def usual(history: History) -> tuple[str, ...]:
    """Return the flags that set both learning rates to the usual one, where they are not near it."""
    return tuple(
        f"--{player}-lr {USUAL_RATE:g}"
        for player in ("generator", "discriminator")
        if not 0.1 <= history.get(f"{player}_lr", USUAL_RATE) / USUAL_RATE <= 10
    )


def calmer(history: History) -> tuple[str, ...]:
    """Return the flags that hold a discriminator back, those left out that are set already."""
    flags = [rate(history, "discriminator", 1 / 4)]
    if history.get("dropout") == 0:
        flags.append("--dropout 0.3")
    if history.get("real_target", 1.0) == 1.0:
        flags.append("--real-target 0.9")
    return tuple(flags)
