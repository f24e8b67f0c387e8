"""The fifth list of ``benchmarks/unseen.py``: systems and causes that the first four have not.

It was written without a look at the doctor's rules. That each fault is there, and that each healthy
run is healthy, was seen in samples, modes and logs before the doctor was asked.
"""

from __future__ import annotations

from typing import Any

from unseen_cases import LOST, data, fault, healthy
from unseen_faults5 import BLOCKS, FAST, FCC, PAIRED, STACKED

EARLY = "too early to tell"
FAR = "still far from your pictures"
OVERFITTED = "discriminator overfitting | memorisation"
UNEVEN = "mode collapse | partial mode collapse | oscillation"
GROWN: dict[str, Any] = {"resolution": 32, "width": 16, "batch": 16, "latent": 32}
SMALL: dict[str, Any] = {"resolution": 32, "width": 8, "batch": 16}
BIG: dict[str, Any] = BLOCKS | {"latent": 60, "shared": 16, "ema": 5_000}

CASES = (
    fault("ProGAN without its penalty", "unbounded critic", "trucks:1500", "progan", 16_000,
          f"{LOST} | {FAR}", gradient_penalty=0.0, drift=0.0, seed=901, **GROWN),
    fault("97 of 100 pixels dropped", "extreme dropout", "fashion_mnist.zip", "goodfellow", 60_000,
          f"{LOST} | {FAR}", input_dropout=0.97, seed=902),
    fault("both rates x20, R3GAN", "learning rate too high | divergence", "frogs:2000",
          "r3gan", 8_000, f"{LOST} | {FAR}", generator_lr=0.06, discriminator_lr=0.06, seed=903,
          **PAIRED | {"finest": 16}),
    fault("SGD at Adam's rate", "learning rate too low", "signs:2000", "dcgan", 24_000,
          f"{LOST} | {FAR} | generator stands still", optimizer="sgd", seed=904, **SMALL),
    fault("a generator of one channel", "discriminator too strong", "scenes:1500", "stacked-mnist",
          40_000, f"{LOST} | {FAR}", discriminator_moves=4, discriminator_lr=1e-3, seed=905,
          **STACKED | {"width": 1, "discriminator_width": 24}),
    fault("discriminator's rate nothing after 150 rounds", "generator too strong", "signs:2000",
          "unseen_faults5:RETIRED", 24_000, f"{LOST} | {FAR} | learning rate too low", seed=906),
    fault("fakes rounded to whole levels", "generator stands still", "birds:1500",
          "unseen_faults5:ROUNDED", 4_800, f"{LOST} | {FAR}", seed=907),
    fault("normalised twice", "wrong normalisation", "trucks:2000", "unseen_faults5:TWICE", 16_000,
          f"{LOST} | {FAR}", seed=908),
    fault("styles of nothing", "mode collapse", "frogs:1500", "unseen_faults5:UNMAPPED", 4_800,
          f"{LOST} | {FAR}", seed=909),
    fault("bars and crosses never shown", "partial mode collapse | mode collapse", "signs:2000",
          "unseen_faults5:HALVED", 16_000, f"{LOST} | {FAR}", seed=910),
    fault("day, dusk, night: sorted", UNEVEN, "scenes:1500", "unseen_faults5:SORTED", 80_000,
          f"{LOST} | {FAR}", seed=911),
    fault("220 frogs, a fully connected judge", OVERFITTED, "frogs:220", "faces", 32_000,
          LOST, held_out=0.1, discriminator_lr=4e-4, seed=912, resolution=16, batch=16, latent=64),
    fault("3x3 transposed, stride 2", "checkerboard", "scenes:1500", "flowers-64-k3", 16_000,
          f"{FAR} | blurred samples", augment="none", discriminator_moves=2, seed=913, **SMALL),
    fault("out of focus", "blurred samples", "trucks:2000", "unseen_faults5:HAZY", 12_000, FAR,
          seed=914),
    fault("reals turned to grey", "colours missing", "scenes:1500", "unseen_faults5:GREY_REALS",
          8_000, FAR, seed=915),
    fault("AC-GAN, classes for one player", "classes not obeyed", "signs:2000", "acgan", 16_000,
          f"{LOST} | {FAR} | classes swapped", class_loss_generator=0.0, seed=916, **BLOCKS),
    fault("penalty with the wrong sign", "divergence", "birds:2000", "unseen_faults5:WRONG_SIGN",
          48_000, f"{LOST} | {FAR}", seed=917),
    fault("batches of 2, pooled", "tiny batch", "frogs:2000", "fccgan-smooth", 4_000,
          f"{LOST} | {FAR}", seed=918, **FCC | {"batch": 2}),
    fault("18 updates, R3GAN", EARLY, "birds:2000", "r3gan", 288, seed=919,
          **PAIRED | {"finest": 16}),
    data("trucks sent twice: cut, enlarged, warmer", "near repeats", "zoomed:500", "duplicates"),
    data("a camera that looks at one dusk", "near-identical pictures | constant data",
         "webcam:240"),
    data("a ninth of the rings and bars misfiled", "doubtful classes", "misfiled:1200"),
    healthy("ring, relativistic, R1, batches of 512", "ring:35000", "points", 400_000,
            objective="relativistic", r1=0.1, batch=512, seed=952),
    healthy("clothes, variational, fully connected", "fashion_mnist.zip", "vae-mlp", 80_000,
            seed=953),
    healthy("BigGAN, signs by class", "signs:2000", "biggan-small", 20_000, seed=954, **BIG),
    healthy("FastGAN, scenes", "scenes:1500", "fastgan", 5_600, seed=955, **FAST),
    healthy("ring, hinge, R1, wider", "ring:45000", "points", 300_000, objective="hinge", r1=0.1,
            hidden=(256, 256), seed=956),
    healthy("scenes, R1, nearest", "scenes:1500", "dcgan", 20_000, r1=1.0, real_target=1.0,
            up="nearest", ema=2_000, seed=957, **SMALL),
    healthy("autoencoder with a fitted normal, digits", "mnist.zip", "ae", 24_000, seed=958,
            resolution=32, width=8, batch=32),
    data("signs by class, looked at", "", "signs:1000"),
    data("scenes by class, looked at", "", "scenes:900"),
    data("frogs, looked at", "", "frogs:700"),
)  # fmt: skip
