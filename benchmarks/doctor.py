"""Does the doctor name planted faults, and hold its peace over healthy runs?

    python benchmarks/doctor.py DATA_DIR [--out doctor/] [--only NAME ...] [--table]

Trains small runs one after another (seventeen with a planted fault each, see CASES and faults.py, two that
die by themselves, ten sound ones; half a minute to two each on 2 cores), asks the doctor, and adds a line
each to OUT/results.jsonl: what is there is not trained again. Prints the confusion table in Markdown. The
truth about the healthy runs comes from measures that the doctor does not see: for pictures the KID and the
share of near-duplicates in MobileNet's features, for points the modes found and how evenly.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

import figment
from figment.data import open_dataset
from figment.data.points import GRID_CENTRES, GRID_STD, RING_CENTRES, RING_STD
from figment.doctor.diagnosis import diagnose
from figment.doctor.finding import Finding
from figment.errors import UserError
from figment.fields import fields_of
from figment.metrics.distances import kid
from figment.metrics.diversity import look_alikes
from figment.metrics.features import extract, open_features
from figment.metrics.modes import point_modes
from figment.run import Run

MEASUREMENTS = 24
TICKS = 72
SMALL: dict[str, Any] = {"resolution": 32, "width": 16, "batch": 32}
HEALTHY = frozenset({"healthy", "converged", "too early to tell"})


@dataclass(frozen=True)
class Case:
    """A run, and what the doctor may call it."""

    name: str
    right: frozenset[str]
    """What it may be called."""
    data: str
    recipe: str
    images: int
    fields: dict[str, Any] = field(default_factory=dict)


def fault(name: str, right: str, data: str, recipe: str, images: int, **fields: Any) -> Case:
    return Case(name, frozenset(right.split(" | ")), data, recipe, images, fields)


def healthy(name: str, data: str, recipe: str, images: int, **fields: Any) -> Case:
    return Case(name, HEALTHY, data, recipe, images, fields)


CASES = (
    fault("discriminator's rate x30, generator's /100", "discriminator too strong", "cats64.zip",
          "dcgan", 32_000, generator_lr=2e-6, discriminator_lr=6e-3, **SMALL),
    fault("minimax against five fast moves", "discriminator too strong", "cats64.zip", "dcgan",
          120_000, objective="minimax", discriminator_moves=5, discriminator_lr=1e-3,
          real_target=1.0, **SMALL),
    fault("discriminator's rate /1000, generator's x5", "generator too strong", "cats64.zip",
          "dcgan", 32_000, generator_lr=1e-3, discriminator_lr=2e-7, **SMALL),
    fault("both rates x100", "learning rate too high | divergence", "cats64.zip", "dcgan", 32_000,
          generator_lr=2e-2, discriminator_lr=2e-2, **SMALL),
    fault("both rates /1000", "learning rate too low", "cats64.zip", "dcgan", 32_000,
          generator_lr=2e-7, discriminator_lr=2e-7, **SMALL),
    fault("weights far too large, no norm, rate x1000", "divergence", "cats64.zip", "faults:BARE",
          32_000, generator_lr=2e-1, discriminator_lr=2e-1),
    fault("one picture repeated", "constant data", "constant", "dcgan", 32_000, **SMALL),
    fault("generator ends in a sigmoid", "wrong normalisation", "cats64.zip", "faults:PALE", 32_000),
    fault("reals scaled to [0, 1]", "wrong normalisation", "cats64.zip", "faults:HALF_RANGE", 48_000),
    fault("C2 on cats, rates x5", "discriminator too strong | oscillation | mode collapse",
          "cats64.zip", "cats-mlp", 60_000, generator_lr=1e-3, discriminator_lr=1e-3, resolution=32),
    fault("ring, latent 64, generator's rate half", "mode collapse", "ring", "points", 1_000_000,
          latent=64, hidden=(128, 128), generator_lr=1e-4),
    fault("grid, latent 256, wide layers", "partial mode collapse", "grid", "points", 600_000,
          latent=256, hidden=(256, 256, 256), generator_lr=3e-4),
    fault("300 pictures, 200 passes", "discriminator overfitting | memorisation", "few:300", "dcgan",
          64_000, **SMALL),
    fault("24 pictures, 2,700 passes", "discriminator overfitting | memorisation", "few:24", "dcgan",
          64_000, **SMALL),
    fault("generator repeats its training pictures", "memorisation", "flowers:400", "faults:PARROT",
          32_000),
    fault("3x3 stride 2, seen at half size", "checkerboard", "cats64.zip", "faults:GRIDDED", 64_000),
    fault("ring, equal rates", "oscillation", "ring", "points", 600_000, latent=64,
          hidden=(128, 128), discriminator_lr=2e-4),
    fault("C2, Fashion-MNIST", "discriminator too strong | mode collapse", "fashion_mnist.zip",
          "cats-mlp", 60_000),  # nothing planted: it dies by itself, as KID and twins say
    healthy("C1, MNIST", "mnist.zip", "cats-mlp-grey", 60_000),
    fault("C2, MNIST", "oscillation | mode collapse", "mnist.zip", "cats-mlp", 60_000),  # likewise
    healthy("C2, MNIST, short", "mnist.zip", "cats-mlp", 20_000),
    healthy("C5, cats", "cats64.zip", "dcgan", 40_000, **SMALL),
    healthy("C5, MNIST", "mnist.zip", "dcgan", 32_000, **SMALL),
    healthy("C5, Fashion-MNIST", "fashion_mnist.zip", "dcgan", 32_000, **SMALL),
    healthy("C5, CIFAR-10", "cifar10.zip", "dcgan", 40_000, **SMALL),
    healthy("C5, flowers, drawn", "flowers", "dcgan", 32_000, **SMALL),
    healthy("points, ring, seed 0", "ring", "points", 400_000),
    healthy("points, ring, seed 1", "ring", "points", 400_000, seed=1),
    healthy("points, grid", "grid", "points", 400_000),
)  # fmt: skip


def source(case: Case, shared: Path, out: Path) -> str:
    """Return what to train on; made first where the fault is in the data."""
    if case.data == "constant":
        return str(_pictures(out / "constant", shared, [0] * 400))
    if case.data.startswith("few:"):
        count = int(case.data.removeprefix("few:"))
        return str(_pictures(out / f"few-{count}", shared, list(range(0, count * 40, 40))))
    return str(shared / case.data) if case.data.endswith(".zip") else case.data


def _pictures(folder: Path, shared: Path, chosen: list[int]) -> Path:
    if not folder.exists():
        cats = open_dataset(str(shared / "cats64.zip"), resolution=64, channels=3, progress=False)
        folder.mkdir(parents=True)
        for place, index in enumerate(chosen):
            Image.fromarray(np.array(cats.rows[index]).transpose(1, 2, 0)).save(
                folder / f"{place:04d}.png"
            )
    return folder


def home(name: str, out: Path) -> Path:
    """Return where the run of a case lies."""
    return out / "runs" / "".join(letter if letter.isalnum() else "-" for letter in name)


def ask(run: Run) -> list[dict[str, Any]]:
    """Return what the doctor says of a run."""
    findings = diagnose(run.log(), fields_of(run.recipe), run.machine["data"])
    return [finding._asdict() for finding in findings]


def play(case: Case, shared: Path, out: Path) -> dict[str, Any]:
    """Train one case, ask the doctor, and return the line of the results."""
    path, start = home(case.name, out), time.time()
    broke_off = ""
    shutil.rmtree(path, ignore_errors=True)  # what an interrupted benchmark left
    plan: dict[str, Any] = {
        "tick": case.images // TICKS,
        "metric_every": case.images // MEASUREMENTS,
        "metrics": (),
    }
    try:
        figment.train(
            source(case, shared, out), case.recipe, run=path, images=case.images,
            progress=False, **plan, **case.fields,
        )  # fmt: skip
    except UserError as error:
        broke_off = str(error)
    run = figment.load(path)
    return {
        "case": case.name,
        "expected": sorted(case.right),
        "seconds": round(time.time() - start),
        "broke_off": broke_off,
        "findings": ask(run),
        "truth": truth(run, shared),
    }


def truth(run: Run, shared: Path) -> dict[str, float]:
    """Return what measures that the doctor does not see say of a run's last samples."""
    if not list((run.path / "snapshots").glob("*")):
        return {}
    samples = torch.from_numpy(run.generator.sample(1_000).array)
    data = run.machine["data"]
    if run.recipe.kind == "points":
        ring = data["name"] == "ring"
        centres = torch.from_numpy((RING_CENTRES if ring else GRID_CENTRES).copy())
        modes = point_modes(samples, centres, 3 * (RING_STD if ring else GRID_STD), least=10)
        return {"modes": modes.found / modes.total, "unevenness": modes.divergence}
    form: dict[str, Any] = {"resolution": run.recipe.resolution, "channels": run.recipe.channels}
    reals = open_dataset(data["path"], progress=False, **form)
    rows = reals.rows[np.linspace(0, len(reals) - 1, min(2_000, len(reals))).astype(int)]
    extractor = open_features(f"mobilenet:{shared / 'weights/mobilenet_v2_imagenet_int8.npz'}")
    ours, theirs = (
        extract(extractor, pictures.split(100)).values
        for pictures in (samples, torch.from_numpy(np.array(rows)))
    )
    return {
        "kid_x1000": 1000 * kid(theirs, ours, subsets=20, size=500).value,
        "twins": look_alikes(ours, theirs).share,
    }


