"""What ``figment recipes`` says: the systems, their sources, sizes and fields."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from figment.recipe import Recipe, fields_of
from figment.recipes import SYSTEMS, find
from figment.recipes.parameters import known

MOST = 100
"""Columns of a line."""
BY_DATA = (
    "by data: what the data ask for, unless you say; the value is that of data that ask for nothing"
)


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
    rows = [("id", "name", "generator", "discriminator", "source")]
    for entry in found:
        sizes = [_size(entry["parameters"], p) for p in ("generator", "discriminator")]
        rows.append((entry["id"], entry["name"], *sizes, entry["source"]))
    return columns(rows, aligned="<<>>")


def _size(parameters: dict[str, int], player: str) -> str:
    """A player's number of parameters, – where there is no such player."""
    return f"{parameters[player]:,}" if player in parameters else "–"


def columns(rows: Sequence[Sequence[str]], *, aligned: str, indent: int = 0) -> str:
    """Return rows of text in columns, two blanks apart, the last one wrapped to MOST in all.

    ``aligned``: "<" or ">" for each column but the last.
    """
    widths = [max(len(row[column]) for row in rows) for column in range(len(aligned))]
    left = indent + sum(widths) + 2 * len(widths)
    lines = []
    for row in rows:
        cells = zip(row, aligned, widths, strict=False)
        first = " " * indent + "".join(f"{cell:{side}{width}}  " for cell, side, width in cells)
        body = textwrap.wrap(row[-1], MOST - left, break_on_hyphens=False) or [""]
        lines.append((first + f"\n{'':{left}}".join(body)).rstrip())
    return "\n".join(lines)


def said(value: Any) -> str:
    """Return a field's value as it is written on the command line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return " ".join(map(str, value)) or "none"
    return str(value) or "none"


def field_help(family: type[Recipe]) -> dict[str, str]:
    """Return each field's line of help: the string below it in its class."""
    found: dict[str, str] = {}
    for cls in reversed(family.__mro__):
        if dataclasses.is_dataclass(cls):
            found |= _declared(cls)
    return found


@cache
def _declared(cls: type) -> dict[str, str]:
    """The lines of help of the fields that a class declares itself; reading a source takes long."""
    try:
        (tree,) = ast.parse(inspect.cleandoc(inspect.getsource(cls))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return {}
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    found: dict[str, str] = {}
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
            field: {
                "value": value,
                "by_data": field in recipe.BY_DATA,
                "help": help_.get(field, ""),
            }
            for field, value in fields_of(recipe).items()
        },
    }


def _one(entry: dict[str, Any]) -> str:
    title = f"{entry['id']} {entry['name']} ({entry['family']}): {entry['source']}".strip(" :")
    sizes = ", ".join(f"{name} {size:,}" for name, size in entry["parameters"].items())
    rows = []
    for name, field in entry["fields"].items():
        value = said(field["value"])
        rows.append((name, f"by data, else {value}" if field["by_data"] else value, field["help"]))
    head = [title, f"parameters: {sizes}"] if sizes else [title]
    head = [line for text in head for line in textwrap.wrap(text, MOST)]
    return "\n".join([*head, "", columns(rows, aligned="<<", indent=2), "", BY_DATA])
