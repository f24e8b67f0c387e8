"""How few labels do? A semi-supervised GAN against the same network on the labels alone, on MNIST.

    python benchmarks/semisupervised.py MNIST.zip [--labelled 100] [--epochs 60] [--out semisupervised/]

10,000 pictures are held out by the seed, 50,000 are learned from, ``--labelled`` of them with their class,
as many of each. Both methods have the recipe's noise, rates, batch and number of moves. Wrong answers on
the held-out pictures are printed pass by pass, of the mean of the weights, which is the classifier, and of
the weights as they are. A pass that is done is not done again: what was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor

from figment.data import Dataset, gather, open_dataset
from figment.metrics.intervals import proportion
from figment.networks.semisupervised import Average, Classifier
from figment.randomness import stream
from figment.recipes.semisupervised import SSL_MNIST, SemiSupervised
from figment.rounds import Batch, Clock, Engine, Terms
from figment.training.devices import set_up
from figment.training.log import Tally
from figment.training.state import load_state, save_state
from figment.training.trainer import Trainer

if TYPE_CHECKING:
    from figment.rounds import Scalars, Turns

HELD_OUT = 10_000


@dataclass(frozen=True, kw_only=True)
class LabelsAlone(SemiSupervised):
    """The same discriminator with the same noise and rates, and nothing but labelled pictures."""

    def turns(self) -> Turns:
        return alone

    def discriminator_terms(
        self, nets: torch.nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
    ) -> Terms:
        return self.class_terms(nets, clock)


def alone(engine: Engine) -> Scalars:
    """Play a round in which only the discriminator moves."""
    batch = engine.next_batch()
    return engine.move("discriminator", engine.now.discriminator_terms, batch, batch.images)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--labelled", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--rate-decay", type=float, default=0.2)
    parser.add_argument("--averaging", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--methods", nargs="+", default=["K + 1 classes", "labels alone"])
    parser.add_argument("--out", type=Path, default=Path("semisupervised"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    set_up(torch.device("cpu"))
    dataset = open_dataset(args.data, resolution=28, channels=1)
    shuffled = stream("held out", args.seed).permutation(len(dataset))
    learned, apart = (part(dataset, rows) for rows in np.split(shuffled, [-HELD_OUT]))
    recipe = replace(SSL_MNIST, labelled=args.labelled, seed=args.seed, held_out=0.0)
    recipe = replace(recipe, rate_decay=args.rate_decay, images=args.epochs * len(learned))
    recipe = replace(recipe, averaging=args.averaging)
    recipe.check()
    values = {field.name: getattr(recipe, field.name) for field in fields(recipe)}
    forms = {"K + 1 classes": recipe, "labels alone": LabelsAlone(**values)}
    courses = {name: course(forms[name], learned, apart, args.out / name) for name in args.methods}
    print(f"\n{args.labelled} labels, {len(learned):,} pictures, {args.epochs} passes\n")
    print("| learned from | wrong of 10,000 | 95 % | last weights | core minutes |")
    print("|---|---|---|---|---|")
    for name, lines in courses.items():
        wrong, last = (lines[-1][key] for key in ("wrong", "wrong_last"))
        between = proportion(wrong / HELD_OUT, HELD_OUT)
        low, high = (100 * end for end in between)
        minutes = sum(line["seconds"] for line in lines) / 60
        print(f"| {name} | {wrong} | {low:.2f} to {high:.2f} % | {last} | {minutes:.0f} |")


def part(dataset: Dataset, rows: np.ndarray) -> Dataset:
    """Return some of the pictures as a data set, in memory."""
    images, labels = gather(dataset, np.sort(rows))
    return replace(dataset, rows=images, labels=labels)


def course(recipe: SemiSupervised, learned: Dataset, apart: Dataset, out: Path) -> list[dict]:
    """Train to the end, from where an earlier call was stopped; return a line a pass."""
    out.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(recipe, learned, torch.device("cpu"))
    load_state(out, trainer)
    done = trainer.clock.images // len(learned)
    log = out / "log.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    lines = lines[:done]
    while trainer.clock.images < recipe.images:
        start, end, tally = time.process_time(), (len(lines) + 1) * len(learned), Tally()
        while trainer.clock.images < end:
            tally.add({name: value.item() for name, value in trainer.round().items()})
        seconds = round(time.process_time() - start, 1)
        means = {name: round(value, 4) for name, value in tally.means().items()}
        lines.append({"epoch": len(lines) + 1, "seconds": seconds} | errors(trainer, apart) | means)
        save_state(out, trainer, Tally())
        log.write_text("".join(json.dumps(line) + "\n" for line in lines))
        shown = ("epoch", "wrong", "wrong_last", "seconds", "score/class")
        print(out.name, {name: lines[-1][name] for name in shown}, flush=True)
    return lines


@torch.no_grad()
def errors(trainer: Trainer, apart: Dataset) -> dict[str, int]:
    """Return how many held-out pictures the mean and the last weights get wrong, without noise."""
    nets = trainer.nets
    discriminator = cast(Classifier, nets["discriminator"])
    mean = cast(Average, nets["classifier"]).net
    wrong = {"wrong": 0, "wrong_last": 0}
    discriminator.eval()
    for rows in np.array_split(np.arange(len(apart)), 20):
        images, labels = gather(apart, rows)
        pixels, truth = torch.from_numpy(images).float() / 127.5 - 1, torch.from_numpy(labels)
        for name, net in {"wrong": mean, "wrong_last": discriminator}.items():
            wrong[name] += int((net.classify(pixels).argmax(1) != truth).sum())
    discriminator.train()
    return wrong


if __name__ == "__main__":
    main()