def table(results: list[dict[str, Any]]) -> str:
    """Return the confusion table and the tally in Markdown.

    A fault is named where one of the faults or warnings found has its name; on a healthy run any fault
    or warning at all is a false alarm.
    """
    lines = ["| planted | the doctor says | sure | right | truth |", "|---|---|---|---|---|"]
    tally = {"faults": 0, "named": 0, "first": 0, "healthy": 0, "alarms": 0}
    for result in results:
        findings = [Finding(**finding) for finding in result["findings"]]
        ill = [finding.name for finding in findings if finding.severity != "good"]
        expected = set(result["expected"])
        if "healthy" in expected:
            right = not ill
            tally["healthy"] += 1
            tally["alarms"] += not right
        else:
            right = bool(expected & set(ill))
            tally["faults"] += 1
            tally["named"] += right
            tally["first"] += ill[:1] != [] and ill[0] in expected
        says = ", ".join(finding.name for finding in findings)
        known = ", ".join(f"{name} {value:.3g}" for name, value in result["truth"].items())
        sure = findings[0].sure
        lines.append(
            f"| {result['case']} | {says} | {sure:.2f} | {'yes' if right else '**no**'} | {known} |"
        )
    lines.append("")
    lines.append(
        "{named} of {faults} faults named, {first} of them first; {alarms} false alarms on {healthy} "
        "healthy runs.".format(**tally)
    )
    return "\n".join(lines)


