"""Historical averaging: no player far from the mean of where it has been (Salimans et al. 2016)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from figment.rounds import Terms, penalty
from figment.settings import Settings
from figment.techniques.technique import Technique, at_least_zero

if TYPE_CHECKING:
    from torch import nn

    from figment.techniques.technique import View


@dataclass(frozen=True, kw_only=True)
class Fields(Settings):
    historical_averaging: float = 0.0
    """Weight of the squared distance of both players' weights from their own past mean."""


class HistoricalAveraging(Technique[Fields]):
    def on(self, r: Fields) -> bool:
        return r.historical_averaging > 0

    def check(self, r: Fields) -> None:
        at_least_zero(r, "historical_averaging")

    def memory(self, r: Fields, nets: nn.ModuleDict) -> dict[str, nn.Module]:
        from torch import nn

        from figment.penalties import HistoricalMean

        players = ("generator", "discriminator")
        means = {player: HistoricalMean(nets[player]) for player in players}
        return {"history": nn.ModuleDict(means)}

    def discriminator(self, r: Fields, view: View) -> Terms:
        return _terms(r, view, "discriminator")

    def generator(self, r: Fields, view: View) -> Terms:
        return _terms(r, view, "generator")


def _terms(r: Fields, view: View, player: str) -> Terms:
    from torch import nn

    from figment.penalties import HistoricalMean

    mean = cast(HistoricalMean, cast(nn.ModuleDict, view.nets["history"])[player])
    distance = mean(view.nets[player])
    mean.follow(view.nets[player])  # after the distance is taken: it is one from the past
    return penalty(history=r.historical_averaging * distance)
