"""Findings as text for the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from figment.doctor.finding import Finding

WIDTH = 88
MARKS = {"fault": "✗", "warning": "!", "note": "·", "good": "✓"}


def findings_text(findings: Sequence[Finding]) -> str:
    """Return findings as blocks: what and how sure, the evidence, what to do, the flags to set."""
    return "\n\n".join(_block(finding) for finding in findings)


def sureness(sure: float) -> str:
    """Return a probability in one word: sure, likely or perhaps."""
    if sure >= 0.9:
        return "sure"
    return "likely" if sure >= 0.7 else "perhaps"


def _block(finding: Finding) -> str:
    head = (
        f"{MARKS[finding.severity]} {finding.name} ({sureness(finding.sure)}, {finding.sure:.0%})"
    )
    lines = [head, *_wrapped(finding.evidence)]
    if finding.advice:
        lines += _wrapped(f"→ {finding.advice}")
    if finding.flags:
        lines += [f"    {flag}" for flag in finding.flags]
    return "\n".join(lines)


def _wrapped(sentence: str) -> list[str]:
    return textwrap.wrap(
        sentence, WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
    )
