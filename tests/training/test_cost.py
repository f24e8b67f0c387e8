"""What a training will take: stages that cost otherwise, and what only some rounds have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from figment.data import open_dataset
from figment.recipe import Recipe
from figment.recipes import find
from figment.recipes.points import Points
from figment.recipes.progan import PROGAN_64
from figment.recipes.stylegan2 import STYLEGAN2_64
from figment.rounds import Clock
from figment.training import cost, length
from figment.training.pace import Pace, pace_of

CPU = torch.device("cpu")
GROWING = replace(PROGAN_64.tiny(), stage_images=0, images=320)
"""Two doublings, of 80 images each; layers fade in from 40 and from 120 on."""


def test_a_pace_tells_seconds_of_images_and_images_of_seconds():
    pace = Pace((0, 100, 200), (0.1, 0.5, 2.0))
    assert [pace.seconds(n) for n in (0, 50, 150, 210)] == pytest.approx([0, 5, 35, 80])
    assert [pace.images(s) for s in (0, 5, 35, 80)] == pytest.approx([0, 50, 150, 210])
    assert pace.speed(25, before=150) == pytest.approx(2)  # 50 images take 25 seconds
    assert pace.speed(0) == 0


def test_stages_that_were_not_measured_go_on_like_the_last_that_was():
    assert pace_of([0, 10, 20], (1.0, 2.0)) == ([0, 10], (1.0, 2.0))
    assert pace_of([0], (1.0, 2.0)) == ([0], (1.0,))
    for nothing in ((), (0.0, 1.0), (float("inf"),)):  # a stranger's machine.json may say anything
        assert pace_of([0, 10], nothing) == ([0], (1.0,))


class Rounds:
    """Stands in for the trainer: rounds take the seconds that ``seconds`` says, on a clock of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: Any) -> None:
        self.now, self.played = 0.0, []

        def round_(trainer: Any) -> None:
            at = trainer.recipe.at(Clock(trainer.clock.images + trainer.recipe.batch))
            self.played.append((trainer.clock, at))
            self.now += seconds(trainer.clock, at)
            trainer.clock = Clock(
                trainer.clock.images + trainer.recipe.batch, trainer.clock.rounds + 1
            )

        monkeypatch.setattr(cost.Trainer, "round", round_)
        monkeypatch.setattr(cost.time, "perf_counter", lambda: self.now)


def measured(recipe: Recipe) -> cost.Cost:
    dataset = open_dataset("flowers:64", resolution=recipe.resolution, channels=3, progress=False)
    return cost.measure(recipe, dataset, CPU)


def test_every_stage_is_measured_and_the_full_size_is_played(monkeypatch):
    rounds = Rounds(monkeypatch, lambda clock, at: 4.0 ** -(-at.level // 1))
    found = measured(GROWING)
    assert found.seconds_per_image == pytest.approx((1 / 4, 4 / 4, 16 / 4))
    whole = 40 * 0.25 + 80 * 1 + 200 * 4  # of the 320 images
    assert found.images_per_second == pytest.approx(320 / whole)
    assert found.images_per_round == 4
    assert (
        max(at.level for _, at in rounds.played) > 1
    )  # the last layers are there: memory is theirs
    assert len(rounds.played) == 9


def test_stages_that_a_training_does_not_come_to_are_not_measured(monkeypatch):
    rounds = Rounds(monkeypatch, lambda clock, at: 1.0)
    assert len(measured(replace(GROWING, stage_images=400)).seconds_per_image) == 2
    assert max(at.level for _, at in rounds.played) < 1


def test_what_few_rounds_have_counts_in_its_share(monkeypatch):
    """StyleGAN2: R1 in one of 16 takes 8 seconds more, path length in one of 4 takes 2."""
    rounds = Rounds(
        monkeypatch, lambda c, at: 1 + 8 * (c.rounds % 16 == 0) + 2 * (c.rounds % 4 == 0)
    )
    recipe = replace(STYLEGAN2_64.tiny(), penalty_every=16, path_length_every=4)
    found = measured(recipe)
    assert 4 / found.images_per_second == pytest.approx(1 + 8 / 16 + 2 / 4)
    assert len(rounds.played) == 5  # all at once to begin with, two plain ones, one with each


@pytest.mark.parametrize(
    ("name", "fields", "rounds"),
    [
        ("dcgan", {}, []),
        ("dcgan", {"r1": 1.0, "penalty_every": 16}, [16]),
        ("dcgan", {"vision_aided": 1.0, "vision_every": 4}, [4]),
        ("stylegan2", {"penalty_every": 8}, [8, 4]),
        ("stylegan2", {"r1": 0.0, "penalty_every": 1, "path_length": 0.0}, []),
        ("vae", {}, []),
    ],
)
def test_recipes_say_what_few_rounds_have(name: str, fields: dict[str, Any], rounds: list[int]):
    assert [every for every in replace(find(name)[1], **fields).lazy() if every > 1] == rounds


def test_a_time_budget_is_told_again_under_way(monkeypatch):
    """The first rounds promised 1,000 images; at 5 % of the time the pace promises 4,000."""
    now = 0.0
    monkeypatch.setattr(length.time, "perf_counter", lambda: now)
    written = []
    monkeypatch.setattr(
        length.folder, "write_recipe", lambda run, name, r: written.append(r.images)
    )
    monkeypatch.setattr(length.folder, "read", lambda run: ("points", {}, {}))
    trainer = SimpleNamespace(recipe=Points(images=1_000, batch=10), clock=Clock(0, 0))
    session: Any = SimpleNamespace(run=Path(), trainer=trainer, end=None, deadline=100.0)
    session.playing, session.share, session.finishing = (0.0, 0), 0.0, lambda: 0.0
    session.told, session.seconds_per_image = 0, ()
    assert length.images_at_end(session) == 1_000
    now, trainer.clock = 4.0, Clock(160, 16)
    assert length.length_now(session) == 0
    now, trainer.clock = 5.0, Clock(200, 20)
    assert length.images_at_end(session) == length.length_now(session) == 4_000
    assert length.length_now(session) == 0
    said = length.correct(session, 4_000)
    assert said == "now about 4,000 images in all; 1,000 were planned"
    assert trainer.recipe.images == 4_000 and written == [4_000]
    assert length.correct(session, 4_200) == ""
    session.end = 640
    assert length.images_at_end(session) == 640 and length.length_now(session) == 0


def test_a_short_beginning_promises_no_more_than_was_measured(monkeypatch):
    """At 5 % of the time growing networks are at their quickest; here all takes twice as planned."""
    now = 0.0
    monkeypatch.setattr(length.time, "perf_counter", lambda: now)
    recipe = replace(GROWING, stage_images=80, batch=4)
    trainer = SimpleNamespace(recipe=recipe, clock=Clock())
    session: Any = SimpleNamespace(run=Path(), trainer=trainer, end=None, deadline=400.0)
    session.playing, session.share, session.finishing = (0.0, 0), 0.0, lambda: 0.0
    session.told, session.seconds_per_image = 0, (0.25, 1.0, 4.0)
    now, trainer.clock = 20.0, Clock(40, 10)  # at the pace so far 800
    assert length.length_now(session) == round(120 + (200 - 90) / 4)
    monkeypatch.setattr(length.folder, "write_recipe", lambda run, name, r: None)
    monkeypatch.setattr(length.folder, "read", lambda run: ("progan", {}, {}))
    before = [recipe.level_at(Clock(images)) for images in range(0, 400, 20)]
    length.correct(session, 800)
    assert [trainer.recipe.level_at(Clock(images)) for images in range(0, 400, 20)] == before
