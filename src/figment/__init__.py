"""figment: turns a folder of pictures into a generator of new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from figment.actions.showing import push_to_hub
    from figment.launch import train
    from figment.recipe import Recipe
    from figment.run import Run, load

__all__ = ["Recipe", "Run", "load", "push_to_hub", "train"]


def __getattr__(name: str) -> object:
    """Import the public names when they are first used, so that importing figment costs nothing."""
    if name == "Recipe":
        from figment.recipe import Recipe

        return Recipe
    if name == "train":
        from figment.launch import train

        return train
    if name == "push_to_hub":
        from figment.actions.showing import push_to_hub

        return push_to_hub
    if name in ("Run", "load"):
        from figment import run

        return getattr(run, name)
    if name == "__version__":
        from importlib.metadata import version

        return version("figment-gan")
    raise AttributeError(f"module 'figment' has no attribute {name!r}")
