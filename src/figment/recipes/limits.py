"""Limits that several families share, refused with a sentence that names a value that would do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from figment.errors import UserError
from figment.settings import Settings

EQUALISED = {
    "minibatch_stddev": "these networks have one of their own",
    "spectral_norm": "its layers are equalised",
    "orthogonal": "its layers are equalised",
    "off_diagonal": "its layers are equalised",
}
"""Fields of all games that networks of equalised layers cannot follow, and why."""


def without(r: Any, refused: Mapping[str, str]) -> None:
    """Refuse fields that a family's networks cannot follow, each with its reason."""
    for field, reason in refused.items():
        if getattr(r, field) not in (False, "none"):
            raise UserError(f"--{field.replace('_', '-')} is not for {type(r).__name__}: {reason}")


def whole_groups(r: Any) -> None:
    """Refuse micro-batches that part the neighbours that are judged together."""
    if r.micro_batch % r.neighbours:
        raise UserError(
            f"micro_batch must be a multiple of {r.neighbours}, not {r.micro_batch}: the discriminator "
            f"sees the spread of {r.neighbours} pictures"
        )


def at_least(r: Any, least: int, *names: str) -> None:
    """Refuse whole numbers below ``least``."""
    for name in names:
        if getattr(r, name) < least:
            raise UserError(f"{name} must be {least} or more, not {getattr(r, name)}")


def two_images(r: Settings) -> None:
    """Refuse batches of which batch normalisation cannot take a variance."""
    for name in ("batch", "micro_batch"):
        if getattr(r, name) == 1:
            raise UserError(
                f"{name} must be 2 or more: batch normalisation needs at least 2 images"
            )


def power_of_two(r: Settings, least: int, most: int = 1024) -> None:
    """Refuse resolutions that are no power of two between ``least`` and ``most``."""
    side = r.resolution
    if side & (side - 1) or not least <= side <= most:
        raise UserError(
            f"resolution must be a power of two from {least} to {most}, not {side}: "
            f"try {_nearest_power(side, least, most)}"
        )


def _nearest_power(side: int, least: int, most: int) -> int:
    below = power_below(side, least, most)
    return min(below, power_below(2 * below, least, most), key=lambda one: abs(one - side))


def power_below(side: int, least: int, most: int = 1024) -> int:
    """Return the largest power of two that is at most ``side``, between ``least`` and ``most``."""
    return min(max(1 << (side.bit_length() - 1), least), most)


def multiple_of(r: Settings, step: int, least: int) -> None:
    """Refuse resolutions that are no multiple of ``step`` from ``least`` on."""
    side = r.resolution
    if side % step or side < least:
        raise UserError(
            f"resolution must be a multiple of {step} from {least} on, not {side}: "
            f"try {max(least, side // step * step)}"
        )


def attention_map(r: Any, maps: list[int]) -> None:
    """Refuse ``attend`` where no map of the networks has that side."""
    if r.attend and r.attend not in maps:
        raise UserError(f"attend must be 0 or one of {maps}, not {r.attend}")


def layers(r: Any, *names: str) -> None:
    """Refuse stacks of layers with none in them, or with layers of no units."""
    for name in names:
        units = getattr(r, name)
        if not units or min(units) < 1:
            raise UserError(f"{name} needs one or more layers of 1 or more units, not {units}")


def share(r: Any, *names: str) -> None:
    """Refuse what is no share of something that leaves a rest: at least 0 and below 1."""
    for name in names:
        if not 0 <= getattr(r, name) < 1:
            raise UserError(f"{name} must be at least 0 and below 1, not {getattr(r, name)}")
