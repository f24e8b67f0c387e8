"""Speed of one DCGAN training round on a CPU: the tutorial's loop beside figment's.

The loops take turns, round by round, so that all meet the same machine:

    tutorial        fp32, torch's own layouts, layers and Adam
    figment         channels-last, layers lowered as `tune` finds, the faster of fp32 and bf16, fused
                    Adam, the discriminator frozen in the generator's move
    tutorial alone  the tutorial's loop in a process of its own. The first two share one in which
                    glibc keeps freed memory, as figment asks it to; this one has glibc's defaults

The share compares images/s times the FLOPs that a round needs (counted: library convolutions, no
discriminator weight gradients in the generator's move) with the best matrix rate measured here.
Winograd needs fewer, so its share may come close to 1. `cores` is the processor time a loop got per
second: below the number of threads, something else was running and the line is worth little.

    python benchmarks/dcgan_cpu.py --width 64 --batch 128
    python benchmarks/dcgan_cpu.py --width 32 --batch 64 --losses 300 --data photos.zip
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import io
import multiprocessing
import statistics
import time
import zipfile
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from figment.data import flowers
from figment.networks.layers import convolution
from figment.networks.layers.convolution import Convolution, TransposedConvolution

LATENT = 100
PRECISIONS = (torch.float32, torch.bfloat16)

Round = Callable[[Tensor], tuple[float, float]]  # real images -> losses of D and G


class Players(NamedTuple):
    generator: nn.Module
    discriminator: nn.Module


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--width", type=int, nargs="+", default=[64])
    parser.add_argument("--batch", type=int, nargs="+", default=[128])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--losses", type=int, default=0, metavar="STEPS")
    parser.add_argument("--data", default="flowers", help="flowers (drawn here) or a zip of 64 px")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    keep_memory()
    data = pictures(args.data, 2048)
    rates = {dtype: matrix_rate(dtype) for dtype in PRECISIONS}
    report = ", ".join(f"{_name(dtype)} {rate / 1e9:.0f}" for dtype, rate in rates.items())
    print(f"matrix products on {torch.get_num_threads()} threads, GFLOP/s: {report}")
    for width in args.width:
        for batch in args.batch:
            speeds(data, width, batch, args.rounds, max(rates.values()))
            if args.losses:
                losses(data, width, batch, args.losses)


# ---- The two loops ----


def players(conv: type, transposed: type, width: int, seed: int = 0) -> Players:
    """PyTorch's tutorial DCGAN for 64 px, from the given layers: the same weights for a seed."""
    torch.manual_seed(seed)
    up = [transposed(LATENT, 8 * width, 4, 1, 0, bias=False), *_normed(8 * width, nn.ReLU(True))]
    down = [conv(3, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)]
    for small, large in ((4, 8), (2, 4), (1, 2)):
        layer = transposed(large * width, small * width, 4, 2, 1, bias=False)
        up += [layer, *_normed(small * width, nn.ReLU(True))]
    for small, large in ((1, 2), (2, 4), (4, 8)):
        layer = conv(small * width, large * width, 4, 2, 1, bias=False)
        down += [layer, *_normed(large * width, nn.LeakyReLU(0.2, True))]
    up += [transposed(width, 3, 4, 2, 1, bias=False), nn.Tanh()]
    down += [conv(8 * width, 1, 4, 1, 0, bias=False)]
    for layer in (*up, *down):
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0, 0.02)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1, 0.02)
    return Players(nn.Sequential(*up), nn.Sequential(*down))


def _normed(width: int, activation: nn.Module) -> tuple[nn.Module, nn.Module]:
    return nn.BatchNorm2d(width), activation


