"""Speed of a DCGAN training round on a CPU: the tutorial's loop beside figment's trainer.

    python benchmarks/dcgan_cpu.py [--width 64] [--batch 128] [--rounds 10] [--losses 300]

The loops take turns, round by round, so that all meet the same machine:

    tutorial        fp32, torch's own layouts, layers and Adam, real pictures ready in memory
    figment         the trainer as `figment train` runs it: gathering, average, checks, everything
    tutorial alone  the tutorial's loop in a process of its own: the first two share one in which glibc
                    keeps freed memory, as figment asks it to; this one has glibc's defaults

The share compares images/s times the FLOPs that a round needs (3 forward passes of G, 8 of D) with the
best matrix rate measured here. Winograd needs fewer, so its share may come close to 1. `cores` is the
processor time a loop got per second: well below the number of threads, something else was running and
the line is worth little.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from figment.data import Dataset, open_dataset
from figment.recipes.dcgan import DCGAN
from figment.training.devices import (
    faster_precision,
    matrix_rate,
    multiplies_bfloat16,
    set_up,
)
from figment.training.trainer import Trainer, build

CPU = torch.device("cpu")
LATENT = 100

Round = Callable[[int], tuple[float, float]]  # number of the round -> losses of D and G


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--width", type=int, nargs="+", default=[64])
    parser.add_argument("--batch", type=int, nargs="+", default=[128])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--losses", type=int, default=0, metavar="STEPS")
    parser.add_argument("--data", default="flowers:2048", help="what `figment train` takes")
    args = parser.parse_args()
    set_up(CPU)
    precisions = {"float32": torch.float32}
    if multiplies_bfloat16():  # else a product takes seconds and tells nothing
        precisions["bfloat16"] = torch.bfloat16
    rates = {
        name: max(matrix_rate(dtype, side) for side in (1024, 2048, 3072))
        for name, dtype in precisions.items()
    }
    text = ", ".join(f"{name} {rate / 1e9:.0f}" for name, rate in rates.items())
    threads = torch.get_num_threads()
    print(f"matrix products on {threads} threads, GFLOP/s: {text}")
    print(f"figment's choice: {faster_precision(CPU)}")
    data = open_dataset(args.data, resolution=64, channels=3)
    for width in args.width:
        for batch in args.batch:
            speeds(data, args.data, width, batch, args.rounds, max(rates.values()))
            if args.losses:
                losses(data, width, batch, args.losses)


def tutorial(data: Dataset, width: int, batch: int, seed: int = 0) -> Round:
    """The loop of PyTorch's DCGAN tutorial, with the logarithm inside the loss."""
    torch.manual_seed(seed)
    g, d = tutorial_networks(width)
    adam_d = torch.optim.Adam(d.parameters(), lr=2e-4, betas=(0.5, 0.999))
    adam_g = torch.optim.Adam(g.parameters(), lr=2e-4, betas=(0.5, 0.999))
    reals = torch.from_numpy(np.array(data.rows[:2048])).float() / 127.5 - 1
    latents = torch.Generator().manual_seed(seed)

    def play(number: int) -> tuple[float, float]:
        real = reals[(torch.arange(batch) + number * batch) % len(reals)]
        d.zero_grad()
        loss_real = _cross_entropy(d(real), 1)
        loss_real.backward()
        fake = g(torch.randn(batch, LATENT, 1, 1, generator=latents))
        loss_fake = _cross_entropy(d(fake.detach()), 0)
        loss_fake.backward()
        adam_d.step()
        g.zero_grad()
        loss_g = _cross_entropy(d(fake), 1)
        loss_g.backward()
        adam_g.step()
        return loss_real.item() + loss_fake.item(), loss_g.item()

    return play


def tutorial_networks(width: int) -> tuple[nn.Module, nn.Module]:
    """The tutorial's networks for 64 px, of torch's own layers."""
    up: list[nn.Module] = []
    wide = [8 * width, 4 * width, 2 * width, width]
    for wide_in, wide_out in zip([LATENT, *wide], wide, strict=False):
        stride, padding = (1, 0) if wide_in == LATENT else (2, 1)
        up += [nn.ConvTranspose2d(wide_in, wide_out, 4, stride, padding, bias=False)]
        up += [nn.BatchNorm2d(wide_out), nn.ReLU(True)]
    up += [nn.ConvTranspose2d(width, 3, 4, 2, 1, bias=False), nn.Tanh()]
    down: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)]
    for wide_out, wide_in in zip(wide[::-1][1:], wide[::-1], strict=False):
        down += [nn.Conv2d(wide_in, wide_out, 4, 2, 1, bias=False)]
        down += [nn.BatchNorm2d(wide_out), nn.LeakyReLU(0.2, True)]
    down += [nn.Conv2d(8 * width, 1, 4, 1, 0, bias=False)]
    for layer in (*up, *down):
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0, 0.02)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1, 0.02)
    return nn.Sequential(*up), nn.Sequential(*down)


