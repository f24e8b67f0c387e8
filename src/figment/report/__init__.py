"""The report of a run, one self-contained HTML page, and its model card: from its files alone."""

from __future__ import annotations

from figment.report.card import write_card
from figment.report.page import write_report

__all__ = ["write_card", "write_report"]