def main() -> None:
    """Train what is missing, ask again about what is there, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("shared", type=Path, help="the folder with cats64.zip, mnist.zip, …")
    parser.add_argument("--out", type=Path, default=Path("doctor"))
    parser.add_argument("--only", nargs="*", default=[], help="cases whose names hold one of these")
    parser.add_argument("--seed", type=int, default=0, help="added to every run's seed")
    parser.add_argument("--table", action="store_true", help="only print what is there")
    given = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parent))
    given.out.mkdir(parents=True, exist_ok=True)
    kept = given.out / "results.jsonl"
    results = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    expected = {case.name: sorted(case.right) for case in CASES}
    for result in results:  # rules and cases may have changed since
        result["expected"] = expected.get(result["case"], result["expected"])
        if (home(result["case"], given.out) / "recipe.json").exists():
            result["findings"] = ask(figment.load(home(result["case"], given.out)))
    done = {result["case"] for result in results}
    for case in () if given.table else CASES:
        wanted = not given.only or any(word in case.name for word in given.only)
        if case.name in done or not wanted:
            continue
        seed = given.seed + case.fields.get("seed", 0)
        seeded = replace(case, fields={**case.fields, "seed": seed})
        result = play(seeded, given.shared, given.out)
        results.append(result)
        with open(kept, "a", encoding="utf-8") as file:
            file.write(json.dumps(result) + "\n")
        said = [finding["name"] for finding in result["findings"]]
        print(f"{result['seconds']:4d} s  {case.name}: {', '.join(said)}", flush=True)
    print(table(results))


if __name__ == "__main__":
    main()
