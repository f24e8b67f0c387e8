"""Faults in the code, for ``unseen_drawn.py``: bases of a class that is made of one and a system's."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from figment.fields import fields_of
from figment.recipes import find
from unseen_pools import System


class Misfed:
    """Its discriminator is given another batch than the data hold."""

    feed: ClassVar[Callable[..., Any]]

    def discriminator_terms(self, nets: Any, batch: Any, fakes: Any, clock: Any) -> Any:
        fed = type(self).feed(batch, clock)
        return super().discriminator_terms(nets, fed, fakes, clock)  # ty: ignore[unresolved-attribute]


class Drawn:
    """Its samples are changed by ``drawn``, and what its discriminator sees by ``seen``."""

    drawn: ClassVar[Callable[..., Any]] = staticmethod(lambda images: images)
    seen: ClassVar[Callable[..., Any]] = staticmethod(lambda images: images)

    def generate(self, generator: Any, latents: Any, labels: Any) -> Any:
        return type(self).drawn(super().generate(generator, latents, labels))  # ty: ignore[unresolved-attribute]

    def logits(self, nets: Any, shown: Any, labels: Any) -> Any:
        return super().logits(nets, type(self).seen(shown), labels)  # ty: ignore[unresolved-attribute]

    def examine(self, nets: Any, shown: Any, labels: Any) -> Any:
        return super().examine(nets, type(self).seen(shown), labels)  # ty: ignore[unresolved-attribute]


class Told:
    """Its generator is told other latents or classes than were drawn."""

    told: ClassVar[Callable[..., Any]]

    def generate(self, generator: Any, latents: Any, labels: Any) -> Any:
        return super().generate(generator, *type(self).told(latents, labels))  # ty: ignore[unresolved-attribute]


class Judged:
    """Its generator is judged by other fakes than it drew."""

    judged: ClassVar[Callable[..., Any]]

    def generator_terms(self, nets: Any, batch: Any, fakes: Any, clock: Any) -> Any:
        fakes = type(self).judged(batch, fakes, clock)
        return super().generator_terms(nets, batch, fakes, clock)  # ty: ignore[unresolved-attribute]


class Backwards:
    """Its generator goes up where it should go down."""

    def generator_terms(self, nets: Any, batch: Any, fakes: Any, clock: Any) -> Any:
        terms = super().generator_terms(nets, batch, fakes, clock)  # ty: ignore[unresolved-attribute]
        return terms._replace(losses={name: -loss for name, loss in terms.losses.items()})


class Scheduled:
    """Its rates follow ``schedule``: by what each is multiplied at a round."""

    schedule: ClassVar[Callable[[int], tuple[float, float]]]

    def at(self, clock: Any) -> Any:
        now = super().at(clock)  # ty: ignore[unresolved-attribute]
        one, other = type(self).schedule(clock.rounds)
        rates = {"generator_lr": now.generator_lr * one}
        return replace(now, **rates, discriminator_lr=now.discriminator_lr * other)


def planted(name: str, base: type, system: System, **how: Any) -> str:
    """Return the name by which a system with a fault in its code can be had, ``unseen_drawn:NAME``."""
    recipe = find(system.name)[1]
    own = type(recipe)
    made = type(name, (base, own), {key: staticmethod(value) for key, value in how.items()})
    given = fields_of(recipe) | system.fields
    made.__module__ = __name__
    setattr(sys.modules[__name__], name, made(**given))
    return f"{__name__}:{name}"