def tutorial_round(width: int, seed: int) -> Round:
    """The loop of PyTorch's DCGAN tutorial, with the logarithm inside the loss."""
    g, d = players(nn.Conv2d, nn.ConvTranspose2d, width)
    adam_d = torch.optim.Adam(d.parameters(), lr=2e-4, betas=(0.5, 0.999))
    adam_g = torch.optim.Adam(g.parameters(), lr=2e-4, betas=(0.5, 0.999))
    latents = torch.Generator().manual_seed(seed)

    def play(real: Tensor) -> tuple[float, float]:
        d.zero_grad()
        loss_real = _cross_entropy(d(real), 1)
        loss_real.backward()
        fake = g(torch.randn(len(real), LATENT, 1, 1, generator=latents))
        loss_fake = _cross_entropy(d(fake.detach()), 0)
        loss_fake.backward()
        adam_d.step()
        g.zero_grad()
        loss_g = _cross_entropy(d(fake), 1)
        loss_g.backward()
        adam_g.step()
        return loss_real.item() + loss_fake.item(), loss_g.item()

    return play


def figment_round(width: int, seed: int, batch: int) -> Round:
    """The same mathematics with what figment does for speed."""
    g, d = players(Convolution, TransposedConvolution, width)
    for net in (g, d):
        net.to(memory_format=torch.channels_last)  # ty: ignore[no-matching-overload]
    dtype, choices = tuned(Players(g, d), batch)
    for net, choice in zip((g, d), choices, strict=True):
        convolution.apply(net, choice)
    print(f"figment computes in {_name(dtype)}; lowerings of G {choices[0]}, of D {choices[1]}")
    return frozen_round(Players(g, d), dtype, seed)


def frozen_round(nets: Players, dtype: torch.dtype, seed: int) -> Round:
    g, d = nets
    adam_d = torch.optim.Adam(d.parameters(), lr=2e-4, betas=(0.5, 0.999), fused=True)
    adam_g = torch.optim.Adam(g.parameters(), lr=2e-4, betas=(0.5, 0.999), fused=True)
    latents = torch.Generator().manual_seed(seed)

    def play(real: Tensor) -> tuple[float, float]:
        real = real.contiguous(memory_format=torch.channels_last)
        z = torch.randn(len(real), LATENT, 1, 1, generator=latents)
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            loss_real = _cross_entropy(d(real), 1)
            fake = g(z)
            loss_fake = _cross_entropy(d(fake.detach()), 0)
        adam_d.zero_grad()
        (loss_real + loss_fake).backward()
        adam_d.step()
        d.requires_grad_(False)
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            loss_g = _cross_entropy(d(fake), 1)
        adam_g.zero_grad()
        loss_g.backward()
        adam_g.step()
        d.requires_grad_(True)
        return (loss_real + loss_fake).item(), loss_g.item()

    return play


def tuned(nets: Players, batch: int) -> tuple[torch.dtype, list[dict[str, str]]]:
    """The faster precision, and the lowerings of both players in it."""
    real = torch.rand(batch, 3, 64, 64).contiguous(memory_format=torch.channels_last)
    examples = torch.randn(batch, LATENT, 1, 1), real
    seconds, answers = {}, {}
    for dtype in PRECISIONS:
        timings = [
            convolution.measure(net, x, dtype) for net, x in zip(nets, examples, strict=True)
        ]
        seconds[dtype] = sum(min(layer.values()) for net in timings for layer in net.values())
        answers[dtype] = [convolution.fastest(net) for net in timings]
    pays = seconds[torch.bfloat16] < 0.9 * seconds[torch.float32]
    best = torch.bfloat16 if pays else torch.float32
    return best, answers[best]


def _cross_entropy(logits: Tensor, target: int) -> Tensor:
    logits = logits.float()
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


# ---- What is measured ----


def speeds(data: Tensor, width: int, batch: int, rounds: int, rate: float) -> None:
    need = flops(width, batch)
    alone, pipe = multiprocessing.get_context("spawn").Pipe()
    threads = torch.get_num_threads()
    child = multiprocessing.get_context("spawn").Process(
        target=_play_alone, args=(pipe, data.numpy(), width, batch, threads), daemon=True
    )
    child.start()
    alone.recv()  # ready: it must not start up while the layers are timed
    here = {"tutorial": tutorial_round(width, 0), "figment": figment_round(width, 0, batch)}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in (*here, "tutorial alone")}
    for step in range(rounds + 2):  # the first two warm up
        for name, play in here.items():
            times[name].append(_timed(play, data[_rows(step, batch, len(data))]))
        alone.send(step)
        times["tutorial alone"].append(alone.recv())
    child.terminate()
    child.join()
    print(f"\nDCGAN 64 px, width {width}, batch {batch}: {need / 1e9:.3f} GFLOP an image needed")
    print(f"{'loop':16}{'images/s':>10}{'best':>8}{'ratio':>8}{'share':>8}{'cores':>8}")
    base = statistics.median(wall for wall, _ in times["tutorial"][2:])
    for name, rows in times.items():
        walls, cpus = zip(*rows[2:], strict=True)
        middle = statistics.median(walls)
        print(
            f"{name:16}{batch / middle:10.1f}{batch / min(walls):8.1f}{base / middle:8.2f}"
            f"{batch / middle * need / rate:8.2f}{sum(cpus) / sum(walls):8.2f}"
        )


