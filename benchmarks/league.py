"""The league: which system learns most from the same processor time, on the same pictures?

    python benchmarks/league.py DATA [--systems dcgan few-shot … ] [--cpu-minutes 12] [--seeds 0 1]
        [--resolution 64] [--judges mobilenet:FILE patches] [--from RUN] [--out DIR]

A system is a name, with fields after it where they are to be others: ``dcgan,width=16,batch=32``. Each
trains in a process of its own on one thread, for the images that fit into its share of processor time by
some rounds of each stage played before, so that rates that fall end where they should; minutes are of that
thread's own time, which other work on the machine changes little. Run folders stay below --out, and one
that is there is not trained again. Prints a table: images, seconds of the processor, KID x 1000 by each
judge with its 95 % interval; by the first judge the accuracy of a linear classifier that tells samples from
pictures (.5 cannot), precision, recall, look-alikes and copies. Leaves a grid of 64 samples a run, to be
looked at.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

METRICS = ("kid", "c2st", "precision_recall", "look_alikes", "copies")
SCORES = ("kid", "c2st", "precision", "recall", "look_alikes", "copied")
SYSTEMS = (
    "dcgan",
    "few-shot",
    "vision-aided",
    "biggan-small",
    "stylegan2",
    "r3gan",
    "vae",
    "flow-matching",
)
ROUNDS = 16
"""Rounds of each stage from which the length follows."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--systems", nargs="+", default=list(SYSTEMS))
    parser.add_argument("--cpu-minutes", type=float, default=12)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--samples", type=int, default=2_000)
    parser.add_argument("--judges", nargs="+", default=["mobilenet", "patches"])
    parser.add_argument(
        "--from", dest="begun", type=Path, help="begin all from another run's weights"
    )
    parser.add_argument("--out", type=Path, default=Path("league"))
    parser.add_argument("--run", help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.run:
        trained(args, args.run)
        return
    rows = []
    for system in args.systems:
        for seed in args.seeds:
            own = ["--run", system, "--seeds", str(seed)]
            command = [sys.executable, __file__, *sys.argv[1:], *own]
            failed = subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "1"}).returncode
            rows.append(f"| {system} | {seed} | failed |" if failed else row(args, system, seed))
    heading = " | ".join(f"KID x 1000, {judge.partition(':')[0]}" for judge in args.judges)
    print(
        f"\n{Path(args.data).name}, {args.resolution} px, {args.cpu_minutes:g} minutes of a thread each\n"
    )
    print(
        f"| system | seed | images | CPU s | {heading} | C2ST | precision | recall | look-alikes | copied |"
    )
    print("|---" * (9 + len(args.judges)) + "|")
    print("\n".join(rows))


def place(args: argparse.Namespace, system: str, seed: int) -> Path:
    """Return the run folder of a system."""
    begun = f"-from-{args.begun.name}" if args.begun else ""
    name = f"{Path(args.data).stem}-{args.resolution}-{system}-{seed}{begun}"
    return args.out / name.replace(",", "-").replace("=", "").replace(".", "")


def fields_of(system: str) -> tuple[str, dict[str, Any]]:
    """Return the name of a system and the fields that are set of it."""
    name, *pairs = system.split(",")
    fields: dict[str, Any] = {}
    for pair in pairs:
        field, value = pair.split("=")
        try:
            fields[field] = json.loads(value)
        except json.JSONDecodeError:
            fields[field] = value
    return name, fields


def trained(args: argparse.Namespace, system: str) -> None:
    """Train and judge one system, in this process."""
    import torch

    import figment
    from figment.run import Run

    torch.set_num_threads(1)
    (seed,) = args.seeds
    path = place(args, system, seed)
    name, fields = fields_of(system)
    fields |= {"resolution": args.resolution, "seed": seed}
    note = path.with_suffix(".json")
    if not path.exists():
        images = length(args.data, name, fields, 60 * args.cpu_minutes)
        begun = time.process_time()
        figment.train(
            args.data, name, run=path, images=images, metrics=(), progress=False,
            from_=args.begun, **fields
        )  # fmt: skip
        note.write_text(json.dumps({"images": images, "cpu": time.process_time() - begun}))
    run, found = Run(path), json.loads(note.read_text())
    if "scores" not in found:
        found["scores"] = {}
        for judge in args.judges:
            how = {"features": judge, "count": args.samples, "progress": False}
            scores = run.evaluate(metrics=METRICS, **how).scores
            found["scores"][judge] = {
                score.name: score._asdict() for score in scores if not score.group
            }
        run.generator.sample(64, seed=0).save(path.with_suffix(".png"))
        note.write_text(json.dumps(found))


def length(data: str, name: str, fields: dict[str, Any], seconds: float) -> int:
    """Return the images that so many seconds of the processor come to, told from some rounds."""
    import torch

    from figment.data import open_dataset
    from figment.plan import choose
    from figment.training import cost
    from figment.training.budget import Budget
    from figment.training.devices import set_up

    device = torch.device("cpu")
    set_up(device)
    plan = choose(data, name, fields | {"metrics": ()})
    recipe = plan.recipe
    dataset = open_dataset(
        data, resolution=recipe.resolution, channels=recipe.channels, progress=False
    )
    recipe = plan.fit(dataset, Budget(None, None, None), device).recipe
    begun, used = time.perf_counter(), time.process_time()
    found = cost.measure(recipe, dataset, device, rounds=ROUNDS)
    busy = (time.process_time() - used) / (time.perf_counter() - begun)
    return max(1, int(seconds * found.images_per_second / busy))


def row(args: argparse.Namespace, system: str, seed: int) -> str:
    """Return a run's line of the table."""
    found = json.loads(place(args, system, seed).with_suffix(".json").read_text())
    kids = []
    for judge in args.judges:
        kid = found["scores"][judge]["kid"]
        low, value, high = (1_000 * kid[key] for key in ("low", "value", "high"))
        kids.append(f"{value:,.0f} ({low:,.0f} to {high:,.0f})")
    first = found["scores"][args.judges[0]]
    others = [f"{first[name]['value']:.3f}" for name in SCORES[1:]]
    start = f"| {system} | {seed} | {found['images']:,} | {found['cpu']:.0f} | "
    return start + " | ".join([*kids, *others]) + " |"


if __name__ == "__main__":
    main()
