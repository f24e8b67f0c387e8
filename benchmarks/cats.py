"""The plain tutorial loop on a folder or zip of pictures, to set beside `figment train`.

    python benchmarks/cats.py cats64.zip --minutes 30 --out plain/
    python benchmarks/cats.py cats64.zip --steps 577 897 --out plain/      for a machine that is busy

DCGAN as PyTorch's tutorial writes it: width 64, batch 128, fp32, labels 1 and 0, pictures decoded from
their files in every pass, samples by the weights themselves with running batch norm statistics. Writes
2,000 samples as single pictures and a grid of 64, and prints steps, images and images/s. With --steps it
goes on for so many steps, however long they take, and writes at each of the numbers given.
"""

from __future__ import annotations

import argparse
import io
import time
import zipfile
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from dcgan_cpu import LATENT, tutorial_networks
from figment.sampling.pictures import save_each, tile


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--steps", type=int, nargs="+", default=[])
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    torch.manual_seed(0)
    archive = zipfile.ZipFile(args.data)
    names = [name for name in archive.namelist() if name.lower().endswith((".jpg", ".png"))]
    g, d = tutorial_networks(64)
    adam_d = torch.optim.Adam(d.parameters(), lr=2e-4, betas=(0.5, 0.999))
    adam_g = torch.optim.Adam(g.parameters(), lr=2e-4, betas=(0.5, 0.999))
    steps, start, order = 0, time.perf_counter(), []
    last = max(args.steps, default=0)
    while steps < last if last else time.perf_counter() - start < 60 * args.minutes:
        if len(order) < args.batch:
            order = torch.randperm(len(names)).tolist()
        real = torch.stack([picture(archive, names[order.pop()]) for _ in range(args.batch)])
        d.zero_grad()
        loss_d = cross_entropy(d(real), 1)
        loss_d.backward()
        fake = g(torch.randn(args.batch, LATENT, 1, 1))
        loss_fake = cross_entropy(d(fake.detach()), 0)
        loss_fake.backward()
        adam_d.step()
        g.zero_grad()
        loss_g = cross_entropy(d(fake), 1)
        loss_g.backward()
        adam_g.step()
        steps += 1
        if steps in args.steps and steps != last:
            write(g, args.out.with_name(f"{args.out.name}-{steps}"))
            g.train()
        if steps % 25 == 0:
            print(f"step {steps}: D {loss_d + loss_fake:.2f} G {loss_g:.2f}", flush=True)
    seconds = time.perf_counter() - start
    images = steps * args.batch
    print(f"{steps} steps, {images:,} images, {images / seconds:.1f} images/s")
    write(g, args.out)


def picture(archive: zipfile.ZipFile, name: str) -> torch.Tensor:
    image = Image.open(io.BytesIO(archive.read(name))).convert("RGB").resize((64, 64))
    return torch.from_numpy(np.asarray(image).transpose(2, 0, 1).copy()).float() / 127.5 - 1


def cross_entropy(logits: torch.Tensor, target: int) -> torch.Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


@torch.no_grad()
def write(g: torch.nn.Module, out: Path) -> None:
    g.eval()
    parts = [g(torch.randn(100, LATENT, 1, 1)) for _ in range(20)]
    images = torch.cat(parts).add(1).mul(127.5).round().clamp(0, 255).byte().numpy()
    save_each((images,), out, seed=0)
    tile(images[:64]).save(out.with_suffix(".png"))


if __name__ == "__main__":
    main()