def _timed(play: Round, real: Tensor) -> tuple[float, float]:
    """Seconds of a round by the clock, and of the processor."""
    cpu, start = time.process_time(), time.perf_counter()
    play(real)
    return time.perf_counter() - start, time.process_time() - cpu


def _play_alone(pipe: Connection, data: np.ndarray, width: int, batch: int, threads: int) -> None:
    torch.set_num_threads(threads)
    play, real = tutorial_round(width, 0), torch.from_numpy(data)
    pipe.send("ready")
    while True:
        step = pipe.recv()
        pipe.send(_timed(play, real[_rows(step, batch, len(real))]))


def losses(data: Tensor, width: int, batch: int, steps: int) -> None:
    """Mean losses over `steps`: the tutorial's loop twice, with other latents, shows the noise."""
    loops = {
        "tutorial": tutorial_round(width, 0),
        "tutorial, other latents": tutorial_round(width, 1),
        "figment": figment_round(width, 0, batch),
    }
    print(f"\nlosses over {steps} steps, mean of each third: width {width}, batch {batch}")
    for name, play in loops.items():
        values = np.array([play(data[_rows(step, batch, len(data))]) for step in range(steps)])
        thirds = [part.mean(axis=0) for part in np.array_split(values, 3)]
        cells = "  ".join(f"D {d:.3f} G {g:.3f}" for d, g in (*thirds, values.mean(axis=0)))
        print(f"{name:24} {cells} (all)")


def flops(width: int, batch: int) -> float:
    """FLOPs an image of the round that does only what is needed, by torch's own counter."""
    nets = players(nn.Conv2d, nn.ConvTranspose2d, width)
    with FlopCounterMode(display=False) as counter:
        frozen_round(nets, torch.float32, 0)(torch.zeros(batch, 3, 64, 64))
    return counter.get_total_flops() / batch


def matrix_rate(dtype: torch.dtype) -> float:
    """The best FLOP/s of square matrix products."""
    best = 0.0
    for side in (1024, 2048, 3072):
        a, b = (torch.randn(side, side).to(dtype) for _ in range(2))
        for _ in range(6):
            start = time.perf_counter()
            torch.mm(a, b)
            best = max(best, 2 * side**3 / (time.perf_counter() - start))
    return best


def keep_memory() -> None:
    """Has glibc keep freed memory for the process instead of handing it back every round."""
    mmap_threshold, trim_threshold = -3, -1  # malloc.h
    with contextlib.suppress(OSError, AttributeError):  # not glibc
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(mmap_threshold, 1 << 30)
        mallopt(trim_threshold, (1 << 31) - 1)


def pictures(source: str, count: int) -> Tensor:
    """The first pictures of a zip of 64 px, or drawn flowers: [N, 3, 64, 64] in [-1, 1]."""
    if source == "flowers":
        pixels, _ = flowers.draw(range(count), 64)
    else:
        from PIL import Image

        with zipfile.ZipFile(source) as archive:
            names = [n for n in archive.namelist() if n.lower().endswith((".jpg", ".png"))][:count]
            rows = [Image.open(io.BytesIO(archive.read(n))).convert("RGB") for n in names]
        pixels = np.stack([np.asarray(row) for row in rows]).transpose(0, 3, 1, 2)
    return torch.from_numpy(pixels.copy()).float() / 127.5 - 1


def _rows(step: int, batch: int, count: int) -> Tensor:
    return (torch.arange(batch) + step * batch) % count


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


if __name__ == "__main__":
    main()
