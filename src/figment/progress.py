"""Progress where it is looked at: a bar in a terminal or a notebook, lines in a log file.

The one place that imports tqdm. ``tqdm.auto`` is not enough: without ipywidgets it warns in red, with
them a saved notebook loses its bars, and in a file it redraws one line with carriage returns.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from html import escape
from typing import Any

from tqdm.std import tqdm

from figment.cells import Spot, in_notebook
from figment.units import duration

REFRESH = 1.0
"""Seconds between two refreshes in a notebook; a terminal has five a second."""
PAUSE = 10.0
SHARE = 0.01
"""A log file gets a line every ``PAUSE`` seconds, later one each hundredth of the time so far."""
WIDTH = 240  # pixels of a bar in a notebook


def progress_bar(iterable: Iterable | None = None, *, shown: bool = True, **how: Any) -> tqdm:
    """Return a progress bar: tqdm's own in a terminal, one for cells or for log files elsewhere.

    ``how`` is tqdm's; ``shown`` False returns one that shows nothing. Off a terminal nothing is said of
    what takes less than ``PAUSE`` seconds.
    """
    kind = Cell if in_notebook() else tqdm if sys.stderr.isatty() else Lines
    pause = 0.2 if kind is tqdm else REFRESH
    return kind(iterable, **how, disable=not shown, mininterval=pause, dynamic_ncols=True)


def say(text: str) -> None:
    """Write a line for the person who watches, above any bar: on stderr, in a notebook on stdout."""
    # A notebook paints whatever comes on stderr red.
    tqdm.write(text, file=sys.stdout if in_notebook() else sys.stderr)
    sys.stderr.flush()


class Lines(tqdm):
    """A bar for a log file: now and then a whole line that says how far it is."""

    def __init__(self, *args: Any, **how: Any) -> None:
        self.began = self.told = time.perf_counter()
        super().__init__(*args, **how)

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        """Write a line where the last one was long enough ago."""
        now = time.perf_counter()
        if now - self.told >= max(PAUSE, SHARE * (now - self.began)):
            self.told = now
            self.fp.write(f"{status(self)}\n")
            self.fp.flush()

    def clear(self, *args: Any, **how: Any) -> None:
        """Do nothing: what is in a file stays."""

    def close(self) -> None:
        """End without a word: what was done is said by whoever did it."""
        if not self.disable:
            self.disable = True
            self._decr_instances(self)


class Cell(tqdm):
    """A bar in the output of a notebook's cell."""

    def __init__(self, *args: Any, **how: Any) -> None:
        self.spot = Spot()
        super().__init__(*args, **how)

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        """Show the bar as it is now."""
        share = f' value="{self.n / self.total:.3f}"' if self.total else ""
        full = f'<progress style="width:{WIDTH}px;vertical-align:middle"{share}></progress>'
        words = status(self)
        self.spot.show(f"<div>{full} {escape(words)}</div>", words)

    def clear(self, *args: Any, **how: Any) -> None:
        """Do nothing: other output has places of its own."""

    def close(self) -> None:
        """Take the bar away, or leave it as it is at the end."""
        if not self.disable:
            self.disable = True
            self._decr_instances(self)
            if self.leave:
                self.display()
            else:
                self.spot.show("")


def status(of: tqdm) -> str:
    """Return how far a bar is in words: ``packing: 40 of 100 img (40 %), 12 img/s, 5 s left``."""
    unit, now = of.unit.strip(), of.format_dict
    done = of.n - now["initial"]
    rate = now["rate"] or (done / now["elapsed"] if now["elapsed"] else 0.0)
    total = max(of.total, of.n) if of.total else 0  # whole batches may go past what was asked for
    parts = [f"{_amount(of.n, unit)}{f' of {_amount(total, unit)}' if total else ''} {unit}"]
    if total:
        parts[0] += f" ({of.n / total:.0%})"
    if rate:
        parts.append(f"{_amount(rate, unit)} {unit}/s")
        left = total - of.n if total else 0.0
        parts += [f"{duration(left / rate)} left"] if left else []
    text = ", ".join(parts)
    text = f"{of.desc.rstrip(': ')}: {text}" if of.desc else text
    return f"{text}; {of.postfix}" if of.postfix else text


def _amount(value: float, unit: str) -> str:
    """Return a number for people: bytes with a prefix, 1,280 of anything else, 0.25 where it is small."""
    if unit == "B":
        return tqdm.format_sizeof(value, divisor=1000)
    return f"{value:,.0f}" if value >= 10 or value == round(value) else f"{value:.2g}"
