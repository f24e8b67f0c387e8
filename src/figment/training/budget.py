"""How long a training is to be, as its user says it."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from figment.errors import UserError

LONGEST = {"images": 1 << 53, "minutes": 100_000_000, "epochs": 1_000_000_000}
"""Lengths that no training comes to the end of."""


class Budget(NamedTuple):
    """Images, minutes or epochs to train; none of them: as long as the recipe says or was planned."""

    images: int | None = None
    minutes: float | None = None
    epochs: float | None = None
    """Passes over the data."""

    def check(self) -> None:
        """Raise UserError where more than one is given, or one that is no length."""
        given = {name: value for name, value in self._asdict().items() if value is not None}
        if len(given) > 1:
            raise UserError("Give only one of --images, --minutes, --epochs.")
        for name, value in given.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise UserError(f"{name} must be a number above 0, not {value!r}")
            if name == "images" and not isinstance(value, int):
                raise UserError(f"images must be a whole number above 0, not {value}")
            if not 0 < value < math.inf:
                raise UserError(f"{name} must be above 0, not {value}")
            if value > LONGEST[name]:
                raise UserError(f"{name} must be at most {LONGEST[name]:,}")

    def over(self, examples: int) -> Budget:
        """Return it with epochs counted in images, for so many examples."""
        return self if self.epochs is None else Budget(images=round(self.epochs * examples))

    def after(self, planned: dict[str, Any], images: int, seconds: float) -> dict[str, Any]:
        """Return the budget of a resumed run over all its sessions, as machine.json holds it.

        What was ``planned`` where nothing is added, else so much more than the images and seconds so far.
        """
        if self.images is not None:
            return {"images": images + self.images}
        return planned if self.minutes is None else {"minutes": seconds / 60 + self.minutes}
