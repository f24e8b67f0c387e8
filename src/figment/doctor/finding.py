"""Finding: one diagnosis of the doctor's."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Literal, NamedTuple

from figment.cells import table

Severity = Literal["fault", "warning", "note", "good"]
SEVERITIES: tuple[Severity, ...] = ("fault", "warning", "note", "good")
"""The worst first."""


class Finding(NamedTuple):
    """One diagnosis: its name, how bad and how sure it is, the evidence, and what to do."""

    name: str
    """Its fixed name, e.g. "mode collapse"; docs/doctor.md has a section for each."""
    severity: Severity
    """"fault": the results are or will be useless; "warning": they will be worse; "note": neither good nor
    bad, such as too early to tell; "good": all is well."""
    sure: float
    """From 0 to 1."""
    evidence: str
    """One sentence with the figures."""
    advice: str
    """What to do, in one or two sentences."""
    flags: tuple[str, ...] = ()
    """The flags of `figment train` to try, in this order."""

    def of(self, run: str | Path) -> Finding:
        """Return it with the commands of its advice as they are typed for a run, where they say ``RUN``.

        doctor.json keeps the word: a run may be moved, and its card be published.
        """
        typed = f"figment resume {shlex.quote(str(run))} "
        return self._replace(advice=self.advice.replace("figment resume RUN ", typed))


class Findings(list[Finding]):
    """Findings, the worst first; a notebook shows them as a table."""

    def _repr_html_(self) -> str:
        rows = [
            (one.name, f"{one.severity}, {one.sure:.0%} sure", one.evidence, _advice(one))
            for one in self
        ]
        return table(
            ("finding", "", "evidence", "what to do"), rows, [one.severity for one in self]
        )


def _advice(one: Finding) -> str:
    return f"{one.advice} {' '.join(one.flags)}".strip()
