"""What ``figment sample``, ``walk``, ``truncate``, ``evolve`` and ``project`` do.

Each opens a run folder or a snapshot file and returns what it wrote where, as a sentence. The drawing
itself is in ``figment.sampling``, a file a command.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figment import mesh
from figment.errors import UserError
from figment.files import keep_others
from figment.opened import generator_at, moments
from figment.run import Run
from figment.training import folder

if TYPE_CHECKING:
    from figment.sampling.generator import Generator
    from figment.sampling.walk import Stops


def sample(
    path: str | Path,
    *,
    out: Path | None = None,
    format: str | None = None,
    shards: int | None = None,
    steps: int | None = None,
    device: str = "auto",
    trust: bool = False,
    overwrite: bool = False,
    **how: Any,
) -> str:
    """Draw pictures into ``out``, without it as a grid into the run; all processes together.

    A folder gets a file a picture or, where ``format``, ``shards`` or a large count ask for them, shards.
    ``how`` is that of ``figment.sampling.sample.write_samples``. Raises UserError where a file is there
    that figment did not write, unless it is to ``overwrite``: so do all of these.
    """
    from figment.sampling.sample import files_of, form_of, write_samples
    from figment.sampling.shards import refuse_shards
    from figment.training.devices import choose_device, set_up

    form = form_of(out, format, shards, how.get("count"))
    named = how if steps is None else {**how, "steps": steps}
    out = out or _drawing(path, "sample", ".png", named)
    set_up(choose_device(device))  # repeatable, to the byte
    with mesh.together(choose_device(device)):
        if form in ("wds", "parquet"):
            if steps is not None:
                raise UserError("shards are drawn as the run says: leave --steps out")
            how |= {"out": out, "form": form, "shards": shards}
            return _sharded(path, device, trust, overwrite, how)
        generator = generator_at(path, device, trust=trust)
        generator = generator if steps is None else generator.in_steps(steps)
        how["count"] = generator.usual_count if how.get("count") is None else how["count"]
        refuse_shards(out)
        keep_others(files_of(out, how["count"], how.get("seed", 0)), overwrite)
        return write_samples(generator, out, **how) + _untrained(path)


def _untrained(path: str | Path) -> str:
    """Return what is to be said of weights that are as they were drawn, "" of those that have learned."""
    weights = Path(path) if Path(path).is_file() else folder.weights_of(Path(path))
    return "; nothing has been trained yet (0 images)" if folder.images_of(weights) == 0 else ""


def mix(
    path: str | Path,
    out: Path | None = None,
    *,
    mix_layers: Sequence[int] = (),
    device: str = "auto",
    trust: bool = False,
    overwrite: bool = False,
    **how: Any,
) -> str:
    """Write the table of style mixing, without ``out`` as a picture in the run.

    ``how`` is that of ``figment.sampling.styles.mixing_table``.
    """
    from figment.sampling.styles import mixing_table

    how = {name: value for name, value in how.items() if value is not None}
    out = out or _drawing(path, "styles", ".png", {**how, "layers": mix_layers})
    keep_others([out], overwrite)
    return mixing_table(generator_at(path, device, trust=trust), out, layers=mix_layers, **how)


def _sharded(
    path: str | Path, device: str, trust: bool, overwrite: bool, how: dict[str, Any]
) -> str:
    """Draw pictures into shards; ``how`` is that of ``figment.sampling.shards.ordered``."""
    from figment.metrics.features.weights import sha256
    from figment.sampling.shards import ordered, write_shards

    weights = Path(path)
    if not weights.is_file():
        folder.read(weights)  # where it is no run, that is what is wrong
        weights = folder.weights_of(weights)
    generator = generator_at(weights, device, trust=trust)
    if how.get("count") is None:
        how["count"] = generator.usual_count
    order = ordered(weights=sha256(weights), **how)
    return write_shards(generator, order, overwrite=overwrite)


def enlarge(
    path: str | Path,
    *,
    out: Path | None,
    label: str | None = None,
    device: str = "auto",
    trust: bool = False,
    **how: Any,
) -> str:
    """Write an enlarged set of a run's classes, compared with its data.

    ``how`` is that of ``figment.sampling.enlarge.enlarge``. Raises UserError where there is no folder to
    write to or the run's data are gone.
    """
    from figment.judging.scorer import extractor_for
    from figment.sampling.enlarge import enlarge, known
    from figment.sampling.generator import check_truncation
    from figment.training.devices import choose_device

    if out is None:
        raise UserError("an enlarged set needs a place: give --out DIR")
    run = Run(_run_of(Path(path)), trust=trust)
    check_truncation(how.get("truncation"))
    generator = generator_at(path, device, trust=trust)
    dataset, rows = run.training_data()
    extractor = extractor_for("images", run.recipe.features, str(choose_device(device)))
    if extractor is None or run.recipe.kind == "points":
        raise UserError("points are no pictures: `figment sample RUN --out FILE.npy` writes them")
    return enlarge(generator, out, known(extractor, dataset.rows, rows), label=label, **how)


def walk(
    path: str | Path,
    out: Path | None = None,
    *,
    device: str = "auto",
    trust: bool = False,
    overwrite: bool = False,
    **how: Any,
) -> str:
    """Write a film of a walk, without ``out`` a GIF into the run.

    ``how`` is that of ``figment.sampling.walk.walk``, but that ``between`` names files of pictures.
    """
    from figment.sampling.walk import walk

    pictures: Sequence[Path] = how.pop("between", ())
    out = out or _drawing(path, "walk", ".gif", how | {"between": [p.stem for p in pictures]})
    keep_others([out], overwrite)
    generator = generator_at(path, device, trust=trust)
    if pictures:
        how["between"] = _places(generator, pictures, device, how)
    return walk(generator, out, **how)


def _places(
    generator: Generator, pictures: Sequence[Path], device: str, how: dict[str, Any]
) -> Stops:
    """Return where a walk stops that passes by what is nearest to pictures.

    Raises UserError where something else says the stops, too.
    """
    import torch

    from figment.judging.scorer import extractor_for
    from figment.sampling.project import perceiver, project
    from figment.sampling.project_files import read_target
    from figment.training.devices import choose_device

    if len(pictures) < 2:
        raise UserError("a walk needs two stops: name two pictures or more after --between")
    if how.get("classes") or how.get("truncation") is not None or _said(how, "walk", "seeds"):
        raise UserError(
            "the pictures say where to walk: leave --seeds, --classes, --truncation out"
        )
    place = choose_device(device)
    extractor = extractor_for(generator.recipe.kind, "auto", str(place))
    if extractor is None:
        raise UserError("points have no pictures to look for: give a run of pictures")
    targets = [read_target(picture, generator.recipe).to(place) for picture in pictures]
    found = [project(generator, one, perceiver(extractor), progress=True) for one in targets]
    latents = torch.stack([one.latent for one in found])
    labels = [one.label for one in found if one.label is not None]
    return latents, torch.eye(len(generator.classes))[labels] if labels else None


def _said(how: dict[str, Any], what: str, *names: str) -> bool:
    """Return whether any of these choices is another than the command's usual one."""
    return any(how.get(name, USUAL[what][name]) != USUAL[what][name] for name in names)


