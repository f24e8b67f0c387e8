"""How many of the 1,000 modes of stacked MNIST do GANs keep, and how evenly, on one core?

    python benchmarks/stacked_mnist.py mnist.zip [--minutes 15] [--long 45] [--out stacked-mnist/]

Three digits drawn at random are the colours of one picture. Every method has the same two networks and the
same time: so many minutes of one core, measured as the process's own, so that a busy machine takes none of
it away; then the best goes on to --long. A classifier of digits reads 26,000 samples of the averaged
generator. The triples are left as stacked-mnist.npy, which `figment train` reads like any data. What is
done already is not done again, and an interrupted training goes on.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from figment.data import Dataset, open_dataset
from figment.metrics.classification import (
    DIGITS,
    Classifier,
    accuracy,
    classify,
    stacked_digits,
    train_classifier,
)
from figment.metrics.modes import label_modes
from figment.randomness import stream
from figment.recipes.stacked_mnist import StackedMNIST
from figment.sampling.generator import Generator
from figment.sampling.pictures import tile
from figment.training.devices import set_up
from figment.training.log import Tally
from figment.training.state import load_state, save_state
from figment.training.trainer import Trainer

CPU = torch.device("cpu")
MODES = 1_000
COUNT = 26_000
"""Samples that modes are counted on (Srivastava et al. 2017)."""
TRIPLES = 100_000
HELD_OUT = 10_000
"""Digits that neither the classifier nor any GAN learns from."""
SURE = 0.9
SAVE_EVERY = 60
"""Seconds of training between two saves."""

HARNESS = StackedMNIST(
    width=16,
    discriminator_width=16,
    latent=100,
    batch=64,
    generator_lr=1e-3,
    discriminator_lr=1e-3,
    held_out=0.0,
    precision="float32",
)
METHODS: dict[str, StackedMNIST] = {
    "DCGAN": HARNESS,
    # fifteen minutes of a core hold a million images; its rates fall to 0 over the second half of them
    "DCGAN, rates that fall": replace(HARNESS, images=1_000_000, rate_decay=0.5),
    "unrolled, K = 5": replace(HARNESS, play="unrolled", unroll=5),
    "PacGAN 2": replace(HARNESS, packing=2),
    "RpGAN + R1 + R2": replace(
        HARNESS, objective="relativistic", r1=1.0, r2=1.0, discriminator_norm="none"
    ),
}
Score = dict[str, float]


@dataclass(frozen=True)
class Digits:
    """Pictures [N, 1, 28, 28] uint8 of digits and what they are [N]."""

    images: Tensor
    labels: Tensor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("digits", help="MNIST as figment reads it, such as mnist.zip")
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--long", type=float, default=45, help="for the best; 0: not at all")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--out", type=Path, default=Path("stacked-mnist"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    set_up(CPU)
    args.out.mkdir(parents=True, exist_ok=True)
    known, unseen = digits(args.digits)
    data = triples(known, args.out / "stacked-mnist.npy")
    reader = classifier(known, args.out / "classifier.safetensors")
    print(
        f"classifier: {accuracy(reader, unseen.images, unseen.labels):.2%} of {HELD_OUT:,} digits"
    )
    print(HEADING)
    print(
        row("real digits, held out", of_reals(unseen, reader, args.out / "real.json")), flush=True
    )
    marks = [args.minutes / 3, args.minutes]
    found = {}
    for name in args.methods:
        found[name] = play(METHODS[name], data, reader, args.out / folder_of(name), marks)
        for line in found[name]:
            print(row(name, line), flush=True)
    best = min(found, key=lambda name: (-found[name][-1]["modes"], found[name][-1]["kl"]))
    if args.long:
        marks = [*marks, (args.minutes + args.long) / 2, args.long]
        for line in play(METHODS[best], data, reader, args.out / folder_of(best), marks)[2:]:
            print(row(best, line), flush=True)


def digits(source: str) -> tuple[Digits, Digits]:
    """Return the digits to learn from, and those held out."""
    data = open_dataset(source, resolution=28, channels=1)
    order = stream("digits", 0).permutation(len(data))
    parts = order[:-HELD_OUT], order[-HELD_OUT:]
    known, unseen = (
        Digits(torch.from_numpy(data.rows[part]), torch.from_numpy(data.labels[part]))
        for part in parts
    )
    return known, unseen


def stacked(source: Digits, count: int, *, seed: int) -> Tensor:
    """Return ``count`` pictures [N, 3, 28, 28] of three digits each, drawn with replacement."""
    drawn = stream("stacked", seed).integers(len(source.images), size=(count, 3))
    return source.images[torch.from_numpy(drawn), 0]  # [N, 3, 28, 28]


def triples(source: Digits, path: Path) -> Dataset:
    """Return the triples that all methods learn from, written first if they are not there."""
    if not path.exists():
        np.save(path, stacked(source, TRIPLES, seed=0).numpy())
    return open_dataset(str(path), resolution=28, channels=3)


def classifier(source: Digits, path: Path) -> Classifier:
    """Return the classifier of digits, trained first if it is not there."""
    if not path.exists():
        save_file(train_classifier(source.images, source.labels, DIGITS).state_dict(), path)
    reader = Classifier(1, 28, DIGITS)
    reader.load_state_dict(load_file(path))
    return reader.eval()


def play(
    recipe: StackedMNIST, data: Dataset, reader: Classifier, folder: Path, marks: Sequence[float]
) -> list[Score]:
    """Train until each of the ``marks``, in minutes of this process, and return the scores there."""
    folder.mkdir(exist_ok=True)
    written = folder / "scores.jsonl"
    lines = written.read_text().splitlines() if written.exists() else []
    if len(lines) < len(marks):
        trainer = Trainer(recipe, data, CPU)
        seconds = load_state(folder, trainer).sums.get("seconds", 0.0)
        for mark in marks[len(lines) :]:
            seconds = train(trainer, folder, seconds, 60 * mark)
            drawn = samples(trainer)
            tile(drawn[:100].numpy()).save(folder / f"{mark:g}.png")
            clock = {"images": trainer.clock.images, "rounds": trainer.clock.rounds}
            line = json.dumps({"minutes": seconds / 60, **clock, **score(drawn, reader)})
            with written.open("a") as file:
                file.write(line + "\n")
            lines.append(line)
    return [json.loads(line) for line in lines[: len(marks)]]


def train(trainer: Trainer, folder: Path, seconds: float, until: float) -> float:
    """Play rounds until so many seconds of the process have gone into them; return how many have."""
    while seconds < until:
        start, stop = time.process_time(), min(seconds + SAVE_EVERY, until)
        while (used := seconds + time.process_time() - start) < stop:
            trainer.round()
        seconds = used
        save_state(folder, trainer, Tally({"seconds": seconds}, {"seconds": 1}))
    return seconds


def samples(trainer: Trainer) -> Tensor:
    """Return COUNT samples [N, 3, 28, 28] uint8 of the averaged generator."""
    generator = Generator(trainer.recipe, trainer.averaged_generator())
    return torch.cat(list(generator.batches(range(COUNT), batch=500)))


def score(images: Tensor, reader: Classifier) -> Score:
    """Return modes, KL(samples || uniform), and the share of digits that the classifier is sure of."""
    modes = label_modes(stacked_digits(reader, images), MODES)
    logits = classify(reader, images[:2_000].flatten(0, 1)[:, None])
    sure = (logits.softmax(1).amax(1) >= SURE).double().mean()
    return {"modes": modes.found, "kl": modes.divergence, "sure": float(sure)}


def of_reals(unseen: Digits, reader: Classifier, path: Path) -> Score:
    """Return the score of as many true triples of digits that nothing learned from."""
    if not path.exists():
        path.write_text(json.dumps(score(stacked(unseen, COUNT, seed=1), reader)))
    return json.loads(path.read_text())


HEADING = """
| method | minutes | images | rounds | modes of 1,000 | KL | digits read with p of .9 or more |
|---|---|---|---|---|---|---|"""


def row(name: str, line: Score) -> str:
    trained = "| |"
    if "rounds" in line:
        trained = f"{line['minutes']:.0f} | {line['images']:,} | {line['rounds']:,}"
    return f"| {name} | {trained} | {line['modes']} | {line['kl']:.4f} | {line['sure']:.1%} |"


def folder_of(name: str) -> str:
    return name.lower().replace(",", "").replace(" = ", "").replace(" + ", "-").replace(" ", "-")


if __name__ == "__main__":
    main()
