"""A run's losses, accuracy and samples in one picture, as the Faces study shows its training.

    python benchmarks/curves.py RUN [RUN …] --to FILE.png

A row a run: the losses of both players and the discriminator's accuracy over the rounds, as the log has
them tick by tick, and 64 samples of the best weights.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from figment.run import Run
from figment.sampling.pictures import tile


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--to", type=Path, required=True)
    args = parser.parse_args()
    import matplotlib.pyplot as plt

    shape = {"figsize": (13, 4.2 * len(args.runs)), "squeeze": False}
    figure, axes = plt.subplots(
        len(args.runs), 3, gridspec_kw={"width_ratios": [1, 1, 0.85]}, **shape
    )
    for line, path in zip(axes, args.runs, strict=True):
        draw(line, Run(path))
    figure.tight_layout()
    figure.savefig(args.to, dpi=100)


def draw(line: Any, run: Run) -> None:
    """Draw one run into three panels."""
    losses, accuracy, samples = line
    log = [row for row in run.log() if "loss/generator" in row]
    rounds = np.array([row["rounds"] for row in log])
    for player in ("discriminator", "generator"):
        losses.plot(rounds, [row[f"loss/{player}"] for row in log], label=player)
    losses.set(title=f"{run.name}: losses", xlabel="rounds")
    losses.legend(frameon=False)
    accuracy.plot(rounds, [100 * row["score/accuracy"] for row in log], color="tab:green")
    accuracy.axhline(50, color="grey", linewidth=0.8, linestyle=":")
    accuracy.set(title="discriminator right, % of reals and fakes", xlabel="rounds", ylim=(0, 102))
    samples.imshow(np.asarray(tile(run.generator.sample(64, seed=0).array)))
    samples.set(title="seeds 0 to 63", xticks=[], yticks=[])


if __name__ == "__main__":
    main()
