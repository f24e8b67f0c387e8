"""Run folders with a generator that has not been trained, but whose pictures are of a picture's range."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from figment.recipe import Recipe, with_fields
from figment.recipes import SYSTEMS
from figment.sampling.generator import Generator
from figment.training import folder

MakeRun = Callable[..., Path]


def widened(recipe: Recipe, classes: tuple[str, ...] = ()) -> Generator:
    """A generator with statistics that hide nothing, its weights raised until pictures are not grey."""
    torch.manual_seed(0)
    generator = Generator(recipe, recipe.networks()["generator"], classes)
    state = generator.net.state_dict()
    with torch.no_grad():
        for name, tensor in state.items():
            if name.endswith("running_mean"):
                tensor.normal_(0, 0.1)
            elif name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5)
            elif name.endswith("mean_style"):
                tensor.normal_()
        weights = [tensor for name, tensor in state.items() if name.endswith("weight")]
        while generator.sample(8).array.std() < 40 * (recipe.kind == "images"):
            torch._foreach_mul_(weights, 1.3)
    return generator


def write_run(run: Path, name: str, recipe: Recipe, classes: tuple[str, ...] = ()) -> Path:
    """Write a run folder with one snapshot, at 1,000 images."""
    data: dict[str, Any] = {"name": "cats", "source": "cats/", "path": str(run.parent / "cats")}
    data |= {"count": 240, "classes": list(classes), "shape": list(recipe.shape)}
    data |= {"fingerprint": "f" * 64, "held_out": []}
    machine = {"figment": "0.3.0", "data": data, "parameters": {}, "budget": {"images": 1000}}
    folder.begin(run, name, recipe, machine)
    folder.write_snapshot(run, recipe, widened(recipe).net, 1000)
    (run / "log.jsonl").write_text(json.dumps({"images": 1000, "seconds": 1.0}) + "\n")
    return run


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """A function that writes the run of a system in its tiny form, with other ``fields``."""

    def make(system: str = "dcgan", name: str = "cats-dcgan", **fields: object) -> Path:
        recipe = with_fields(SYSTEMS[system].recipe.tiny(), fields)
        classes = ("cat", "dog", "owl")[: recipe.class_count()]
        return write_run(tmp_path / name, system, recipe, classes)

    return make
