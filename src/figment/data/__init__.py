"""Real examples: what is there, packed once, gathered fast. Imports neither torch nor Pillow."""

from figment.data.cache import cache_root
from figment.data.dataset import Dataset
from figment.data.glance import Look, advise, look
from figment.data.inspection import Inspection, inspect
from figment.data.order import Order, evenly_spaced, gather
from figment.data.packing import open_dataset, pack
from figment.data.split import split, with_division

__all__ = [
    "Dataset",
    "Inspection",
    "Look",
    "Order",
    "advise",
    "cache_root",
    "evenly_spaced",
    "gather",
    "inspect",
    "look",
    "open_dataset",
    "pack",
    "split",
    "with_division",
]
