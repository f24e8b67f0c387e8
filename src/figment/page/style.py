"""The colours and the type that everything figment shows has in common."""

from __future__ import annotations

from importlib.resources import files


def palette() -> str:
    """Return the style sheet that report, site and server begin with: colours, light and dark, and type."""
    return files("figment.page").joinpath("palette.css").read_text(encoding="utf-8")
