"""Does going back save a training? Learning rates are raised to breaking point half-way.

    python benchmarks/rollback.py [DATA] [--times 64] [--out rollback/]

Three endings of one beginning, compared by KID of 5,000 samples:

    undisturbed   the second half as the first
    broken        the second half with both learning rates multiplied by --times
    rolled back   the same with --on-collapse rollback

Runs that are there already are neither trained nor scored again.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from figment.actions.judging import evaluate
from figment.errors import UserError
from figment.files import write_json
from figment.launch import resume, train
from figment.run import load


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", nargs="?", default="flowers:8000")
    parser.add_argument("--times", type=float, default=64)
    parser.add_argument("--images", type=int, default=160_000)
    parser.add_argument("--features", default="auto")
    parser.add_argument("--out", type=Path, default=Path("rollback"))
    args = parser.parse_args()
    half = args.images // 2
    start = args.out / "first-half"
    if not start.exists():
        fields = {"resolution": 32, "width": 32, "batch": 32, "metric_every": 8_000}
        fields |= {"features": args.features, "on_collapse": "rollback"}
        train(args.data, "dcgan", run=start, images=half, **fields)
    endings = {"undisturbed": (1.0, "warn"), "broken": (args.times, "warn")}
    endings["rolled back"] = (args.times, "rollback")
    print(f"{args.data}: {args.images:,} images, rates times {args.times:g} from {half:,} on\n")
    print("| ending | images | rollbacks | last rates | KID x 1000 | 95 % |")
    print("|---|---|---|---|---|---|")
    for name, (times, on_collapse) in endings.items():
        print(
            ending(name, start, args.out / name.replace(" ", "-"), half, times, on_collapse),
            flush=True,
        )


def ending(name: str, start: Path, run: Path, half: int, times: float, on_collapse: str) -> str:
    """Return the table's line for one ending, trained and scored first where it is not there."""
    line = run.with_suffix(".txt")
    if line.exists():
        return line.read_text()
    if not run.exists():
        shutil.copytree(start, run)
        recipe = json.loads((run / "recipe.json").read_text())
        for rate in ("generator_lr", "discriminator_lr"):
            recipe["fields"][rate] *= times
        recipe["fields"] |= {"on_collapse": on_collapse, "metric_every": 4_000}
        write_json(run / "recipe.json", recipe)
        try:
            resume(run, images=half)
        except UserError as error:
            print(f"{name}: {error}")
    latest = max((run / "snapshots").iterdir())
    (run / "best.safetensors").unlink(missing_ok=True)  # how it ended, not how good it once was
    kid = evaluate(run, metrics=("kid",), progress=False).scores[0]
    events = run / "events.jsonl"
    lines = events.read_text().splitlines() if events.exists() else []
    scale = json.loads(lines[-1])["rate_scale"] if lines else 1.0
    rate = load(run).recipe.generator_lr * scale
    line.write_text(
        f"| {name} | {int(latest.stem):,} | {len(lines)} | {rate:.2g} | {1000 * kid.value:.2f} | "
        f"{1000 * kid.low:.2f} to {1000 * kid.high:.2f} |"
    )
    return line.read_text()


if __name__ == "__main__":
    main()
