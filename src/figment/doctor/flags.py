"""The flags that findings advise, with their numbers reckoned from the recipe's own."""

from __future__ import annotations

from figment.doctor.history import History

USUAL_RATE = 2e-4
"""Adam's learning rate in Radford et al. 2015 and most that followed."""
NEAR = 2.0
"""Times the system's own rate, or part of it, within which a rate is changed by STEP; else that is set."""
STEP = 4.0


def own_rate(history: History, player: str) -> float:
    """Return a player's learning rate in the system itself.

    Where that is not known, or is that of another optimiser: Adam's usual one, or for other optimisers
    the rate that is set.
    """
    optimizer = history.fields.get("optimizer", "adam")
    own = history.usual(f"{player}_lr")
    if own is not None and history.own.get("optimizer", "adam") == optimizer:
        return own
    return USUAL_RATE if optimizer == "adam" else history.get(f"{player}_lr", USUAL_RATE)


def rate(history: History, player: str, times: float) -> str:
    """Return the flag that sets a player's learning rate to so many times what it is."""
    return f"--{player}-lr {history.get(f'{player}_lr', own_rate(history, player)) * times:.2g}"


def rates(history: History, times: float) -> tuple[str, ...]:
    """Return the flags that set both learning rates to so many times what they are."""
    return rate(history, "generator", times), rate(history, "discriminator", times)


def slower(history: History, player: str) -> str:
    """Return the flag for a lower learning rate: the system's own where it is far above that."""
    if times_usual(history, player) > NEAR:
        return f"--{player}-lr {own_rate(history, player):g}"
    return rate(history, player, 1 / STEP)


def faster(history: History, player: str) -> str:
    """Return the flag for a higher learning rate: the system's own where it is far below that."""
    if times_usual(history, player) < 1 / NEAR:
        return f"--{player}-lr {own_rate(history, player):g}"
    return rate(history, player, STEP)


def usual(history: History) -> tuple[str, ...]:
    """Return the flags that set learning rates to the system's own, where they are not near it."""
    return tuple(
        f"--{player}-lr {own_rate(history, player):g}"
        for player in ("generator", "discriminator")
        if not 0.1 <= times_usual(history, player) <= 10
    )


def calmer(history: History) -> tuple[str, ...]:
    """Return the flags that hold a discriminator back, those left out that are set already."""
    found = [slower(history, "discriminator")]
    if times_usual(history, "generator") < 1 / STEP:
        found.append(faster(history, "generator"))
    if history.get("discriminator_moves", 1) > 1:
        found.append("--discriminator-moves 1")
    if history.fields.get("objective") == "minimax":
        found.append("--objective nonsaturating")
    if history.get("dropout") == 0:
        found.append("--dropout 0.3")
    if history.get("real_target", 1.0) == 1.0:
        found.append("--real-target 0.9")
    return tuple(found)


def times_usual(history: History, player: str) -> float:
    """Return how many times the system's own rate a player's is."""
    own = own_rate(history, player)
    return history.get(f"{player}_lr", own) / own


def times_pace(history: History) -> float:
    """Return how many times as much the discriminator learns beside the generator as in the system itself.

    By moves and rates of both; 1 where the system's are not all known.
    """
    known = ("generator_lr", "discriminator_lr", "discriminator_moves")
    if any(history.usual(field) is None for field in known):
        return 1.0
    pace = {}
    for player in ("generator", "discriminator"):
        own = history.usual(f"{player}_moves") or 1.0
        pace[player] = times_usual(history, player) * history.get(f"{player}_moves", own) / own
    return pace["discriminator"] / max(pace["generator"], 1e-12)
