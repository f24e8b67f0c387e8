"""Which pictures of a whole set repeat others, and which one they repeat."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from figment.data.repeats import reach, repeated

EVERY_PAIR = 8_000  # pictures of which all pairs are compared
NEIGHBOURS = 8  # pictures of like outline that each of more is compared with
BANDS = 4  # parts of an outline of which one must be the same
MOST = 200_000  # pictures among which more than exact repeats are looked for
GLANCE = 512  # pictures that are compared with others at a time


def first_of(digests: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return for each of N pictures the first one that it repeats, itself where there is none: [N] int64.

    ``digests`` [N] are of their bytes, ``levels`` [N, S, S] uint8 the pictures as small grey squares.
    ``repeats.repeated`` says which are the same. It is asked about all pairs of up to 8,000 pictures;
    of more, each is compared with its neighbours in the order of outlines, begun at each of their
    four parts, which finds what was saved or scaled anew and not what is mirrored. Of more than
    200,000 only files that are the same byte for byte are found.
    """
    _, first, number = np.unique(digests, return_index=True, return_inverse=True)
    parent = first[number].astype(np.int64)
    if len(parent) > MOST:
        return parent
    seen = levels.reshape(len(levels), -1).astype(np.float32)
    for one, other in _all_pairs(seen) if len(seen) <= EVERY_PAIR else _neighbours(levels, seen):
        low, high = sorted((_root(parent, one), _root(parent, other)))
        parent[high] = low
    return np.array([_root(parent, place) for place in range(len(parent))], np.int64)


def _all_pairs(seen: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield every picture that repeats an earlier one with the first such."""
    for start in range(0, len(seen), GLANCE):
        for place, same in enumerate(repeated(seen[start : start + GLANCE], seen), start):
            if len(same) and same[0] < place:
                yield int(same[0]), place


def _neighbours(levels: np.ndarray, seen: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield pairs of pictures that are the same, among those of like outline."""
    pairs = _candidates(_outlines(levels))
    for start in range(0, len(pairs), GLANCE * 16):
        left, right = pairs[start : start + GLANCE * 16].T
        apart = np.square(seen[left] - seen[right]).mean(1)
        same = apart <= np.square(reach(seen[left]))
        yield from zip(left[same].tolist(), right[same].tolist(), strict=True)


def _outlines(levels: np.ndarray) -> np.ndarray:
    """Return in which of 8 x 8 places each picture grows brighter to the right: [N] uint64 ("dHash")."""
    rows = levels.reshape(len(levels), 8, -1, levels.shape[2]).sum(2, dtype=np.uint16)
    rising = rows[:, :, 1::2] > rows[:, :, ::2]
    return np.packbits(rising.reshape(len(levels), -1), axis=1).view(np.uint64)[:, 0]


def _candidates(outlines: np.ndarray) -> np.ndarray:
    """Return pairs of pictures, [P, 2], of which one part of the outlines is the same."""
    found, bits = [np.zeros((0, 2), np.int64)], 64 // BANDS
    for band in range(BANDS):
        shift = np.uint64(band * bits)
        turned = (outlines << shift) | (outlines >> np.uint64(-band * bits % 64))
        order = np.argsort(turned, kind="stable")
        part = turned[order] >> np.uint64(64 - bits)
        for step in range(1, min(NEIGHBOURS, len(order) - 1) + 1):
            same = part[step:] == part[:-step]
            found.append(np.stack([order[:-step][same], order[step:][same]], 1))
    return np.unique(np.sort(np.concatenate(found), 1), axis=0)


def _root(parent: np.ndarray, place: int) -> int:
    while parent[place] != place:
        parent[place] = parent[parent[place]]
        place = int(parent[place])
    return place
