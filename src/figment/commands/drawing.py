"""Drawing from a trained run: ``figment sample``, ``walk``, ``truncate``, ``evolve`` and ``project``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from figment import mesh
from figment.errors import UserError
from figment.runs import LATEST, named


def sample(
    run: str = LATEST,
    /,
    *,
    count: int | None = None,
    seed: int = 0,
    class_: str | None = None,
    truncation: float | None = None,
    mix: tuple[int, ...] | None = None,
    mix_layers: tuple[int, ...] = (),
    per_class: int | None = None,
    copies: bool = True,
    out: Path | None = None,
    format: Literal["png", "wds", "parquet"] | None = None,
    shards: int | None = None,
    steps: int | None = None,
    device: str = "auto",
    trust: bool = False,
    overwrite: bool = False,
) -> int:
    """Draw new pictures from a run: a grid, a folder or a zip. The same seed always gives the same picture.

    Args:
        run: The run folder, or a snapshot file; the latest run without it.
        count: How many: those of the seeds from --seed on; 64 pictures or 2,500 points without it.
        seed: Seed of the first picture.
        class_: Name of the class to draw; all classes in turn without it.
        truncation: Cut the latents off at this value, such as 1.5; less is safer and more alike. Of
            stylegan and stylegan2 leave this share of the way from the mean style, such as 0.7.
        mix: Seeds of the columns of a table of style mixing, from which pictures take some layers' styles;
            its rows are the seeds from --seed on, 5 without --count. For stylegan and stylegan2.
        mix_layers: The first layer of those, or the first and the last; the finer half without it.
        per_class: Enlarge the data set: so many of each class into folders, with a manifest.
        copies: Keep pictures of an enlarged set that are copies of training pictures.
        out: FILE.png for a grid, FILE.zip, FILE.npy or a folder for single pictures; a grid in the run
            without it.
        format: What a folder gets: png, a file a picture, or wds (WebDataset tar) or parquet, shards with
            seed and class; wds above 10,000 pictures. After a kill the same command goes on.
        shards: How many shards; 1,024 pictures each without it.
        steps: Steps from noise to a picture, of a system that takes some; the run's own without it.
        device: cpu, cuda, mps, or auto.
        trust: Open a recipe of your own, which the run only names: its module is imported.
        overwrite: Replace files that figment did not write, too.
    """
    how: dict[str, Any] = {"seed": seed, "label": class_, "truncation": truncation}
    how |= {"out": out, "device": device, "trust": trust}
    form = {"format": format, "shards": shards, "steps": steps}
    if mix is not None:
        how = {"mix": mix, "mix_layers": mix_layers, "count": count, **how, "overwrite": overwrite}
        said = _mixed(run, how, form, alone=per_class is None and copies)
    elif mix_layers:
        raise UserError("--mix-layers are those that take other styles: add --mix SEEDS")
    elif per_class is not None:
        said = _enlarged(
            run, how | {"per_class": per_class, "copies": copies}, form | {"count": count}
        )
    else:
        said = _sampled(run, {"count": count, **how, "overwrite": overwrite, **form}, copies=copies)
    if mesh.is_first():
        print(said)
    return 0


def _sampled(run: str, how: dict[str, Any], *, copies: bool) -> str:
    from figment.actions.drawing import sample

    if not copies:
        raise UserError("--no-copies is for an enlarged set: add --per-class N")
    return sample(named(run), **how)


def _mixed(run: str, how: dict[str, Any], form: dict[str, Any], *, alone: bool) -> str:
    from figment.actions.drawing import mix

    if not how["mix"]:
        raise UserError("--mix takes the seeds of the columns, one or more: --mix 3 5 8")
    if not alone or any(value is not None for value in form.values()):
        raise UserError(
            "a table of style mixing is one picture: leave --format, --shards, --steps, --per-class and "
            "--no-copies out"
        )
    return mix(named(run), **how)


def _enlarged(run: str, how: dict[str, Any], form: dict[str, Any]) -> str:
    from figment.actions.drawing import enlarge

    if form.pop("count") is not None:
        raise UserError("--per-class says how many there are of each class: leave --count out")
    if any(value is not None for value in form.values()):
        raise UserError(
            "an enlarged set has a folder a class: leave --format, --shards and --steps out"
        )
    return enlarge(named(run), **how)


def walk(
    run: str = LATEST,
    /,
    *,
    out: Path | None = None,
    seeds: tuple[int, ...] = (1, 2, 3),
    classes: tuple[str, ...] = (),
    between: tuple[Path, ...] = (),
    frames: int = 120,
    fps: int = 24,
    loop: bool = True,
    truncation: float | None = None,
    mix: int | None = None,
    mix_layers: tuple[int, ...] = (),
    device: str = "auto",
    trust: bool = False,
    overwrite: bool = False,
) -> int:
    """Walk through latent space from picture to picture, as a film.

    Args:
        run: The run folder, or a snapshot file; the latest run without it.
        out: FILE.gif, FILE.webp or FILE.mp4; a GIF in the run without it.
        seeds: Seeds to pass through; one seed, if --classes names two or more.
        classes: The class of each stop, or one of them all.
        between: Picture files to pass by, in place of seeds: by what the run can make that is nearest.
        frames: Pictures of the film.
        fps: Pictures a second.
        loop: Come back to the first stop.
        truncation: Cut the latents of the stops off at this value; of stylegan and stylegan2 leave this
            share of the way from the mean style.
        mix: Seed whose style some layers keep all the way, for generators with styles.
        mix_layers: The first layer of those, or the first and the last; the finer half without it.
        device: cpu, cuda, mps, or auto.
        trust: Open a recipe of your own, which the run only names: its module is imported.
        overwrite: Replace files that figment did not write, too.
    """
    from figment.actions.drawing import walk

    stops = {"seeds": seeds, "classes": classes, "truncation": truncation, "between": between}
    stops |= {"mix": mix, "mix_layers": mix_layers}
    how = {"frames": frames, "fps": fps, "loop": loop, "device": device}
    print(walk(named(run), out, trust=trust, overwrite=overwrite, **how, **stops))
    return 0


def truncate(
    run: str = LATEST,
    /,
    *,
    out: Path | None = None,
    values: tuple[str, ...] = (),
    count: int = 10,
    seed: int = 0,
    class_: str | None = None,
    device: str = "auto",
    trust: bool = False,
    overwrite: bool = False,
) -> int:
    """Show what truncation does: one row per threshold, the same latents.

    Args:
        run: The run folder, or a snapshot file; the latest run without it.
        out: The picture to write, FILE.png; one in the run without it.
        values: Where latents are cut off, a row each, none for not at all: 0.01 1.5 none without it. Of
            stylegan and stylegan2 the share of the way from the mean style: 0.01 0.5 none.
        count: Latents in a row.
        seed: Seed of the first latent.
        class_: Name of the class to draw; all classes in turn without it.
        device: cpu, cuda, mps, or auto.
        trust: Open a recipe of your own, which the run only names: its module is imported.
        overwrite: Replace files that figment did not write, too.
    """
    from figment.actions.drawing import truncate

    how = {"count": count, "seed": seed, "label": class_, "trust": trust, "overwrite": overwrite}
    print(truncate(named(run), out, values=values, device=device, **how))
    return 0


def evolve(
    run: str = LATEST,
    /,
    *,
    out: Path | None = None,
    count: int = 10,
    seed: int = 0,
    class_: str | None = None,
    fps: int | None = None,
    device: str = "auto",
    trust: bool = False,
    overwrite: bool = False,
) -> int:
    """Show the same latents through the training: a row per snapshot, or a film of them all.

    Args:
        run: The run folder; the latest run without it.
        out: FILE.png for a strip; FILE.gif, FILE.webp or FILE.mp4 for a film; a strip in the run
            without it.
        count: Latents that are followed.
        seed: Seed of the first one.
        class_: Name of the class to draw; all classes in turn without it.
        fps: Snapshots a second of a film; 4 without it.
        device: cpu, cuda, mps, or auto.
        trust: Open a recipe of your own, which the run only names: its module is imported.
        overwrite: Replace files that figment did not write, too.
    """
    from figment.actions.drawing import evolve

    how = {"count": count, "seed": seed, "label": class_, "trust": trust, "overwrite": overwrite}
    print(evolve(named(run), out, fps=fps, device=device, **how))
    return 0


def project(
    run: str,
    picture: str = LATEST,
    /,
    *,
    out: Path | None = None,
    class_: str | None = None,
    steps: int = 300,
    starts: int = 4,
    seed: int = 0,
    space: Literal["auto", "z", "w", "w+"] = "auto",
    fit_noise: bool = False,
    features: str = "auto",
    device: str = "auto",
    trust: bool = False,
    overwrite: bool = False,
) -> int:
    """Find the latent of a picture: the generated one that comes nearest, and how near that is.

    A system with an encoder says the latent at once, any other is searched.

    Args:
        run: The run folder, or a snapshot file; the latest run where PICTURE stands alone.
        picture: The picture to look for.
        out: Folder for the pair of pictures and the latent; one in the run without it.
        class_: The class to look in; all classes without it.
        steps: Steps downhill from every start.
        starts: Starts that are followed, the nearest of 1,024 latents.
        seed: Seed of those latents.
        space: Where to look: among latents, z; with styles among styles, w, or styles of every layer, w+.
            auto: w+ where there are styles.
        fit_noise: Find the noise of the layers, too.
        features: What is compared: auto, efficientnet, mobilenet, patches, inception, dinov2, NAME:FILE
            or file:FILE.
        device: cpu, cuda, mps, or auto.
        trust: Open a recipe of your own, which the run only names: its module is imported.
        overwrite: Replace files that figment did not write, too.
    """
    from figment.actions.drawing import project

    how: dict[str, Any] = {"label": class_, "steps": steps, "starts": starts, "seed": seed}
    how |= {"trust": trust, "overwrite": overwrite, "space": space, "noise": fit_noise}
    if picture == LATEST:
        run, picture = LATEST, run
    print(project(named(run), Path(picture), out=out, features=features, device=device, **how))
    return 0
