"""The sixth list of ``benchmarks/unseen.py``: mistakes of notebooks, forums and issue trackers.

It was written without a look at the doctor's rules. That each fault is there, and that each healthy
run is healthy, was seen in samples, modes and logs before the doctor was asked.
"""

from __future__ import annotations

from typing import Any

from unseen_cases import LOST, data, fault, healthy
from unseen_faults6 import BLOCKS, FCC, GROWN, SMALL

EARLY = "too early to tell"
FAR = "still far from your pictures"
OVERFITTED = "discriminator overfitting | memorisation"
FEW_KINDS = "mode collapse | partial mode collapse"
STYLED: dict[str, Any] = {"resolution": 32, "width": 16, "batch": 8, "latent": 32}

CASES = (
    fault("a keep probability taken for dropout", "extreme dropout", "mnist.zip", "goodfellow",
          70_000, f"{LOST} | {FAR}", dropout=0.95, seed=1001),
    fault("generator's loss with the wrong sign", "discriminator too strong | mode collapse",
          "planes:1500", "unseen_faults6:WRONG_WAY", 24_000, f"{LOST} | {FAR}", seed=1002),
    fault("an optimiser that holds a copy", "generator stands still", "fish:1500",
          "unseen_faults6:COPIED", 40_000, f"{LOST} | {FAR}", seed=1003),
    fault("normalised by ImageNet's numbers", "wrong normalisation", "frontal:2000",
          "unseen_faults6:IMAGENET", 24_000, f"{LOST} | {FAR}", seed=1004),
    fault("reshaped instead of transposed",
          "wrong normalisation | checkerboard | colours missing", "dandelions:450",
          "unseen_faults6:RESHAPED", 20_000, f"{LOST} | {FAR}", seed=1005),
    fault("pictures shuffled, labels not", "classes not obeyed", "moods:1800",
          "unseen_faults6:UNPAIRED", 24_000, f"{FAR} | classes swapped | class not obeyed", seed=1006),
    fault("one class too few", "class missing | partial mode collapse", "fruit:1600",
          "unseen_faults6:SKIPPING", 16_000, f"{FAR} | mode collapse", seed=1008),
    fault("both rates x100, self-attention", "learning rate too high", "houses:1500", "sagan",
          20_000, f"{LOST} | {FAR}", generator_lr=1e-2, discriminator_lr=4e-2, attend=8, seed=1009,
          **BLOCKS),
    fault("rates that fall every batch", "learning rate too low | generator stands still",
          "deer:1500", "unseen_faults6:FADING", 40_000, f"{LOST} | {FAR}", seed=1010),
    fault("penalty without a graph",
          "unbounded critic | divergence | discriminator too strong", "moods:1500",
          "unseen_faults6:GRAPHLESS", 32_000, f"{LOST} | {FAR}", seed=1011),
    fault("discriminator never steps", "generator too strong", "fish:1500",
          "unseen_faults6:STEPLESS", 20_000, f"{LOST} | {FAR} | learning rate too low", seed=1012),
    fault("latents of one number", FEW_KINDS, "fish:2000", "dcgan", 24_000, f"{LOST} | {FAR}",
          latent=1, up="nearest", seed=1013, **SMALL),
    fault("230 deer, no augmentation", OVERFITTED, "deer:230", "sngan", 40_000, f"{LOST} | {FAR}",
          held_out=0.1, seed=1014, **BLOCKS | {"discriminator_width": 32}),
    fault("seams between patches", "checkerboard", "houses:1500", "unseen_faults6:SEAMED", 20_000,
          f"{FAR} | blurred samples", seed=1015),
    fault("an L1 loss to other pictures", f"{FEW_KINDS} | blurred samples | discriminator too strong",
          "frontal:2000", "unseen_faults6:PULLED", 20_000, f"{LOST} | {FAR} | colours missing", seed=1016),
    fault("a divergence far too heavy", f"{FEW_KINDS} | blurred samples", "shoes:1200", "vae",
          40_000, FAR, beta=300.0, seed=1017, resolution=32, width=8, batch=32),
    fault("a generator of one channel, repeated", "colours missing | discriminator too strong",
          "moods:1500", "unseen_faults6:ONE_CHANNEL", 16_000, f"{LOST} | {FAR}", seed=1018),
    fault("gradients never zeroed", "divergence | oscillation | learning rate too high",
          "shoes:1200", "unseen_faults6:UNZEROED", 80_000, f"{LOST} | {FAR}", seed=1019),
    fault("24 updates, StyleGAN2", EARLY, "houses:1500", "stylegan2", 192, seed=1020, **STYLED),
    data("scans without contrast", "pale data", "washed:500"),
    data("a seventh that did not arrive", "broken, flat pictures", "broken:560"),
    data("bursts of six frames", "near repeats", "bursts:80", "near-identical pictures"),
    healthy("shoes, spectral norm", "shoes:2000", "sngan", 40_000, rate_decay=0.5, seed=1051,
            **BLOCKS | {"batch": 32}),
    healthy("ProGAN, clothes at 16 px", "fashion_mnist.zip", "progan", 32_000, seed=1052,
            **GROWN | {"resolution": 16}),
    healthy("WGAN-GP of residual blocks, digits", "mnist.zip", "resnet-wgan-gp", 32_000,
            rate_decay=0.5, seed=1054, **BLOCKS | {"discriminator_moves": 2}),
    healthy("fruit by class, few-shot", "fruit:2400", "few-shot", 32_000, seed=1056,
            **SMALL | {"width": 12}),
    healthy("a variational autoencoder, digits", "mnist.zip", "vae", 40_000, seed=1057,
            resolution=32, width=8, batch=32),
    healthy("flow matching, moods", "moods:2000", "flow-matching", 40_000, seed=1058, resolution=16,
            width=16, batch=32),
    healthy("ring, relativistic, R1 + R2, wider", "ring:60000", "points", 600_000,
            objective="relativistic", r1=0.5, r2=0.5, betas=(0.0, 0.99), latent=64,
            hidden=(192, 192), generator_lr=1e-3, discriminator_lr=1e-3, seed=1063),
    healthy("houses, R1, nearest", "houses:2000", "dcgan", 28_000, r1=1.0, real_target=1.0,
            up="nearest", generator_lr=4e-4, discriminator_lr=4e-4, ema=3_000, seed=1061,
            **SMALL | {"width": 12}),
    healthy("fruit, fully convolutional, hinge", "fruit:2000", "fccgan-smooth", 20_000,
            objective="hinge", spectral_norm="discriminator", generator_lr=2e-4,
            discriminator_lr=2e-4, seed=1060, **FCC),
    data("moods by class, looked at", "", "moods:900"),
    data("cats that look into the camera, looked at", "", "frontal:800"),
    data("planes, looked at", "", "planes:600"),
)  # fmt: skip
