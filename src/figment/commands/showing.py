"""Showing a generator to others: ``figment export`` and ``figment serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from figment.runs import LATEST, named


def export(
    runs: tuple[str, ...] = (),
    /,
    *,
    to: Literal["onnx", "web", "safetensors", "hub"],
    out: Path | None = None,
    weights: Literal["fp32", "fp16", "int8"] | None = None,
    single_file: bool = False,
    webgpu: bool = False,
    runtime: Path | None = None,
    neighbours: bool = False,
    push: str = "",
    licence: str = "",
    use: str = "",
    title: str = "",
    trust: bool = False,
    overwrite: bool = False,
) -> int:
    """Publish a generator: a site that draws in the browser, an ONNX file, weights, an upload for the Hub.

    Args:
        runs: The run folder, or a snapshot file; the latest run without it. A site takes several.
        to: What to make of it: an ONNX file; a site, a folder that any host of plain files serves; one file
            of weights; a folder for the Hugging Face Hub, a model and its page.
        out: Where it goes: a folder; or FILE.onnx, FILE.safetensors, with --single-file FILE.html.
        weights: How weights are stored: fp32, fp16 (half the bytes), int8 (about a quarter); fp16 in a site
            and fp32 else without it.
        single_file: Make the site one HTML file, which opens from a disk.
        webgpu: Let the site draw by the graphics processor, where a browser allows it: 27 MB more.
        runtime: The file onnxruntime-web-1.30.0.tgz, where it is not to be fetched.
        neighbours: Carry thumbnails of training pictures: those that the first 256 seeds are most like.
        push: Publish the folder for the Hub there, as the model OWNER/NAME and as the Space of that name.
        licence: The terms under which you give it away, in a word or two.
        use: What you mean it for, in a sentence.
        title: What it is called, such as "This flower does not exist".
        trust: Open a recipe of your own, which the run only names: its module is imported.
        overwrite: Replace files that figment did not write, too.
    """
    from figment.actions.showing import export

    chosen = [named(run) for run in runs or (LATEST,)]
    how: dict[str, Any] = {
        "weights": weights,
        "single_file": single_file,
        "webgpu": webgpu,
        "runtime": runtime,
    }
    how |= {"neighbours": neighbours, "push": push, "licence": licence, "use": use, "title": title}
    print(export(chosen, to=to, out=out, trust=trust, overwrite=overwrite, **how))
    return 0


def serve(
    runs: tuple[str, ...] = (),
    /,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str = "",
    hosts: tuple[str, ...] = (),
    title: str = "",
    engine: Literal["auto", "onnx", "torch"] = "auto",
    device: str = "auto",
    batch: int = 32,
    queue: float = 10.0,
    trust: bool = False,
) -> int:
    """Serve generators over HTTP: pictures by seed, a page to look at them, runs in training live.

    Args:
        runs: Run folders, or snapshot files; the latest run without one.
        host: The address to listen on; 0.0.0.0 for all of this machine's.
        port: The port to listen on; 0 for a free one.
        token: What clients have to send; $FIGMENT_TOKEN, which other users of the machine do not see,
            without it.
        hosts: Names by which clients may call this server, such as pictures.example.org; on 127.0.0.1
            none but its own without it, elsewhere any.
        title: What the page is called, such as "This flower does not exist".
        engine: What draws: onnx (onnxruntime, on the CPU), torch, or the quicker of those that are
            installed.
        device: Where torch draws: cpu, cuda, mps, or auto.
        batch: Pictures that are drawn together at most.
        queue: Seconds of work that may wait; what would wait longer is refused.
        trust: Open a recipe of your own, which the run only names: its module is imported.
    """
    from figment.actions.showing import serve

    how: dict[str, Any] = {"host": host, "port": port, "token": token, "hosts": hosts}
    how |= {"title": title, "engine": engine, "device": device, "trust": trust}
    how |= {"batch": batch, "queue": queue}
    serve([named(run) for run in runs or (LATEST,)], **how)
    return 0
