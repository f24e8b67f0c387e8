"""What every system weighs as ONNX and as a site, and how far its pictures are from torch's.

    python benchmarks/export.py [--only TEXT] [--out table.md]

A generator of published size, not trained, its weights raised until pictures reach from -1 to 1, so that
no small output hides an error. Systems that share a generator are exported once. A line each: the largest
difference of the float32 graph from torch in batches of 1, 3 and 17 (relative to the largest output);
megabytes of the ONNX file in each form; of the whole site, uncompressed, for fp16 and int8 weights, and of
the single HTML file for fp16; the mean difference of fp16 and int8, of 255, over 64 pictures. A site above
25 MB (fp16) or 20 MB (int8) is in bold. Seconds are of one core.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch

from figment import page
from figment.export import runtime
from figment.export.forms import FORMS, stored_as
from figment.export.graph import graph_of, networks
from figment.export.measure import difference, refuse_wrong
from figment.recipe import Recipe
from figment.recipes import SYSTEMS
from figment.recipes.parameters import CLASSES
from figment.sampling.generator import Generator

BUDGETS = {"fp16": 25.0, "int8": 20.0}
"""Megabytes that a site is meant to stay below."""
REST = 20_000
"""Bytes of model.json and its like."""
HEAD = "| system | apart | fp32 | fp16 | int8 | site fp16 | site int8 | file | fp16 off | int8 off | s |"


def widened(recipe: Recipe) -> Generator:
    """Return an untrained generator with statistics that hide nothing, whose pictures are not grey."""
    torch.manual_seed(0)
    generator = Generator(recipe, recipe.networks()["generator"])
    state = generator.net.state_dict()
    with torch.no_grad():
        for name, tensor in state.items():
            if name.endswith(("running_mean", "mean_style")):
                tensor.normal_(0, 0.1)
            elif name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5)
            elif name.endswith(
                "constant"
            ):  # of ones all maps are flat, and AdaIN makes rounding of them
                tensor.normal_()
        weights = [tensor for name, tensor in state.items() if name.endswith("weight")]
        while recipe.kind == "images" and generator.sample(4).array.std() < 40:
            torch._foreach_mul_(weights, 1.3)
    return generator


def megabytes(files: dict[str, bytes]) -> float:
    return sum(map(len, files.values())) / 1e6


def site_files() -> dict[str, bytes]:
    """Return what a site of one generator has beside the generator."""
    config = {"host": "site", "models": [{"name": "cats", "title": "cats", "at": "models/cats/"}]}
    return {**page.site(config), **runtime.files_of(runtime.WASM), **runtime.notices()}


def row(name: str, recipe: Recipe, beside: dict[str, bytes], packed: float) -> str:
    began = time.process_time()
    generator = widened(recipe)
    whole = {part: graph_of(generator, part) for part in networks(generator)}
    apart = refuse_wrong(generator, whole)
    sizes, single, off = {}, 0.0, {}
    for form in FORMS:
        stored = {part: stored_as(model, form) for part, model in whole.items()}
        off[form] = difference(generator, stored).mean
        files = {part: model.SerializeToString() for part, model in stored.items()}
        sizes[form] = megabytes(files)
        if form == "fp16":
            single = packed + sum(len(gzip.compress(data, 6)) for data in files.values()) * 4 / 3e6
    sites = {form: sizes[form] + megabytes(beside) + REST / 1e6 for form in BUDGETS}
    shown = [
        f"**{size:.1f}**" if size > BUDGETS[form] else f"{size:.1f}" for form, size in sites.items()
    ]
    if recipe.kind == "points":
        shown, single = ["–", "–"], 0.0
    seconds = time.process_time() - began
    cells = [name, f"{apart:.1e}", *(f"{sizes[form]:.1f}" for form in FORMS), *shown]
    cells += [f"{single:.1f}" if single else "–", f"{off['fp16']:.3f}", f"{off['int8']:.3f}"]
    return "| " + " | ".join([*cells, f"{seconds:.0f}"]) + " |"


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--only", default="", help="systems whose names have this in them")
    words.add_argument("--out", type=Path, help="file for the table")
    chosen = words.parse_args()
    torch.set_num_threads(1)
    systems = {name: system.recipe for name, system in SYSTEMS.items()}
    beside = site_files()
    packed = sum(len(gzip.compress(data, 6)) for data in beside.values()) * 4 / 3e6
    lines, seen = [HEAD, "|---" * 11 + "|"], {}
    for name, recipe in systems.items():
        if chosen.only not in name:
            continue
        if recipe.classed and not recipe.class_count():
            recipe = replace(recipe, classes=CLASSES)
        with torch.device("meta"):
            net = recipe.networks()["generator"]
        key = (str(net), *(tuple(t.shape) for t in net.state_dict().values()), recipe.classed)
        if key in seen:
            lines.append(f"| {name} | as {seen[key]} |" + " |" * 9)
        else:
            lines.append(row(name, recipe, beside, packed))
            seen[key] = name
        print(lines[-1], flush=True)
        if chosen.out:
            chosen.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
