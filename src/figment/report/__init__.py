"""The report of a run, one self-contained HTML page, its model card, and the comparison of several."""

from __future__ import annotations

from figment.report.card import write_card
from figment.report.compare import comparison_text, write_comparison
from figment.report.page import write_report

__all__ = ["comparison_text", "write_card", "write_comparison", "write_report"]
