"""Score: one figure with all that it means nothing without."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

NAMES = {"kid": "KID", "fid": "FID", "fid_infinity": "FID∞"}
PUBLISHED = ("", "inception", "inception-legacy", "coordinates")
"""Features whose KID and FID need no name of theirs: what papers print, and points."""
KID = 1000
"""What KID is multiplied by where it is shown; files hold the figure of the formula."""


class Score(NamedTuple):
    """A measured figure, how sure it is, what real pictures would get, and how it was measured."""

    name: str
    """Such as ``kid`` or ``precision``."""
    value: float
    low: float | None = None
    """Lower end of the 95 % interval, where there is one."""
    high: float | None = None
    """Upper end of the 95 % interval, where there is one."""
    floor: float | None = None
    """The same score of real pictures held out against the other real ones."""
    better: Literal["lower", "higher", "floor"] = "lower"
    """Which way is better; ``floor``: the nearer to the reals' own figure the better."""
    protocol: str = ""
    """Features, resizing and counts: two figures compare only where these are equal."""
    note: str = ""
    """Why to be careful with it, "" where there is no reason."""
    group: str = ""
    """The class it was measured on, "" for all together."""

    @property
    def features(self) -> str:
        """The network whose features were compared, the first word of the protocol."""
        return self.protocol.replace(",", " ").split(" ")[0].rstrip(";")

    def called(self) -> str:
        """Return its name in a table: KID and FID by the features unless these are Inception's."""
        name = NAMES.get(self.name, self.name)
        if name != self.name and self.features not in PUBLISHED:
            name = f"{name}({self.features})"
        return f"{name} x1000" if self.name == "kid" else name

    def shown(self) -> Score:
        """Return it as tables and reports show it: KID is multiplied by 1000, as the field prints it."""
        if self.name != "kid":
            return self
        low, high, floor = (
            None if end is None else KID * end for end in (self.low, self.high, self.floor)
        )
        return self._replace(value=KID * self.value, low=low, high=high, floor=floor)

    @property
    def badness(self) -> float:
        """The smaller the better, whichever way the value is better; infinite where it is not a number."""
        if not math.isfinite(self.value):
            return math.inf
        if self.better == "floor":
            return abs(self.value - (self.floor if self.floor is not None else 0.0))
        return self.value if self.better == "lower" else -self.value
