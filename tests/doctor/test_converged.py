"""Which scores may say that a training has converged."""

from __future__ import annotations

import pytest

from figment.doctor.diagnosis import diagnose


@pytest.mark.parametrize(("features", "name"), [("mobilenet", "converged"), ("small", "healthy")])
def test_random_features_do_not_say_converged(features: str, name: str):
    signs = {"watch/distance": 0.08, "watch/diversity": 1.0, "watch/spacing": 1.0}
    signs |= {"watch/look_alikes": 0.0, "watch/missing": 0.0, "watch/movement": 0.3}
    signs |= {"loss/discriminator": 1.0, "loss/generator": 1.2, "gradient/generator": 1.0}
    log = [
        {"images": 32_000 * n, "rounds": 1_000 * n, "metric/kid": max(1.0, 9.0 - n), **signs}
        for n in range(1, 31)
    ]
    found = diagnose(
        log, {"features": features, "batch": 32}, {"count": 4_000, "shape": [3, 32, 32]}
    )
    assert found[0].name == name
