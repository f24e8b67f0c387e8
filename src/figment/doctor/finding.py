"""Finding: one thing the doctor says."""

from __future__ import annotations

from typing import Literal, NamedTuple

Severity = Literal["fault", "warning", "good"]


class Finding(NamedTuple):
    """What is so, how bad, how sure, why, and what to do."""

    name: str
    """Its fixed name, e.g. "mode collapse"; docs/doctor.md has a section for each."""
    severity: Severity
    """"fault": what comes out is or will be of no use; "warning": it will be worse; "good": no harm."""
    sure: float
    """From 0 to 1."""
    evidence: str
    """One sentence with the figures."""
    advice: str
    """What to do, in one or two sentences."""
    flags: tuple[str, ...] = ()
    """The flags of `figment train` to try, in this order."""
