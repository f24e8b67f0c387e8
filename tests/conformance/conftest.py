"""What spares every system's conformance tests work that they do not look at."""

from __future__ import annotations

import pytest

from figment.training import average


@pytest.fixture(autouse=True)
def few_standing_statistics(monkeypatch: pytest.MonkeyPatch):
    """Batches here are of four: a thousand latents were most of what these tests took."""
    monkeypatch.setattr(average, "STANDING", 64)
