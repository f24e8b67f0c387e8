"""What ``figment recipes`` says: the systems, their sources, sizes and fields."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from itertools import pairwise
from typing import Any

from figment.recipe import Recipe, fields_of
from figment.recipes import SYSTEMS, find
from figment.recipes.parameters import known


def listing(name: str | None = None) -> list[dict[str, Any]]:
    """Return the systems, or the one called ``name``, as plain values. Raises UserError."""
    if name is None:
        return [_entry(each) for each in SYSTEMS]
    full, recipe = find(name)
    if full in SYSTEMS:
        return [_entry(full)]
    return [_describe(full, "", "", recipe)]


def listing_text(found: list[dict[str, Any]]) -> str:
    """Return the same for people: a table of systems, or one system with its fields."""
    if len(found) == 1:
        return _one(found[0])
    rows = [("id", "name", "family", "generator", "discriminator", "source")]
    for entry in found:
        sizes = [f"{entry['parameters'].get(p, 0):,}" for p in ("generator", "discriminator")]
        rows.append((entry["id"], entry["name"], entry["family"], *sizes, entry["source"]))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    aligned = ("<", "<", "<", ">", ">")
    return "\n".join(
        "  ".join(
            f"{cell:{side}{width}}" for cell, side, width in zip(row, aligned, widths, strict=False)
        )
        + f"  {row[5]}"
        for row in rows
    )


def field_help(family: type[Recipe]) -> dict[str, str]:
    """Return each field's line of help: the string below it in its class."""
    found: dict[str, str] = {}
    for cls in reversed(family.__mro__):
        if not dataclasses.is_dataclass(cls):
            continue
        try:
            (tree,) = ast.parse(inspect.cleandoc(inspect.getsource(cls))).body
        except (OSError, TypeError, SyntaxError, ValueError):
            continue
        body = tree.body if isinstance(tree, ast.ClassDef) else []
        for node, below in pairwise(body):
            named = isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
            if named and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                found[node.target.id] = " ".join(str(below.value.value).split())
    return found


def _entry(name: str) -> dict[str, Any]:
    system = SYSTEMS[name]
    entry = _describe(name, system.id, system.source, system.recipe)
    return entry | {"parameters": known()[name]}


def _describe(name: str, id_: str, source: str, recipe: Recipe) -> dict[str, Any]:
    help_ = field_help(type(recipe))
    return {
        "id": id_,
        "name": name,
        "family": type(recipe).__name__,
        "source": source,
        "parameters": {},
        "fields": {
            field: {"value": value, "help": help_.get(field, "")}
            for field, value in fields_of(recipe).items()
        },
    }


def _one(entry: dict[str, Any]) -> str:
    title = f"{entry['id']} {entry['name']} ({entry['family']}): {entry['source']}".strip()
    sizes = ", ".join(f"{name} {size:,}" for name, size in entry["parameters"].items())
    lines = [title, f"parameters: {sizes}", ""] if sizes else [title, ""]
    wide = max(len(name) for name in entry["fields"])
    for name, field in entry["fields"].items():
        lines.append(f"  {name:<{wide}}  {field['value']!s:<22}  {field['help']}")
    return "\n".join(lines)
