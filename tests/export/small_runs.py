"""Runs with a generator that has not been trained, but whose pictures are of a picture's range."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from figment.recipe import Recipe, with_fields
from figment.recipes import SYSTEMS
from figment.sampling.generator import Generator
from figment.training import folder

CLASSES = ("cat", "dog", "owl")


def widened(recipe: Recipe) -> Generator:
    """A generator with statistics that hide nothing, its weights raised until pictures are not grey."""
    torch.manual_seed(0)
    generator = Generator(recipe, recipe.networks()["generator"])
    state = generator.net.state_dict()
    with torch.no_grad():
        for name, tensor in state.items():
            if name.endswith(("running_mean", "mean_style")):
                tensor.normal_(0, 0.1)
            elif name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5)
        weights = [tensor for name, tensor in state.items() if name.endswith("weight")]
        while recipe.kind == "images" and generator.sample(8).array.std() < 40:
            torch._foreach_mul_(weights, 1.3)
    return generator


def write_run(run: Path, name: str, recipe: Recipe) -> Path:
    """Write a run folder with one snapshot, at 1,000 images."""
    data: dict[str, Any] = {"name": "cats", "source": "cats/", "path": str(run.parent / "cats")}
    data |= {"count": 240, "classes": list(CLASSES[: recipe.class_count()])}
    data |= {"shape": list(recipe.shape), "fingerprint": "f" * 64, "held_out": []}
    machine = {"figment": "0.3.0", "data": data, "parameters": {}, "budget": {"images": 1000}}
    folder.begin(run, name, recipe, machine)
    folder.write_snapshot(run, recipe, widened(recipe).net, 1000)
    return run


def tiny_run(run: Path, system: str = "dcgan", **fields: object) -> Path:
    """Write the run of a system in its tiny form, with other ``fields``."""
    return write_run(run, system, with_fields(SYSTEMS[system].recipe.tiny(), fields))