def truncate(
    path: str | Path,
    out: Path | None = None,
    *,
    values: Sequence[str] = (),
    device: str = "auto",
    trust: bool = False,
    overwrite: bool = False,
    **how: Any,
) -> str:
    """Write rows of the same latents, each cut off at one of the values, numbers or none.

    Without ``out`` as a picture in the run; without ``values`` at those that suit what is truncated.

    ``how`` is that of ``figment.sampling.truncate.truncate``.
    """
    from figment.sampling.truncate import threshold, truncate

    cuts = [threshold(value) for value in values]
    out = out or _drawing(path, "truncate", ".png", {**how, "values": values})
    keep_others([out], overwrite)
    return truncate(generator_at(path, device, trust=trust), out, values=cuts, **how)


def evolve(
    run: str | Path,
    out: Path | None = None,
    *,
    device: str = "auto",
    trust: bool = False,
    overwrite: bool = False,
    **how: Any,
) -> str:
    """Write the same latents through a training, without ``out`` as a strip in the run.

    ``how`` is that of ``figment.sampling.evolve.evolve``.
    """
    from figment.sampling.evolve import evolve

    out = out or _drawing(run, "evolve", ".png", how, folder.snapshots_of(Path(run))[-1:])
    keep_others([out], overwrite)
    return evolve(moments(run, device, trust=trust), out, **how)


