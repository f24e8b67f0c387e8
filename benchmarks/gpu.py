"""What figment does on a GPU: the CPU's rounds, exact resume, two processes, and the speed of three.

    python benchmarks/gpu.py DATA [--out DIR] [--minutes 7] [--parts agree resume processes speed train]
        [--stylegan2 CHECKOUT] [--r3gan CHECKOUT] [--tiny] [--device cuda]

    agree      every system's first round in float32 beside the CPU's: the largest difference of a loss or a
               gradient's length, relative. Random numbers are drawn on the CPU for both.
    resume     eight rounds, and four with four more after a resume: bit for bit?
    processes  the same rounds on two GPUs, halves of the batch each; "missing" where there is one
    speed      images/s of DCGAN, StyleGAN2 and R3GAN in their published sizes, in float32 and bfloat16, and
               the products' share of the best matrix rate measured here; compiled; the authors' beside,
               generator and discriminator forward and backward, where their checkout is given
    train      R3GAN on DATA for what is left of the time, with a grid

Parts that are done are in OUT/gpu.json and not done again, so that a second call goes on. Whatever cannot
be measured is printed as such, with the reason. --tiny, with --device cpu, tries the script itself.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

import figment
from figment.data import Dataset, open_dataset
from figment.errors import UserError
from figment.recipe import Recipe
from figment.recipes import SYSTEMS
from figment.training.devices import matrix_rate, set_up
from figment.training.trainer import NotFinite, Trainer

PARTS = ("agree", "resume", "processes", "speed", "train")
SPEED: dict[str, dict[str, Any]] = {
    "dcgan": {"resolution": 64},
    "stylegan2": {"resolution": 64, "width": 512, "latent": 512, "mapping_layers": 8, "batch": 64},
    "r3gan-ffhq-64": {},
}
AGREES = 1e-3


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--out", type=Path, default=Path("gpu"))
    parser.add_argument("--minutes", type=float, default=7)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--stylegan2", type=Path, help="checkout of NVlabs/stylegan2-ada-pytorch")
    parser.add_argument("--r3gan", type=Path, help="checkout of brownvc/R3GAN")
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--device", default="cuda")
    args = parser.parse_args()
    args.end = time.perf_counter() + 60 * args.minutes
    args.out.mkdir(parents=True, exist_ok=True)
    if args.device == "cuda" and not torch.cuda.is_available():
        sys.exit("no GPU here: --device cpu --tiny tries the script itself")
    set_up(torch.device(args.device))
    record = args.out / "gpu.json"
    done: dict[str, Any] = json.loads(record.read_text()) if record.exists() else {}
    for part in args.parts:
        if part not in done:
            try:
                done[part] = DO[part](args)
            except Exception as error:  # a part that fails is told, and the next one has its turn
                done[part] = [f"failed: {type(error).__name__}: {error}"]
            record.write_text(json.dumps(done))
        print(f"\n{part}\n" + "\n".join(f"  {line}" for line in done[part]), flush=True)


def agree(args: argparse.Namespace) -> list[str]:
    """Compare the first round of every system with the CPU's."""
    lines, worst = [], 0.0
    for name, system in SYSTEMS.items():
        if time.perf_counter() > args.end:
            return [*lines, f"{name} and the rest: no time left"]
        recipe = replace(system.recipe.tiny(), precision="float32")
        try:
            here, there = (first_round(recipe, device) for device in ("cpu", args.device))
        except (UserError, NotFinite) as error:
            lines.append(f"{name}: not played: {error}")
            continue
        apart = max(abs(here[k] - there[k]) / max(abs(here[k]), 1e-3) for k in here)
        worst = max(worst, apart)
        if apart > AGREES:
            lines.append(f"{name}: {apart:.1e} apart")
    return [f"{len(SYSTEMS)} systems, at most {worst:.1e} apart", *lines]


def first_round(recipe: Recipe, device: str) -> dict[str, float]:
    """Return the losses and the lengths of the gradients of a recipe's first round."""
    with drawing_on_cpu():
        trainer = Trainer(recipe, data_for(recipe), torch.device(device))
        seen = trainer.round()
    kept = {name: float(value) for name, value in seen.items()}
    return {n: v for n, v in kept.items() if n.startswith(("loss/", "gradient/"))}


