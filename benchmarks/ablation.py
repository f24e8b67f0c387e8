"""What does each technique do? One network, one length of training, one technique switched on at a time.

    python benchmarks/ablation.py DATA [--out ablation/] [--seeds 0 1] [--images 60000] [--only NAME ...]

The network is DCGAN (system C5) at 32 px, ``--width`` channels, batch 32, --images long; the plain one
has the non-saturating loss, hard labels, Adam 2e-4 (.5, .999) and samples from the averaged weights. Each
(technique, seed) runs in a process of its own and leaves a line of JSON, so that a broken-off benchmark
goes on where it was. Prints a table sorted by KID of 2,000 samples, with its 95 % interval; KID by
features without ImageNet (patches); the accuracy of a linear classifier of real against fake;
look-alikes; images a second of one thread's own time; peak memory. Where a technique wants another one
beside it (a critic without batch norm for a gradient penalty, no momentum for a Wasserstein loss), its
name says so.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from figment.data import Dataset
    from figment.training.trainer import Trainer

SAMPLES = 2_000
CRITIC = {"discriminator_norm": "none", "betas": (0.0, 0.9)}
RELATIVISTIC = {"objective": "relativistic", "discriminator_norm": "none", "betas": (0.0, 0.9)}
BY_CLASS = {"conditioning": "projection", "class_norm": True}

TECHNIQUES: dict[str, dict[str, Any]] = {
    "plain": {},
    "one-sided smoothing .9": {"real_target": 0.9},
    "two-sided smoothing .9 / .1": {"real_target": 0.9, "fake_target": 0.1},
    "minibatch discrimination, 64 kernels": {"minibatch_discrimination": 64},
    "minibatch stddev": {"minibatch_stddev": True},
    "packing 2": {"packing": 2},
    "feature matching alone": {"feature_matching": 1.0, "adversarial": 0.0},
    "feature matching beside the loss": {"feature_matching": 1.0},
    "historical averaging .01": {"historical_averaging": 0.01},
    "virtual batch norm in G": {"generator_norm": "virtual"},
    "reference batch norm in G": {"generator_norm": "reference"},
    "unrolled, K = 1": {"play": "unrolled", "unroll": 1},
    "unrolled, K = 5": {"play": "unrolled", "unroll": 5},
    "instance noise .1, fading": {"instance_noise": 0.1},
    "experience replay 2,048": {"replay": 2_048},
    "dropout .3": {"dropout": 0.3},
    "TTUR: D 4e-4, G 1e-4": {"discriminator_lr": 4e-4, "generator_lr": 1e-4},
    "TTUR: D 1e-4, G 4e-4": {"discriminator_lr": 1e-4, "generator_lr": 4e-4},
    "two moves of D": {"discriminator_moves": 2},
    "two moves of G": {"generator_moves": 2},
    "balance at .8": {"balance": 0.8},
    "self-attention at 8 px": {"attend": 8},
    "spectral norm in D, no batch norm there": {
        "spectral_norm": "discriminator",
        "discriminator_norm": "none",
    },
    "no batch norm in D": {"discriminator_norm": "none"},
    "minimax": {"objective": "minimax"},
    "least squares": {"objective": "least_squares"},
    "hinge": {"objective": "hinge"},
    "Wasserstein, clip .01, RMSprop 5e-5": {
        "objective": "wasserstein",
        "clip": 0.01,
        "optimizer": "rmsprop",
        "betas": (0.0, 0.99),
        "generator_lr": 5e-5,
        "discriminator_lr": 5e-5,
    },
    "WGAN-GP, critic without norm": CRITIC | {"objective": "wasserstein", "gradient_penalty": 10.0},
    "WGAN-GP one-sided, critic without norm": CRITIC
    | {"objective": "wasserstein", "gradient_penalty": 10.0, "gradient_penalty_sides": 1},
    "relativistic pairing": {"objective": "relativistic"},
    "relativistic average": {"objective": "relativistic_average"},
    "relativistic pairing + R1 + R2, no norm": RELATIVISTIC | {"r1": 1.0, "r2": 1.0},
    "R1 1": {"r1": 1.0},
    "R1 1 + R2 1": {"r1": 1.0, "r2": 1.0},
    "zero-centred penalty 10": {"zero_centred": 10.0},
    "DRAGAN 10": {"dragan": 10.0},
    "consistency 10 (CR)": {"consistency": 10.0},
    "consistency 10 / 10 (bCR)": {"consistency": 10.0, "consistency_fake": 10.0},
    "latent consistency 5 / .5 (zCR)": {"latent_consistency": 5.0, "latent_diversity": 0.5},
    "LeCam .1, from round 1,000": {"lecam": 0.1},
    "top-k, down to half": {"top_k": 0.5},
    "orthogonal 1e-4": {"orthogonal": 1e-4},
    "simultaneous": {"play": "simultaneous"},
    "extragradient": {"play": "extragradient"},
    "optimistic": {"play": "optimistic"},
    "SVRE": {"play": "svre"},
    "no average of weights": {"ema": 0},
    "mirrored reals": {"mirror": True},
    "DiffAugment": {"augment": "diffaugment"},
    "ADA": {"augment": "ada"},
    "heads on pretrained features": {"vision_aided": 1.0},
}
WITH_CLASSES: dict[str, dict[str, Any]] = {
    "classes as constant maps": {"conditioning": "concat"},
    "classes by projection and norms": BY_CLASS,
    "classes by an auxiliary classifier": {"conditioning": "classifier"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--out", type=Path, default=Path("ablation"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--images", type=int, default=60_000)
    parser.add_argument(
        "--features", default="mobilenet", help="the first judge's, see figment evaluate"
    )
    parser.add_argument("--only", nargs="*", default=None, help="names of techniques")
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.run:
        print(json.dumps(measure(args, args.run[0], int(args.run[1]))))
        return
    args.out.mkdir(parents=True, exist_ok=True)
    names = args.only
    if names is None:
        names = [*TECHNIQUES, *(WITH_CLASSES if classes_of(args.data) > 1 else ())]
    for seed in args.seeds:
        for name in names:
            collect(args, name, seed)
    print(table(args))


def collect(args: argparse.Namespace, name: str, seed: int) -> None:
    """Train and measure one technique in a process of its own, unless its line is there."""
    slug = "".join(c if c.isalnum() else "-" for c in name)
    line = args.out / f"{stem(args)}-{slug}-{seed}.json"
    if line.exists():
        return
    words = [sys.executable, __file__, args.data, "--width", str(args.width)]
    words += ["--images", str(args.images), "--features", args.features]
    done = subprocess.run([*words, "--run", name, str(seed)], stdout=subprocess.PIPE, text=True)
    if done.returncode == 0:
        line.write_text(done.stdout)
        print(f"{name}, seed {seed}: {done.stdout.strip()}", file=sys.stderr, flush=True)


def stem(args: argparse.Namespace) -> str:
    """Return how the names of lines begin that belong into one table."""
    return f"{Path(args.data).stem}-width{args.width}-{args.images}"


def classes_of(data: str) -> int:
    """Return the number of classes in the data."""
    from figment.data import look

    return len(look(data).classes)


def measure(args: argparse.Namespace, name: str, seed: int) -> dict[str, Any]:
    """Train one technique and return its figures."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import torch

    from figment.data import open_dataset
    from figment.recipes.dcgan import DCGAN
    from figment.training.devices import peak_memory, set_up
    from figment.training.trainer import NotFinite, Trainer

    device = torch.device("cpu")
    set_up(device)
    torch.set_num_threads(1)
    fields = (TECHNIQUES | WITH_CLASSES)[name]
    length = {"images": args.images, "seed": seed}
    recipe = DCGAN(resolution=32, width=args.width, batch=32, real_target=1.0, **length)
    if "conditioning" in fields:
        recipe = replace(recipe, classes=classes_of(args.data))
    recipe = replace(recipe, precision="float32", **fields)
    recipe.check()
    dataset = open_dataset(args.data, resolution=32, channels=3)
    trainer = Trainer(recipe, dataset, device)
    started, broke = time.process_time(), ""
    try:
        while trainer.clock.images < args.images:
            trainer.round()
    except NotFinite as error:
        broke = str(error)
    seconds = time.process_time() - started
    memory, reached = peak_memory(device), trainer.clock.images
    return {
        "technique": name,
        "seed": seed,
        **scored(trainer, dataset, args.features),
        "per_second": reached / seconds,
        "gib": memory,
        "images": reached,
        "broke": broke,
    }


