"""Protocols: scores as papers print them, each under one name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from figment.errors import UserError, nearest


class Protocol(NamedTuple):
    """All that has to be the same for two printed scores to be comparable."""

    features: str
    metrics: tuple[str, ...]
    count: int
    about: str


PROTOCOLS = {
    "fid50k": Protocol(
        "inception-legacy",
        ("fid",),
        50_000,
        "FID as most papers print it: Inception, resized as pytorch-fid does, 50,000 samples, all reals",
    ),
    "kid50k": Protocol(
        "inception-legacy",
        ("kid",),
        50_000,
        "KID by the same features, samples and reals, on all pairs",
    ),
    "cleanfid50k": Protocol(
        "inception", ("fid",), 50_000, "the same resized as clean-fid does (antialiased bicubic)"
    ),
}
"""All reals are those held out of training too."""


def named(name: str, metrics: Sequence[str], features: str, count: int | None) -> Protocol:
    """Return a protocol by name.

    Raises UserError for one that does not exist, and where metrics, features or a count are given as well.
    """
    if name not in PROTOCOLS:
        known = ", ".join(PROTOCOLS)
        raise UserError(f"there is no protocol {name!r}: choose {known}.{nearest(name, PROTOCOLS)}")
    own = PROTOCOLS[name]
    network, _, file = features.partition(":")
    if metrics or count is not None or network not in ("auto", own.features):
        raise UserError(
            f"the protocol {name} says which metrics, features and how many samples: leave --metrics, "
            f"--features and --count out (or --features {own.features}:FILE)"
        )
    return own._replace(features=features) if file else own