@contextlib.contextmanager
def drawing_on_cpu() -> Generator[None]:
    """Let torch draw its random numbers on the CPU inside, whatever device asks for them."""
    before = torch.rand, torch.randn

    def on_cpu(draw: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
        def drawn(*size: Any, device: Any = None, **how: Any) -> torch.Tensor:
            return draw(*size, **how).to(device or "cpu")

        return drawn

    torch.rand, torch.randn = (on_cpu(draw) for draw in before)
    try:
        yield
    finally:
        torch.rand, torch.randn = before


def data_for(recipe: Recipe) -> Dataset:
    """Return built-in data in the form that a recipe learns."""
    if recipe.kind == "points":
        return open_dataset("ring", resolution=64, channels=1, progress=False)
    side, channels = recipe.resolution, recipe.channels
    return open_dataset("flowers:64", resolution=side, channels=channels, progress=False)


def resume(args: argparse.Namespace) -> list[str]:
    """Compare a run that was stopped with one that was not, byte for byte."""
    lines = []
    for name in ("dcgan", "stylegan2", "r3gan"):
        how = {"recipe": name, "device": args.device, "progress": False, "metrics": ()}
        how |= {"resolution": 32, "batch": 16, "metric_every": 64, "tick": 64}
        how |= {"ramp_images": 64} if name == "r3gan" else {}  # else it follows the planned length
        stem = args.out / f"resume-{name}-{time.time_ns()}"
        straight = figment.train("flowers:256", run=f"{stem}-1", images=128, **how)
        figment.train("flowers:256", run=f"{stem}-2", images=64, **how)
        from figment.launch import resume as go_on

        halves = go_on(f"{stem}-2", images=64, device=args.device, progress=False)
        one, two = (run.path / "snapshots" / "000000128.safetensors" for run in (straight, halves))
        same = tensors(one) == tensors(two)
        lines.append(f"{name}: {'bit for bit' if same else 'DIFFERENT'}")
    return lines


def tensors(path: Path) -> dict[str, bytes]:
    """Return the bytes of a file's tensors, by name."""
    from safetensors.numpy import load_file

    return {name: tensor.tobytes() for name, tensor in load_file(path).items()}


def processes(args: argparse.Namespace) -> list[str]:
    """Compare one process with two, each on a GPU of its own."""
    if args.device == "cuda" and torch.cuda.device_count() < 2:
        return [f"missing: {torch.cuda.device_count()} GPU, and two processes need two"]
    runs = []
    for count in (1, 2):
        run = args.out / f"processes-{count}-{time.time_ns()}"
        words = ["train", "flowers:256", "--recipe", "r3gan", "--resolution", "32", "--batch", "16"]
        words += [
            "--precision",
            "float32",
            "--images",
            "128",
            "--device",
            args.device,
            "--run",
            str(run),
            "--metrics",
        ]
        start = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={count}"]
        subprocess.run([*start, "-m", "--", "figment", *words], check=True, capture_output=True)
        runs.append(run / "snapshots" / "000000128.safetensors")
    from safetensors.torch import load_file

    one, two = (load_file(path) for path in runs)
    apart = sum(float((one[n] - two[n]).square().sum()) for n in one) ** 0.5
    length = sum(float(one[n].square().sum()) for n in one) ** 0.5
    return [f"r3gan: two processes are {apart / length:.1e} of the weights' length from one"]


def speed(args: argparse.Namespace) -> list[str]:
    """Measure images/s, and the share of the best matrix rate that the arithmetic comes to."""
    from torch.utils.flop_counter import FlopCounterMode

    lines = [f"best rate of products in bfloat16: {rate(args) / 1e12:.2f} TFLOP/s"]
    for name, fields in SPEED.items():
        recipe = replace(SYSTEMS[name].recipe, **fields)
        recipe = recipe.tiny() if args.tiny else recipe
        for precision in ("float32", "bfloat16"):
            trainer = trainer_for(args, replace(recipe, precision=precision))
            images, before = per_second(trainer, 2 if args.tiny else 8), trainer.clock.images
            try:
                with FlopCounterMode(display=False) as flops:
                    trainer.round()
                seen = trainer.clock.images - before
                share = f"{flops.get_total_flops() / seen * images / rate(args):.1%} of that rate"
            except (
                RuntimeError
            ):  # torch cannot count within penalties that are differentiated twice
                share = "share missing: torch cannot count this round's products"
            lines.append(f"{name}, {precision}: {images:,.0f} images/s, {share}")
            del trainer
        start = time.perf_counter()
        trainer = trainer_for(args, replace(recipe, precision="bfloat16", compile=True))
        trainer.round()
        first = time.perf_counter() - start
        images = per_second(trainer, 2 if args.tiny else 8)
        lines.append(f"{name}, bfloat16, compiled: {images:,.0f} images/s after {first:.0f} s")
        del trainer
    for name, path in (("stylegan2", args.stylegan2), ("r3gan", args.r3gan)):
        lines.append(
            f"the authors' {name}: missing: no checkout was given"
            if path is None
            else authors(args, name, path)
        )
    return lines


def trainer_for(args: argparse.Namespace, recipe: Recipe) -> Trainer:
    """Return a trainer for a recipe, on noise of its shape."""
    recipe = recipe.without_idle()
    return Trainer(recipe, data_for(recipe), torch.device(args.device))


def rate(args: argparse.Namespace) -> float:
    """Return the best rate of products in bfloat16 that is measured here, in FLOP/s."""
    if args.device != "cuda":
        return matrix_rate(torch.bfloat16, 256)
    a, b = (torch.ones(8192, 8192, dtype=torch.bfloat16, device="cuda") for _ in range(2))
    best = float("inf")
    for _ in range(5):
        torch.cuda.synchronize()
        start = time.perf_counter()
        a @ b
        torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return 2 * 8192**3 / best


def per_second(trainer: Trainer, seconds: float) -> float:
    """Return the real images a second that a trainer learns from, once it is warm."""
    trainer.round()
    wait(trainer.device)
    before, start = trainer.clock.images, time.perf_counter()
    while time.perf_counter() - start < seconds:
        trainer.round()
    wait(trainer.device)
    return (trainer.clock.images - before) / (time.perf_counter() - start)


def wait(device: torch.device) -> None:
    """Wait until a GPU has done what it was asked."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def authors(args: argparse.Namespace, name: str, checkout: Path) -> str:
    """Return what generator and discriminator of the authors make forward and backward, images/s."""
    if not checkout.is_dir():
        return f"the authors' {name}: missing: {checkout} is no folder"
    program = f"import sys; sys.path.insert(0, {str(checkout)!r})\n" + AUTHORS[name] + LOOP
    words = [sys.executable, "-W", "ignore", "-c", program, args.device]
    done = subprocess.run(words, capture_output=True, text=True)
    found = done.stdout.strip().splitlines()
    reason = (done.stderr.strip().splitlines() or ["no word"])[-1]
    told = (
        f"{float(found[-1]):,.0f} images/s forward and backward" if found else f"failed: {reason}"
    )
    return f"the authors' {name}: {told}"


AUTHORS = {
    "stylegan2": """
from training.networks import Generator, Discriminator
how = dict(channel_base=32768, channel_max=512, num_fp16_res=0)
g = Generator(512, 0, 512, 64, 3, mapping_kwargs=dict(num_layers=8), synthesis_kwargs=how)
d = Discriminator(0, 64, 3, **how)
n, make, judge = 64, (lambda z: g(z, None)), (lambda x: d(x, None)); z_size = 512
""",
    "r3gan": """
from R3GAN.Networks import Generator, Discriminator
w, b, c = [768] * 5, [2] * 5, [96] * 5
g = Generator(64, w, c, b, 2, 3, 1)
d = Discriminator(w, c, b, 2, 3, 1)
n, make, judge = 256, g, d; z_size = 64
""",
}
LOOP = """
import time, torch
device = sys.argv[1]
n = n if device == "cuda" else 2
g.to(device), d.to(device)
def once():
    judge(make(torch.randn(n, z_size, device=device))).sum().backward()
    if device == "cuda": torch.cuda.synchronize()
once(); start, images = time.perf_counter(), 0
while time.perf_counter() - start < 8:
    once(); images += n
print(images / (time.perf_counter() - start))
"""


def train(args: argparse.Namespace) -> list[str]:
    """Train R3GAN for what is left of the time."""
    left = (args.end - time.perf_counter()) / 60 - 0.3
    if left < 0.2:
        return ["no time left"]
    how = {"recipe": "r3gan", "device": args.device, "progress": False}
    how |= {"metrics": ()} if args.tiny else {"width": 128, "batch": 256}
    data = "flowers:256" if args.tiny else args.data
    run = figment.train(data, run=args.out / f"r3gan-{time.time_ns()}", minutes=left, **how)
    run.generator.sample(64, seed=0).save(args.out / "r3gan.png")
    return [f"{run.log()[-1]['images']:,} images in {left:.1f} minutes: {args.out / 'r3gan.png'}"]


DO = {"agree": agree, "resume": resume, "processes": processes, "speed": speed, "train": train}


if __name__ == "__main__":
    main()
