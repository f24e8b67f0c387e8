"""Showing a generator to others: ``figment export``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from figment.runs import LATEST, named


def export(
    runs: tuple[str, ...] = (),
    /,
    *,
    to: Literal["onnx"],
    out: Path,
    weights: Literal["fp32", "fp16", "int8"] | None = None,
    licence: str = "",
    use: str = "",
    title: str = "",
    trust: bool = False,
    overwrite: bool = False,
) -> int:
    """Publish a generator: as an ONNX file.

    Args:
        runs: The run folder, or a snapshot file; the latest run without it.
        to: What to make of it: an ONNX file.
        out: Where it goes: FILE.onnx or a folder.
        weights: How weights are stored: fp32, fp16 (half the bytes), int8 (a quarter); fp32 without it.
        licence: The terms under which you give it away, in a word or two.
        use: What you mean it for, in a sentence.
        title: What it is called, such as "This flower does not exist".
        trust: Open a recipe of your own, which the run only names: its module is imported.
        overwrite: Replace files that figment did not write, too.
    """
    from figment.actions.showing import export

    chosen = [named(run) for run in runs or (LATEST,)]
    how = {"weights": weights, "licence": licence, "use": use, "title": title}
    print(export(chosen, to=to, out=out, trust=trust, overwrite=overwrite, **how))
    return 0
