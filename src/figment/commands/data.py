"""What there is: ``figment recipes``, ``runs``, ``data inspect`` and ``data pack``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal


def recipes(name: str | None = None, /, *, json_: bool = False) -> int:
    """List the systems, or show one with all its fields.

    Args:
        name: A name or an id; all systems without it.
        json_: Print JSON for other programs.
    """
    from figment.recipes.listing import listing, listing_text

    found = listing(name)
    print(json.dumps(found, indent=2) if json_ else listing_text(found))
    return 0


def runs(folder: str | None = None, /, *, json_: bool = False) -> int:
    """List the runs here: system, data, images, score, when they were last trained, state.

    Args:
        folder: Where to look; in runs/ and in the current folder without it.
        json_: Print JSON for other programs.
    """
    from figment.actions.runs import listing, listing_text

    found = listing(folder)
    print(json.dumps(found, indent=2) if json_ else listing_text(found))
    return 0


def inspect_data(data: str, /, *, json_: bool = False) -> int:
    """Say what is in a data set, what is odd or broken, and what figment would do with it.

    Args:
        data: A folder, a zip, an .npy or .npz file, or flowers, ring, grid.
        json_: Print JSON for other programs.
    """
    from figment.data import inspect
    from figment.data.describe import describe

    found = inspect(data)
    print(found.to_json() if json_ else describe(found))
    return 0


def pack_data(
    data: str,
    /,
    *,
    out: Path,
    resolution: int = 64,
    channels: Literal[1, 3] = 3,
    fit: Literal["crop", "pad", "stretch"] = "crop",
) -> int:
    """Decode a data set once into one file that training reads without waiting.

    Args:
        data: A folder, a zip, an .npy or .npz file, or flowers.
        out: The .npz file to write.
        resolution: Pixels a side.
        channels: 1 for grey, 3 for colour.
        fit: How a picture that is not square becomes square.
    """
    from figment.data import pack

    packed = pack(data, out, resolution=resolution, channels=channels, fit=fit)
    print(f"{out}: {len(packed):,} pictures, {len(packed.skipped)} skipped")
    return 0
