"""Advice: from the project's own tables, and only what the recipe takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from test_diagnosis import DATA, FIELDS, ONE_PICTURE, names, run

from figment.doctor import remedies
from figment.doctor.diagnosis import diagnose
from figment.doctor.finding import Finding
from figment.errors import UserError
from figment.fields import fields_of
from figment.recipe import with_fields
from figment.recipes import SYSTEMS

RESULTS = Path(__file__).parents[2] / "docs" / "results"
LOST = {"watch/distance": 0.8, "score/accuracy": 0.5, "jsd": 0.0}
CLASSES = {"watch/classes_told": 0.9, "watch/classes_obeyed": 0.3}
ILL: dict[str, dict[str, float]] = {
    "unbounded critic": {},
    "extreme dropout": {},
    "tiny batch": {},
    "learning rate too high": LOST,
    "learning rate too low": LOST,
    "generator too strong": LOST,
    "discriminator too strong": {
        "score/accuracy": 1.0, "score/fake": 0.0, "watch/distance": 0.8, "watch/movement": 0.1,
    },
    "divergence": {"loss/discriminator": float("nan")},
    "generator stands still": {"watch/movement": 0.0, "watch/distance": 0.8},
    "oscillation": {"watch/movement": 0.9, "watch/diversity": 0.25, "watch/distance": 0.8},
    "mode collapse": ONE_PICTURE | {"watch/diversity": 0.03, "watch/movement": 0.1},
    "partial mode collapse": {"watch/missing": 0.6},
    "memorisation": {"watch/copies": 0.9, "watch/nearest": 0.2},
    "discriminator overfitting": {"score/held_out": 0.2, "score/held_out_sign": -0.6},
    "checkerboard": {"watch/checkerboard": 12.0},
    "class missing": {"watch/classes_told": 0.9, "class/share/0": 0.0, "class/share/1": 2.0},
    "classes not obeyed": CLASSES | {f"class/obeyed/{k}": 0.1 for k in range(10)},
}  # fmt: skip
"""What a log of 2,500 rounds says of each ailment whose finding advises flags."""
SET: dict[str, dict[str, Any]] = {
    "unbounded critic": {
        "objective": "wasserstein", "clip": 0.0, "spectral_norm": "none", "r1": 0.0, "r2": 0.0,
        "gradient_penalty": 0.0, "gradient_penalty_sides": 2, "zero_centred": 0.0, "dragan": 0.0,
        "real_target": 1.0, "fake_target": 0.0, "penalty_every": 1,
    },
    "extreme dropout": {"dropout": 0.95},
    "tiny batch": {"batch": 2, "micro_batch": 0},
}  # fmt: skip
"""Fields that are the ailment."""
RATES = {"learning rate too high": 300.0, "learning rate too low": 1 / 300}


def advised(system: str, ailment: str) -> tuple[Any, Finding | None]:
    """The recipe of a system with an ailment, and the finding that names it if it can be had."""
    own = SYSTEMS[system].recipe
    fields = fields_of(own)
    fields |= {name: value for name, value in SET.get(ailment, {}).items() if name in fields}
    for rate in fields.keys() & {"generator_lr", "discriminator_lr", "lr"}:
        fields[rate] *= RATES.get(ailment, 1.0)
    recipe = with_fields(own, fields)
    try:
        recipe.check()
    except UserError:  # this system cannot have it
        return recipe, None
    points = {"shape": [2], "count": 100_000}
    log = [line | ILL[ailment] for line in run()]
    found = diagnose(log, fields, points if own.kind == "points" else DATA, (), fields_of(own))
    named = [one for one in remedies.taken(recipe, found) if one.name == ailment]
    return recipe, named[0] if named else None


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_advised_flag_is_taken(system: str):
    """Alone, and all of a finding's together, as they are printed."""
    for ailment in ILL:
        recipe, finding = advised(system, ailment)
        together: dict[str, Any] = {}
        for flag in finding.flags if finding else ():
            word, *values = flag.split()
            name = word.removeprefix("--").replace("-", "_")
            now = getattr(recipe, name)
            read = tuple(map(float, values)) if len(values) > 1 else _read(now, values)
            with_fields(recipe, {name: read}).check()
            assert name not in together, (ailment, flag)
            together[name] = read
        if together:
            with_fields(recipe, together).check()


def _read(now: Any, values: list[str]) -> Any:
    if not values:
        return True
    return values[0] if isinstance(now, str) else type(now)(float(values[0]))


@pytest.mark.parametrize("ailment", ILL)
def test_each_ailment_is_named_and_has_a_flag_for_the_system_that_is_trained_by_default(
    ailment: str,
):
    _, finding = advised("dcgan", ailment)
    assert finding is not None, names([line | ILL[ailment] for line in run()])
    assert finding.flags or ailment == "generator stands still"


def test_a_critic_without_packs_or_labels_is_not_told_to_set_them():
    _, finding = advised("dcgan-concat", "partial mode collapse")
    assert finding is not None and "--packing 2" not in finding.flags  # a pack has no single class
    _, finding = advised("wgan", "mode collapse")
    assert finding is not None and not any("real-target" in flag for flag in finding.flags)


def modes_of(table: str, method: str) -> float:
    """The mean of modes in a table of docs/results/modes.md."""
    text = (RESULTS / "modes.md").read_text(encoding="utf-8").split(f"\n## {table}\n")[1]
    line = next(row for row in text.splitlines() if row.startswith(f"| {method}"))
    return float(line.split("|")[4])


def test_the_order_on_points_is_that_of_the_tables():
    methods = {"r1": "R1 + R2", "packing": "PacGAN 2", "play": "unrolled K = 5"}
    methods["minibatch_discrimination"] = "minibatch discrimination"
    order = [field for field, _ in remedies.ON_POINTS]
    means = [modes_of("Ring", methods[field]) + modes_of("Grid", methods[field]) for field in order]
    assert means == sorted(means, reverse=True)


def look_alikes(data: str, technique: str) -> int:
    """The share of look-alikes in a table of docs/results/ablation.md."""
    text = (RESULTS / "ablation.md").read_text(encoding="utf-8").split(f"\n## {data}\n")[1]
    line = next(row for row in text.splitlines() if row.startswith(f"| {technique}"))
    return int(re.findall(r"(\d+) %", line)[0])


def test_the_order_on_pictures_is_that_of_the_tables():
    lines = {"packing": "packing 2", "play": "unrolled, K = 5", "r1": "R1 1 + R2 1"}
    lines["minibatch_discrimination"] = "minibatch discrimination"
    order = [field for field, _ in remedies.ON_PICTURES]
    shares = [
        look_alikes("cats64.zip", lines[field]) + look_alikes("cifar10.zip", lines[field])
        for field in order
    ]
    assert shares == sorted(shares)


def test_what_is_set_already_is_not_advised():
    log = run(watch__missing=0.5)
    first = diagnose(log, FIELDS | {"packing": 2, "r1": 1.0}, {"shape": [2], "count": 9_000})[0]
    assert first.flags[:2] == ("--play unrolled", "--minibatch-discrimination 64")
    assert "packing" not in first.advice and "docs/results/modes.md" in first.advice
