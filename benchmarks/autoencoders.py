"""What do autoencoders, flow matching and a GAN give in the same processor time?

    python benchmarks/autoencoders.py DATA [--seconds 240] [--side 32] [--out DIR] [--only NAME ...]

Each system's speed is measured over some rounds, by the time of the processor, and it is trained for as
many images as so many seconds allow: one core, whatever else runs beside. What OUT holds is not done
again. Prints a table: images; KID x 1000 with its interval, precision and recall of 1,000 samples against
as many pictures; how much processor time a sample takes; of autoencoders also how far held-out pictures
are from what is rebuilt of them, over how far they are from their mean. Leaves a grid a row.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

import figment
from figment.data import Dataset, evenly_spaced, open_dataset, split
from figment.judging.scorer import extractor_for
from figment.launch import resume
from figment.metrics.distances import kid
from figment.metrics.features import Extractor, extract
from figment.metrics.manifolds import precision_recall
from figment.pixels import to_float
from figment.recipe import Recipe
from figment.recipes import find
from figment.sampling.generator import Generator
from figment.training.trainer import Trainer

ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "ae": ("ae", {}),
    "vae": ("vae", {}),
    "vae, beta .1": ("vae", {"beta": 0.1}),
    "flow-matching": ("flow-matching", {}),
    "dcgan": ("dcgan", {"width": 24, "batch": 32}),
}
"""Systems, and what is set for them."""
STEPS = (1, 4, 20, 50)
"""Euler steps with which the flow is sampled."""
COUNT = 1_000


def speed(recipe: Recipe, dataset: Dataset) -> float:
    """Return images a second of processor time."""
    trainer = Trainer(recipe, dataset, torch.device("cpu"))
    for _ in range(5):
        trainer.round()
    start, before = time.process_time(), trainer.clock.images
    while time.process_time() - start < 8:
        trainer.round()
    return (trainer.clock.images - before) / (time.process_time() - start)


def trained(args: argparse.Namespace, name: str, dataset: Dataset) -> Path:
    """Return a row's run, trained if it is not there."""
    path = args.out / "".join(c if c.isalnum() else "-" for c in name)
    system, fields = ROWS[name]
    if (path / "done").exists():
        return path
    if (path / "state" / "latest.safetensors").exists():  # it was stopped on its way
        resume(path, progress=False)
    else:
        shutil.rmtree(path, ignore_errors=True)
        plain = replace(find(system)[1], resolution=args.side, precision="float32", **fields)
        if "latent" in plain.BY_DATA:
            plain = replace(plain, latent=plain.channels * args.side**2)
        images = int(args.seconds * speed(plain, dataset))
        print(f"{name}: {images:,} images", flush=True)
        figment.train(
            args.data, system, run=path, images=images, resolution=args.side, metrics=(),
            precision="float32", progress=False, **fields,
        )  # fmt: skip
    (path / "done").touch()
    return path


def sampled(generator: Generator) -> tuple[np.ndarray, float]:
    """Return samples, and the seconds of processor time that one takes."""
    start = time.process_time()
    pictures = generator.sample(COUNT).array
    return pictures, (time.process_time() - start) / COUNT


def rebuilt(generator: Generator, reals: np.ndarray) -> float | None:
    """Return the squared distance of pictures from what is rebuilt of them, over that from their mean."""
    images = to_float(torch.from_numpy(reals))
    with torch.inference_mode():
        parts = [generator.recipe.rebuild(generator.net, part) for part in images.split(64)]
    if any(part is None for part in parts):
        return None
    error = (torch.cat([part for part in parts if part is not None]) - images).square().mean()
    return float(error / (images - images.mean(0)).square().mean())


def row(name: str, generator: Generator, images: int, real: torch.Tensor, extractor: Extractor,
        held_out: np.ndarray) -> dict[str, Any]:  # fmt: skip
    """Return what is said of a row."""
    pictures, seconds = sampled(generator)
    features, _ = extract(extractor, [pictures])
    value = kid(real, features)
    precision, recall = precision_recall(real, features)
    found = {"name": name, "images": images, "kid": 1e3 * value.value}
    found |= {"low": 1e3 * value.low, "high": 1e3 * value.high}
    return found | {
        "precision": precision,
        "recall": recall,
        "milliseconds": 1e3 * seconds,
        "rebuilt": rebuilt(generator, held_out),
    }


def main() -> None:
    """Do what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("data")
    parser.add_argument("--seconds", type=float, default=240)
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--out", type=Path, default=Path("autoencoders"))
    parser.add_argument("--only", nargs="*", default=list(ROWS))
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    dataset = open_dataset(args.data, resolution=args.side, channels=3, progress=False)
    rows, apart = split(dataset, 0.05, 0)
    extractor = extractor_for("images", "auto")
    assert extractor is not None
    kept = args.out / "rows.jsonl"
    done = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    some = np.asarray(dataset.rows[evenly_spaced(rows, COUNT)])
    held_out = np.asarray(dataset.rows[evenly_spaced(apart, 256)])
    real = None
    for name in args.only:
        run = figment.load(trained(args, name, dataset))
        generator, images = run.generator, run.log()[-1]["images"]
        forms = {name: generator}
        if hasattr(generator.recipe, "steps"):
            forms = {
                f"{name}, {steps} steps": Generator(
                    replace(generator.recipe, steps=steps), generator.net
                )
                for steps in STEPS
            }
        for called, form in forms.items():
            if any(one["name"] == called for one in done):
                continue
            real = extract(extractor, [some])[0] if real is None else real
            done.append(row(called, form, images, real, extractor, held_out))
            form.overview().save(args.out / f"{called}.png")
            with kept.open("a") as file:
                file.write(json.dumps(done[-1]) + "\n")
            print(done[-1], flush=True)
    print(table(done))


def table(done: list[dict[str, Any]]) -> str:
    """Return the table in Markdown."""
    lines = [
        "| system | images | KID x 1000 | precision | recall | ms a sample | rebuilt |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for one in done:
        back = "–" if one["rebuilt"] is None else f"{one['rebuilt']:.3f}"
        lines.append(
            f"| {one['name']} | {one['images']:,} | {one['kid']:,.0f} ({one['low']:,.0f} – "
            f"{one['high']:,.0f}) | {one['precision']:.3f} | {one['recall']:.3f} | "
            f"{one['milliseconds']:.1f} | {back} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