def project(
    path: str | Path,
    picture: Path,
    *,
    out: Path | None = None,
    features: str = "auto",
    label: str | None = None,
    space: str = "auto",
    noise: bool = False,
    device: str = "auto",
    trust: bool = False,
    overwrite: bool = False,
    **how: Any,
) -> str:
    """Find a picture's latent, or its styles where there are any; write the pair and these into ``out``.

    ``how`` is that of ``figment.sampling.project.project``.
    """
    from figment.judging.scorer import extractor_for
    from figment.sampling.pictures import PICTURE_ENDINGS
    from figment.sampling.project import perceiver, project, refuse_found
    from figment.sampling.project_files import files_of, read_target, write
    from figment.sampling.project_styles import project_styles, space_of
    from figment.training.devices import choose_device

    if out is None:
        folder.refuse_links(_run_of(Path(path)))
        chosen = {**how, "label": label, "picture": picture.stem, "space": space}
        chosen |= {"noise": "noise" if noise else None}
        out = _drawing(path, "projection", "", chosen)
    if out.suffix.lower() in PICTURE_ENDINGS and not out.exists():
        raise UserError(f"{out} names a picture, and --out the folder for a pair and its latent")
    there = next((place for place in (out, *out.parents) if place.exists()), None)
    if there is not None and not there.is_dir():
        raise UserError(f"{there} is a file, and --out the folder for a pair and its latent")
    keep_others(files_of(picture, out), overwrite)
    generator = generator_at(path, device, trust=trust)
    place = choose_device(device)
    target = read_target(picture, generator.recipe).to(place)
    extractor = extractor_for(generator.recipe.kind, features, str(place))
    if extractor is None:
        raise UserError("points have no pictures to look for: give a run of pictures")
    number = None if label is None else generator.numbered(label)
    searched = _said(how, "projection", "steps", "starts") or how.get("seed")
    if searched:
        refuse_found(generator, target)
    perceive = perceiver(extractor)
    how |= {"label": number, "progress": True}
    place_in = space_of(generator, space, noise)
    if place_in == "z":
        found = project(generator, target, perceive, **how)
        return write(found, generator, target, picture, out, extractor.name)
    found = project_styles(generator, target, perceive, space=place_in, noise=noise, **how)
    more = {"space": found.space, "styles": found.styles.tolist()}
    more |= {"noise": [each.tolist() for each in found.noise]} if noise else {}
    return write(found, generator, target, picture, out, extractor.name, **more)


USUAL: dict[str, dict[str, Any]] = {
    "sample": {},
    "styles": {"count": 5},
    "walk": {"seeds": (1, 2, 3), "frames": 120, "fps": 24, "loop": True},
    "truncate": {"count": 10},
    "evolve": {"count": 10},
    "projection": {"steps": 300, "starts": 4, "space": "auto"},
}
"""Choices that the name of a drawing does not mention, as the commands have them."""
NAMED = ("count", "frames", "fps", "loop", "truncation", "mix", "layers", "mix_layers", "steps")
"""Choices that it mentions by name."""


def _drawing(
    path: str | Path, what: str, ending: str, how: dict[str, Any], last: Sequence[Path] = ()
) -> Path:
    """Return where in the run a drawing goes that was given no place.

    Its name is its seed, what else was chosen and the moment of its weights, the ``last`` where there are
    several, so that no drawing takes the place of another.
    """
    from figment.data.names import file_names

    if folder.alone(Path(path)) is None:
        folder.read(Path(path))  # where it is no run, that is what is wrong
    weights = last[0] if last else folder.weights_of(Path(path))
    words = [what]
    for name, value in {"seed": "", **how}.items():
        if value is None or value in ("", (), [], USUAL[what].get(name)):
            continue
        said = "-".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        words.append(name + said if name in NAMED else said)
    words.append(f"at-{folder.images_of(weights)}")
    return _run_of(Path(path)) / (file_names(["-".join(words)])[0] + ending)


def _home(path: Path) -> Path:
    return path.parent if path.is_file() else path


def _run_of(path: Path) -> Path:
    """The run that a snapshot file lies in."""
    return path.parent.parent if path.is_file() and path.parent.name == "snapshots" else _home(path)
