"""Drawing from runs: a run folder or a snapshot file, opened, and what is made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from figment.errors import UserError
from figment.run import Run, images_of
from figment.sampling.evolve import Moment
from figment.sampling.generator import Generator, load_generator
from figment.training.devices import choose_device


def generator_at(path: str | Path, device: str = "auto") -> Generator:
    """Return the generator of a run folder (its best, or else its latest) or of a snapshot file."""
    return load_generator(_weights(Path(path)), choose_device(device))


def sample(path: str | Path, *, out: Path | None = None, device: str = "auto", **how: Any) -> str:
    """Draw pictures of a run folder or a snapshot file into ``out``; return what was written where.

    ``how`` is that of ``figment.sampling.sample.write_samples``. Without ``out`` a grid goes into the run.
    """
    from figment.sampling.sample import write_samples

    named = "" if how.get("label") is None else f"-{how['label'].replace('/', '-')}"
    out = out or _home(Path(path)) / f"sample{named}-{how.get('seed', 0)}.png"
    return write_samples(generator_at(path, device), out, **how)


def enlarge(
    path: str | Path,
    *,
    out: Path | None,
    label: str | None = None,
    device: str = "auto",
    **how: Any,
) -> str:
    """Write an enlarged set of a run's classes, compared with its data; return what was written where.

    ``how`` is that of ``figment.sampling.enlarge.enlarge``. Raises UserError where there is no folder to
    write to or the run's data are gone.
    """
    from figment.judging.scorer import extractor_for
    from figment.sampling.enlarge import enlarge, known

    if out is None:
        raise UserError("an enlarged set needs a place: give --out DIR")
    run, generator = Run(_run_of(Path(path))), generator_at(path, device)
    dataset, rows = run.training_data()
    extractor = extractor_for("images", run.recipe.features, str(choose_device(device)))
    if extractor is None or run.recipe.kind == "points":
        raise UserError("points are no pictures: `figment sample RUN --out FILE.npy` writes them")
    return enlarge(generator, out, known(extractor, dataset.rows, rows), label=label, **how)


def project(
    path: str | Path,
    picture: Path,
    *,
    out: Path | None = None,
    features: str = "auto",
    label: str | None = None,
    device: str = "auto",
    **how: Any,
) -> str:
    """Find a picture's latent; write the pair and the latent into ``out``; return what was found.

    ``how`` is that of ``figment.sampling.project.project``.
    """
    from figment.judging.scorer import extractor_for
    from figment.sampling.project import perceiver, project, read_target, write

    generator = generator_at(path, device)
    place = choose_device(device)
    target = read_target(picture, generator.recipe).to(place)
    extractor = extractor_for(generator.recipe.kind, features, str(place))
    if extractor is None:
        raise UserError("points have no pictures to look for: give a run of pictures")
    number = None if label is None else generator.numbered(label)
    perceive = perceiver(extractor)
    found = project(generator, target, perceive, label=number, progress=True, **how)
    out = out or _home(Path(path)) / "projection"
    return write(found, generator, target, picture, out, extractor.name)


def moments(path: str | Path, device: str = "auto") -> list[Moment]:
    """Return a run's snapshots in order: images seen, and what opens the generator of that time."""
    place = choose_device(device)
    found = sorted((Run(path).path / "snapshots").glob("*.safetensors"))
    return [(images_of(file) or 0, lambda file=file: load_generator(file, place)) for file in found]


def _weights(path: Path) -> Path:
    return path if path.is_file() else Run(path).weights()


def _home(path: Path) -> Path:
    return path.parent if path.is_file() else path


def _run_of(path: Path) -> Path:
    """The run that a snapshot file lies in."""
    return path.parent.parent if path.is_file() and path.parent.name == "snapshots" else _home(path)
