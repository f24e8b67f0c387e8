"""How many images a time budget comes to, told again under way: the first rounds may promise too much.

Rates that fall and noise that fades follow the planned length, so it is put right while that matters.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, cast

from figment import mesh
from figment.rounds import ENOUGH_ROUNDS
from figment.training import folder
from figment.training.budget import LONGEST
from figment.training.cost import too_short
from figment.training.pace import pace_of
from figment.training.session import Session
from figment.units import round_off

TOLD = (0.05, 0.25, 0.5)
"""Shares of the time after which it is told again."""
SURPRISE = 1.25
"""A length that is so many times the planned one, or planned so many times too long, is said."""


def images_at_end(session: Session) -> int:
    """Return the images at the end: those that are set, or what the pace so far comes to.

    Where later images take longer, as they were measured to: so many times faster or slower than so far.
    """
    clock, (start, before) = session.trainer.clock, session.playing
    if session.end is not None or session.deadline is None or clock.images == before:
        return session.end or session.trainer.recipe.images
    now = time.perf_counter()
    left = max(0.0, session.deadline - session.finishing() - now)
    pace = pace_of(session.trainer.recipe.stages(), session.seconds_per_image)
    played = pace.seconds(clock.images)
    slower = (now - start) / (played - pace.seconds(before))
    return max(clock.images, round(min(LONGEST["images"], pace.images(played + left / slower))))


def length_now(session: Session) -> int:
    """Return the length to plan with from now on, at a moment to tell it again; else 0."""
    if session.end is not None or session.deadline is None:
        return 0
    start = session.playing[0]
    share = (time.perf_counter() - start) / max(1e-9, session.deadline - start)
    session.share, before = share, session.share
    return images_at_end(session) if any(before < told <= share for told in TOLD) else 0


def correct(session: Session, images: int) -> str:
    """Plan with so many images; return what the user is to be told of it, if anything.

    recipe.json holds the length as well, for a resume.
    """
    trainer = session.trainer
    told = session.told or trainer.recipe.images
    per_round = trainer.clock.images / trainer.clock.rounds
    images = max(images, trainer.clock.images + 1)
    trainer.recipe = replace(cast(Any, trainer.recipe), images=images)
    if mesh.is_first():
        folder.write_recipe(session.run, folder.read(session.run)[0], trainer.recipe)
    if told / SURPRISE < images < SURPRISE * told:
        # What is compared with is what was said, not what was put right in silence.
        session.told = told
        return ""
    session.told = images
    start, before = session.playing
    end = (session.deadline or time.perf_counter()) - session.finishing()
    speed = (images - before) / max(1e-9, end - start)
    known = told / per_round < ENOUGH_ROUNDS  # the plan has said so
    short = "" if known else too_short(trainer.recipe, images / per_round, speed, per_round)
    planned = f"; {round_off(told):,} were planned" if told > per_round else ""  # else no round was
    return f"now about {round_off(images):,} images in all{planned}{short}"
