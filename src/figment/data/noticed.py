"""What was noticed of every picture while a set was packed: one pass, read by all who want to know."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

SIDE = 16
SHOWN = 5  # repeats that are named
FACTS = np.dtype(
    [
        ("place", "i8"),  # of the picture among all that were found, readable or not
        ("width", "i4"),  # of the file's picture, as seen upright
        ("height", "i4"),
        ("tint", "u1"),  # how far the channels of a place lie apart, at most, of 255
        ("flat", "?"),  # of one colour
        ("levels", "u1", (SIDE, SIDE)),  # of the square that is learned from, very small and grey
        ("digest", "V32"),  # sha256 of the file, or of the pixels where there is none
        ("first", "i8"),  # the first picture that this one repeats, at least nearly; often itself
    ]
)
TINT = 8
"""How far the channels of a grey picture may lie apart, of 255, over areas of a 32nd of its side: JPEG and
WebP are not exact. A faint sepia has 20 to 30."""
DARK = 32  # of 255, below which hardly anything is to be seen
LEVEL = 2  # levels that a picture of one colour may range over


@dataclass(frozen=True)
class Noticed:
    """The record of a pack."""

    facts: np.ndarray = field(
        default_factory=lambda: np.zeros(0, FACTS)
    )  # [N] of those used, in order
    in_colour: bool = (
        True  # whether the pictures were looked at in colour, so that ``tint`` is known
    )
    modes: dict[str, int] = field(default_factory=dict)  # of the files, as Pillow names them
    notes: dict[str, int] = field(default_factory=dict)  # what was handled on the way, how often
    ranges: tuple[str, ...] = ()  # what numbers of more than 8 bits were taken for
    others: dict[str, int] = field(default_factory=dict)  # files that are no pictures, by kind
    likenesses: tuple[tuple[str, str], ...] = ()  # names of the first few repeats, after whose

    @property
    def coloured(self) -> np.ndarray:
        """Which pictures have a colour, [N] bool."""
        return self.facts["tint"] > TINT

    @property
    def grey(self) -> bool:
        """Whether no picture has a colour."""
        return self.in_colour and not self.coloured.any()

    @property
    def repeats(self) -> np.ndarray:
        """Which pictures show the same as an earlier one, byte for byte or nearly: rows, int64."""
        return np.flatnonzero(self.facts["first"] != np.arange(len(self.facts)))

    @property
    def darkness(self) -> tuple[str, ...]:
        """A sentence where hardly anything is to be seen in most pictures."""
        levels = self.facts["levels"].reshape(-1, SIDE * SIDE)
        darkest, brightest = levels.min(1), levels.max(1)
        black, white = brightest < DARK, darkest > 255 - DARK
        if 2 * black.sum() > len(levels):
            said = f"no place is brighter than {brightest[black].max()} of 255"
            return (f"nearly black: {_in_how_many(black)}{said}",)
        if 2 * white.sum() > len(levels):
            said = f"no place is darker than {darkest[white].min()} of 255"
            return (f"nearly white: {_in_how_many(white)}{said}",)
        return ()

    @property
    def crop_loss(self) -> float:
        """The mean share of a picture that a square from its centre leaves out."""
        if not len(self.facts):
            return 0.0
        sides = np.stack([self.facts["width"], self.facts["height"]])
        return float(np.mean(1 - sides.min(0) / np.maximum(1, sides.max(0))))


def _in_how_many(pictures: np.ndarray) -> str:
    return "" if pictures.all() else f"in {pictures.sum():,} of {len(pictures):,} pictures "


def look_at(rows: np.ndarray, facts: np.ndarray) -> None:
    """Write into facts [N] what pictures [N, C, R, R] uint8 show: tint, flatness and levels."""
    if not len(rows):
        return
    count, channels, side = rows.shape[:3]
    flat = rows.reshape(count, channels, -1)
    facts["flat"] = (flat.max(2) - flat.min(2) <= LEVEL).all(1)
    sums = rows.sum(1, dtype=np.uint16) if channels > 1 else rows[:, 0]
    shares = _shares(SIDE, side)
    facts["levels"] = np.rint(shares @ sums.astype(np.float32) @ shares.T / channels)
    if channels == 3:
        facts["tint"] = tints(rows)


def tints(rows: np.ndarray) -> np.ndarray:
    """Return how far the channels of pictures [N, 3, R, R] lie apart in a place, at most: [N] uint8.

    Of means over places of a 32nd of the side, as noise and single pixels make no tint; as if the
    brightest place were white, where that takes at most a factor of four: what is dark may have
    colours as well.
    """
    block = max(1, rows.shape[2] // 32)
    sums = _sums(rows, block)  # [N, 3, r, r]
    spread = (sums.max(1) - sums.min(1)).reshape(len(rows), -1).max(1) / block**2
    brightest = sums.reshape(len(rows), -1).max(1) / block**2
    return np.rint(spread * 255 / brightest.clip(64, 255)).clip(0, 255).astype(np.uint8)


def likenesses(facts: np.ndarray, name: Callable[[int], str]) -> tuple[tuple[str, str], ...]:
    """Return the names of the first few repeats, each after that of the picture that it repeats."""
    rows = np.flatnonzero(facts["first"] != np.arange(len(facts)))[:SHOWN]
    places = facts["place"]
    return tuple((name(int(places[facts["first"][row]])), name(int(places[row]))) for row in rows)


def write(folder: Path, noticed: Noticed) -> None:
    """Write a record into a folder."""
    np.save(folder / "facts.npy", noticed.facts)
    told = {
        "in_colour": noticed.in_colour,
        "modes": noticed.modes,
        "notes": noticed.notes,
        "ranges": noticed.ranges,
        "others": noticed.others,
        "likenesses": noticed.likenesses,
    }
    (folder / "noticed.json").write_text(json.dumps(told, indent=1), "utf-8")


def read(folder: Path) -> Noticed:
    """Return the record in a folder. Raises OSError or ValueError where it is damaged."""
    told = json.loads((folder / "noticed.json").read_text("utf-8"))
    facts = np.load(folder / "facts.npy", mmap_mode="r")
    return Noticed(
        facts,
        told["in_colour"],
        told["modes"],
        told["notes"],
        tuple(told["ranges"]),
        told["others"],
        tuple((one, other) for one, other in told["likenesses"]),
    )


def _sums(rows: np.ndarray, block: int) -> np.ndarray:
    """Return the sums over squares of ``block`` pixels; what is over at the edges is left out."""
    if block == 1:
        return rows
    side, wide = rows.shape[2] // block * block, np.uint16 if block <= 16 else np.uint32
    down = sum(rows[:, :, at:side:block, :side].astype(wide) for at in range(block))
    return sum(down[..., at::block] for at in range(block))  # ty: ignore


def _shares(places: int, side: int) -> np.ndarray:
    """Return [places, side]: which share each pixel of a row has in each of so many places."""
    edges = np.linspace(0, side, places + 1)
    pixels = np.arange(side)
    ends = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    shares = ends.clip(0).astype(np.float32)
    return shares / shares.sum(1, keepdims=True)
