"""Settings: the fields that every recipe has, each with its line of help. See ``figment.recipe``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Data, length, generator, and what a run leaves: numbers and choices, every one a flag."""

    resolution: int = 64
    """Pixels a side."""
    channels: int = 3
    """1 for grey, 3 for colour."""
    fit: Literal["crop", "pad", "stretch"] = "crop"
    """How a picture that is not square becomes square."""
    folders: Literal["auto", "classes", "none"] = "auto"
    """What folders and labels of the data are: classes, no classes, or what is plausible."""
    held_out: float = 0.05
    """Share of the pictures that training never sees, for honest scores (none of fewer than 200)."""

    images: int = 1_000_000
    """Length of the training, in real images that are seen, repeats counted."""
    batch: int = 64
    """Batch size: real images per move, over all processes."""
    micro_batch: int = 0
    """Most images that a process sends through a network at once: less memory, the same result but for
    batch norm; 0: all."""
    seed: int = 0
    """Seed of everything random."""

    latent: int = 100
    """Length of the random input vector."""
    ema: int = 10_000
    """Half-life, in images, of the averaged generator that samples are drawn from; 0: no average."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Number format of the networks' products; auto: bfloat16 where it is far faster."""
    compile: bool = False
    """Compile networks and penalties on slopes first, which takes minutes; meant for GPUs."""

    tick: int = 2_000
    """Images between two lines of the log."""
    sample_every: int = 0
    """Images between two sample grids; 0: ever wider apart, each a quarter later than the last."""
    snapshot_every: int = 0
    """Images between two snapshots; 0: ever wider apart, each half as late again as the last."""
    save_every: int = 0
    """Images between two saves of the state for resuming; 0: about once a minute."""
    metrics: tuple[str, ...] = ("kid",)
    """Scores measured during training; by the first of them the best weights are chosen."""
    features: str = "auto"
    """What is compared: auto, efficientnet, mobilenet, patches, inception, dinov2, file:FILE, NAME:FILE."""
    metric_every: int = 0
    """Images between two measurements; 0: as often as a tenth of the time allows."""
    metric_count: int = 1_000
    """Samples a measurement draws."""
    patience: int = 0
    """Stop after so many measurements without a better one; 0: never."""
    on_collapse: Literal["warn", "stop", "rollback"] = "warn"
    """On collapse or relapse: say so, stop, or go back to healthy weights and half the rates."""

    kind: ClassVar[Literal["images", "points"]] = "images"
    """What the family learns: pictures, or points in the plane."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example."""
        return (self.channels, self.resolution, self.resolution)
