"""What there is: ``figment recipes``, ``data inspect`` and ``data pack``."""

from __future__ import annotations

import inspect
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


def data() -> int:
    """Look at a data set before training, or make one file of it: data inspect, data pack.

    figment data inspect DATA           what is in it, what is odd or broken, what figment would do;
    figment data pack DATA --out FILE   decode it once into a file that training reads at once.
    """
    print(inspect.getdoc(data))
    return 0


def inspect_data(
    data: str, /, *, folders: Literal["auto", "classes", "none"] = "auto", json_: bool = False
) -> int:
    """Say what is in a data set, what is odd or broken, and what figment would do with it.

    Args:
        data: A folder, a zip, Parquet, hf:owner/name, an .npy or .npz file, or flowers, ring, grid.
        folders: What folders and labels are: classes, no classes, or what is plausible.
        json_: Print JSON for other programs.
    """
    from figment.data import inspect as look_through
    from figment.data.describe import describe

    found = look_through(data, folders=folders)
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
    folders: Literal["auto", "classes", "none"] = "auto",
    overwrite: bool = False,
) -> int:
    """Decode a data set once into one file that training reads without waiting.

    Args:
        data: A folder, a zip, Parquet, hf:owner/name, an .npy or .npz file, or flowers.
        out: The .npz file to write.
        resolution: Pixels a side.
        channels: 1 for grey, 3 for colour.
        fit: How a picture that is not square becomes square.
        folders: What folders and labels are: classes, no classes, or what is plausible.
        overwrite: Replace files that figment did not write, too.
    """
    from figment.data import pack
    from figment.errors import UserError
    from figment.files import keep_others

    if out.is_dir():
        raise UserError(f"{out} is a folder: name the file, --out {out / 'pack.npz'}")
    keep_others([out], overwrite)
    packed = pack(data, out, resolution=resolution, channels=channels, fit=fit, folders=folders)
    print(f"{out}: {len(packed):,} pictures, {len(packed.skipped)} skipped")
    return 0
