"""A session: one stretch of a training, from a start or a resume to its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from figment.sampling.pictures import Pictures
from figment.training.log import Log, Tally
from figment.training.monitor import Monitor
from figment.training.trainer import Trainer

REPORT_SECONDS = 1.5


@dataclass
class Session:
    """What a stretch of training works with, and what it has to remember until its end."""

    run: Path
    trainer: Trainer
    tally: Tally
    log: Log
    monitor: Monitor
    measure_every: int = 0
    """Images between two measurements, 0 for none in turn."""
    end: int | None = None
    """Images at which it ends, if that is set."""
    deadline: float | None = None
    """``time.perf_counter()`` at which it ends, if that is set."""
    began: float = field(default_factory=time.perf_counter)
    """``time.perf_counter()`` at which seconds started to count."""
    used: float = 0.0
    """Seconds that the run took before."""
    saved: float = field(default_factory=time.perf_counter)
    saved_at: int = -1
    showing: float = 0.0
    saving: float = 0.0
    """Seconds that a grid with its snapshot, and the state, took at most so far."""
    ticked: int = 0
    """Images at the last line of the log, or where this stretch began."""
    playing: tuple[float, int] = (0.0, 0)
    """``time.perf_counter()`` and images when its first round began."""
    rounds_took: float = 0.0
    """Seconds spent in rounds since the last line of the log, measurements and pictures left out."""
    share: float = 0.0
    """Share of its time that had passed when its length was thought of last."""
    told: int = 0
    """Images at the end that the user was told last, 0 where those are the recipe's."""
    seconds_per_image: tuple[float, ...] = ()
    """What an image was measured to take, from each of ``Playable.stages`` on; () where it was not."""
    data: dict[str, Any] = field(default_factory=dict)
    """What machine.json says of the data."""
    own: dict[str, Any] = field(default_factory=dict)
    """The fields of the system itself, before the user changed any; {} where it is not built in."""
    on_sample: Callable[[Pictures, int], object] = lambda pictures, images: None
    """Called with each sample grid and the images seen then."""
    lock: tuple[int, int] | None = None
    """What tells the lock that is held from another, see ``guard.lock_id``."""
    said: set[str] = field(default_factory=set)
    """Names of the doctor's findings that have been said."""

    def finishing(self) -> float:
        """Return the seconds that the end of the run will take, its report included."""
        measuring = 1.5 * self.monitor.cost()
        return 1.5 * self.showing + 1.5 * self.saving + measuring + REPORT_SECONDS

    def left(self) -> float:
        """Return the seconds until the deadline."""
        return max(0.0, (self.deadline or 0.0) - time.perf_counter())

    def seconds(self) -> float:
        """Return the seconds this run has taken, all its sessions together."""
        return self.used + time.perf_counter() - self.began
