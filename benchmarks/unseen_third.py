"""The third list of ``benchmarks/unseen.py``: sets, systems, seeds and sizes that neither other list has.

It was written without a look at the doctor's rules. That each fault is there, and that each healthy run
is healthy, was seen in samples, scores and logs before the doctor was asked.
"""

from __future__ import annotations

from typing import Any

from unseen_cases import LOST, SCORED, data, fault, healthy
from unseen_faults3 import CONNECTED, SMALL

EARLY = "too early to tell"
FAR = "still far from your pictures"
FAR_POINTS = "still far from your points"
OVERFITTED = "discriminator overfitting | memorisation"
SHARED: dict[str, Any] = {"width": 12, "batch": 32, "discriminator_moves": 2}

CASES = (
    fault("WGAN-GP without its penalty", "unbounded critic", "flowers:1500", "flowers-28", 12_000,
          LOST, gradient_penalty=0.0, seed=501, **SHARED),
    fault("dropout .97, few-shot", "extreme dropout", "kittens:600", "few-shot", 16_000, LOST,
          dropout=0.97, seed=502, **SMALL | {"width": 12}),
    fault("both rates x200, three layers", "learning rate too high", "sketches:900",
          "stacked-mnist", 12_000, LOST, generator_lr=2e-2, discriminator_lr=4e-2, seed=503, batch=32),
    fault("both rates /200, cats in colour", "learning rate too low", "kittens:700", "cats-mlp",
          32_000, f"{LOST} | {FAR}", generator_lr=1e-6, discriminator_lr=1e-6, seed=504, **CONNECTED),
    fault("betas .99 and .9, ring", "divergence | learning rate too high",
          "ring:20000", "points", 300_000, f"{LOST} | {FAR_POINTS}",
          betas=(0.99, 0.9), seed=505),
    fault("no gradient to the generator, fully connected", "generator stands still", "kittens:700",
          "unseen_faults3:CUT", 24_000, f"{LOST} | {FAR}", seed=506),
    fault("reals from 0 to 1", "wrong normalisation", "kittens:900", "unseen_faults3:POSITIVE",
          14_000, LOST, seed=507),
    fault("45 cats, 300 passes", OVERFITTED, "kittens:45", "dcgan", 14_000, f"{LOST} | near-empty data",
          seed=508, **SMALL),
    fault("digits at 16 px, fully connected", "mode collapse", "digits:3000", "cats-mlp", 64_000,
          LOST, seed=605, channels=1, **CONNECTED),
    fault("five of the ring's eight", "partial mode collapse", "ring:30000", "unseen_faults3:UPPER",
          300_000, "mode collapse", seed=510),
    fault("studs", "checkerboard", "kittens:800", "unseen_faults3:STUDDED", 8_000,
          f"{FAR} | blurred samples", seed=511),
    fault("red, green, blue: each told as the next", "classes swapped", "lamps:900",
          "unseen_faults3:ROTATED", 16_000, "classes not obeyed", seed=512),
    fault("one mode at a time", "oscillation | mode collapse", "ring:40000", "unseen_faults3:CHASED",
          300_000, f"{LOST} | {FAR_POINTS}", generator_lr=1e-3, seed=513),
    fault("twelve sketches", "near-empty data", "sketches:12", "cats-mlp", 12_000,
          f"{LOST} | {OVERFITTED}", seed=514, **CONNECTED),
    fault("15 updates, few-shot", EARLY, "kittens:600", "few-shot", 480, seed=515, **SMALL),
    fault("far still, FCC-GAN, scored", FAR, "kittens:1200", "fccgan", 6_000,
          f"{EARLY} | blurred samples | checkerboard | colours missing", seed=516, width=8, batch=32,
          **SCORED),
    data("moved by a pixel and dimmed", "near repeats", "moved:300", "duplicates"),
    data("one photograph, 200 times", "near-identical pictures | constant data", "portrait:200"),
    data("grey cats in colour", "grey pictures in colour", "greycats:500"),
    data("noise of three values, 16 px", "noise for data", "static:350"),
    healthy("ring, relativistic, R1", "ring:30000", "points", 300_000, objective="relativistic",
            r1=0.1, seed=601),
    healthy("ring, least squares, wider", "ring:50000", "points", 300_000,
            objective="least_squares", hidden=(256, 256), seed=603),
    healthy("clothes at 16 px, three layers", "clothes:300", "stacked-mnist", 40_000, seed=604,
            resolution=16, batch=64, width=16, discriminator_width=12),
    healthy("lamps, least squares", "lamps:2000", "dcgan", 14_000, objective="least_squares",
            real_target=1.0, up="nearest", generator_lr=4e-4, discriminator_lr=4e-4, seed=605,
            **SMALL),
    healthy("lamps by class, few-shot", "lamps:1200", "few-shot", 16_000, seed=606, **SMALL),
    healthy("ring, hinge, R1, batches of 128", "ring:25000", "points", 200_000, objective="hinge",
            r1=0.05, batch=128, seed=607),
    healthy("clothes by class, few-shot", "clothes:200", "few-shot", 18_000, seed=608, **SMALL),
    data("animals and machines, looked at", "", "animals:60"),
    data("clothes by class, looked at", "", "clothes:80"),
    data("cats, looked at", "", "kittens:450"),
)  # fmt: skip
