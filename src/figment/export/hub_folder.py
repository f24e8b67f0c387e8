"""``figment export --to hub``: an upload for the Hugging Face Hub, a model and a static Space at once.

As a model it holds a file of weights and its card (README.md, whose front matter says in the Hub's words
what it is); as a Space it is the page, index.html, which draws in its visitors' browsers.
"""

from __future__ import annotations

import json
import re
from typing import Any

from figment.export.site import Site, cover, site
from figment.export.subject import Subject
from figment.files import MARK
from figment.hub import WEIGHTS
from figment.report import labels

SAMPLES = "samples.png"
LARGE = ("*.safetensors", "*.onnx", "*.wasm", "*.png")
"""Files that git keeps aside (LFS), as the Hub wants it."""
TERMS = (
    "apache-2.0",
    "mit",
    "bsd-3-clause",
    "cc0-1.0",
    "cc-by-4.0",
    "cc-by-sa-4.0",
    "cc-by-nc-4.0",
)
TERMS += ("cc-by-nc-sa-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-4.0", "openrail", "unlicense", "gpl-3.0")
"""Licences that the Hub knows by these names."""


def hub_files(
    subject: Subject,
    *,
    name: str = "",
    **how: Any,
) -> tuple[dict[str, bytes], str]:
    """Return the files but for the weights, by their places, and a sentence on what was exported.

    ``name`` is the repository's, where it is known; ``how`` is that of ``figment.export.site.site``.
    """
    made: Site = site([subject], **how)
    page = made.folder()
    about = json.loads(made.files[f"{made.config['models'][0]['at']}model.json"])
    files = {
        ".gitattributes": "".join(
            f"{kind} filter=lfs diff=lfs merge=lfs -text\n" for kind in LARGE
        ).encode(),
        SAMPLES: cover(subject),
        "model.json": (json.dumps(about, indent=1) + "\n").encode(),
        "README.md": card(about, name, _source(subject)).encode(),
    }
    return {**files, **page}, made.said


def card(about: dict[str, Any], name: str = "", source: str = "") -> str:
    """Return README.md of a model.json, as the card of the repository ``name``.

    ``source`` is the Hub's name of the data, "" where it has none.
    """
    told = about["card"]
    title = about.get("title") or about["name"]
    parts = [
        front_matter(about, source),
        f"<!-- {MARK} {about['figment']} -->",
        f"# {labels.markdown(title)}",
        f"![Samples]({SAMPLES})",
        labels.markdown(told["sentence"]),
        _use(about, name or "OWNER/NAME"),
        _data(about, source),
        _scores(told),
        f"## Copies of training pictures\n\n{labels.markdown(told['copies'])}",
        _health(told),
        f"## Intended use\n\n{labels.markdown(told['use'])}",
        f"## Licence\n\n{labels.markdown(told['licence'])}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def front_matter(about: dict[str, Any], source: str = "") -> str:
    """Return the YAML that the Hub reads: of a model, and of a static Space."""
    given = about["card"]["licence"].strip().lower()
    known = given in TERMS
    unknown = given.startswith("unknown")
    lines = {
        "license": given if known else "unknown" if unknown else "other",
        "license_name": None if known or unknown else about["card"]["licence"],
        "library_name": "figment",
        "pipeline_tag": "unconditional-image-generation",
        "tags": ["figment", "gan", "image-generation", "onnx", about["recipe"]],
        "datasets": [source] if source else None,
        "title": about.get("title") or about["name"],
        "sdk": "static",
        "app_file": "index.html",
        "pinned": False,
    }
    # JSON is YAML: quotes keep names that a person chose from being read as anything else.
    shown = (f"{key}: {_yaml(value)}" for key, value in lines.items() if value is not None)
    return "\n".join(["---", *shown, "---"])


def _yaml(value: Any) -> str:
    bare = isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9.-]*", value)
    return value if bare else json.dumps(value, ensure_ascii=False)


def _use(about: dict[str, Any], name: str) -> str:
    return f"""## Use

```python
import figment  # pip install 'figment-gan[hub]'

generator = figment.load("{name}").generator
generator.sample(16, seed=0).save("samples.png")
```

`index.html` draws in a browser: any host of plain files shows it, and so does a static Space. The same
seed gives the same picture there, in Python and on the command line (`figment sample {WEIGHTS}`).
`{about["name"]}` is also an ONNX file, in `models/`, whose metadata say how its latents are drawn."""


def _data(about: dict[str, Any], source: str) -> str:
    told = about["card"]
    name = f"[{source}](https://huggingface.co/datasets/{source})" if source else told["data"]
    count = told.get("examples")
    many = f"{count:,} examples" if isinstance(count, int) else "Examples"
    of = f" of {labels.markdown(name) if not source else name}" if name else ""
    shown = f", {about['images']:,} shown in all, repeats counted" if about["images"] else ""
    carried = "".join(f"- {labels.markdown(one)}\n" for one in about["carries"])
    return f"## Training data\n\n{many}{of}{shown}. Of them this repository carries:\n\n{carried}".rstrip()


def _scores(told: dict[str, Any]) -> str:
    """Return the table of scores with their protocols."""
    if not told["scores"]:
        return "## Scores\n\nIt has not been scored."
    when = told.get("scored_at")
    weights = told.get("images")
    later = weights is not None and weights != when
    here = f"; the weights here are of {labels.count(weights)}" if later else ""
    after = "" if when is None else f"Measured after {labels.count(when)} images{here}. "
    rows = [
        f"| {labels.markdown(one['label'])} | {labels.significant(one['value'])} "
        f"| {labels.interval(one['low'], one['high'])} "
        f"| {'' if one['floor'] is None else labels.significant(one['floor'])} "
        f"| {labels.BETTER[one['better']]} | {labels.markdown(one.get('protocol', ''))} |"
        for one in told["scores"]
    ]
    head = f"| score | value | 95 % interval | {labels.FLOOR} | | protocol |\n|---|---|---|---|---|---|\n"
    about = f"{after}Figures of other protocols do not compare."
    return f"## Scores\n\n{about}\n\n{head}" + "\n".join(rows)


def _health(told: dict[str, Any]) -> str:
    lines = [
        f"- {one['severity']}: **{labels.markdown(one['name'])}**. {labels.markdown(one['evidence'])}"
        for one in told["doctor"]
    ]
    return "## Health\n\nWhat `figment doctor` saw:\n\n" + "\n".join(lines) if lines else ""


def _source(subject: Subject) -> str:
    """Return the name of the data set on the Hub that a run was trained on, "" if it was another."""
    path = str(subject.record.data.get("path", "")) if subject.record else ""
    found = re.fullmatch(r"hf:([\w.-]+/[\w.-]+)(?:[:@].*)?", path)
    return found[1] if found else ""
