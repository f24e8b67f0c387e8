"""The report of a run: one self-contained HTML page made from the files of its folder."""

from __future__ import annotations

from .page import write_report

__all__ = ["write_report"]