def scored(trainer: Trainer, dataset: Dataset, features: str) -> dict[str, float]:
    """Return the scores of samples of the averaged weights, by both judges."""
    from figment.judging.scorer import scorer_for
    from figment.judging.sides import sample_side
    from figment.sampling.generator import Generator

    generator = Generator(trainer.recipe, trainer.averaged_generator())
    found = {}
    for judge, metrics in ((features, ("kid", "c2st", "look_alikes")), ("patches", ("kid",))):
        asked = {"metrics": metrics, "features": judge, "seed": 0, "metric_count": SAMPLES}
        asking = replace(trainer.recipe, **asked)
        scorer = scorer_for(asking, dataset, trainer.feed.rows, trainer.feed.held_out[:0])
        assert scorer is not None
        scores = scorer.scores(sample_side(generator, SAMPLES, scorer.extractor))
        by_name = {score.name: score for score in scores}
        kid = by_name["kid"]
        if judge == "patches":
            found["kid_patches"] = 1000 * kid.value
            continue
        found |= {"kid": 1000 * kid.value, "low": 1000 * kid.low, "high": 1000 * kid.high}
        found |= {name: by_name[name].value for name in ("c2st", "look_alikes")}
    return found


def table(args: argparse.Namespace) -> str:
    """Return the lines of all techniques that have been measured, the best first."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(args.out.glob(f"{stem(args)}-*.json")):
        row = json.loads(path.read_text())
        found.setdefault(row["technique"], []).append(row)
    head = f"{Path(args.data).name} at 32 px, DCGAN of width {args.width}, {args.images:,} images each\n"
    lines = [
        head,
        "| technique | KID x 1000 | interval (seeds) | patches | C2ST | look-alikes | images/s | GiB |",
        "|---" * 8 + "|",
    ]
    averaged = ("kid", "kid_patches", "c2st", "look_alikes", "per_second")
    for rows in sorted(found.values(), key=lambda rows: statistics.mean(r["kid"] for r in rows)):
        means = {k: statistics.mean(r[k] for r in rows) for k in averaged}
        spread = "; ".join(f"{r['low']:.0f} to {r['high']:.0f}" for r in rows)
        broke = f" (broke off at {rows[0]['images']:,})" if rows[0]["broke"] else ""
        lines.append(
            f"| {rows[0]['technique']}{broke} | {means['kid']:.0f} | {spread} | "
            f"{means['kid_patches']:.0f} | {means['c2st']:.3f} | "
            f"{100 * means['look_alikes']:.1f} % | {means['per_second']:,.0f} | "
            f"{max(r['gib'] for r in rows):.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