def figment(data: Dataset, width: int, batch: int, seed: int = 0) -> Round:
    """The trainer, on the tutorial's labels."""
    recipe = DCGAN(width=width, batch=batch, seed=seed, real_target=1.0)
    trainer = Trainer(replace(recipe, precision=faster_precision(CPU)), data, CPU)

    def play(number: int) -> tuple[float, float]:
        seen = trainer.round()
        return seen["loss/discriminator"].item(), seen["loss/generator"].item()

    return play


def speeds(data: Dataset, source: str, width: int, batch: int, rounds: int, rate: float) -> None:
    """Print images/s of the three loops, round by round in turn."""
    context = multiprocessing.get_context("spawn")
    alone, pipe = context.Pipe()
    child = context.Process(target=_play_alone, args=(pipe, source, width, batch), daemon=True)
    child.start()
    alone.recv()  # ready: it must not start up while the others play
    here = {"tutorial": tutorial(data, width, batch), "figment": figment(data, width, batch)}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in (*here, "tutorial alone")}
    for number in range(rounds + 2):  # the first two warm up
        for name, play in here.items():
            times[name].append(_timed(play, number))
        alone.send(number)
        times["tutorial alone"].append(alone.recv())
    child.terminate()
    child.join()
    need = flops(width)
    print(f"\nDCGAN 64 px, width {width}, batch {batch}: {need / 1e9:.3f} GFLOP an image needed")
    print(f"{'loop':16}{'images/s':>10}{'best':>8}{'ratio':>8}{'share':>8}{'cores':>8}")
    base = statistics.median(wall for wall, _ in times["tutorial alone"][2:])
    for name, rows in times.items():
        walls, cpus = zip(*rows[2:], strict=True)
        middle = statistics.median(walls)
        print(
            f"{name:16}{batch / middle:10.1f}{batch / min(walls):8.1f}{base / middle:8.2f}"
            f"{batch / middle * need / rate:8.2f}{sum(cpus) / sum(walls):8.2f}"
        )


def losses(data: Dataset, width: int, batch: int, steps: int) -> None:
    """Print mean losses over ``steps``: the tutorial's loop twice, by another seed, shows the noise."""
    loops = {
        "tutorial, seed 0": tutorial(data, width, batch, 0),
        "tutorial, seed 1": tutorial(data, width, batch, 1),
        "figment, seed 0": figment(data, width, batch, 0),
        "figment, seed 1": figment(data, width, batch, 1),
    }
    print(
        f"\nlosses over {steps} steps, mean of each third and of all: width {width}, batch {batch}"
    )
    for name, play in loops.items():
        values = np.array([play(number) for number in range(steps)])
        parts = (*(part.mean(axis=0) for part in np.array_split(values, 3)), values.mean(axis=0))
        print(f"{name:18}", "   ".join(f"D {d:.3f} G {g:.3f}" for d, g in parts), flush=True)


def flops(width: int) -> float:
    """FLOPs an image of a round that does only what is needed, by torch's own counter."""
    nets = build(DCGAN(width=width), CPU)
    nets.eval()  # the library's layers, which the counter knows
    counts = {}
    for name, example in (("generator", (1, LATENT)), ("discriminator", (1, 3, 64, 64))):
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            nets[name](torch.zeros(example))
        counts[name] = counter.get_total_flops()
    return 3 * counts["generator"] + 8 * counts["discriminator"]


def _cross_entropy(logits: Tensor, target: int) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def _timed(play: Round, number: int) -> tuple[float, float]:
    """Seconds of a round by the clock, and of the processor."""
    cpu, start = time.process_time(), time.perf_counter()
    play(number)
    return time.perf_counter() - start, time.process_time() - cpu


def _play_alone(pipe: Connection, source: str, width: int, batch: int) -> None:
    data = open_dataset(source, resolution=64, channels=3, progress=False)
    play = tutorial(data, width, batch)
    pipe.send("ready")
    while True:
        pipe.send(_timed(play, pipe.recv()))


if __name__ == "__main__":
    main()
