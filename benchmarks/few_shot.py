"""Which system learns most from a few hundred photographs in so many minutes?

    python benchmarks/few_shot.py DATA [--minutes 15] [--some 100] [--systems few-shot dcgan W4] [--out DIR]

Every system trains on all of DATA and on --some of its pictures, as ``figment train DATA --recipe SYSTEM
--minutes M`` would: one after another, so that each has the machine to itself for the same time. The run
folders stay below --out; one that is there is not trained again. Prints a table: KID of --samples against
the pictures that were learned, with its 95 % interval; the share of samples that are not a training picture
with a little noise (authenticity), beside what is found for the pictures themselves; look-alikes; what the
doctor says. Leaves a picture of samples a run.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np

from figment.data import Dataset, open_dataset
from figment.judging.evaluation import read_evaluation
from figment.randomness import stream
from figment.run import Run
from figment.sampling.pictures import to_image

SIDE = 64
SYSTEMS = ("few-shot", "dcgan", "W4")
SCORES = ("kid", "authenticity", "look_alikes")
COMMAND = "import sys; from figment.cli import main; sys.exit(main())"
HEADING = """
| pictures | system | images | KID x 1000 | authenticity (of reals) | look-alikes | the doctor |
|---|---|---|---|---|---|---|"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--some", type=int, default=100, help="pictures; 0: only all of them")
    parser.add_argument("--systems", nargs="+", default=list(SYSTEMS))
    parser.add_argument("--samples", type=int, default=1_000)
    parser.add_argument("--features", default="auto")
    parser.add_argument("--out", type=Path, default=Path("few-shot"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    sets = {"all": args.data}
    if args.some:
        sets[str(args.some)] = str(
            some_of(args.data, args.some, args.out / f"{args.some}-pictures")
        )
    lines = []
    for pictures, data in sets.items():
        for system in args.systems:
            run = trained(args, data, system, args.out / f"{system}-{pictures}")
            lines.append(row(pictures, system, run))
    print(f"\n{Path(args.data).name}, {args.minutes:g} minutes each{HEADING}")
    print("\n".join(lines))


def some_of(data: str, number: int, folder: Path) -> Path:
    """Return a folder of so many of the pictures, drawn at random, a folder a class."""
    if not folder.exists():
        dataset: Dataset = open_dataset(data, resolution=SIDE, channels=3)
        for place in stream("few-shot", 0).permutation(len(dataset))[:number]:
            of = dataset.classes[dataset.labels[place]] if dataset.classes else ""
            (folder / of).mkdir(parents=True, exist_ok=True)
            to_image(np.asarray(dataset.rows[place])).save(folder / of / f"{place:05d}.png")
    return folder


def trained(args: argparse.Namespace, data: str, system: str, path: Path) -> Run:
    """Return a system's run, trained in a process of its own and judged if it is not there yet."""
    if not path.exists():
        words = ["train", data, "--recipe", system, "--resolution", str(SIDE), "--run", str(path)]
        words += ["--minutes", str(args.minutes), "--features", args.features]
        subprocess.run([sys.executable, "-c", COMMAND, *words], check=True)
    run = Run(path)
    if read_evaluation(path) is None:
        run.evaluate(metrics=SCORES, features=args.features, count=args.samples)
        run.generator.overview().save(path.with_suffix(".png"))
    return run


def row(pictures: str, system: str, run: Run) -> str:
    """Return a run's line of the table."""
    found = read_evaluation(run.path)
    assert found is not None
    score = {score["name"]: score for score in found["scores"] if not score["group"]}
    kid, own, alike = (score[name] for name in SCORES)
    low, value, high = (1_000 * kid[key] for key in ("low", "value", "high"))
    worst = run.doctor()[0]
    return (
        f"| {pictures} | {system} | {run.recipe.images:,} | {value:.0f} ({low:.0f} to {high:.0f}) "
        f"| {own['value']:.0f} % ({own['floor']:.0f} %) | {alike['value']:.0%} | {worst.name} |"
    )


if __name__ == "__main__":
    main()
