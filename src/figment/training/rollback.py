"""When a training collapses: what is said, and the rollback to healthy weights at half the rates."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from figment import mesh
from figment.doctor.diagnosis import collapsed, diagnose, healthy
from figment.doctor.remedies import taken
from figment.fields import fields_of
from figment.files import append_text
from figment.progress import say
from figment.training import folder
from figment.training.log import Log
from figment.training.state import HEALTHY, load_state, save_healthy

if TYPE_CHECKING:
    from figment.training.session import Session

MOST = 10
"""Rollbacks of a run: the rates are then a thousandth of what they were."""
SURE = 0.7
"""What is said during training is at least this sure; `figment doctor` says the rest."""


class Alarm(NamedTuple):
    """A training has collapsed, diverged or become worse for good: which of them, and what shows it.

    ``--on-collapse`` says what follows: a warning, the end, or a rollback.
    """

    name: str
    """Such as "mode collapse", "divergence" or "relapse"."""
    evidence: str
    """The figures that show it, without a full stop."""


def examine(session: Session) -> Alarm | None:
    """Say what the doctor finds after a measurement; return the alarm where training has collapsed.

    A state worth returning to is kept where the recipe asks for rollbacks. The first process decides.
    """
    trainer, log = session.trainer, session.log.lines
    fields = fields_of(trainer.recipe)
    found = collapsed(log, fields) if mesh.is_first() else None
    alarm = None if found is None else Alarm(found.name, found.evidence.rstrip("."))
    if alarm is None and (worse := session.monitor.relapse()):
        alarm = Alarm("relapse", worse)
    if mesh.is_first():
        _say_new(session, fields)
        if alarm and trainer.recipe.on_collapse == "warn" and alarm.name not in session.said:
            session.said.add(alarm.name)
            _say(f"{alarm.name}: {alarm.evidence}; --on-collapse rollback would go back")
        well = alarm is None and healthy(log, fields) and session.monitor.at_its_best()
        if well and trainer.recipe.on_collapse == "rollback":
            save_healthy(session.run / "state", trainer, session.tally)
    return mesh.first(alarm)  # ty: ignore[invalid-explicit-return]


def roll_back(session: Session, alarm: Alarm) -> bool:
    """Go back to the last healthy state, at half the learning rates; return whether that was possible.

    Log and measurements are cut back to that moment; events.jsonl tells what happened.
    """
    trainer, state = session.trainer, session.run / "state"
    scale = trainer.rate_scale / 2
    if trainer.recipe.on_collapse != "rollback" or scale < 0.5**MOST:
        return False
    if not mesh.first((state / HEALTHY).exists()):
        return False
    at = trainer.clock.images
    mesh.barrier()
    session.tally = load_state(state, trainer, HEALTHY)
    trainer.rate_scale = scale
    to = trainer.clock.images
    session.log.close()
    session.log = Log(session.run, images=to, writes=mesh.is_first())
    session.monitor.back_to(to)
    session.said.clear()
    if mesh.is_first():
        event = {"images": at, "event": "rollback", "to": to, "rate_scale": scale}
        event |= alarm._asdict()
        append_text(session.run / folder.EVENTS, json.dumps(event) + "\n")
    _say(
        f"{alarm.name} at {at:,} images ({alarm.evidence}): back to {to:,}, "
        f"learning rates times {scale:g}"
    )
    return True


def _say_new(session: Session, fields: dict) -> None:
    """Say faults that have not been said yet."""
    found = diagnose(session.log.lines, fields, session.data, session.monitor.lines, session.own)
    for finding in taken(session.trainer.recipe, found):
        if (
            finding.severity == "fault"
            and finding.sure >= SURE
            and finding.name not in session.said
        ):
            session.said.add(finding.name)
            flags = f" ({', '.join(finding.flags)})" if finding.flags else ""
            _say(f"{finding.name}: {finding.evidence} {finding.advice}{flags}")


def _say(text: str) -> None:
    if mesh.is_first():
        say(f"doctor: {text}")
