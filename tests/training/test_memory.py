"""Memory that runs out: the run ends as it was planned, in smaller parts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from figment.errors import UserError
from figment.launch import train
from figment.recipes import find
from figment.recipes.points import POINTS
from figment.run import Run
from figment.training import memory
from figment.training.trainer import Trainer

FIELDS = {
    "hidden": (16,),
    "latent": 4,
    "batch": 16,
    "tick": 32,
    "save_every": 48,
    "metric_every": 64,
}
FIELDS |= {"metrics": ()}


@pytest.fixture
def full(monkeypatch):
    """Make memory hold at most so many images at once from so many images on."""

    def plant(most: int, after: int, error: Exception) -> None:
        play = Trainer.round

        def round_(trainer):
            size = trainer.recipe.micro_batch or trainer.recipe.batch
            if trainer.clock.images >= after and size > most:
                trainer.next_batch()  # a round that breaks off has begun to change things
                trainer.nets["generator"].requires_grad_(True)
                raise error
            return play(trainer)

        monkeypatch.setattr(Trainer, "round", round_)

    return plant


CPU = RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to ...")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The run as it is where memory holds all that it asks for."""
    path = tmp_path_factory.mktemp("undisturbed") / "whole"
    return train("ring", run=path, images=256, progress=False, **FIELDS)


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), CPU, MemoryError()]
)
def test_it_goes_on_in_smaller_parts_and_ends_as_planned(
    tmp_path: Path, undisturbed: Run, full, error: Exception
):
    whole = undisturbed
    full(4, 176, error)
    run = train("ring", run=tmp_path / "run", images=256, progress=False, **FIELDS)
    assert run.recipe.micro_batch == 4
    for line, other in zip(run.log(), whole.log(), strict=True):
        assert line["images"] == other["images"]
        for name in other.keys() & {"loss/generator", "loss/discriminator"}:
            assert line[name] == pytest.approx(other[name], rel=1e-4)  # an open tick goes on, too
    one, two = (load_file(r.path / "state" / "latest.safetensors") for r in (whole, run))
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=1e-4, atol=1e-5)
    events = [json.loads(line) for line in (run.path / "events.jsonl").read_text().splitlines()]
    assert [(e["images"], e["to"], e["micro_batch"]) for e in events] == [
        (192, 144, n) for n in (8, 4)
    ]


def test_before_anything_was_saved_it_begins_again(tmp_path: Path, full):
    whole = train("ring", run=tmp_path / "whole", images=64, progress=False, **FIELDS)
    full(8, 48, MemoryError())
    run = train("ring", run=tmp_path / "run", images=64, progress=False, **FIELDS)
    one, two = (load_file(r.path / "state" / "latest.safetensors") for r in (whole, run))
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=1e-4, atol=1e-5)


def test_the_plan_finds_the_parts_that_fit(tmp_path: Path, full, capsys):
    full(4, 0, torch.OutOfMemoryError("CUDA out of memory"))
    run = train("ring", run=tmp_path / "run", images=64, **FIELDS)
    assert "batch 16 in parts of 4" in capsys.readouterr().err
    assert run.recipe.micro_batch == 4
    assert run.recipe.batch == 16


def test_where_nothing_fits_one_line_says_so(tmp_path: Path, full):
    full(0, 0, torch.OutOfMemoryError("CUDA out of memory"))
    with pytest.raises(UserError, match="batches of 16 do not fit into memory: halve --batch"):
        train("ring", run=tmp_path / "run", images=64, progress=False, **FIELDS)


def test_sizes_are_divisors_that_the_recipe_takes():
    from dataclasses import replace

    recipe = replace(POINTS, batch=12)
    sizes = []
    while (recipe := memory.in_smaller_parts(recipe)) is not None:
        sizes.append(recipe.micro_batch)
    assert sizes == [6, 3, 1]


def test_sizes_that_part_what_is_compared_are_none():
    from dataclasses import replace

    recipe = replace(find("stylegan2")[1], batch=16)  # its discriminator looks at four at a time
    sizes = []
    while (recipe := memory.in_smaller_parts(recipe)) is not None:
        sizes.append(recipe.micro_batch)
    assert sizes == [8, 4]


def test_other_errors_are_no_want_of_memory():
    assert not memory.is_full(RuntimeError("shapes do not match"))
    assert not memory.is_full(KeyError("out of memory"))
