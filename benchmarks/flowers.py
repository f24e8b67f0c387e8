"""The Flowers study's six stages (systems W1 to W6) on one set of pictures, for equally many images each.

    python benchmarks/flowers.py DATA [--images 60000] [--stages 1 2 3 4 5 6] [--batch 64] [--out flowers/]
        [--augment none diffaugment ada-fixed]

--augment adds stage 5 with other augmentations than the study's own, which turns and flips the reals alone.
ADA's probability is fixed at .3: the critic's values have no zero by which its controller could tell that
pictures are known by heart.
DATA has two or more classes, a folder each. Every stage is a run of its own below --out, as ``figment
train`` leaves it: what is finished is not trained again, what was stopped goes on, and a larger --images
makes all go on to there. Prints a table and leaves a picture a stage, class by class. Scores are those of
--samples of the weights at the end: the energy at the highest frequency over the
reals' ("checkerboard"), KID with its 95 % interval, of all and of each class where the stage has classes,
and the share of samples whose class a small classifier of real photographs names ("class named"). In a
round the critic sees five batches, the generator makes one move: 60,000 images in batches of 64 are 188
of them.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from figment.judging.evaluation import read_evaluation
from figment.launch import resume, train
from figment.run import Run
from figment.sampling.pictures import Pictures
from figment.training.folder import holds_run
from figment.training.state import saved_clock

STAGES = {
    1: "W1, 28 px",
    2: "W2, 28 px, by class",
    3: "W3, 64 px, 3x3 transposed",
    4: "W4, 64 px, 4x4 transposed",
    5: "W5, 64 px, bilinear",
    6: "W6, 128 px, bilinear",
}
AUGMENT: dict[str, dict[str, Any]] = {
    "none": {"augment": "none"},
    "diffaugment": {"augment": "diffaugment"},
    "ada-fixed": {"augment": "ada-fixed", "augment_p": 0.3},
}
SCORES = ("kid", "checkerboard", "classified")
COLUMNS, ROWS = 8, 8
"""Of the picture of a stage."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--images", type=int, default=60_000)
    parser.add_argument("--stages", type=int, nargs="+", default=list(STAGES), choices=STAGES)
    parser.add_argument("--augment", nargs="*", default=[], choices=AUGMENT)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--samples", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--features", default="auto")
    parser.add_argument("--out", type=Path, default=Path("flowers"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    names = {f"W{stage}": STAGES[stage] for stage in args.stages}
    runs = {key: trained(args, key) for key in names}
    for augment in args.augment:
        names[f"W5-{augment}"] = f"W5, augmentation {augment}"
        runs[f"W5-{augment}"] = trained(args, f"W5-{augment}", **AUGMENT[augment])
    classes = next(iter(runs.values())).machine["data"]["classes"]
    heads = ["KID x 1000", *(f"of {name}" for name in classes)]
    print(f"\n{Path(args.data).name}, {args.images:,} images each, batch {args.batch}\n")
    print(
        f"| stage | G | D | images | minutes | checkerboard | class named | {' | '.join(heads)} |"
    )
    print("|---" * (7 + len(heads)) + "|")
    for key, run in runs.items():
        found = judged(run, args.samples, args.out / f"{key}.png")
        print(row(names[key], run, found, classes), flush=True)


def trained(args: argparse.Namespace, key: str, **fields: Any) -> Run:
    """Return a stage's run, trained to the end: from nothing, or from where it was stopped."""
    path = args.out / key
    if not holds_run(path):
        run = train(
            args.data,
            f"figment.recipes.flowers:STAGE_{key[1]}",
            run=path,
            images=args.images,
            batch=args.batch,
            seed=args.seed,
            precision=args.precision,
            features=args.features,
            metrics=(),  # no weights are chosen: all are those of the end
            **fields,
        )
    elif (seen := saved_clock(path / "state").images) < args.images:
        (path / "evaluation.json").unlink(missing_ok=True)  # that of the shorter run
        run = resume(path, images=args.images - seen)
    else:
        run = Run(path)
    if run.stopped_by:
        raise SystemExit(128 + run.stopped_by)
    return run


def judged(run: Run, samples: int, picture: Path) -> dict[str, Any]:
    """Return a run's evaluation, made where it is missing, and draw its samples class by class."""
    if read_evaluation(run.path) is None:
        metrics = SCORES if run.generator.classes else SCORES[:-1]  # W1 knows no classes
        run.evaluate(metrics=metrics, features=run.recipe.features, count=samples)
    generator = run.generator
    names = generator.classes or (None,)
    each = COLUMNS * max(1, ROWS // len(names))
    parts = [generator.sample(each, label=name).array for name in names]
    Pictures(np.concatenate(parts), columns=COLUMNS).save(picture)
    found = read_evaluation(run.path)
    assert found is not None
    return found


def row(name: str, run: Run, found: dict[str, Any], classes: list[str]) -> str:
    """Return a stage's line of the table."""
    scores = {(score["name"], score["group"]): score for score in found["scores"]}
    kids = [scores.get(("kid", group)) for group in ("", *classes)]
    named = scores.get(("gan_test", ""))
    cells = [
        name,
        *(f"{run.machine['parameters'][player]:,}" for player in ("generator", "discriminator")),
        f"{found['images']:,}",
        f"{run.log()[-1]['seconds'] / 60:.1f}",
        f"{scores['checkerboard', '']['value']:.2f}",
        "" if named is None else f"{named['value']:.0%}",
        *("" if kid is None else thousandths(kid) for kid in kids),
    ]
    return f"| {' | '.join(cells)} |"


def thousandths(score: dict[str, Any]) -> str:
    """Return a score and its interval, times 1,000."""
    value, low, high = (1_000 * score[key] for key in ("value", "low", "high"))
    return f"{value:.0f} ({low:.0f} to {high:.0f})"


if __name__ == "__main__":
    main()
