"""Which technique finds all modes? Ring of 8, grid of 25, and the unrolled GAN's own setting.

    python benchmarks/modes.py train GAME [--methods NAME…] [--seeds 0 1 …] [--out modes/]
    python benchmarks/modes.py table GAME [--out modes/]
    python benchmarks/modes.py draw GAME [--methods NAME…] [--out modes/] --to FILE.png

GAME is ring, grid, long-grid (the same with four times the points) or paper (the unrolled GAN's own).
`train` leaves a run folder for every method and seed; one that is complete is skipped, one that was cut
short goes on where it was. `table` counts the modes of 2,500 samples of what is complete. `draw` shows the
density through training as the Cats study's Figure 11 does: a row a method, a column a moment. A method
differs from "vanilla" in nothing but what METHODS says of it.
"""

from __future__ import annotations

import argparse
import json
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from figment.data import points
from figment.files import write_json
from figment.launch import resume, train
from figment.metrics.modes import PointModes, point_modes
from figment.opened import load_generator
from figment.training.state import saved_clock

SAMPLES = 2_500
WIDE = 5.0
"""15 σ: the wider circle in which the paper's setting is judged too, in circles of 3 σ."""
CELLS = 160
"""Cells a side of a panel that shows a density."""


class Game(NamedTuple):
    """Data, what all methods share, and for how long they train."""

    data: str
    centres: np.ndarray
    std: float
    reach: float
    """The plane is drawn from -reach to reach."""
    smooth: float
    """Deviation of the kernel that densities are drawn with."""
    seeds: int
    images: int
    fields: dict[str, Any]
    moments: tuple[int, ...]
    """Images at which the density is drawn."""


QUIET = {"precision": "float32", "metrics": ()}
"""No score is measured on the way."""
PLAIN = {
    "batch": 256,
    "latent": 64,
    "hidden": (128, 128),
    "generator_lr": 1e-3,
    "discriminator_lr": 1e-3,
}
"""Equal rates, on which the plain game collapses on the ring. Samples are the averaged generator's."""
PAPER = {
    "objective": "minimax",
    "batch": 256,
    "latent": 256,
    "hidden": (128, 128),
    "judge_hidden": (128,),
    "divisor": 4.0,
    "orthogonal_gain": 0.8,
    "judge_initial": "glorot",
    "generator_lr": 1e-4,
    "discriminator_lr": 1e-4,
    "ema": 0,
}
"""Metz et al. 2016, appendix A; samples are the generator's own. Where the paper is silent it is as
TensorFlow does by itself: the discriminator starts with Glorot's weights and biases of 0, which decides.
"""
RING = Game("ring", points.RING_CENTRES, points.RING_STD, 2.8, 0.06, 5, 384_000, PLAIN, ())
RING = RING._replace(moments=(48_000, 96_000, 192_000, 288_000, 384_000))
GRID = RING._replace(
    data="grid",
    centres=points.GRID_CENTRES,
    std=points.GRID_STD,
    reach=5.0,
    smooth=0.1,
    seeds=3,
    images=768_000,
    moments=(48_000, 96_000, 192_000, 384_000, 768_000),
)
GAMES = {
    "ring": RING,
    "grid": GRID,
    "long-grid": GRID._replace(
        images=3_072_000, moments=(192_000, 384_000, 768_000, 1_536_000, 3_072_000)
    ),
    "paper": RING._replace(
        seeds=3,
        images=16_000 * 256,
        fields=PAPER,
        moments=tuple(256 * n for n in (500, 1_000, 2_000, 4_000, 8_000, 16_000)),
    ),
}


def unrolled(steps: int) -> dict[str, Any]:
    """Return the fields of a discriminator unrolled by K steps."""
    return {"play": "unrolled", "unroll": steps}


