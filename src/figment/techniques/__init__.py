"""Techniques: one idea a file, with its fields, what it refuses, what it remembers and adds to a round.

The list is the order in which they act, at each moment at which several do:

- on reals, mirroring before what turns them;
- on what the discriminator sees, augmentation before noise, which it would smooth away, and packing last,
  since nothing after it knows single pictures;
- on networks, norms by class before other norms, spectral norm around whatever layers there are then,
  and what is frozen last;
- on the head, what replaces it (projection) before what compares a batch in front of it, the classifier
  outside;
- on losses, augmentation first: ADA's probability moves by this batch before penalties augment again; then
  the game itself, penalties on slopes, on logits, on classes, on weights.

To add one: a file here, its two lines below, its mathematics in ``penalties``, ``augment`` or ``networks``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from figment.techniques import (
    adversarial,
    augmentation,
    auxiliary_classifier,
    balance,
    clipping,
    conditioning,
    consistency,
    drift,
    feature_matching,
    freeze,
    guidance,
    historical_averaging,
    instance_noise,
    latent_consistency,
    lecam,
    minibatch_discrimination,
    minibatch_stddev,
    mirror,
    normalisation,
    orthogonal,
    packing,
    play,
    replay,
    slopes,
    spectral_norm,
    top_k,
    vision_aided,
)
from figment.techniques.technique import Technique, View

__all__ = ["TECHNIQUES", "Fields", "Technique", "View"]

TECHNIQUES: tuple[Technique[Any], ...] = (
    mirror.Mirror(),
    augmentation.Augmentation(),
    instance_noise.InstanceNoise(),
    packing.Packing(),
    replay.ExperienceReplay(),
    guidance.Guidance(),
    conditioning.Conditioning(),
    normalisation.Normalisation(),
    spectral_norm.SpectralNorm(),
    freeze.Freeze(),
    minibatch_stddev.MinibatchStddev(),
    minibatch_discrimination.MinibatchDiscrimination(),
    play.TakingTurns(),
    balance.Balance(),
    adversarial.Adversarial(),
    top_k.TopK(),
    slopes.Slopes(),
    lecam.LeCam(),
    drift.Drift(),
    consistency.Consistency(),
    feature_matching.FeatureMatching(),
    auxiliary_classifier.AuxiliaryClassifier(),
    latent_consistency.LatentConsistency(),
    vision_aided.VisionAided(),
    orthogonal.Orthogonal(),
    historical_averaging.HistoricalAveraging(),
    clipping.Clipping(),
)


@dataclass(frozen=True, kw_only=True)
class Fields(  # those that read others' fields before these; the last base's are listed first
    vision_aided.Fields,
    guidance.Fields,
    minibatch_stddev.Fields,
    minibatch_discrimination.Fields,
    balance.Fields,
    clipping.Fields,
    historical_averaging.Fields,
    orthogonal.Fields,
    latent_consistency.Fields,
    auxiliary_classifier.Fields,
    feature_matching.Fields,
    top_k.Fields,
    consistency.Fields,
    drift.Fields,
    lecam.Fields,
    replay.Fields,
    slopes.Fields,
    packing.Fields,
    spectral_norm.Fields,
    conditioning.Fields,
    normalisation.Fields,
    freeze.Fields,
    instance_noise.Fields,
    augmentation.Fields,
    mirror.Fields,
    play.Fields,
    adversarial.Fields,
):
    """The fields of all techniques."""

    def lazy(self) -> list[int]:
        """Return the rounds from one to the next in which a technique plays, of each that is on."""
        return [technique.every(self) for technique in TECHNIQUES if technique.on(self)]
