"""A server with small limits, of a slow run and one of large pictures, for a process of its own."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from asking import PLAIN, write_run

from figment.recipe import with_fields
from figment.recipes import SYSTEMS
from figment.serve import kept
from figment.serve.limits import Limits
from figment.serve.models import How, open_models
from figment.serve.server import run

kept.directions = lambda generator: []
LIMITS = Limits(head_seconds=1.0, stalled_seconds=1.0, connections=20, stop_seconds=0.5)


class Sleepy:
    """Takes a third of a second for a batch."""

    name = "sleepy"

    def __init__(self, engine) -> None:
        self.engine = engine

    def draw(self, wanted):
        import time

        time.sleep(0.3)
        return self.engine.draw(wanted)


if __name__ == "__main__":
    recipe = with_fields(SYSTEMS["dcgan"].recipe, {"resolution": 64, "width": 8})
    large = write_run(Path(tempfile.mkdtemp()) / "large", "dcgan", recipe)
    models = open_models([PLAIN, large], How(engine="torch", device="cpu"))
    model = models["dcgan"]
    assert model.opened is not None
    model.opened.engine = Sleepy(model.opened.engine)
    model.opened.cost = 0.3
    run(models, host="127.0.0.1", port=0, limits=LIMITS, hosts=tuple(sys.argv[1:]))