PLAIN_METHODS: dict[str, dict[str, Any]] = {
    "vanilla": {},
    "two time scales": {"generator_lr": 2e-4},
    "one-sided smoothing": {"real_target": 0.9},
    "minibatch discrimination": {"minibatch_discrimination": 8, "minibatch_dimensions": 4},
    "feature matching": {"feature_matching": 1.0, "adversarial": 0.0},
    "PacGAN 2": {"packing": 2},
    "PacGAN 3": {"packing": 3, "batch": 255},
    "PacGAN 4": {"packing": 4},
    "WGAN-GP": {"objective": "wasserstein", "gradient_penalty": 1.0, "discriminator_moves": 5},
    "RpGAN + R1 + R2": {"objective": "relativistic", "r1": 1.0, "r2": 1.0, "betas": (0.0, 0.99)},
    "R1 + R2": {"r1": 1.0, "r2": 1.0, "betas": (0.0, 0.99)},
    "extragradient": {"play": "extragradient"},
    "unrolled K = 1": unrolled(1),
    "unrolled K = 5": unrolled(5),
    "unrolled K = 10": unrolled(10),
}
METHODS = {
    "ring": PLAIN_METHODS,
    "grid": PLAIN_METHODS,
    "long-grid": PLAIN_METHODS,
    "paper": {"K = 0": {}, "unrolled K = 10": unrolled(10)},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("do", choices=("train", "table", "draw"))
    parser.add_argument("game", choices=GAMES)
    parser.add_argument("--methods", nargs="+")
    parser.add_argument("--seeds", nargs="+", type=int)
    parser.add_argument("--out", type=Path, default=Path("modes"))
    parser.add_argument("--to", type=Path, default=Path("modes.png"))
    args = parser.parse_args()
    names = args.methods or list(METHODS[args.game])
    seeds = args.seeds or list(range(GAMES[args.game].seeds))
    if args.do == "train":
        for seed in seeds:
            for name in names:
                play(args.out, args.game, name, seed)
    elif args.do == "table":
        print(table(args.out, args.game, names, seeds))
    else:
        draw(args.out, args.game, names, seeds[0], args.to)


def folder(out: Path, game: str, method: str, seed: int) -> Path:
    """Return where a run lies."""
    plain = "".join(letter if letter.isalnum() else "-" for letter in method.lower())
    return out / game / f"{plain}-{seed}"


def snapshots(run: Path) -> dict[int, Path]:
    """Return a run's snapshots by the images seen before them."""
    return {int(path.stem): path for path in sorted((run / "snapshots").glob("*.safetensors"))}


def ended(run: Path, game: Game) -> bool:
    """Return whether a run has come to its end."""
    return max(snapshots(run), default=0) >= game.images


def play(out: Path, game_name: str, method: str, seed: int) -> None:
    """Train one method with one seed to its end, from where it is."""
    game, run = GAMES[game_name], folder(out, game_name, method, seed)
    if ended(run, game):
        return
    cost = run / "processor.json"
    before = json.loads(cost.read_text()) if cost.exists() else 0.0
    started = time.process_time()
    if run.exists():
        left = game.images - saved_clock(run / "state").images  # a game may have been made longer
        resume(run, images=left, device="cpu", progress=False)
    else:
        rare = dict.fromkeys(("sample_every", "metric_every", "save_every"), game.images)
        rare |= {"tick": game.images // 50, "snapshot_every": game.images // 24, "seed": seed}
        if game_name == "paper":
            del rare["save_every"]  # long enough to be worth saving on the way
        fields: dict[str, Any] = QUIET | rare | game.fields | METHODS[game_name][method]
        train(
            game.data,
            "points",
            run=run,
            images=game.images,
            device="cpu",
            progress=False,
            **fields,
        )
    write_json(cost, before + time.process_time() - started)


def samples(snapshot: Path) -> torch.Tensor:
    """Return points [2500, 2] that a snapshot draws."""
    generator = load_generator(snapshot, torch.device("cpu"))
    return torch.from_numpy(generator.sample(SAMPLES, batch=SAMPLES).array)


def judge(snapshot: Path, game: Game) -> tuple[PointModes, PointModes]:
    """Return the modes that a snapshot's samples reach within 3 σ, and within 15 σ."""
    centres, drawn = torch.from_numpy(game.centres.copy()), samples(snapshot)
    return point_modes(drawn, centres, game.std), point_modes(drawn, centres, WIDE * game.std)


def table(out: Path, game_name: str, methods: Sequence[str], seeds: Sequence[int]) -> str:
    """Return the Markdown table of what is there."""
    game = GAMES[game_name]
    total = len(game.centres)
    head = f"method | differs in | modes of {total}, a seed each | mean | high quality"
    head += " | within 15 σ: modes | most ever | share" if game_name == "paper" else ""
    columns = f"{head} | KL | processor seconds".split(" | ")
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    for method in methods:
        runs = [folder(out, game_name, method, seed) for seed in seeds]
        runs = [run for run in runs if ended(run, game)]
        if runs:
            lines.append(row(method, METHODS[game_name][method], runs, game, "15 σ" in head))
    return "\n".join(lines)


def row(
    method: str, fields: dict[str, Any], runs: Sequence[Path], game: Game, with_wide: bool
) -> str:
    """Return one method's line of the table, means over its runs."""
    judged = [judge(max(snapshots(run).items())[1], game) for run in runs]
    near, wide = zip(*judged, strict=True)
    flags = " ".join(f"`{name} {value}`" for name, value in fields.items())
    cells = [method, flags or "–", *found(near), shares(near)]
    if with_wide:
        most = [max(judge(path, game)[1].found for path in snapshots(run).values()) for run in runs]
        cells += [found(wide)[0], " ".join(map(str, most)), shares(wide)]
    cells.append(f"{np.mean([modes.divergence for modes in near]):.2f}")
    costs = [run / "processor.json" for run in runs]
    known = [json.loads(cost.read_text()) for cost in costs if cost.exists()]
    cells.append(f"{np.mean(known):.0f}" if known else "")
    return f"| {' | '.join(cells)} |"


def found(judged: Sequence[PointModes]) -> tuple[str, str]:
    """Return how many modes each run found, and their mean."""
    counts = [modes.found for modes in judged]
    return " ".join(map(str, counts)), f"{np.mean(counts):.1f}"


def shares(judged: Sequence[PointModes]) -> str:
    """Return the mean share of samples of high quality, and its range over the runs."""
    values = [modes.high_quality for modes in judged]
    return f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def draw(out: Path, game_name: str, methods: Sequence[str], seed: int, to: Path) -> None:
    """Draw densities: a row a method, a column a moment, the data last."""
    import matplotlib.pyplot as plt

    game = GAMES[game_name]
    wide, high = len(game.moments) + 1, len(methods)
    figure, axes = plt.subplots(
        high, wide, figsize=(1.5 * wide + 0.4, 1.5 * high + 0.25), squeeze=False
    )
    real = (points.ring if game.data == "ring" else points.grid)(SAMPLES, seed=1)[0]
    for line, method in zip(axes, methods, strict=True):
        there = snapshots(folder(out, game_name, method, seed))
        for panel, moment in zip(line, game.moments, strict=False):
            nearest = min(there, key=lambda images, moment=moment: abs(images - moment))
            show(panel, samples(there[nearest]).numpy(), game)
        show(line[-1], real, game)
        line[0].set_ylabel("\n".join(textwrap.wrap(method, 15)), fontsize=9)
    titles = [f"{moment:,}" for moment in game.moments]
    titles[0] = f"after {titles[0]} points"
    for panel, title in zip(axes[0], [*titles, "data"], strict=True):
        panel.set_title(title, fontsize=9)
    figure.tight_layout(pad=0.4, h_pad=0.3, w_pad=0.3)
    figure.savefig(to, dpi=110)


def show(panel: Any, drawn: np.ndarray, game: Game) -> None:
    """Draw the density of points [N, 2] as a heat map: a Gaussian kernel on each of them."""
    at = np.linspace(-game.reach, game.reach, CELLS)
    across, up = (
        np.exp(-0.5 * ((at[:, None] - drawn[None, :, axis]) / game.smooth) ** 2) for axis in (0, 1)
    )
    density = np.sqrt(up @ across.T)  # [CELLS, CELLS]; its root, so that thin bridges are seen too
    panel.imshow(density, origin="lower", cmap="magma", extent=[-game.reach, game.reach] * 2)
    panel.set_xticks([])
    panel.set_yticks([])


if __name__ == "__main__":
    main()
