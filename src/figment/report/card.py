"""The model card: README.md in the run folder, for whoever finds the folder alone."""

from __future__ import annotations

import json
from pathlib import Path

from figment.files import write_text


def write_card(run: Path) -> Path:
    """Write the run's model card; return its path."""
    written = json.loads((run / "recipe.json").read_text(encoding="utf-8"))
    machine = json.loads((run / "machine.json").read_text(encoding="utf-8"))
    data, sizes = machine["data"], machine["parameters"]
    grids = sorted(path for path in (run / "samples").glob("*.png") if path.stem.isdigit())
    images = int(grids[-1].stem) if grids else 0
    what = (
        "points" if len(data["shape"]) == 1 else f"{data['shape'][1]}x{data['shape'][2]} pictures"
    )
    picture = f"![samples](samples/{grids[-1].name})\n\n" if grids else ""
    write_text(
        run / "README.md",
        f"# {data['name']} by {written['recipe']}\n\n{picture}"
        f"A generator of {what}, trained with figment {machine['figment']} on {data['count']:,} examples "
        f"of `{data['name']}` (fingerprint `{data['fingerprint'][:16]}`), "
        f"{images:,} real images shown.\n\n"
        f"- generator: {sizes['generator']:,} parameters, from latents of {written['fields']['latent']} "
        "standard normal numbers\n"
        "- weights: the latest file in `snapshots/`, safetensors, with the recipe in its metadata\n"
        "- new samples: `figment sample .`; in Python `figment.load('.').generator.sample(16)`\n"
        "- `recipe.json` says all that decided the training, `report.html` shows it\n\n"
        "What it can make is bounded by what it was shown. The terms of the training data apply to what "
        "one does with the samples; samples may resemble single training examples.\n",
    )
    return run / "README.md"
