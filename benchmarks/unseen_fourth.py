"""The fourth list of ``benchmarks/unseen.py``: faults as users meet them, in runs long enough to show them.

Sets, systems, seeds and causes are others than in the first three lists, where there are others. It
was written without a look at the doctor's rules. That each fault is there, and that each healthy run is
healthy, was seen in samples, modes and logs before the doctor was asked.
"""

from __future__ import annotations

from typing import Any

from unseen_cases import LOST, data, fault, healthy
from unseen_faults4 import BLOCKS, SMALL, STACKED

EARLY = "too early to tell"
FAR = "still far from your pictures"
FAR_POINTS = "still far from your points"
OVERFITTED = "discriminator overfitting | memorisation"
UNEVEN = "mode collapse | partial mode collapse | oscillation"
CRITIC: dict[str, Any] = {"objective": "wasserstein", "spectral_norm": "none"}
FCC: dict[str, Any] = {"resolution": 32, "width": 8, "batch": 16}
WIDE: dict[str, Any] = {"resolution": 32, "width": 12, "batch": 32}
STEADY: dict[str, Any] = {
    "objective": "relativistic",
    "r1": 0.5,
    "r2": 0.5,
    "betas": (0.0, 0.99),
    "latent": 32,
    "generator_lr": 1e-3,
    "discriminator_lr": 1e-3,
}

CASES = (
    fault("one picture a class", "mode collapse", "clothes:300", "unseen_faults4:ONE_EACH", 20_000,
          LOST, seed=701),
    fault("digits 4 to 9 never shown", "partial mode collapse | mode collapse", "mnist.zip",
          "unseen_faults4:UNSEEN", 48_000, LOST, seed=702, channels=1),
    fault("clothes in order, never shuffled", UNEVEN, "clothes:400", "unseen_faults4:IN_ORDER", 20_000,
          f"{LOST} | {FAR}", ema=0, seed=703),
    fault("eight moves at ten times the rate", "discriminator too strong", "blooms:800",
          "fccgan-baseline", 64_000, f"{LOST} | learning rate too high", discriminator_moves=8,
          discriminator_lr=1e-3, seed=704, **FCC),
    fault("discriminator's rate /300", "generator too strong | learning rate too low", "horses:900",
          "fccgan-baseline", 20_000, f"{LOST} | {FAR}", discriminator_lr=3e-7, generator_lr=4e-4,
          seed=705, **FCC),
    fault("both rates x150, spectral norm", "learning rate too high", "ships:900", "sngan", 24_000,
          LOST, generator_lr=3e-2, discriminator_lr=3e-2, discriminator_moves=1, seed=706, **BLOCKS),
    fault("both rates /250, 5x5 kernels", "learning rate too low", "glyphs:1200", "dcgan-radford",
          16_000, f"{LOST} | {FAR}", generator_lr=8e-7, discriminator_lr=8e-7, seed=707, **SMALL),
    fault("WGAN with neither penalty nor norm", "unbounded critic", "horses:900", "sngan", 24_000,
          LOST, discriminator_moves=2, seed=708, **BLOCKS | CRITIC),
    fault("dropout .98, faces", "extreme dropout", "blooms:800", "faces", 32_000, LOST, dropout=0.98,
          seed=709, resolution=32, batch=32, latent=64),
    fault("reals from 0 to 255", "wrong normalisation", "ships:900", "unseen_faults4:BYTES", 16_000,
          LOST, seed=710),
    fault("negatives", "wrong normalisation", "cats64.zip", "unseen_faults4:INVERTED", 24_000, LOST,
          seed=711),
    fault("colours in another order", "wrong normalisation", "flowers", "unseen_faults4:CYCLED",
          24_000, LOST, seed=712),
    fault("40 letters, 1,000 passes", OVERFITTED, "glyphs:40", "dcgan", 40_000,
          f"{LOST} | near-empty data", up="nearest", generator_lr=4e-4, discriminator_lr=4e-4,
          seed=713, **SMALL | {"width": 16}),
    fault("squares of two pixels", "checkerboard", "glyphs:1200", "unseen_faults4:TILED", 20_000,
          f"{LOST} | {FAR} | blurred samples", seed=714),
    fault("digits told from the last to the first", "classes swapped", "mnist.zip",
          "unseen_faults4:MIRRORED", 24_000, "classes not obeyed", seed=735),
    fault("always the first letter", "classes not obeyed", "glyphs:1200",
          "unseen_faults4:ALWAYS_FIRST", 24_000, LOST, seed=716),
    fault("twelve photographs of flowers", "near-empty data", "blooms:12", "stacked-mnist", 32_000,
          f"{LOST} | {OVERFITTED}", seed=717, **STACKED),
    fault("the generator's loss on reals", "generator stands still", "horses:900",
          "unseen_faults4:ON_REALS", 16_000, f"{LOST} | {FAR}", seed=718),
    fault("rates that grow", "divergence | learning rate too high", "ships:900",
          "unseen_faults4:RISING", 96_000, LOST, seed=719),
    fault("25 updates, FCC-GAN's baseline", EARLY, "horses:900", "fccgan-baseline", 400, seed=720,
          **FCC),
    fault("ring, latents of 8", "partial mode collapse | mode collapse", "ring:35000", "points",
          1_000_000, f"{LOST} | {FAR_POINTS}", latent=8, seed=826),
    data("noise, saved as JPEG", "noise for data", "hiss:300"),
    data("cars sent twice: JPEG and moved", "near repeats", "resent:600"),
    data("a cat, filmed by a shaking hand", "near-identical pictures | constant data", "frames:250"),
    data("flowers from the darkroom", "grey pictures in colour", "darkroom:450"),
    data("one colour, 150 times", "constant data", "blank:150",
         "near-identical pictures | duplicates | grey pictures in colour"),
    healthy("digits by class, few-shot", "mnist.zip", "few-shot", 24_000, seed=811,
            **SMALL | {"width": 16}),
    healthy("drawn flowers, hinge, nearest", "flowers", "dcgan", 24_000, objective="hinge",
            real_target=1.0, up="nearest", generator_lr=4e-4, discriminator_lr=4e-4, seed=812, **SMALL),
    healthy("digits, historical averaging", "mnist.zip", "dcgan-historical", 24_000, seed=803, **SMALL),
    healthy("drawn flowers, replay, noise, no strides", "flowers", "fccgan-baseline-aided", 24_000,
            seed=814, instance_noise_images=12_000, up="nearest", down="pooled", **FCC),
    healthy("digits, variational, fully connected", "mnist.zip", "vae-mlp", 120_000, seed=815),
    healthy("ring, relativistic, R1 + R2", "ring:35000", "points", 400_000, seed=836, **STEADY),
    healthy("drawn flowers by class, few-shot", "flowers", "few-shot", 24_000, seed=838, **SMALL),
    data("letters, looked at", "", "glyphs:800"),
    data("horses, looked at", "", "horses:500"),
    data("photographs of flowers, looked at", "", "blooms:800"),
)  # fmt: skip
