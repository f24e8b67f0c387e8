"""Runs, opened: their generator, log, report, and going on with them."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figment.errors import UserError

if TYPE_CHECKING:
    from figment.sampling.generator import Generator


class Run:
    """A run folder, opened."""

    def __init__(self, path: str | Path, *, stopped_by: int = 0) -> None:
        from figment.training import folder

        self.path = Path(path)
        self.stopped_by = stopped_by
        self.name, self.recipe, self.machine = folder.read(self.path)

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, recipe {self.name})"

    @cached_property
    def generator(self) -> Generator:
        """The best generator of the run, or else the latest: ``run.generator.sample(16)``."""
        from figment.sampling.generator import load_generator
        from figment.training.devices import choose_device

        return load_generator(self.weights(), choose_device())

    def weights(self) -> Path:
        """Return the file that samples are drawn from. Raises UserError where there is none yet."""
        best = self.path / "best.safetensors"
        snapshots = sorted((self.path / "snapshots").glob("*.safetensors"))
        if best.exists():
            return best
        if not snapshots:
            raise UserError(
                f"{self.path} has no snapshot yet: `figment resume {self.path}` goes on to the first"
            )
        return snapshots[-1]

    def log(self) -> list[dict]:
        """Return the lines of the log."""
        from figment.training.log import read_log

        return read_log(self.path)

    def report(self) -> Path:
        """Write the run's report and model card; return the report's path."""
        from figment.report.card import write_card
        from figment.report.page import write_report

        write_card(self.path)
        return write_report(self.path)


def load(path: str | Path) -> Run:
    """Return the run in a folder. Raises UserError if there is none."""
    return Run(path)


def sample(path: str | Path, *, out: Path | None = None, device: str = "auto", **how: Any) -> str:
    """Draw pictures of a run folder or a snapshot file into ``out``; return what was written where.

    ``how`` is that of ``figment.sampling.sample.draw``. Without ``out`` a grid goes into the run.
    """
    from figment.sampling.generator import load_generator
    from figment.sampling.sample import draw
    from figment.training.devices import choose_device

    path = Path(path)
    weights = path if path.is_file() else Run(path).weights()
    home = path.parent if path.is_file() else path
    generator = load_generator(weights, choose_device(device))
    return draw(generator, out or home / f"sample-{how.get('seed', 0)}.png", **how)
